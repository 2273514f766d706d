"""ganzoo sample: pictures from a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import click

from ganzoo_core.cli.completion import sources
from ganzoo_core.cli.train_ import pair
from ganzoo_core.errors import GanzooError, plain, say

COUNT = 64


@click.command("sample")
@click.argument("source", shell_complete=sources)
@click.option(
    "-n",
    "count",
    type=click.IntRange(1, 100_000),
    help="How many; of each --input or --text. Default: 64, of an --input 1, of a --text 8.",
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True)
@click.option(
    "--label", "labels", multiple=True, metavar="LABEL", help="A class by name or number; several take turns."
)
@click.option("--text", "texts", multiple=True, metavar="TEXT", help="What is to be shown: a row for each.")
@click.option("--input", "inputs", multiple=True, metavar="FILE|DIR", help="Pictures to make others of.")
@click.option("--mask", default="", metavar="FILE", help="White where the picture is to be filled in.")
@click.option("--size", default="", metavar="N|WxH", help="Cut and resize what is given, before.")
@click.option("--strip", is_flag=True, help="Show what was given beside what was made of it.")
@click.option("--net", default="", metavar="NAME", help="Another published network: F for CycleGAN's way back.")
@click.option("-c", "options", multiple=True, metavar="OPTION=VALUE", help="An option of the model's sampling.")
@click.option("--device", default="auto", show_default=True)
@click.option("-o", "--out", required=True, metavar="OUT", help="A sheet (.png), a clip (.gif), or a directory.")
@click.option("--force", is_flag=True, help="Overwrite OUT.")
def sample_(
    source: str, count: int | None, seed: int, labels: tuple[str, ...], texts: tuple[str, ...],
    inputs: tuple[str, ...], mask: str, size: str, strip: bool, net: str, options: tuple[str, ...], device: str,
    out: str, force: bool,
) -> None:  # fmt: skip
    """Make pictures with SOURCE: an id (dcgan.mnist), or the path of a model or run directory.

    The same seed gives the same pictures every time; fewer are the first of more. Pictures that are given are
    translated one by one, whatever their sizes; what is transparent lies on white.
    """
    target = writable(Path(out), force)
    chosen = dict(pair(text) for text in options)
    from ganzoo_core import model
    from ganzoo_core.cli import fed
    from ganzoo_core.hardware import pick_device
    from ganzoo_core.recipes import sampling_options

    files, sizes = fed.files_of(inputs), fed.size_of(size)
    trained = model.load(source, device=str(pick_device(device)))
    generator = trained.network(net)
    fed.refuse_without(generator, inputs, texts)
    n = count or (1 if files else 8 if texts else COUNT)
    given = {**generator.shown, **sampling_options(generator, chosen), **labelled(generator, labels, n)}
    shown: list[Path | None] = [*files] or [None]
    made = []
    for file, text in product(shown, texts or [""]):
        pictured = fed.given(generator, file, mask, sizes)
        images = generator.sample(n, seed=seed, **given, **pictured, **fed.told(generator, text))
        before = fed.before(generator, pictured, images) if file and strip else None
        made.append(Made(fed.slug(file, text), images, before))
    write(made, target, source)
    say(f"{sum(len(one.images) for one in made)} samples of {trained.config['id']}, seed {seed}")
    print(target)


class Made(NamedTuple):
    """What was made [n, C, H, W] of one file or text; and the file's own picture where that is to be shown."""

    name: str  # "" of neither
    images: Any
    before: Any


def write(made: Sequence[Made], target: Path, source: str) -> None:
    """One picture, a sheet of them, a clip, or a directory of pictures that are named as what was given."""
    from ganzoo_core import pictures

    if target.suffix == ".gif":
        if made[0].images.ndim != 5:
            raise GanzooError(f"{source}: makes pictures and no clips", "Give a .png with -o, or a directory.")
        return pictures.save_clip(pictures.tiled(made[0].images), target)
    if not pictures.is_picture(made[0].images):
        found = f"makes no pictures but tensors of shape {list(made[0].images.shape[1:])}"
        raise GanzooError(f"{source}: {found}", "For clips, -o OUT.gif; else use Python.")
    if target.suffix == ".png":
        return pictures.save(sheet(made), target)
    target.mkdir(exist_ok=True)
    for i, (name, images, before) in enumerate(made):
        for k, image in enumerate(images):
            number = [f"{k:05d}"] if len(images) > 1 or not name else []
            path = target / ("-".join([*filter(None, [name]), *number]) + ".png")
            if path.exists() and i:
                path = path.with_name(f"{i:05d}-{path.name}")
            shown = pictures.picture(image) if before is None else pictures.beside([before[k : k + 1], image[None]])
            pictures.save(shown, path)


def sheet(made: Sequence[Made]) -> Any:
    """All in one picture; a single one as it is."""
    import torch

    from ganzoo_core import pictures

    if len(made) == 1 and len(made[0].images) == 1 and made[0].before is None:
        return pictures.picture(made[0].images[0]) if made[0].name else pictures.grid(made[0].images)
    if len({one.images.shape[1:] for one in made}) > 1:
        raise GanzooError("the pictures differ in size and make no sheet", "Give a directory with -o, or a --size.")
    after = torch.cat([one.images for one in made])
    if made[0].before is None:
        return pictures.grid(after, len(made[0].images) if len(made) > 1 else 0)
    return pictures.beside([torch.cat([one.before for one in made]), after])


def writable(target: Path, force: bool) -> Path:
    """OUT before any work is done: in a directory that exists, and not there yet unless forced."""
    try:
        if target.exists() and not force and (target.is_file() or any(target.iterdir())):
            raise GanzooError(f"{target}: exists", "Choose another -o, or --force to overwrite it.")
        if target.suffix == ".png" and target.is_dir():
            raise GanzooError(f"{target}: is a directory", "Choose another -o.")
        target.parent.mkdir(parents=True, exist_ok=True)
        probe = target.parent / f".{target.name}.probe"
        probe.touch()
        probe.unlink()
    except OSError as fault:
        raise GanzooError(f"{plain(target)}: {fault.strerror}", "Choose another -o.") from None
    return target


def labelled(generator: Any, labels: tuple[str, ...], count: int) -> dict[str, list[str]]:
    """--label for the generator's label input: the labels take turns."""
    if not labels:
        return {}
    for name, declared in generator.inputs.items():
        if declared.kind == "label":
            return {name: [labels[i % len(labels)] for i in range(count)]}
    raise GanzooError(f"--label {plain(labels[0])}: this model takes no label", "Leave it out.")

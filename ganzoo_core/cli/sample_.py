"""ganzoo sample: pictures from a trained model."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, get_type_hints

import click

from ganzoo_core.cli.completion import sources
from ganzoo_core.cli.train_ import pair
from ganzoo_core.errors import GanzooError, UnknownName, plain, say

KINDS = {"label": tuple[int, ...], "category": tuple[int, ...], "code": tuple[float, ...]}  # what -c may give


@click.command("sample")
@click.argument("source", shell_complete=sources)
@click.option("-n", "count", type=click.IntRange(1, 100_000), default=64, show_default=True, help="How many.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True)
@click.option(
    "--label", "labels", multiple=True, metavar="LABEL", help="A class by name or number; several take turns."
)
@click.option("-c", "options", multiple=True, metavar="OPTION=VALUE", help="An option of the model's sampling.")
@click.option("--device", default="auto", show_default=True)
@click.option("-o", "--out", required=True, metavar="OUT", help="A grid (.png), or a directory of single pictures.")
@click.option("--force", is_flag=True, help="Overwrite OUT.")
def sample_(
    source: str, count: int, seed: int, labels: tuple[str, ...], options: tuple[str, ...], device: str, out: str,
    force: bool,
) -> None:  # fmt: skip
    """Make pictures with SOURCE: an id (dcgan.mnist), or the path of a model or run directory.

    The same seed gives the same pictures every time; fewer are the first of more.
    """
    target = writable(Path(out), force)
    given = dict(pair(text) for text in options)
    from ganzoo_core import model, pictures
    from ganzoo_core.hardware import pick_device

    trained = model.load(source, device=str(pick_device(device)))
    chosen = sampling_options(trained.generator, given) | labelled(trained.generator, labels, count)
    images = trained.sample(count, seed=seed, **chosen)
    if not pictures.is_picture(images):
        raise GanzooError(f"{source}: makes no pictures but tensors of shape {list(images.shape[1:])}", "Use Python.")
    if target.suffix == ".png":
        pictures.save(pictures.grid(images), target)
    else:
        target.mkdir(exist_ok=True)
        for i, image in enumerate(images):
            pictures.save(pictures.picture(image), target / f"{i:05d}.png")
    say(f"{count} samples of {trained.config['id']}, seed {seed}")
    print(target)


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


def sampling_options(generator: Any, given: dict[str, str]) -> dict[str, Any]:
    """Options from the command line, by the declared inputs and by the signature of the generator's own `sample`."""
    from ganzoo_core.recipes import Argument, parse

    hints = get_type_hints(type(generator).sample)
    parameters = inspect.signature(generator.sample).parameters.values()
    kinds = {p.name: hints[p.name] for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "seed"}
    kinds |= {name: KINDS[i.kind] for name, i in generator.inputs.items() if i.kind in KINDS}
    parsed = {}
    for name, text in given.items():
        if name not in kinds:
            raise UnknownName("sampling option", name, kinds)
        parsed[name] = parse(Argument(name, kinds[name], None, "", ()), text)
    return parsed

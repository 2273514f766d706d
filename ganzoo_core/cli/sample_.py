"""ganzoo sample: pictures from a trained model."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo_core.cli._shared import pair, writable
from ganzoo_core.cli.completion import sources
from ganzoo_core.errors import tell_user


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
@click.option("-o", "--out", required=True, metavar="OUT", help="A file (.png, .jpg, .gif, .npy ...), or a directory.")
@click.option("--force", is_flag=True, help="Overwrite OUT.")
def sample_(
    source: str, count: int | None, seed: int, labels: tuple[str, ...], texts: tuple[str, ...],
    inputs: tuple[str, ...], mask: str, size: str, strip: bool, net: str, options: tuple[str, ...], device: str,
    out: str, force: bool,
) -> None:  # fmt: skip
    """Make pictures with SOURCE: an id (dcgan.mnist), or the path of a model or run directory.

    The same seed gives the same pictures every time; fewer are the first of more. Pictures that are given are
    translated one by one, whatever their sizes (a margin that the network needs is cut off again); what is
    transparent lies on white. Those that cannot be used are named at the end.
    """
    target = writable(Path(out), force)
    chosen = dict(pair(text) for text in options)
    from ganzoo_core.cli.image_inputs import size_of
    from ganzoo_core.cli.making import making_of
    from ganzoo_core.cli.writing import refuse_format, write
    from ganzoo_core.models import model
    from ganzoo_core.nn.device import pick_device

    sizes = size_of(size)
    trained = model.load(source, device=str(pick_device(device)))
    generator = trained.network(net)
    refuse_format(generator.output, target)
    making = making_of(
        generator, count=count, seed=seed, labels=labels, texts=texts, inputs=inputs, mask=mask, size=sizes,
        options=chosen, strip=strip,
    )  # fmt: skip
    write(generator.output, making, target)
    tell_user(f"{making.count} samples of {trained.config['id']}, seed {seed}")
    print(target)
    making.refuse_unused()

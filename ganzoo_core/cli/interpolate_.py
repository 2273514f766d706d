"""ganzoo interpolate: the way from one sample to another."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo_core.cli import ways
from ganzoo_core.cli._shared import labelled, pair, writable
from ganzoo_core.cli.completion import sources
from ganzoo_core.errors import GanzooError, escape, tell_user

LARGEST = 2**63 - 1


@click.command("interpolate")
@click.argument("source", shell_complete=sources)
@click.option("--seeds", required=True, metavar="S,S,...", help="Two at least; the way leads from one to the next.")
@click.option("--steps", type=click.IntRange(1, 1000), default=8, show_default=True, help="From one to the next.")
@click.option("--how", default="spherical", show_default=True, help="spherical, linear, or w where there is a W.")
@click.option("--label", "labels", multiple=True, metavar="LABEL", help="A class by name or number.")
@click.option("--text", default="", help="What is to be shown.")
@click.option("--net", default="", metavar="NAME", help="Another published network.")
@click.option("-c", "options", multiple=True, metavar="OPTION=VALUE", help="An option of the model's sampling.")
@click.option("--device", default="auto", show_default=True)
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="OUT",
    help="A strip (.png ...) with a row for each leg, or a .gif, .mp4.",
)
@click.option("--force", is_flag=True, help="Overwrite OUT.")
def interpolate_(
    source: str, seeds: str, steps: int, how: str, labels: tuple[str, ...], text: str, net: str,
    options: tuple[str, ...], device: str, out: str, force: bool,
) -> None:  # fmt: skip
    """Show the way from the sample of one seed to that of the next, with SOURCE.

    Each leg begins and ends with what `ganzoo sample -n 1 --seed S` draws. A clip goes back to its beginning.
    """
    target = writable(Path(out), force)
    stops, chosen = numbers(seeds), dict(pair(word) for word in options)
    from ganzoo_core.cli.image_inputs import told
    from ganzoo_core.models import model
    from ganzoo_core.nn.device import pick_device
    from ganzoo_core.nn.walk import interpolate_seeds
    from ganzoo_core.registry.recipes import sampling_options

    clip = ways.is_clip(target)
    generator = model.load(source, device=str(pick_device(device))).network(net)
    given = sampling_options(generator, chosen) | labelled(generator, labels, steps + 1) | told(generator, text)
    segments = interpolate_seeds(generator, stops, steps, how, loop=clip, **given)
    ways.save_way(generator.output, segments, target)
    tell_user(f"{len(segments)} legs of {steps} steps, {how}")
    print(target)


def numbers(text: str) -> list[int]:
    """Seeds: 1,2,3."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and int(word) <= LARGEST for word in words):
        raise GanzooError(f"--seeds {escape(text, 60)}: not whole numbers from 0", "Give some: --seeds 1,2,3.")
    return [int(word) for word in words]

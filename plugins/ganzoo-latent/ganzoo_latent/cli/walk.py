"""ganzoo latent walk: from one point to the next, along a line or an arc."""

from __future__ import annotations

import click

from ganzoo_core.cli import is_clip, save_way
from ganzoo_core.errors import tell_user
from ganzoo_latent.cli.shared import Asked, of_model, point_of


@click.command("walk")
@of_model
@click.option("--seeds", required=True, metavar="S,S,...", help="Seeds, or files that project or edit wrote.")
@click.option("--steps", type=click.IntRange(1, 1000), default=8, show_default=True, help="From one to the next.")
@click.option("--how", type=click.Choice(["spherical", "linear"]), default="linear", show_default=True)
def command(
    asked: Asked, seeds: str, steps: int, how: str,
) -> None:  # fmt: skip
    """Show the way from one point to the next: a strip with a row for each leg, or a .gif or .mp4 that goes round."""
    target = asked.writable()
    clip = is_clip(target)
    from ganzoo_latent.walking import legs

    painter = asked.painter()
    stops = [point_of(painter, word.strip()) for word in seeds.split(",")]
    found = [painter.pictures(leg) for leg in legs(stops, steps, how, loop=clip)]
    save_way(painter.net.output, found, target)
    tell_user(f"{len(found)} legs of {steps} steps, {how}, in {painter.name}")
    print(target)

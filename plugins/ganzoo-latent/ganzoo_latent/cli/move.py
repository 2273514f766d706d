"""ganzoo latent move: a point, some way along directions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganzoo_core.errors import GanzooError, escape, tell_user
from ganzoo_latent.cli.shared import Asked, numbers, of_model, point_of

if TYPE_CHECKING:
    from torch import Tensor

    from ganzoo_latent.painter import Painter


@click.command("move")
@of_model
@click.argument("point")
@click.option("--along", "steps", multiple=True, required=True, metavar="K:D", help="D deviations along direction K.")
@click.option("--ways", type=click.Path(path_type=Path), help="File of `directions`; default: the strongest.")
def command(asked: Asked, point: str, steps: tuple[str, ...], ways: Path | None) -> None:
    """Move POINT (a seed, or a file of `project`) of SOURCE along directions, counted from 1: OUT has the picture,
    OUT.safetensors the new point. The strongest directions are those of sefa, or of pca where there are none.
    """
    target = asked.writable()
    beside = asked.writable(".safetensors")
    along = [step_of(text) for text in steps]
    from ganzoo_core.cli import save_sheet
    from ganzoo_latent import directions, files

    painter = asked.painter()
    found = ways_of(painter, ways, max(k for k, _ in along))
    there = directions.moved(painter, point_of(painter, point), found, along)
    save_sheet(painter.pictures(there), 1, target)
    files.write(files.Point(there, painter.name, asked.source), beside)
    tell_user(f"{', '.join(f'{far:+g} along {k}' for k, far in along)} in {painter.name}; {beside} has the point")
    print(target)


def step_of(text: str) -> tuple[int, float]:
    """(K, D) of K:D. Errors: GanzooError."""
    k, far = numbers("--along", text, "K:D")
    if k != int(k) or k < 1:
        raise GanzooError(f"--along {escape(text, 40)}: directions are counted from 1", "For example --along 1:2.5.")
    return int(k), far


def ways_of(painter: Painter, path: Path | None, count: int) -> Tensor:
    """Directions [count or more, *shape] of a file, or the strongest. Errors: GanzooError for fewer."""
    from ganzoo_latent import directions, files

    if path is None:
        return directions.strongest(painter, count)
    found = files.placed(files.read(path), painter, path)
    if len(found) < count:
        raise GanzooError(f"--along {count}: {escape(path)} has {len(found)} directions", "Count from 1.")
    return found

"""ganzoo latent directions: ways in which one thing changes, in strips, and what else moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ganzoo_core.errors import GanzooError, tell_user
from ganzoo_latent.cli.shared import Asked, extractor_of, of_model, point_of

if TYPE_CHECKING:
    from torch import Tensor

    from ganzoo_latent.choosing import Chooser
    from ganzoo_latent.directions import Effect
    from ganzoo_latent.painter import Painter


@click.command("directions")
@of_model
@click.option("--how", type=click.Choice(["sefa", "pca", "boundary"]), default="sefa", show_default=True)
@click.option("-k", "count", type=click.IntRange(1, 64), default=5, show_default=True, help="Of sefa and pca.")
@click.option("--layer", default="", help="pca of what this layer makes; default in z: as dissect.")
@click.option("--measure", "names", multiple=True, metavar="NAME", help="boundary: what is to change.")
@click.option("--apart", is_flag=True, help="boundary: without what it shares with those of the other measures.")
@click.option("--draws", type=click.IntRange(100), default=2000, show_default=True)
@click.option("--reach", type=click.FloatRange(0, 100, True), default=3.0, show_default=True, help="Deviations.")
@click.option("--point", default="", help="Where strips begin: a seed, or a file; default: three seeds.")
@click.option("--extractor", default="none", show_default=True, help="Whose classes are measured, too: mnist-cnn ...")
def command(
    asked: Asked, how: str, count: int, layer: str, names: tuple[str, ...], apart: bool, draws: int, reach: float,
    point: str, extractor: str,
) -> None:  # fmt: skip
    """Show directions of SOURCE: a row for each, and a table of what each moves. OUT.safetensors has them.

    Figures are changes of a measure from 1.5 deviations behind to 1.5 ahead, in its deviations among samples.
    """
    target = asked.writable()
    beside = asked.writable(".safetensors")
    if (how == "boundary") != bool(names):
        raise GanzooError("--measure goes with --how boundary", "Name one: --how boundary --measure slant.")
    import torch

    from ganzoo_core.cli import Meter, save_sheet
    from ganzoo_latent import directions, files
    from ganzoo_latent.activations import layer_of
    from ganzoo_latent.choosing import Chooser

    painter = asked.painter()
    choose = Chooser(painter, draws, extractor_of(painter, extractor))
    with Meter() as meter:
        if how == "boundary":
            found = bounded(painter, choose, names, apart)
        elif how == "pca":
            inside = layer_of(painter, layer) if layer or painter.name == "z" else ""  # in z all ways are alike
            found = directions.pca(painter, count, inside, draws, meter)
        else:
            found = directions.sefa(painter, count)
        starts = [
            point_of(painter, word) for word in ([point] if point else map(str, range(asked.seed, asked.seed + 3)))
        ]
        rows = [directions.strip(painter, start, way, reach) for way in found for start in starts]
        effects = [directions.effect(painter, way, choose.measures) for way in found]
    save_sheet(torch.cat(rows), 7, target)
    files.write(files.Point(found, painter.name, asked.source), beside)
    tell_user(f"{len(found)} directions in {painter.name}, {len(starts)} rows each; {beside} has them")
    table(names or tuple(str(i + 1) for i in range(len(found))), effects)
    print(target)


def bounded(painter: Painter, choose: Chooser, names: tuple[str, ...], apart: bool) -> Tensor:
    """A normal for each measure; apart, each without what it shares with the others."""
    import torch

    from ganzoo_latent.directions import boundary, conditional

    normals = [boundary(painter, choose.points, choose.scores(name)) for name in names]
    if apart and len(normals) > 1:
        others = [[m for j, m in enumerate(normals) if j != i] for i in range(len(normals))]
        normals = [conditional(normal, rest) for normal, rest in zip(normals, others, strict=True)]
    return torch.cat(normals)


def table(names: Sequence[str], effects: Sequence[Effect]) -> None:
    """What each direction moves, largest first, on stderr."""
    for name, effect in zip(names, effects, strict=True):
        moved = sorted(effect.moves.items(), key=lambda move: -abs(move[1]))
        told = ", ".join(f"{measure} {value:+.2f}" for measure, value in moved[:6])
        chosen = name if name in effect.moves else moved[0][0]
        tell_user(f"{name}: {told}; others move {effect.entanglement(chosen):.2f} of {chosen}")

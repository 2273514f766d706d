"""ganzoo latent edit: what is drawn with brushes holds in the picture that is found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganzoo_core.errors import GanzooError, tell_user
from ganzoo_latent.cli.shared import Asked, colour, fitting, numbers, of_model, point_of

if TYPE_CHECKING:
    from torch import Tensor

    from ganzoo_latent.constraints import Constraint
    from ganzoo_latent.painter import Painter, Report


@click.command("edit")
@of_model
@click.argument("point")
@click.option("--colour", "colours", multiple=True, metavar="X,Y,R=COLOUR", help="This colour within R pixels of X,Y.")
@click.option("--edges", type=click.Path(path_type=Path), help="A sketch, white lines on black.")
@click.option("--warp", "warps", multiple=True, metavar="X,Y:X,Y", help="What is here goes there.")
@click.option("--drag", "drags", multiple=True, metavar="X,Y:X,Y", help="The same by DragGAN; several go together.")
@click.option("--paste", default="", metavar="POINT@X,Y,W,H:X,Y", help="Another point's box, at X,Y.")
@click.option("--layer", default="", help="Of --drag and --paste; default: at most a quarter of the side.")
@click.option("--photo", type=click.Path(path_type=Path), help="What the point was found for: it is changed, too.")
@click.option("--steps", type=click.IntRange(1, 10_000), default=200, show_default=True)
def command(
    asked: Asked, point: str, colours: tuple[str, ...], edges: Path | None, warps: tuple[str, ...],
    drags: tuple[str, ...], paste: str, layer: str, photo: Path | None, steps: int,
) -> None:  # fmt: skip
    """Edit POINT (a seed, or a file of `project`) of SOURCE: OUT has the picture before and after; with --photo the
    photograph, too, with the same motion and colours. OUT.safetensors is the new point; what is pasted has none.
    """
    target = asked.writable()
    beside = None if paste else asked.writable(".safetensors")
    if sum(map(bool, (colours or edges or warps, drags, paste))) != 1:
        raise GanzooError("edit: give brushes (--colour, --edges, --warp), or --drag, or --paste", "One of the three.")
    from ganzoo_core.cli import Meter, save_beside
    from ganzoo_latent import constraints, files, flow

    painter = asked.painter()
    found = start = point_of(painter, point)
    before = painter.pictures(start)
    with Meter() as meter:
        if drags:
            found = dragged(painter, layer, drags, start, steps, meter)
        elif not paste:
            drawn = brushes(before[0], colours, edges, warps)
            found = constraints.edit(painter, start, drawn, steps=steps, report=meter)
        after = pasted(painter, layer, paste, start) if paste else painter.pictures(found)
    shown = [before, after]
    if photo is not None:
        photograph = fitting(painter, photo)
        shown += [photograph, flow.transferred(photograph, before, after)]
    save_beside(shown, target)
    if beside is not None:
        files.write(files.Point(found, painter.name, asked.source), beside)
    tell_user(f"before and after; {beside} has the point" if beside else "before and after; no point paints this alone")
    print(target)


def brushes(picture: Tensor, colours: tuple[str, ...], edges: Path | None, warps: tuple[str, ...]) -> list[Constraint]:
    """What the options ask for, of a picture [C, H, W]. Errors: GanzooError."""
    import torch

    from ganzoo_core.cli import read_fitted
    from ganzoo_latent.constraints import Colour, Edges, Warp, brush

    channels, height, width = picture.shape
    wanted: list[Constraint] = []
    for text in colours:
        where, _, name = text.partition("=")
        x, y, r = numbers("--colour", where, "X,Y,R")
        wanted.append(
            Colour(brush((height, width), [(round(x), round(y))], round(r)), torch.tensor(colour(name, channels)))
        )
    if edges is not None:
        sketch = (read_fitted(edges, 1, height, width)[0, 0] > 0).float()
        near = torch.nn.functional.max_pool2d(sketch[None, None], 5, 1, 2)[0, 0]
        wanted.append(Edges(near, sketch))
    for text in warps:
        x, y, to_x, to_y = map(round, numbers("--warp", text, "X,Y:X,Y"))
        wanted.append(Warp(picture, (x, y), (to_x, to_y), max(1, width // 10)))
    return wanted


def dragged(painter: Painter, layer: str, drags: tuple[str, ...], start: Tensor, steps: int, report: Report) -> Tensor:
    from ganzoo_latent.activations import layer_of
    from ganzoo_latent.dragging import drag

    ways = [numbers("--drag", text, "X,Y:X,Y") for text in drags]
    handles, targets = [(x, y) for x, y, *_ in ways], [(x, y) for *_, x, y in ways]
    found, where = drag(painter, start, layer_of(painter, layer, 0.5), handles, targets, steps=steps, report=report)
    tell_user(f"handles are at {', '.join(f'{x:.0f},{y:.0f}' for x, y in where)}")
    return found


def pasted(painter: Painter, layer: str, text: str, start: Tensor) -> Tensor:
    from ganzoo_latent.activations import layer_of
    from ganzoo_latent.manipulation import pasted as paste

    name, _, box = text.partition("@")
    side = painter.shape[-1]
    x, y, w, h, to_x, to_y = (number / side for number in numbers("--paste", box, "X,Y,W,H:X,Y"))
    return paste(painter, layer_of(painter, layer), point_of(painter, name), start, (x, y, w, h), (to_x, to_y))

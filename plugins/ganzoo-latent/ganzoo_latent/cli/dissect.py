"""ganzoo latent dissect: which units draw what, and pictures without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ganzoo_core.errors import GanzooError, UnknownNameError, escape, tell_user
from ganzoo_latent.cli.shared import Asked, numbers, of_model

if TYPE_CHECKING:
    from torch import Tensor

    from ganzoo_latent.concepts import Segmenter
    from ganzoo_latent.dissection import Dissected
    from ganzoo_latent.painter import Painter


@click.command("dissect")
@of_model
@click.option("--layer", default="", help="Default: the last whose side is at most a quarter of the picture's.")
@click.option("--concept", default="", help="Find its units: a colour, by name. Without, all are told about.")
@click.option("--segmenter", default="", metavar="MODULE:NAME", help="Makes a Segmenter of yours; default: colours.")
@click.option("--units", type=click.IntRange(1), default=8, show_default=True, help="How many are silenced.")
@click.option("--by", type=click.Choice(["cause", "iou"]), default="cause", show_default=True, help="Chosen by what.")
@click.option("--silence", default="", metavar="U,U,...", help="These units, or none, and no others are looked for.")
@click.option("-n", "count", type=click.IntRange(1, 64), default=16, show_default=True, help="Samples that are shown.")
@click.option("--insert", default="", metavar="X,Y", help="Then set them high there, in pixels.")
@click.option("--draws", type=click.IntRange(16), default=512, show_default=True)
@click.option("--quantile", type=click.FloatRange(0, 1, True, True), default=0.05, help="Share that counts as high.")
def command(
    asked: Asked, layer: str, concept: str, segmenter: str, units: int, by: str, silence: str, count: int, insert: str,
    draws: int, quantile: float,
) -> None:  # fmt: skip
    """Dissect a layer of SOURCE: OUT has samples above, below them without the concept's units, and with these set high
    at a place.
    """
    target = asked.writable()
    if silence and (concept or insert):
        raise GanzooError("--silence: names the units itself", "Leave --concept and --insert out.")
    from ganzoo_core.cli import save_sheet
    from ganzoo_latent.activations import layer_of
    from ganzoo_latent.dissection import silenced

    painter = asked.painter()
    where, points = layer_of(painter, layer), painter.draw(count)
    if silence:
        rows = silenced(painter, where, units_of(painter, where, silence), points)
        tell_user(f"{where} without units {silence}")
    else:
        rows = looked_for(painter, where, points, concept, segmenter, units, by, insert, draws, quantile)
    save_sheet(rows, count, target)
    print(target)


def looked_for(
    painter: Painter, where: str, points: Tensor, concept: str, segmenter: str, units: int, by: str, insert: str,
    draws: int, quantile: float,
) -> Tensor:  # fmt: skip
    """Samples, below them those without a concept's units, and with these set high.  [2 or 3 n, C, H, W]"""
    import torch

    from ganzoo_core.cli import Meter
    from ganzoo_latent import dissection

    concepts = segmenter_of(painter, segmenter)
    with Meter() as meter:
        found = dissection.dissect(painter, where, concepts, draws, quantile, meter)
        told(found, where, concepts.concepts)
        wanted = chosen(concept or concepts.concepts[int(found.iou.max(0).values.argmax())], concepts.concepts)
        if by == "cause":
            which = dissection.causal(painter, where, wanted, concepts, units, report=meter)
        else:
            which = found.best(wanted, units)
    shown = [dissection.silenced(painter, where, which, points)]
    lost = dissection.effects(painter, where, which, concepts).lost()
    effects = ", ".join(
        f"{name} {-100 * float(share):+.0f} %" for name, share in zip(concepts.concepts, lost, strict=True)
    )
    tell_user(f"without units {', '.join(map(str, which))}: {effects}")
    if insert:
        side = painter.shape[-1]
        x, y = (number / side for number in numbers("--insert", insert, "X,Y"))
        shown.append(dissection.inserted(painter, where, which, found.there[which, wanted], points, (x, y)))
    return torch.cat(shown)


def units_of(painter: Painter, layer: str, text: str) -> list[int]:
    """Units by number, 3,17; none of "none". Errors: GanzooError for one that the layer has not."""
    from ganzoo_latent.activations import maps

    words = [] if text == "none" else text.split(",")
    width = maps(painter, layer, painter.draw(1)).shape[1]
    if not all(word.strip().isdecimal() and int(word) < width for word in words):
        raise GanzooError(f"--silence {escape(text, 60)}: {layer} has units 0 to {width - 1}", "Name some: 3,17.")
    return [int(word) for word in words]


def segmenter_of(painter: Painter, name: str) -> Segmenter:
    """Colours, or what a function of the user's makes. Errors: GanzooError for what is no such function."""
    from ganzoo_core.plugin import resolve
    from ganzoo_latent.concepts import Segmenter, colours_for

    if not name:
        return colours_for(painter.shape[0])
    try:
        made = resolve(name)()
    except (ImportError, AttributeError, ValueError, TypeError) as fault:
        raise GanzooError(f"--segmenter {escape(name, 60)}: {escape(fault, 80)}", "Give MODULE:NAME.") from None
    if not isinstance(made, Segmenter):
        raise GanzooError(f"--segmenter {escape(name, 60)}: makes no ganzoo_latent.concepts.Segmenter")
    return made


def told(found: Dissected, layer: str, concepts: tuple[str, ...]) -> None:
    """The best unit of every concept, on stderr."""
    best = found.iou.max(0)
    rows = zip(concepts, best.indices.tolist(), best.values.tolist(), strict=True)
    tell_user(f"{layer}, {len(found.iou)} units; " + "; ".join(f"{c}: unit {u} IoU {v:.2f}" for c, u, v in rows))


def chosen(name: str, concepts: tuple[str, ...]) -> int:
    """Errors: UnknownNameError."""
    if name not in concepts:
        raise UnknownNameError("concept", name, concepts)
    return concepts.index(name)

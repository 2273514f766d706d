"""ganzoo latent arithmetic: groups of samples, added and taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ganzoo_core.errors import GanzooError, escape, tell_user
from ganzoo_latent.cli.shared import Asked, extractor_of, of_model

if TYPE_CHECKING:
    from torch import Tensor


COLUMNS = 6


@click.command("arithmetic")
@of_model
@click.argument("sum_", metavar="SUM")
@click.option("--draws", type=click.IntRange(10), default=500, show_default=True, help="Samples to choose among.")
@click.option("--group", type=click.IntRange(1), default=3, show_default=True, help="Samples of a measure's group.")
@click.option("--extractor", default="auto", show_default=True, help="Whose classes are measures; or none.")
def command(
    asked: Asked, sum_: str, draws: int, group: int, extractor: str,
) -> None:  # fmt: skip
    """Draw SUM, such as "4 + @slant - -@slant": groups with + and - between them.

    A group is seeds (12, or 1,5,9), or @NAME: the samples that a measure or a class is highest for, e.g. @slant or
    @7; -@NAME those that it is lowest for. The picture has a row for each group, its mean last, and then the answer
    among eight neighbours.
    """
    target = asked.writable()
    terms = parsed(sum_)
    import torch

    from ganzoo_core.cli import save_sheet
    from ganzoo_latent import arithmetic
    from ganzoo_latent.choosing import Chooser

    painter = asked.painter()
    choose = Chooser(painter, draws, extractor_of(painter, extractor))
    groups = [(sign, choose.group(name, group)) for sign, name in terms]
    plus, minus = ([points for sign, points in groups if sign == wanted] for wanted in "+-")
    answer = painter.within(arithmetic.answer(plus, minus))
    rows = [torch.cat([points[:5], points.mean(0, keepdim=True)]) for _, points in groups]
    shown = [framed(painter.pictures(row)) for row in rows]
    around = painter.pictures(arithmetic.neighbourhood(painter, answer))
    shown += [framed(part) for part in around.split(3)]  # type: ignore[no-untyped-call]
    save_sheet(torch.cat(shown), COLUMNS, target)
    counts = ", ".join(str(len(points)) for _, points in groups)
    tell_user(f"{sum_}: {len(groups)} groups of {counts} samples in {painter.name}")
    print(target)


def framed(row: Tensor) -> Tensor:
    """A row of the sheet: pictures, and white after the last.  [COLUMNS, C, H, W]"""
    from torch.nn.functional import pad

    return pad(row, (0, 0, 0, 0, 0, 0, 0, COLUMNS - len(row)), value=1.0)


def parsed(text: str) -> list[tuple[str, str]]:
    """Signs and names of groups. Errors: GanzooError."""
    words = text.split()
    if words[:1] not in (["+"], ["-"]):
        words = ["+", *words]
    signs, names = words[::2], words[1::2]
    if len(signs) != len(names) or set(signs) - {"+", "-"}:
        raise GanzooError(f"{escape(text, 60)}: is no sum of groups", 'Put + or - between them: "7 - 3 + 1".')
    return list(zip(signs, names, strict=True))

"""What each page inside a latent space asks for, as a command and as Python. No gradio, and nothing is computed."""

from __future__ import annotations

from collections.abc import Sequence

from ganzoo_core.nn import Generator
from ganzoo_studio.asking import Ask
from ganzoo_studio.latent import OUT, Inside, inside, start

SHEET = "from ganzoo_core.cli import save_sheet"
DIRECTIONS = "from ganzoo_latent import directions"
DRAWS = 128  # samples in which units are looked for
SILENCED = 8  # of them


def projection(ask: Ask, net: Generator, picture: str, space: str, steps: int) -> Inside:
    """The point of a space that paints a picture."""
    extractor = "lite0" if net.output.shape[0] == 3 else "mnist-cnn"
    imports = [
        "from ganzoo_core.cli import read_fitted, save_beside", "from ganzoo_latent.likeness import Likeness",
        "from ganzoo_latent.project import project",
    ]  # fmt: skip
    lines = [
        f"wanted = read_fitted(Path({picture!r}), *painter.shape)",
        f"found = project(painter, Likeness(wanted, {extractor!r}), steps={steps})",
        f"save_beside([wanted, found.picture], Path({OUT!r}))",
    ]
    words = ["project", picture, "--space", space, "--steps", str(steps)]
    return inside(ask, net, words, imports, lines, repr(space))


def strips(ask: Ask, net: Generator, begin: str, count: int, how: str = "sefa") -> Inside:
    """A strip along each of the strongest directions, which `how` finds: sefa or pca, as `strongest` chooses."""
    files, point = start(begin)
    lines = [
        f"start = {point}",
        f"rows = [directions.strip(painter, start, way) for way in directions.strongest(painter, {count})]",
        f"save_sheet(torch.cat(rows), 7, Path({OUT!r}))",
    ]
    words = ["directions", "--how", how, "-k", str(count), "--point", begin, "--draws", "500"]
    return inside(ask, net, words, [SHEET, DIRECTIONS, *files], lines)


def movement(ask: Ask, net: Generator, begin: str, k: int, far: float) -> Inside:
    """The k-th of the strongest directions followed for some deviations."""
    files, point = start(begin)
    lines = [
        f"ways = directions.strongest(painter, {k})",
        f"there = directions.moved(painter, {point}, ways, [({k}, {far})])",
        f"save_sheet(painter.pictures(there), 1, Path({OUT!r}))",
    ]
    return inside(ask, net, ["move", begin, "--along", f"{k}:{far}"], [SHEET, DIRECTIONS, *files], lines)


def silence(ask: Ask, net: Generator, layer: str, units: Sequence[int], count: int) -> Inside:
    """Samples, and the same without some units."""
    lines = [
        f"pictures = silenced(painter, {layer!r}, {list(units)}, painter.draw({count}))",
        f"save_sheet(pictures, {count}, Path({OUT!r}))",
    ]
    named = ",".join(map(str, units)) or "none"
    words = ["dissect", "--seed", str(ask.seed), "--layer", layer, "--silence", named, "-n", str(count)]
    imports = [SHEET, "from ganzoo_latent.dissection import silenced"]
    return inside(ask, net, words, imports, lines, f"seed={ask.seed}")


def colours(ask: Ask, net: Generator) -> Inside:
    """The units of the colour that is found best, by how they overlap with it."""
    imports = [
        SHEET, "from ganzoo_latent.activations import layer_of", "from ganzoo_latent.concepts import colours_for",
        "from ganzoo_latent.dissection import dissect, silenced",
    ]  # fmt: skip
    lines = [
        "layer = layer_of(painter)",
        f"found = dissect(painter, layer, colours_for(painter.shape[0]), {DRAWS})",
        f"units = found.best(int(found.iou.max(0).values.argmax()), {SILENCED})",
        f"save_sheet(silenced(painter, layer, units, painter.draw(16)), 16, Path({OUT!r}))",
    ]
    words = ["dissect", "--seed", str(ask.seed), "--by", "iou", "--draws", str(DRAWS), "--units", str(SILENCED)]
    return inside(ask, net, words, imports, lines, f"seed={ask.seed}")


def drag(ask: Ask, net: Generator, begin: str, ends: Sequence[int], steps: int) -> Inside:
    """What is at (x, y) goes to another place; `ends` are x, y of the one and the other."""
    x, y, to_x, to_y = ends
    files, point = start(begin)
    imports = [
        "from ganzoo_core.cli import save_beside", *files, "from ganzoo_latent.activations import layer_of",
        "from ganzoo_latent.dragging import drag",
    ]  # fmt: skip
    lines = [
        f"start = {point}",
        f"found, where = drag(painter, start, layer_of(painter, share=0.5), [({x}, {y})], [({to_x}, {to_y})], "
        f"steps={steps})",
        f"save_beside([painter.pictures(start), painter.pictures(found)], Path({OUT!r}))",
    ]
    words = ["edit", begin, "--drag", f"{x},{y}:{to_x},{to_y}", "--steps", str(steps)]
    return inside(ask, net, words, imports, lines)

"""Units of a layer, switched off: what each of them draws is what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr
import torch
from ganzoo_latent.activations import layer_of, maps
from ganzoo_latent.dissection import ablated

from ganzoo_core.cli import save_sheet
from ganzoo_studio.asking import Ask
from ganzoo_studio.latent import conditions, has_space, painter, searched
from ganzoo_studio.limits import SEED
from ganzoo_studio.parts import form, one_line, result, seed_box, told, whole
from ganzoo_studio.views import shown as view

if TYPE_CHECKING:
    from ganzoo_studio.studio import Facts, Studio

SHOWN = 8  # samples
UNITS = 24  # that can be switched off by hand: those that say most


def title(facts: Facts) -> str:
    return "Dissect" if has_space(facts) else ""


def build(studio: Studio, facts: Facts) -> None:
    with gr.Row():
        with gr.Column(min_width=260):
            asked = form(conditions(facts))
            seed = seed_box()
            look = gr.Button("Show its units", elem_id="gz-units")
            units = gr.CheckboxGroup([], label="Switched off", visible=False)
            search = gr.Button("Find the units of each colour (a minute)", elem_id="gz-dissect")
        with gr.Column(scale=2, min_width=260):
            shown = result()

    def begun(seed: Any, values: tuple[Any, ...]) -> Ask:
        return asked.read(Ask(facts.seat, studio.folder(), 1, whole(seed, 0, SEED, "seed")), values)

    def find(seed: Any, *values: Any) -> list[Any]:
        ask = begun(seed, values)
        brush = painter(studio, ask)
        layer = layer_of(brush)
        loud = maps(brush, layer, brush.draw(SHOWN, ask.seed)).std((0, 2, 3))
        names = [str(int(unit)) for unit in loud.argsort(descending=True)[:UNITS]]
        group = gr.CheckboxGroup(names, value=[], visible=True, label=f"Switched off, of layer {layer}")
        return [group, *without(ask, brush, layer, [])]

    def toggle(off: Any, seed: Any, *values: Any) -> list[Any]:
        ask = begun(seed, values)
        brush = painter(studio, ask)
        layer = layer_of(brush)
        width = maps(brush, layer, brush.draw(1)).shape[1]
        return without(ask, brush, layer, [whole(int(unit), 0, width - 1, "unit") for unit in list(off)[:UNITS]])

    def press(seed: Any, *values: Any) -> list[Any]:
        ask = begun(seed, values)
        words = ["--seed", str(ask.seed), "--by", "iou", "--draws", "128"]
        return searched(studio, ask, "dissect", words, f"Samples of {facts.seat.source}, and without a colour's units")

    look.click(one_line(find), [seed, *asked.components], [units, *shown.components])
    units.input(one_line(toggle), [units, seed, *asked.components], shown.components, trigger_mode="always_last")
    search.click(one_line(press), [seed, *asked.components], shown.components)


def without(ask: Ask, brush: Any, layer: str, units: list[int]) -> list[Any]:
    """Samples above, and below them the same without some units."""
    points = brush.draw(SHOWN, ask.seed)
    after = ablated(brush, layer, units, points)
    out = ask.folder / "without.png"
    save_sheet(torch.cat([brush.pictures(points), after]), SHOWN, out)
    named = ", ".join(map(str, units)) or "none"
    return told(
        view(out, f"Samples, and below them without units {named} of {layer}"), [out], "", code(ask, layer, units)
    )


def code(ask: Ask, layer: str, units: list[int]) -> str:
    """The lower row, from Python."""
    labels = f", label={ask.labels[0]!r}" if ask.labels else ""
    return "\n".join([
        "import ganzoo_core as gz",
        "from ganzoo_latent.dissection import ablated",
        "from ganzoo_latent.painter import Painter",
        f"painter = Painter(gz.load({ask.seat.source!r}).generator{labels})",
        f"points = painter.draw({SHOWN}, {ask.seed})",
        f"pictures = ablated(painter, {layer!r}, {units}, points)  # [{SHOWN}, C, H, W]",
    ])  # fmt: skip

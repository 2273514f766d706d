"""Units of a layer, switched off: what each of them draws is what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr
from ganzoo_latent.activations import layer_of, maps
from ganzoo_latent.dissection import silenced
from ganzoo_latent.painter import Painter

from ganzoo_studio.asking import Ask
from ganzoo_studio.latent import conditions, has_maps, painter
from ganzoo_studio.limits import SEED
from ganzoo_studio.parts import computed, form, found_by, result, seed_box, whole
from ganzoo_studio.recipes import colours, silence

if TYPE_CHECKING:
    from ganzoo_studio.studio import Facts, Studio

SHOWN = 8  # samples
UNITS = 24  # that can be switched off by hand: those that say most


def title(facts: Facts) -> str:
    return "Dissect" if has_maps(facts) else ""


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
        brush = painter(studio.net(facts.seat), ask, ask.seed)
        layer = layer_of(brush)
        loud = maps(brush, layer, brush.draw(SHOWN)).std((0, 2, 3))
        names = [str(int(unit)) for unit in loud.argsort(descending=True)[:UNITS]]
        group = gr.CheckboxGroup(names, value=[], visible=True, label=f"Switched off, of layer {layer}")
        return [group, *without(ask, brush, layer, [])]

    def toggle(off: Any, seed: Any, *values: Any) -> list[Any]:
        ask = begun(seed, values)
        brush = painter(studio.net(facts.seat), ask, ask.seed)
        layer = layer_of(brush)
        width = maps(brush, layer, brush.draw(1)).shape[1]
        return without(ask, brush, layer, [whole(int(unit), 0, width - 1, "unit") for unit in list(off)[:UNITS]])

    def without(ask: Ask, brush: Painter, layer: str, units: list[int]) -> list[Any]:
        """Samples above, and below them the same without some units."""
        made = silence(ask, studio.net(facts.seat), layer, units, SHOWN)
        named = ", ".join(map(str, units)) or "none"
        alt = f"Samples, and below them without units {named} of {layer}"
        return computed(made, silenced(brush, layer, units, brush.draw(SHOWN)), SHOWN, alt)

    def press(seed: Any, *values: Any) -> list[Any]:
        made = colours(begun(seed, values), studio.net(facts.seat))
        alt = f"Samples of {facts.seat.source}, and without a colour's units"
        return found_by(made, studio.shelf.where(facts.seat.source), alt)

    studio.samples(look.click, find, [seed, *asked.components], [units, *shown.components])
    studio.samples(units.input, toggle, [units, seed, *asked.components], shown.components, trigger_mode="always_last")
    studio.searches(search.click, press, [seed, *asked.components], shown.components)

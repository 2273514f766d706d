"""Many samples of one seed on a sheet, with the options of sampling: how truncation trades variety for quality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from ganzoo_studio.asking import Ask
from ganzoo_studio.limits import PICTURES, SEED
from ganzoo_studio.parts import form, of_ask, result, seed_box, whole

if TYPE_CHECKING:
    from ganzoo_studio.studio import Facts, Studio


def title(facts: Facts) -> str:
    return "Grid" if draws(facts) else ""


def draws(facts: Facts) -> bool:
    """Whether samples of one ask differ."""
    return any(declared.drawn for declared in facts.net.inputs.values())


def build(studio: Studio, facts: Facts) -> None:
    with gr.Row():
        with gr.Column(min_width=260):
            asked = form(facts.controls)
            count = gr.Slider(1, PICTURES, value=16, step=1, label="How many")
            seed = seed_box()
            go = gr.Button("Make them", variant="primary", elem_id="gz-grid")
        with gr.Column(scale=2, min_width=260):
            shown = result()

    def press(count: Any, seed: Any, *values: Any) -> list[Any]:
        many = whole(count, 1, PICTURES, "how many")
        ask = asked.read(Ask(facts.seat, studio.folder(), many, whole(seed, 0, SEED, "seed")), values)
        return of_ask(ask, studio.net(facts.seat), f"{many} samples of {facts.seat.source}, seed {ask.seed}")

    studio.samples(go.click, press, [count, seed, *asked.components], shown.components)

"""Every class in turn, as often as is wished."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from ganzoo_studio.asking import Ask
from ganzoo_studio.limits import PICTURES, SEED
from ganzoo_studio.parts import form, of_ask, result, seed_box, whole

if TYPE_CHECKING:
    from ganzoo_studio.studio import Facts, Studio


def title(facts: Facts) -> str:
    labelled = [control for control in facts.controls if control.flag == "--label"]
    others = [control for control in facts.controls if control.needed and control.flag != "--label"]
    return "Every class" if labelled and not others else ""


def build(studio: Studio, facts: Facts) -> None:
    names = next(control for control in facts.controls if control.flag == "--label").answers
    names = tuple(name for name in names if name)[:PICTURES]
    with gr.Row():
        with gr.Column(min_width=260):
            asked = form([control for control in facts.controls if control.flag != "--label"])
            rows = gr.Slider(1, PICTURES // len(names), value=min(4, PICTURES // len(names)), step=1, label="Of each")
            seed = seed_box()
            go = gr.Button("Make them", variant="primary", elem_id="gz-classes")
        with gr.Column(scale=2, min_width=260):
            shown = result()

    def press(rows: Any, seed: Any, *values: Any) -> list[Any]:
        each = whole(rows, 1, PICTURES // len(names), "of each")
        ask = Ask(facts.seat, studio.folder(), each * len(names), whole(seed, 0, SEED, "seed"), names)
        alt = f"{', '.join(names[:12])} of {facts.seat.source} in turn, seed {ask.seed}"
        return of_ask(asked.read(ask, values), studio.net(facts.seat), alt)

    studio.samples(go.click, press, [rows, seed, *asked.components], shown.components)

"""One sample: out of nothing, of a class, of words, of a picture that is given or drawn, of one with a hole."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import gradio as gr

from ganzoo_studio.asking import Ask
from ganzoo_studio.limits import SEED
from ganzoo_studio.parts import form, of_ask, result, seed_box, whole

if TYPE_CHECKING:
    from ganzoo_studio.studio import Facts, Studio

TITLES = (("mask", "Fill a hole"), ("picture", "Translate"), ("file", "Translate"), ("text", "Say it"))
FREE = "One that does not exist"


def title(facts: Facts) -> str:
    """After what must be given."""
    asked = {control.kind for control in facts.controls if control.needed}
    if "picture" in asked and any(control.kind == "mask" for control in facts.controls):
        return "Fill a hole"
    return next((name for kind, name in TITLES if kind in asked), FREE)


def build(studio: Studio, facts: Facts) -> None:
    with gr.Row():
        with gr.Column(min_width=260):
            asked = form(facts.controls)
            seed = seed_box()
            with gr.Row():
                again = gr.Button("Make it", elem_id="gz-make")
                another = gr.Button("Another", variant="primary", elem_id="gz-another")
        with gr.Column(scale=2, min_width=260):
            shown = result()

    def press(seed: Any, *values: Any) -> list[Any]:
        ask = Ask(facts.seat, studio.folder(), 1, whole(seed, 0, SEED, "seed"))
        ask = asked.read(ask, values)
        return of_ask(ask, studio.net(facts.seat), f"A sample of {facts.seat.source}, seed {ask.seed}")

    def press_anew(*values: Any) -> list[Any]:
        drawn = random.randrange(SEED)
        return [drawn, *press(drawn, *values)]

    studio.samples(again.click, press, [seed, *asked.components], shown.components)
    studio.samples(another.click, press_anew, asked.components, [seed, *shown.components])

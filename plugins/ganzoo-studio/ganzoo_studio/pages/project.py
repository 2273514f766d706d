"""The point of a model's space that paints a picture which is given: projection."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from ganzoo_studio.asking import Ask
from ganzoo_studio.controls import Control
from ganzoo_studio.latent import conditions, has_space
from ganzoo_studio.limits import SEARCH
from ganzoo_studio.parts import form, found_by, result, whole
from ganzoo_studio.recipes import projection

if TYPE_CHECKING:
    from ganzoo_studio.studio import Facts, Studio


def title(facts: Facts) -> str:
    return "Find my picture" if has_space(facts) else ""


def build(studio: Studio, facts: Facts) -> None:
    picture = Control("picture", "picture", "--input", needed=True, size=facts.net.output.shape)
    spaces = list(facts.net.spaces())
    with gr.Row():
        with gr.Column(min_width=260):
            asked = form([picture, *conditions(facts)])
            space = gr.Dropdown(spaces, value=spaces[-1], label="Space")
            steps = gr.Slider(10, SEARCH, value=50, step=10, label="Steps of the search")
            go = gr.Button("Find it", variant="primary", elem_id="gz-project")
        with gr.Column(scale=2, min_width=260):
            shown = result()

    def press(space: Any, steps: Any, *values: Any) -> list[Any]:
        ask = asked.read(Ask(facts.seat, studio.folder()), values)
        picture, many = ask.input, whole(steps, 10, SEARCH, "steps")
        found = projection(replace(ask, input=""), studio.net(facts.seat), picture, str(space), many)
        alt = f"The picture that was given, and what {facts.seat.source} paints of it"
        return found_by(found, studio.shelf.where(facts.seat.source), alt, picture)

    studio.searches(go.click, press, [space, steps, *asked.components], shown.components)

"""The point of a model's space that paints a picture which is given: projection."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from ganzoo_studio.asking import Ask
from ganzoo_studio.controls import Control
from ganzoo_studio.latent import conditions, has_space, searched
from ganzoo_studio.limits import SEARCH
from ganzoo_studio.parts import form, one_line, result, whole

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
        words = [ask.input, "--space", str(space), "--steps", str(whole(steps, 10, SEARCH, "steps"))]
        alt = f"The picture that was given, and what {facts.seat.source} paints of it"
        return searched(studio, replace(ask, input=""), "project", words, alt, (ask.input,))

    go.click(one_line(press), [space, steps, *asked.components], shown.components)

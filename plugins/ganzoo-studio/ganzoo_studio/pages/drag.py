"""A point of a picture goes where it is dragged, and the rest follows as the model knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from ganzoo_studio.asking import Ask
from ganzoo_studio.latent import conditions, has_maps, painter, point, point_of
from ganzoo_studio.limits import SEARCH, SEED
from ganzoo_studio.parts import form, found_by, point_file, result, seed_box, whole
from ganzoo_studio.recipes import drag

if TYPE_CHECKING:
    from ganzoo_studio.studio import Facts, Studio

LARGE = 384  # pixels of the picture that is clicked on


def title(facts: Facts) -> str:
    return "Drag points" if has_maps(facts) else ""


def build(studio: Studio, facts: Facts) -> None:
    height, width = facts.net.output.shape[1:]
    assert height and width
    with gr.Row():
        with gr.Column(min_width=260):
            asked = form(conditions(facts))
            seed = seed_box()
            found = point_file()
            show = gr.Button("Show it", elem_id="gz-drag-show")
            picture = gr.Image(
                label="Click where to begin, then where to go", interactive=False, type="pil", buttons=[],
                alt_text="The sample, to be clicked on; the numbers below do the same", elem_classes="gz-clicked",
            )  # fmt: skip
            with gr.Row():
                x, y = place("From x", width // 2, width), place("From y", height // 4, height)
            with gr.Row():
                to_x, to_y = place("To x", width // 2, width), place("To y", height // 2, height)
            steps = gr.Slider(10, SEARCH, value=40, step=10, label="Steps")
            go = gr.Button("Drag it", variant="primary", elem_id="gz-drag")
        with gr.Column(scale=2, min_width=260):
            shown = result()
    second = gr.State(False)

    def look(found: Any, seed: Any, *values: Any) -> Any:
        ask = asked.read(Ask(facts.seat, studio.folder(), 1, whole(seed, 0, SEED, "seed")), values)
        brush = painter(studio.net(facts.seat), ask)
        start = point_of(brush, point(found, ask.folder, ask.seed), ask.folder)
        drawn = brush.net.output.frame(brush.pictures(start)[0])
        return drawn.resize((LARGE, LARGE * height // width), 0)

    def click(second: bool, event: gr.SelectData) -> list[Any]:
        at = [int(event.index[0] * width / LARGE), int(event.index[1] * width / LARGE)]
        kept = [gr.skip(), gr.skip()]
        return [not second, *([*kept, *at] if second else [*at, *kept])]

    def press(found: Any, steps: Any, x: Any, y: Any, to_x: Any, to_y: Any, seed: Any, *values: Any) -> list[Any]:
        ask = asked.read(Ask(facts.seat, studio.folder(), 1, whole(seed, 0, SEED, "seed")), values)
        ends = [
            whole(at, 0, side - 1, "a place") for at, side in zip((x, y, to_x, to_y), (width, height) * 2, strict=True)
        ]
        begin, many = point(found, ask.folder, ask.seed), whole(steps, 10, SEARCH, "steps")
        made = drag(ask, studio.net(facts.seat), begin, ends, many)
        alt = f"{facts.seat.source}: before, and with what was at {ends[0]},{ends[1]} dragged to {ends[2]},{ends[3]}"
        return found_by(made, studio.shelf.where(facts.seat.source), alt)

    studio.samples(show.click, look, [found, seed, *asked.components], picture)
    picture.select(click, [second], [second, x, y, to_x, to_y])
    studio.searches(go.click, press, [found, steps, x, y, to_x, to_y, seed, *asked.components], shown.components)


def place(label: str, value: int, side: int) -> Any:
    return gr.Number(value, label=label, precision=0, minimum=0, maximum=side - 1, min_width=80)

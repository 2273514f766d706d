"""Along a direction of the space: what it changes, as a slider and as strips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from ganzoo_core.errors import GanzooError
from ganzoo_studio.asking import Ask
from ganzoo_studio.latent import conditions, has_space, keep, painter, point, point_name, point_of
from ganzoo_studio.limits import SEED
from ganzoo_studio.parts import computed, form, found_by, point_file, result, seed_box, whole
from ganzoo_studio.recipes import movement, strips

if TYPE_CHECKING:
    from ganzoo_studio.studio import Facts, Studio

COUNT = 5
REACH = 5.0  # deviations


def title(facts: Facts) -> str:
    return "Directions" if has_space(facts) else ""


def build(studio: Studio, facts: Facts) -> None:
    with gr.Row():
        with gr.Column(min_width=260):
            asked = form(conditions(facts))
            seed = seed_box()
            found = point_file()
            which = gr.Slider(1, COUNT, value=1, step=1, label="Direction, the strongest first")
            far = gr.Slider(-REACH, REACH, value=0, step=0.25, label="How far, in deviations", elem_id="gz-far")
            go = gr.Button("Move it", variant="primary", elem_id="gz-move")
            all_ = gr.Button("All of them, as strips", elem_id="gz-directions")
        with gr.Column(scale=2, min_width=260):
            shown = result()

    def begun(seed: Any, values: tuple[Any, ...]) -> Ask:
        return asked.read(Ask(facts.seat, studio.folder(), 1, whole(seed, 0, SEED, "seed")), values)

    def move(found: Any, which: Any, far: Any, seed: Any, *values: Any) -> list[Any]:
        from ganzoo_latent import directions  # scikit-learn takes a second to import

        ask, k, reach = begun(seed, values), whole(which, 1, COUNT, "direction"), within(far)
        net, begin = studio.net(facts.seat), point(found, ask.folder, ask.seed)
        brush = painter(net, ask)
        start = point_of(brush, begin, ask.folder)
        there = directions.moved(brush, start, directions.strongest(brush, k), [(k, reach)])
        keep(there, brush, ask)
        alt = f"{facts.seat.source}, {point_name(begin)}, {reach:+g} deviations along direction {k}"
        return computed(movement(ask, net, begin, k, reach), brush.pictures(there), 1, alt)

    def press(found: Any, seed: Any, *values: Any) -> list[Any]:
        from ganzoo_latent import directions

        ask = begun(seed, values)
        net = studio.net(facts.seat)
        how = "sefa" if directions.first_weights(painter(net, ask)) else "pca"
        made = strips(ask, net, point(found, ask.folder, ask.seed), COUNT, how)
        alt = f"Strips along {COUNT} directions of {facts.seat.source}"
        return found_by(made, studio.shelf.where(facts.seat.source), alt)

    moving = [found, which, far, seed, *asked.components]
    for slider in (which, far):
        studio.samples(slider.release, move, moving, shown.components, trigger_mode="always_last")
    studio.samples(go.click, move, moving, shown.components)
    studio.searches(all_.click, press, [found, seed, *asked.components], shown.components)


def within(far: Any) -> float:
    """Errors: GanzooError for what no slider sends."""
    if not isinstance(far, (int, float)) or not -REACH <= far <= REACH:
        raise GanzooError(f"how far: not from {-REACH:g} to {REACH:g}")
    return float(far)

"""Along a direction of the space: what it changes, as a slider and as strips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr
from ganzoo_latent.files import placed, read

from ganzoo_studio.asking import Ask
from ganzoo_studio.latent import conditions, has_space, painter, point, searched
from ganzoo_studio.limits import SEED
from ganzoo_studio.parts import form, one_line, result, seed_box, told, whole
from ganzoo_studio.views import shown as view

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
            found = gr.File(label="Or a point that was found (.safetensors)", file_types=[".safetensors"], height=110)
            which = gr.Slider(1, COUNT, value=1, step=1, label="Direction, the strongest first")
            far = gr.Slider(-REACH, REACH, value=0, step=0.25, label="How far, in deviations", elem_id="gz-far")
            strips = gr.Button("All of them, as strips", elem_id="gz-directions")
        with gr.Column(scale=2, min_width=260):
            shown = result()

    def begun(seed: Any, values: tuple[Any, ...]) -> Ask:
        return asked.read(Ask(facts.seat, studio.folder(), 1, whole(seed, 0, SEED, "seed")), values)

    def move(found: Any, which: Any, far: Any, seed: Any, *values: Any) -> list[Any]:
        from ganzoo_latent import directions  # scikit-learn takes a second to import

        ask, k = begun(seed, values), whole(which, 1, COUNT, "direction")
        brush, name = painter(studio, ask), point(found, ask.folder, ask.seed)
        start = brush.draw(1, ask.seed)
        if found:
            start = placed(read(ask.folder / name), brush, ask.folder / name)[:1]
        way = directions.sefa(brush, COUNT)[k - 1 : k]
        there = brush.within(start + directions.along(brush, way, max(-REACH, min(REACH, float(far)))))
        out = ask.folder / "moved.png"
        brush.net.output.save(brush.pictures(there), out)
        alt = (
            f"{facts.seat.source}, {name if found else f'seed {name}'}, {float(far):+g} deviations along direction {k}"
        )
        return told(view(out, alt), [out], "", code(ask, k, float(far), name if found else ""))

    def press(found: Any, seed: Any, *values: Any) -> list[Any]:
        ask = begun(seed, values)
        words = ["--how", "sefa", "-k", str(COUNT), "--point", point(found, ask.folder, ask.seed), "--draws", "500"]
        return searched(studio, ask, "directions", words, f"Strips along {COUNT} directions of {facts.seat.source}")

    moving = [found, which, far, seed, *asked.components]
    for slider in (which, far):
        slider.release(one_line(move), moving, shown.components, trigger_mode="always_last")
    strips.click(one_line(press), [found, seed, *asked.components], shown.components)


def code(ask: Ask, k: int, far: float, point: str) -> str:
    """The picture, from Python."""
    labels = f", label={ask.labels[0]!r}" if ask.labels else ""
    begin = (
        f"painter.draw(1, {ask.seed})"
        if not point
        else f"files.placed(files.read(Path({point!r})), painter, Path({point!r}))[:1]"
    )
    return "\n".join([
        *(["from pathlib import Path"] if point else []),
        "import ganzoo_core as gz",
        "from ganzoo_latent import directions" + (", files" if point else ""),
        "from ganzoo_latent.painter import Painter",
        f"painter = Painter(gz.load({ask.seat.source!r}).generator{labels})",
        f"way = directions.sefa(painter, {COUNT})[{k - 1}:{k}]",
        f"point = {begin} + directions.along(painter, way, {far})",
        "painter.net.output.frame(painter.pictures(painter.within(point))[0]).save('moved.png')",
    ])  # fmt: skip

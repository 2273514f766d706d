"""From the sample of one seed to that of another, as a clip that goes there and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from ganzoo_core.cli import save_way
from ganzoo_core.nn import interpolate_seeds
from ganzoo_studio.asking import Ask, line
from ganzoo_studio.limits import SEED, STEPS
from ganzoo_studio.pages.grid import draws
from ganzoo_studio.parts import form, result, seed_box, told, whole
from ganzoo_studio.views import shown as view

if TYPE_CHECKING:
    from ganzoo_studio.studio import Facts, Studio

OUT = "walk.gif"


def title(facts: Facts) -> str:
    given = any(control.needed and control.kind not in ("choice", "text") for control in facts.controls)
    return "Walk" if draws(facts) and not given and facts.net.output.kind == "images" else ""


def build(studio: Studio, facts: Facts) -> None:
    with gr.Row():
        with gr.Column(min_width=260):
            asked = form(facts.controls)
            with gr.Row():
                start, end = seed_box(1, "From seed"), seed_box(2, "To seed")
            steps = gr.Slider(1, STEPS, value=12, step=1, label="Steps")
            how = gr.Dropdown(list(facts.net.interpolation_modes), value=facts.net.interpolation_modes[0], label="Way")
            go = gr.Button("Walk", variant="primary", elem_id="gz-walk")
        with gr.Column(scale=2, min_width=260):
            shown = result()

    def press(start: Any, end: Any, steps: Any, how: Any, *values: Any) -> list[Any]:
        seeds = [whole(seed, 0, SEED, "seed") for seed in (start, end)]
        many, net = whole(steps, 1, STEPS, "steps"), studio.net(facts.seat)
        ask = asked.read(Ask(facts.seat, studio.folder(), many + 1), values)
        ask.refuse_many(net)
        given = ask.given(net, defaults=False)
        save_way(net.output, interpolate_seeds(net, seeds, many, str(how), loop=True, **given), ask.folder / OUT)
        alt = f"{facts.seat.source} from seed {seeds[0]} to seed {seeds[1]} and back"
        words = [
            "interpolate",
            facts.seat.source,
            "--seeds",
            f"{seeds[0]},{seeds[1]}",
            "--steps",
            str(many),
            "--how",
            str(how),
        ]
        command = line([*words, *ask.conditions(), "-o", OUT])
        return told(view(ask.folder / OUT, alt), [ask.folder / OUT], command, code(facts, seeds, many, str(how), given))

    studio.samples(go.click, press, [start, end, steps, how, *asked.components], shown.components)


def code(facts: Facts, seeds: list[int], steps: int, how: str, given: dict[str, object]) -> str:
    """The frames, from Python."""
    named = "".join(f", {name}={value!r}" for name, value in given.items())
    net = f", net={facts.seat.net!r}" if facts.seat.net else ""
    return "\n".join([
        "import ganzoo_core as gz",
        f"model = gz.load({facts.seat.source!r})",
        f"way = model.interpolate({[*seeds, seeds[0]]}, {steps}, mode={how!r}{net}{named})[:-1]",
        f"first, *rest = model.to_pil(way{net})",
        f"first.save({OUT!r}, save_all=True, append_images=rest, duration=80, loop=0)",
    ])  # fmt: skip

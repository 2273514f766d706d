"""Two models on the same seeds, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from ganzoo_core.errors import GanzooError
from ganzoo_studio.asking import Ask
from ganzoo_studio.controls import controls_of
from ganzoo_studio.limits import PICTURES, SEED
from ganzoo_studio.parts import result, seed_box, told, view_of, whole
from ganzoo_studio.shelf import Seat

if TYPE_CHECKING:
    from ganzoo_studio.studio import Facts, Studio


def title(facts: Facts) -> str:
    return "" if any(control.needed and control.kind != "choice" for control in facts.controls) else "Compare"


def build(studio: Studio, facts: Facts) -> None:
    with gr.Row():
        others = [source for source in studio.shelf.sources if source != facts.seat.source] or [facts.seat.source]
        other = gr.Dropdown(studio.shelf.sources, value=others[0], label="Beside", elem_id="gz-other")
        count = gr.Slider(1, PICTURES, value=16, step=1, label="How many of each")
        seed = seed_box()
    go = gr.Button("Compare", variant="primary", elem_id="gz-compare")
    shown = result()

    def press(other: Any, count: Any, seed: Any) -> list[Any]:
        asks = [
            turn(studio, seat, whole(count, 1, PICTURES, "how many"), whole(seed, 0, SEED, "seed"))
            for seat in (facts.seat, Seat(str(other), ""))
        ]
        views, files, shells, codes = [], list[Path](), [], []
        for name, ask in zip(("first", "second"), asks, strict=True):
            net = studio.net(ask.seat)
            made = ask.make(net)
            out = f"{name}{made.file.suffix}"
            files.append(made.file.rename(ask.folder / out))
            alt = f"{ask.count} samples of {ask.seat.source}, seed {ask.seed}"
            views.append(view_of(ask, made._replace(file=ask.folder / out), alt))
            shells.append(ask.shell(out))
            codes.append(ask.python(net, out))
        html = f"<div class=gz-pair>{''.join(f'<div>{view}</div>' for view in views)}</div>"
        return told(html, files, "\n".join(shells), "\n\n".join(codes))

    studio.samples(go.click, press, [other, count, seed], shown.components)


def turn(studio: Studio, seat: Seat, count: int, seed: int) -> Ask:
    """The ask of one model: its classes take turns. Errors: GanzooError for one that must be given something."""
    controls = controls_of(studio.net(seat))
    missing = [control.title for control in controls if control.needed and control.kind != "choice"]
    if missing:
        raise GanzooError(
            f"{seat.source}: must be given {' and '.join(missing)}", "Compare one that draws its samples."
        )
    labels = next((control.answers for control in controls if control.needed and control.flag == "--label"), ())
    return Ask(seat, studio.folder(), count, seed, labels)

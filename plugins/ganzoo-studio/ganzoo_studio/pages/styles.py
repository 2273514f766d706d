"""Styles of some samples in the pictures of others, for whoever declares `mix_rows`, `mix_cols` and `mix_layers`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from ganzoo_core.errors import GanzooError, escape
from ganzoo_studio.asking import Ask
from ganzoo_studio.controls import mixes
from ganzoo_studio.limits import SEED
from ganzoo_studio.parts import of_ask, result

if TYPE_CHECKING:
    from ganzoo_studio.studio import Facts, Studio

LONGEST = 6  # seeds of a side


def title(facts: Facts) -> str:
    return "Mix styles" if mixes(facts.net) else ""


def build(studio: Studio, facts: Facts) -> None:
    with gr.Row():
        with gr.Column(min_width=260):
            rows = gr.Textbox("1,2,3", label="Seeds of the rows, whose pictures change", max_length=80)
            columns = gr.Textbox("4,5,6", label="Seeds of the columns, whose styles come in", max_length=80)
            layers = gr.Textbox("0-3", label="In these layers, 0 the coarsest: 0-3, or 4-7,9", max_length=40)
            go = gr.Button("Mix them", variant="primary", elem_id="gz-mix")
        with gr.Column(scale=2, min_width=260):
            shown = result()

    def press(rows: Any, columns: Any, layers: Any) -> list[Any]:
        options = {"mix_rows": seeds(rows), "mix_cols": seeds(columns), "mix_layers": str(layers).strip()}
        ask = Ask(facts.seat, studio.folder(), 1, 0, options=options)
        alt = f"Rows {options['mix_rows']} with the styles of columns {options['mix_cols']} in layers {layers}"
        return of_ask(ask, studio.net(facts.seat), alt)

    studio.samples(go.click, press, [rows, columns, layers], shown.components)


def seeds(text: Any) -> str:
    """Some seeds: 1,2,3. Errors: GanzooError."""
    words = [word.strip() for word in str(text).split(",") if word.strip()]
    if not 1 <= len(words) <= LONGEST or not all(word.isdecimal() and int(word) <= SEED for word in words):
        raise GanzooError(f"{escape(text, 40)}: not 1 to {LONGEST} seeds", "Give some: 1,2,3.")
    return ",".join(words)

"""A run while it trains: its report, made anew every few seconds."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from ganzoo_core.cli import report_page
from ganzoo_studio.parts import one_line

if TYPE_CHECKING:
    from ganzoo_studio.studio import Studio

SECONDS = 5


def build(studio: Studio) -> None:
    """For the runs that the studio was started with."""
    names = list(studio.shelf.runs)
    with gr.Accordion("Watch a run", open=not studio.shelf.sources):
        run = gr.Dropdown(names, value=names[0], label="Run", elem_id="gz-run")
        page = gr.HTML(elem_id="gz-watch")
        clock = gr.Timer(SECONDS)

        def look(name: Any) -> str:
            """The report as a page in the page, which loads nothing and runs nothing."""
            source = report_page(studio.shelf.run(str(name)))
            title = escape(f"Report of {name}")
            return f'<iframe class=gz-run title="{title}" sandbox srcdoc="{escape(source)}"></iframe>'

        clock.tick(one_line(look), run, page, show_progress="hidden")
        run.change(one_line(look), run, page)

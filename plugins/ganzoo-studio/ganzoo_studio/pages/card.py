"""What is known of a model: what it is, what it was trained on, its licence, and its scores with their protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

import ganzoo_core as gz
from ganzoo_studio.asking import line as line_of
from ganzoo_studio.parts import CODE
from ganzoo_studio.views import shown

if TYPE_CHECKING:
    from ganzoo_studio.studio import Facts, Studio


def title(facts: Facts) -> str:
    return "Card"


def build(studio: Studio, facts: Facts) -> None:
    source, model = facts.seat.source, facts.model
    gr.HTML(card(facts), elem_classes="gz-view")
    samples, recording = model.folder / "samples.png", model.folder / "samples.wav"
    for file, alt in ((samples, f"Samples of {source}"), (recording, f"Sounds of {source}")):
        if file.exists():
            gr.HTML(shown(file, alt), elem_classes="gz-view")
    if samples.exists():
        for language, label, text in pictured(source):
            gr.Code(text, language=language, label=label, **CODE)
    line = model.usage.line(source, "samples")
    gr.Code(
        line, language="shell", label="Samples of your own", interactive=False, wrap_lines=True, show_line_numbers=False
    )


def pictured(source: str) -> Iterator[tuple[Any, str, str]]:
    """How one has the picture of a card, which is a file of the model: (language, what, text)."""
    yield "shell", "This picture, on the command line", line_of(["export", source, "model"]) + "  # model/samples.png"
    python = f"import ganzoo_core as gz\npicture = (gz.load({source!r}).folder / 'samples.png').read_bytes()"
    yield "python", "This picture, in Python", python


def card(facts: Facts) -> str:
    """Facts and scores as tables; a stranger's words are escaped."""
    config = facts.model.config
    (family,) = gz.list_families(config["objective"]["family"])
    made = config["training"]
    rows = [
        ("What it is", f"{family.name}: {family.summary}"),
        ("Paper", f"{family.paper} ({family.year}){f', arXiv:{family.arxiv}' if family.arxiv else ''}"),
        ("Licence of the weights", config["licence"]),
        ("Trained on", f"{config['dataset']['name']} ({config['dataset']['licence']}), {made['images']:,} images"),
        ("By", made["command"]),
        ("Bytes", f"{sum(file['bytes'] for file in config['files'].values()):,}"),
    ]
    facts_table = "".join(f"<tr><th scope=row>{escape(k)}</th><td>{escape(str(v))}</td></tr>" for k, v in rows)
    scores = "".join(
        f"<tr><th scope=row>{escape(str(row['name']))}</th><td>{row['value']:.6g}</td>"
        f"<td>{escape(protocol(row))}</td></tr>"
        for row in facts.model.info.metrics
    )
    measured = f"<h3>Scores</h3><table class=gz-facts>{scores}</table>" if scores else "<p>No score is published.</p>"
    return f"<h2>{escape(facts.seat.source)}</h2><table class=gz-facts>{facts_table}</table>{measured}"


def protocol(row: Mapping[str, Any]) -> str:
    """How a score was measured, on one line."""
    told = row.get("protocol")
    pairs = told.items() if isinstance(told, dict) else ()
    return ", ".join(f"{k} {str(v)[:40]}" for k, v in pairs if k not in ("metric", "versions"))

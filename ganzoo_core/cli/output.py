"""What verbs print: one JSON document, or a table that is Rich on a terminal and plain text elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from ganzoo_core.errors import escape


def document(content: dict[str, Any]) -> None:
    """One JSON document on stdout: a line for each key, and for each item of a list."""
    lines = [f"{json.dumps(key)}: {value_text(value)}" for key, value in {"schema": 1, **content}.items()]
    print("{\n " + ",\n ".join(lines) + "\n}")


def value_text(value: Any) -> str:
    """Its items on lines of their own, where it is a list or a table of such."""
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], (dict, list, tuple)):
        return "[\n  " + ",\n  ".join(json.dumps(item, ensure_ascii=True) for item in value) + "\n ]"
    return json.dumps(value, ensure_ascii=True)


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on stdout; nothing in it is longer than its column needs, nor a control character."""
    cells = [[escape(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        drawn = Table(*header, title=title, title_justify="left", box=None)
        for row in cells:
            drawn.add_row(*map(Text, row))
        Console().print(drawn)
        return
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    print(title)
    for row in [list(header), *cells]:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

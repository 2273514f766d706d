"""What verbs print: one JSON document, or a table that is Rich on a terminal and plain text elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from ganzoo_core.errors import plain


def document(content: dict[str, Any]) -> None:
    print(json.dumps({"schema": 1, **content}, indent=2, ensure_ascii=True))


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on stdout; nothing in it is longer than its column needs, nor a control character."""
    cells = [[plain(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table

        drawn = Table(*header, title=title, title_justify="left", box=None)
        for row in cells:
            drawn.add_row(*map(escape, row))
        Console().print(drawn)
        return
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    print(title)
    for row in [list(header), *cells]:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

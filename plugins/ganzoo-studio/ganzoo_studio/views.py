"""Files as HTML that needs nothing but itself: a picture, a clip, a sound with its player, a table, words.

A view is chosen by the suffix of a file; what no browser shows is shown as its kind's own picture. All that is not
made here is escaped.
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

ROWS = 20  # of a table
COLUMNS = 16
LINES = 40  # of a text
SMALL = 300  # pixels: pictures below are enlarged, and keep their pixels

View = Callable[[bytes, str], str]


def shown(path: Path, alt: str) -> str:
    """A file as a figure with its caption, which is also what a screen reader says."""
    view = VIEWS.get(path.suffix.lower())
    if view is None:
        return f"<p class=gz-quiet>{escape(alt)}: {escape(path.name)} is there to be downloaded.</p>"
    return (
        f"<figure class=gz-figure>{view(path.read_bytes(), escape(alt))}<figcaption>{escape(alt)}</figcaption></figure>"
    )


def compared(before: Path, after: Path, alt: str) -> str:
    """Two pictures of one shape over each other, and a slider that uncovers the second."""
    first, second = (
        VIEWS[".png"](path.read_bytes(), escape(name)) for path, name in ((before, "Before"), (after, alt))
    )
    slide = '<input type=range min=0 max=100 value=50 aria-label="From before to after">'  # moved by style.SCRIPT
    caption = f"<figcaption>{escape(alt)}: before on the left of the slider, after on its right</figcaption>"
    both = f"<div class=gz-both>{first}{second}</div>"
    return f"<figure class=gz-figure><div class=gz-slide>{both}{slide}</div>{caption}</figure>"


def downloads(files: Sequence[Path]) -> str:
    """Links that hold the files themselves: once a page has them, nothing of them needs to lie anywhere else."""
    links = "".join(
        f'<li><a download="{escape(file.name)}" href="{data(file.read_bytes(), "application/octet-stream")}">'
        f"{escape(file.name)}</a> <span class=gz-quiet>{file.stat().st_size:,} bytes</span></li>"
        for file in files
    )
    return f"<p class=gz-quiet>Download</p><ul class=gz-files>{links}</ul>"


def has_view(path: Path) -> bool:
    """Whether a browser can show it."""
    return path.suffix.lower() in VIEWS


def data(content: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def image(mime: str) -> View:
    """A picture; a small one fills its room, unsmoothed."""

    def view(content: bytes, alt: str) -> str:
        from PIL import Image

        width, height = Image.open(io.BytesIO(content)).size
        pixels = " gz-pixels" if max(width, height) < SMALL else ""
        return f'<img class="gz-image{pixels}" src="{data(content, mime)}" width={width} height={height} alt="{alt}">'

    return view


def sound(content: bytes, alt: str) -> str:
    return f'<audio controls src="{data(content, "audio/wav")}" aria-label="{alt}"></audio>'


def table(content: bytes, alt: str) -> str:
    """The first rows under their header, where it has one."""
    rows = list(csv.reader(io.StringIO(content.decode("utf-8", "replace"))))
    first, *rest = rows[: ROWS + 1] or [[]]
    if any(is_number(cell) for cell in first):
        first, rest = [], rows[:ROWS]
    head = "".join(f"<th scope=col>{escape(cell)}</th>" for cell in first[:COLUMNS])
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell[:60])}</td>" for cell in row[:COLUMNS]) + "</tr>" for row in rest
    )
    top = f"<thead><tr>{head}</tr></thead>" if head else ""
    inside = f"<table>{top}<tbody>{body}</tbody></table>"
    return f'<div class=gz-scroll tabindex=0 role=region aria-label="{alt}">{inside}</div>'


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def words(content: bytes, alt: str) -> str:
    lines = content.decode("utf-8", "replace").splitlines()[:LINES]
    return f"<pre class=gz-words>{escape(chr(10).join(lines))}</pre>"


VIEWS: dict[str, View] = {
    ".png": image("image/png"), ".jpg": image("image/jpeg"), ".webp": image("image/webp"), ".gif": image("image/gif"),
    ".wav": sound, ".csv": table, ".txt": words,
}  # fmt: skip

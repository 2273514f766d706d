"""What a column of a table is: numbers, or categories. A model keeps its columns as texts among its arguments.

A row is one float32 per column: a number as it is (NaN where it is missing), a category by its place in `values`.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Number:
    """Real numbers in low .. high; dates are days after `since`."""

    name: str
    low: float
    high: float
    decimals: int | None = None  # that are written; None: seven digits
    missing: float = 0.0  # share of the rows
    since: str = ""  # a day, YYYY-MM-DD: then these are dates, and with `decimals` times of the day too
    modes: tuple[tuple[float, float, float], ...] = ()  # a mixture of normals: share, mean, deviation

    def text(self, value: float) -> str:
        """A cell."""
        if math.isnan(value):
            return ""
        if self.since:
            when = datetime.datetime.fromisoformat(self.since) + value * DAY
            if self.decimals:
                return (when + DAY / 2880).strftime("%Y-%m-%d %H:%M")
            return (when + DAY / 2).strftime("%Y-%m-%d")
        if self.decimals is None:
            return f"{value:.7g}"
        return f"{round(value, self.decimals) + 0.0:.{self.decimals}f}"

    def value(self, cell: str) -> float:
        """What a cell says. Errors: ValueError."""
        if not cell.strip():
            return math.nan
        if self.since:
            return (moment(cell) - datetime.datetime.fromisoformat(self.since)) / DAY
        return float(cell)

    def __str__(self) -> str:
        kind = "date" if self.since else "number"
        lost = f", {self.missing:.1%} missing" if self.missing else ""
        return f"{self.name}: {kind}, {self.text(self.low)} to {self.text(self.high)}{lost}"


@dataclass(frozen=True)
class Category:
    """One of several texts; an empty one is a cell without content."""

    name: str
    values: tuple[str, ...]
    shares: tuple[float, ...]  # of the rows

    def text(self, value: float) -> str:
        """A cell."""
        return self.values[int(value)]

    def value(self, cell: str) -> float:
        """Its place. Errors: ValueError."""
        return self.values.index(cell)

    def __str__(self) -> str:
        shown = ", ".join(value or "(nothing)" for value in self.values[:6])
        more = f" and {len(self.values) - 6} more" if len(self.values) > 6 else ""
        return f"{self.name}: {'category' if len(self.values) > 1 else 'constant'}, {shown}{more}"


Column = Number | Category


def moment(cell: str) -> datetime.datetime:
    """YYYY-MM-DD, and perhaps a time. Errors: ValueError."""
    return datetime.datetime.fromisoformat(cell.strip()).replace(tzinfo=None)


def packed(columns: Sequence[Column]) -> tuple[str, ...]:
    """As a recipe has them: a JSON object for each."""
    return tuple(
        json.dumps({"kind": type(column).__name__.lower(), **asdict(column)}, ensure_ascii=False) for column in columns
    )


def unpacked(texts: Sequence[str]) -> tuple[Column, ...]:
    """The columns of a recipe. Errors: ValueError for a text that is none."""
    columns = tuple(map(_unpacked, texts))
    if not columns or len({column.name for column in columns}) < len(columns):
        raise ValueError("columns: a table has some, each with a name of its own")
    return columns


def _unpacked(text: str) -> Column:
    try:
        said: dict[str, Any] = json.loads(text)
        kind = {"number": Number, "category": Category}[said.pop("kind")]
        return checked(kind(**{key: frozen(value) for key, value in said.items()}))
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as fault:
        raise ValueError(f"columns: {text[:60]!r} is no column ({type(fault).__name__})") from None


def checked(column: Column) -> Column:
    """Errors: ValueError for one that no table has."""
    if isinstance(column, Number):
        good = math.isfinite(column.low) and math.isfinite(column.high) and column.low <= column.high
        good &= all(len(mode) == 3 and mode[0] > 0 and mode[2] > 0 for mode in column.modes)
    else:
        good = 0 < len(column.values) == len(column.shares) and all(0 < share <= 1 for share in column.shares)
    if not good:
        raise ValueError(f"columns: {column.name[:60]!r} is out of all ranges")
    return column


def frozen(value: Any) -> Any:
    """Lists as tuples."""
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def categories(columns: Sequence[Column]) -> list[tuple[int, Category]]:
    """Those that are categories, and where they stand."""
    return [(place, column) for place, column in enumerate(columns) if isinstance(column, Category)]


# What a network is built for where no data are named.
EXAMPLE = packed(
    (
        Number("age", 18.0, 90.0, 0, modes=((0.6, 34.0, 8.0), (0.4, 62.0, 10.0))),
        Number("height", 1.4, 2.1, 2, modes=((1.0, 1.7, 0.1),)),
        Category("city", ("Bern", "Genoa", "Lyon"), (0.5, 0.3, 0.2)),
        Category("member", ("no", "yes"), (0.7, 0.3)),
    )
)

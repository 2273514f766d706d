"""What the columns of a table are, found from their cells: numbers, dates, categories; or why they are neither."""

from __future__ import annotations

import datetime
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence

from ganzoo_core.errors import GanzooError, escape
from ganzoo_tables.columns import DAY, Category, Column, Number, moment

FEW, EACH = 10, 5  # whole numbers of no more values than this are categories, where each comes so often on average
MOST = 256  # categories of one column; rarer ones are one together
RARE = "(rare)"
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})  # among numbers and dates
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
DECIMALS = 6  # more are not kept


def column_of(name: str, cells: Sequence[str], asked: str = "") -> tuple[Column, str]:
    """The column of these cells, and a note on what was made of it; `asked` is "number" or "category", or "" to find
    out.

    Errors: GanzooError for what can be neither.
    """
    known = [cell for cell in cells if not is_missing(cell)]
    if asked != "category" and known:
        for looks_so, make in ((is_number, number), (is_date, date)):
            found = sum(map(looks_so, known))
            if found == len(known) and (asked == "number" or not is_coded(known, looks_so)):
                return make(name, cells, known), ""
            if found > len(known) / 2 and found < len(known):
                refuse_stray(name, cells, looks_so)
    if asked == "number":
        refuse_stray(name, cells, is_number)
    return category(name, cells)


def is_missing(cell: str) -> bool:
    return cell.strip().lower() in MISSING


def is_number(cell: str) -> bool:
    return NUMBER.fullmatch(cell.strip()) is not None and math.isfinite(float(cell))


def is_date(cell: str) -> bool:
    try:
        moment(cell)
    except ValueError:
        return False
    return "-" in cell


def is_coded(known: Sequence[str], looks_so: Callable[[str], bool]) -> bool:
    """Whether these are categories under numbers: constants, two values, or a few whole numbers."""
    values = set(known)
    whole = looks_so is is_number and all(float(value).is_integer() for value in values)
    return len(values) <= 2 or (whole and len(values) <= min(FEW, len(known) / EACH))


def refuse_stray(name: str, cells: Sequence[str], looks_so: Callable[[str], bool]) -> None:
    """Errors: GanzooError naming the first cell that is not what most others are."""
    what = "date (YYYY-MM-DD)" if looks_so is is_date else "number"
    for row, cell in enumerate(cells):
        if not is_missing(cell) and not looks_so(cell):
            where = f"column {escape(name, 60)}, row {row + 1}: {escape(cell, 40)!r} is no {what}"
            raise GanzooError(where, f"Mend it, or say category:{escape(name, 60)}:DATA.")
    raise GanzooError(f"column {escape(name, 60)}: has no number at all", f"Say drop:{escape(name, 60)}:DATA.")


def number(name: str, cells: Sequence[str], known: Sequence[str]) -> Number:
    values = [float(cell) for cell in known]
    fractions = [cell.strip().partition(".")[2] for cell in known]
    most = max(map(len, fractions))
    plain = most <= DECIMALS and not any("e" in cell.lower() for cell in known)
    return Number(name, min(values), max(values), most if plain else None, 1 - len(known) / len(cells))


def date(name: str, cells: Sequence[str], known: Sequence[str]) -> Number:
    """Days after the first."""
    moments = [moment(cell) for cell in known]
    first = min(moments).replace(hour=0, minute=0, second=0, microsecond=0)
    timed = any(when.time() != datetime.time() for when in moments)
    low, high = ((when - first) / DAY for when in (min(moments), max(moments)))
    return Number(name, low, high, 4 if timed else 0, 1 - len(known) / len(cells), first.date().isoformat())


def category(name: str, cells: Sequence[str]) -> tuple[Category, str]:
    """The values in order, numbers first; where there are very many, the rarest are one.

    Errors: GanzooError where hardly two cells are alike: names, keys, free text.
    """
    counts, n = Counter(cells), len(cells)
    note = ""
    if len(counts) > MOST:
        kept = dict(counts.most_common(MOST - 1))
        lost = n - sum(kept.values())
        if lost > n / 4 or len(counts) > n / 2:
            what = f"column {escape(name, 60)}: {len(counts):,} different texts in {n:,} rows are no categories"
            raise GanzooError(what, f"Leave it out: drop:{escape(name, 60)}:DATA.")
        note = f"{name}: {len(counts) - len(kept):,} rare values, {lost:,} rows, are one: {RARE}"
        counts = Counter({**kept, RARE: lost})
    values = tuple(sorted(counts, key=lambda cell: (not is_number(cell), float(cell) if is_number(cell) else 0, cell)))
    return Category(name, values, tuple(counts[value] / n for value in values)), note

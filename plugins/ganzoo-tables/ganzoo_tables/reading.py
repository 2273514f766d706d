"""Files of tables: CSV by the standard library; Parquet and data frames through pandas, the extra `pandas`."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ganzoo_core.errors import ExternalError, GanzooError, escape

LARGEST = 2 << 30  # bytes of a file
DELIMITERS = ",;\t|"


class Cells(NamedTuple):
    """A table as texts, column by column."""

    header: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]


def read_csv(path: Path, least: int = 2) -> Cells:
    """A file with a header and `least` rows or more.

    Errors: GanzooError naming file and line for what is no table, ExternalError.
    """
    text = text_of(path)
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    rows = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if row:
                rows.append(row)
                refuse_ragged(path, reader.line_num, row, rows[0])
    except csv.Error as fault:
        raise GanzooError(f"{escape(path)}, line {reader.line_num}: {escape(fault)}", "Give a CSV file.") from None
    if len(rows) < 1 + least:
        what = f"{escape(path)}: {max(0, len(rows) - 1)} rows under a header, and {least} are needed"
        raise GanzooError(what, "Give another file.")
    return Cells(header_of(path, rows[0]), tuple(zip(*rows[1:], strict=True)))


def text_of(path: Path) -> str:
    """UTF-8, with or without a mark."""
    try:
        if path.stat().st_size > LARGEST:
            raise GanzooError(f"{escape(path)}: larger than {LARGEST >> 30} GiB", "Give a part of it.")
        data = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, ValueError):
        raise GanzooError(f"data {escape(path)}: no such file", "Give csv:FILE.csv.") from None
    except OSError as fault:
        raise ExternalError(f"{escape(path)}: cannot be read: {fault.strerror}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise GanzooError(f"{escape(path)}: byte {fault.start} is no UTF-8", "Save it as UTF-8.") from None


def refuse_ragged(path: Path, line: int, row: Sequence[str], header: Sequence[str]) -> None:
    if len(row) != len(header):
        what = f"{escape(path)}, line {line}: {len(row)} cells, and the header has {len(header)}"
        raise GanzooError(what, "Mend the file.")


def header_of(path: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Errors: GanzooError for a header that is none: numbers, names that come twice or are empty."""
    from ganzoo_tables.types import is_number

    names = [name.strip() for name in names]
    if all(map(is_number, names)):
        raise GanzooError(f"{escape(path)}: its first line is numbers, no header", "Write the columns' names above.")
    for name in names:
        if not name or names.count(name) > 1:
            wrong = "is empty" if not name else "comes twice"
            raise GanzooError(f"{escape(path)}: the name {escape(name, 60)!r} {wrong} in the header", "Mend the file.")
    return tuple(names)


def read_parquet(path: Path) -> Cells:
    """Errors: GanzooError for what is no such file, and where pandas is not installed."""
    try:
        import pandas
    except ImportError:
        raise GanzooError("parquet: needs pandas", "ganzoo install 'ganzoo-tables[pandas]'") from None
    try:
        return cells_of(pandas.read_parquet(path))
    except FileNotFoundError:
        raise GanzooError(f"data {escape(path)}: no such file", "Give parquet:FILE.parquet.") from None
    except (OSError, ValueError, ImportError) as fault:
        reason = escape(str(fault).partition("\n")[0], 120)
        raise GanzooError(f"{escape(path)}: {reason}", "Give a Parquet file.") from None


def cells_of(frame: Any) -> Cells:
    """A data frame of pandas as it would write a CSV."""
    text = frame.to_csv(index=False)
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    if len(rows) < 2:
        raise GanzooError("a table has two rows at least", "Give another one.")
    return Cells(header_of(Path("the table"), header), tuple(zip(*rows, strict=True)))

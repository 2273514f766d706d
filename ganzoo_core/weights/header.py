"""A safetensors file's header, read more strictly than the library reads it, before anything is allocated.

The library accepts duplicate names (the last wins), names with control characters, unknown fields, a header that does
not begin with a brace, and any number of tensors; a file of weights has no honest use for them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from math import prod
from typing import Any, NamedTuple

from ganzoo_core.errors import GanzooError, escape

MAX_HEADER = 8 << 20
MAX_TENSORS = 20_000
MAX_DIMENSIONS = 8
BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
LOOKALIKES = {
    b"version https://git-lfs": "a Git LFS pointer, not the file it stands for",
    b"<!": "an HTML page",
    b"<html": "an HTML page",
    b"PK\x03\x04": "a zip or a PyTorch pickle file",
    b"\x80": "a pickle file",
    b"\x1f\x8b": "a gzip file",
}


class Entry(NamedTuple):
    dtype: str  # as in BYTES
    shape: tuple[int, ...]


def read_header(
    data: bytes, where: str, max_tensors: int = MAX_TENSORS, max_header: int = MAX_HEADER
) -> dict[str, Entry]:
    """Names, dtypes and shapes of the tensors in the bytes of a safetensors file. Errors: GanzooError."""

    def refuse(why: str) -> GanzooError:
        return GanzooError(f"{where}: {why}", "Fetch the file again.")

    for start, name in LOOKALIKES.items():
        if data.startswith(start) and data[8:9] != b"{":  # a header of 1,664 bytes begins like a pickle, with 0x80
            raise refuse(f"is {name}")
    if len(data) < 8:
        raise refuse(f"is truncated at {len(data)} bytes")
    length = int.from_bytes(data[:8], "little")
    if length > min(max_header, len(data) - 8):
        raise refuse(f"its header of {length} bytes does not fit ({len(data)} bytes in all, at most {max_header})")
    if data[8:9] != b"{":
        raise refuse("its header does not begin with {")
    try:
        header = json.loads(data[8 : 8 + length].decode("utf-8"), object_pairs_hook=unique)
        entries, ends = parse(header, max_tensors)
    except (ValueError, RecursionError) as fault:
        raise refuse(f"its header is damaged: {escape(fault)}") from None
    if ends != len(data) - 8 - length:
        raise refuse(f"holds {len(data) - 8 - length} bytes of tensors where its header promises {ends}")
    return entries


def unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object without duplicate keys."""
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise ValueError(f"duplicate key {escape(key)!r}")
        made[key] = value
    return made


def parse(header: dict[str, Any], max_tensors: int) -> tuple[dict[str, Entry], int]:
    """The header's entries and where the last one ends; they must tile the data without gap or overlap."""
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ValueError("__metadata__ is not a table of strings")
    "".join([*metadata, *metadata.values()]).encode("utf-8")  # half a surrogate pair is a ValueError
    if len(header) > max_tensors:
        raise ValueError(f"{len(header)} tensors, at most {max_tensors}")
    spans, entries = [], {}
    for name, entry in header.items():
        entries[name], span = parse_entry(name, entry)
        spans.append(span)
    end = 0
    for start, stop in sorted(spans):
        if start != end:
            raise ValueError(f"a gap or an overlap at byte {start}")
        end = stop
    return entries, end


def parse_entry(name: str, entry: Any) -> tuple[Entry, tuple[int, int]]:
    if not name or len(name) > 512 or not name.isascii() or not name.isprintable() or "/" in name or "\\" in name:
        raise ValueError(f"tensor name {escape(name, 60)!r}")
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"tensor {name}: not exactly dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BYTES:
        raise ValueError(f"tensor {name}: dtype {escape(dtype, 20)}")
    if not whole(shape) or len(shape) > MAX_DIMENSIONS:
        raise ValueError(f"tensor {name}: shape {escape(shape, 60)}")
    if not whole(offsets) or len(offsets) != 2 or offsets[1] - offsets[0] != prod(shape) * BYTES[dtype]:
        raise ValueError(f"tensor {name}: its offsets do not fit its shape")
    return Entry(dtype, tuple(shape)), (offsets[0], offsets[1])


def whole(values: Any) -> bool:
    """A list of integers in 0 .. 2^63 - 1 (a bool is none)."""
    return isinstance(values, list) and all(type(v) is int and 0 <= v < 1 << 63 for v in values)

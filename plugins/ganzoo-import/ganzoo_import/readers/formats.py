"""Which format a file has, by its first bytes: a suffix is only somebody's word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganzoo_core.errors import GanzooError, IntegrityError
from ganzoo_import.readers import ncnn, npz, safe, torch_files
from ganzoo_import.readers.archives import members

KNOWN = "Read are torch's files, safetensors, ncnn's .param with .bin, and .npz."
OTHERS = {  # first bytes -> what it is
    b"\x1f\x8b": "a gzip file: unpack it first",
    b"BZh": "a bzip2 file: unpack it first",
    b"\x89HDF": "an HDF5 file, of Keras perhaps",
    b"version https://git-lfs": "a Git LFS pointer, not the file it stands for",
    b"<": "a page, not weights: is it the address of the file itself?",
    b"\x93NUMPY": "one array without a name: put it into an .npz",
}


def read(path: Path, limit: int) -> tuple[str, Any]:
    """The format's name, and what the file holds: tables and lists of tensors and plain values.

    `limit` is how many bytes its tensors may have. Errors: IntegrityError for what only running code could read, and
    for archives that are traps; GanzooError for what is damaged or of no format that is read.
    """
    with open(path, "rb") as file:
        start = file.read(64)
    if start.startswith(b"PK"):
        names = members(path, limit)
        if names and all(name.endswith(".npy") for name in names):
            return "npz", npz.read(path, limit)
        return "torch, zip", torch_files.read_zip(path, names, limit)
    if start[8:9] == b"{":
        return "safetensors", safe.read(path)
    if start.startswith(ncnn.MAGIC):
        return "ncnn", ncnn.read(path, path.with_suffix(".bin"), limit)
    if start.startswith(b"\x80"):
        return "torch, legacy", torch_files.read(path, limit)
    for first, what in OTHERS.items():
        if start.startswith(first):
            raise GanzooError(f"it is {what}", KNOWN)
    if start[:1] in b"c(]}" and b"\n" in start:
        raise IntegrityError("it seems to be a pickle of text, which only running it could read", KNOWN)
    raise GanzooError("it is of no format that is read", KNOWN)

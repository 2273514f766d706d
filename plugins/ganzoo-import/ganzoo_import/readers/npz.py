"""Numpy's .npz: named arrays of numbers. Arrays of objects are pickles, and are refused."""

from __future__ import annotations

import zipfile
from math import prod
from pathlib import Path
from typing import IO

import numpy as np
import torch
from numpy.lib import format as npy
from torch import Tensor

from ganzoo_core.errors import GanzooError, IntegrityError, escape


def read(path: Path, limit: int) -> dict[str, Tensor]:
    """Arrays by name, in the archive's order. Errors: IntegrityError for objects, GanzooError for damage."""
    made, left = {}, limit
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            try:
                with archive.open(info) as file:
                    made[name] = torch.from_numpy(array(file, name, left))
            except (ValueError, OSError, zipfile.BadZipFile, EOFError) as fault:
                raise GanzooError(f"array {escape(name, 80)}: {escape(fault, 120)}", "Fetch it again.") from None
            left -= made[name].nbytes
    return made


def array(file: IO[bytes], name: str, limit: int) -> np.ndarray:
    """One array, whose header is looked at before its bytes."""
    version = npy.read_magic(file)
    headers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    if version not in headers:
        raise ValueError(f"version {version} of the format")
    shape, fortran, dtype = headers[version](file)
    if dtype.hasobject:
        raise IntegrityError(f"array {escape(name, 80)} holds pickled objects, which only running code could open")
    if dtype.kind not in "fiub":
        raise ValueError(f"holds {dtype}, not numbers")
    if prod(shape) * dtype.itemsize > limit:
        raise IntegrityError(f"array {escape(name, 80)}: {list(shape)} is more than is read", "Allow: --max-bytes.")
    data = file.read(prod(shape) * dtype.itemsize + 1)
    if len(data) != prod(shape) * dtype.itemsize:
        raise ValueError("is not as long as its header says")
    flat = np.frombuffer(data, dtype).astype(dtype.newbyteorder("="))
    return np.array(flat.reshape(shape, order="F" if fortran else "C"), order="C")

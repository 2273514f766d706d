"""Samples as NumPy's files, for kinds of every shape: [n, ...] in, [n, ...] out, and never a pickle."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.files import write_aside


def write_array(x: Tensor, path: Path) -> None:
    """A .npy file. Errors: ExternalError for a disk that refuses."""
    made = io.BytesIO()
    np.save(made, x.cpu().numpy(), allow_pickle=False)
    write_aside(path, made.getvalue())


def read_array(path: Path, wanted: str) -> Tensor:
    """Its numbers, float32 of any shape; `wanted` says for the hint what it should be: "a file of points".

    Errors: GanzooError for what is no such file, an empty one, and one of objects.
    """
    try:
        return torch.from_numpy(np.asarray(np.load(path, allow_pickle=False), np.float32).copy())
    except (OSError, ValueError, EOFError) as fault:
        raise GanzooError(f"{escape(path)}: {escape(fault, 80)}", f"Give {wanted}.") from None

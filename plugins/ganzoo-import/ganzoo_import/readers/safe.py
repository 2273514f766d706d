"""safetensors, through the zoo's strict reader."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from ganzoo_core.models import read_safetensors


def read(path: Path) -> dict[str, Tensor]:
    """Tensors by name. Errors: GanzooError."""
    return read_safetensors(path.read_bytes(), "it")

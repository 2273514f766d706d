"""torch's files, zip and legacy, with torch's restricted unpickler: it builds tensors and tables, nothing else."""

from __future__ import annotations

import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import torch

from ganzoo_core.errors import GanzooError, IntegrityError, escape

OBJECT = re.compile(r"GLOBAL ([\w.]+)|class(?:es)? ([\w.]+)")


def read_zip(path: Path, names: list[str], limit: int) -> Any:
    """Errors: IntegrityError for TorchScript, compressed members and pickled objects; GanzooError for damage."""
    if any("/code/" in f"/{name}" or name.endswith("constants.pkl") for name in names):
        raise IntegrityError("it is TorchScript, a program with weights", "Save its state_dict() as safetensors.")
    if not any(name.endswith("data.pkl") for name in names):
        raise GanzooError("it is a zip, neither torch's nor .npz", "Unpack it, and import the file of weights in it.")
    with zipfile.ZipFile(path) as archive:
        if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
            raise IntegrityError("it is a compressed zip, which torch never writes")
    return read(path, limit)


def read(path: Path, limit: int) -> Any:
    """Whatever tables of tensors it holds. Errors: IntegrityError for pickled objects, GanzooError for damage."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as fault:
        raise IntegrityError(
            f"it holds {named(str(fault))}, which only running a stranger's code could open",
            "Ask its maker for the state_dict alone, as safetensors.",
        ) from None
    except (RuntimeError, ValueError, EOFError, KeyError, TypeError, IndexError, AttributeError) as fault:
        raise GanzooError(f"torch cannot read it: {escape(fault, 160)}", "Fetch it again.") from None


def named(said: str) -> str:
    """A pickled object as torch names it."""
    found = OBJECT.search(said)
    return f"a pickled object ({escape(found[1] or found[2], 80)})" if found else "pickled objects"

"""A stranger's file, read by a process of its own with limits on time, memory and files, and without a network.

What comes back is safetensors, read by the zoo's strict reader, and JSON: whatever becomes of the worker, this process
never parses a byte that the stranger wrote.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from ganzoo_core.errors import ExternalError, GanzooError, IntegrityError, escape
from ganzoo_core.models import read_safetensors

SECONDS = 300
MEMORY_TIMES, MEMORY_MORE = 4, 1 << 30  # what reading may take, in terms of the limit on tensors
Way = tuple[str, ...]  # to a tensor, through tables and lists


class Content(NamedTuple):
    """What a file holds."""

    format: str
    tensors: dict[Way, Tensor]  # in the file's order
    values: dict[Way, str]
    open_network: str  # why the worker kept its network; "": it had none


def read(path: Path, limit: int) -> Content:
    """What lies in a file, whose tensors may have `limit` bytes.

    Errors: IntegrityError for pickled objects and traps, GanzooError for damage, ExternalError for a worker that died.
    """
    with tempfile.TemporaryDirectory(prefix="ganzoo-import-") as out:
        folder = Path(out)
        status = work(path, folder, limit)
        refused = folder / "refused.json"
        if refused.exists():
            said = json.loads(refused.read_text())
            kind = IntegrityError if said["exit"] == 5 else GanzooError
            raise kind(f"refused: {escape(said['what'], 300)}", escape(said["hint"], 200))
        if status or not (folder / "read.json").exists():
            raise died(status)
        said = json.loads((folder / "read.json").read_text())
        tensors = read_safetensors((folder / "tensors.safetensors").read_bytes(), "what the worker read")
        ways = [tuple(way) for way in said["tensors"]]
        named = {way: tensors[f"t{i}"] for i, way in enumerate(ways)}
        return Content(said["format"], named, {tuple(w): v for w, v in said["values"]}, said["network"])


def work(path: Path, folder: Path, limit: int) -> int:
    """Run the worker; its exit status, negative for the signal that ended it."""
    size = path.stat().st_size
    memory = min(limit, 4 * size + (256 << 20)) * MEMORY_TIMES + MEMORY_MORE
    command = [sys.executable, "-P", "-m", "ganzoo_import.worker", path, folder, limit, SECONDS, memory]
    try:
        done = subprocess.run(
            [str(word) for word in command], cwd=folder, env=environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=2 * SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise IntegrityError(f"refused: reading it takes more than {2 * SECONDS} s") from None
    return done.returncode


def environment() -> dict[str, str]:
    """Nothing of ours goes along: no token, and none of the switches that would loosen torch's unpickler."""
    kept = {k: os.environ[k] for k in ("PATH", "SYSTEMROOT", "LANG", "LD_LIBRARY_PATH") if k in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1", "HOME": os.devnull}


def died(status: int) -> GanzooError:
    """A worker that said nothing: a limit ended it, or a fault in a library."""
    if status < 0:
        return IntegrityError(f"refused: reading it was ended by signal {-status}: too much time, memory or damage")
    return ExternalError(f"reading it failed (exit {status})", "If it is a whole file, tell us what wrote it.")

"""The process that reads a stranger's file: python -m ganzoo_import.worker FILE FOLDER LIMIT SECONDS MEMORY.

It gives up the network, sets its limits, and refuses whatever is not reading before it looks at the first byte. What it
writes to FOLDER is safetensors and JSON: read.json and tensors.safetensors, or refused.json.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NEWUSER, NEWNET = 0x10000000, 0x40000000  # of unshare(2)
FORBIDDEN = (  # audit events of what no reader does
    "socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile",
    "pty.spawn", "ctypes.dlopen", "pickle.find_class", "os.remove", "os.rename", "os.rmdir", "os.kill", "os.chmod",
    "os.link", "os.symlink", "urllib.", "shutil.", "marshal.load",
)  # fmt: skip


def without_network() -> str:
    """Leave for a network namespace of one's own, which has no way out. "" where that worked, else why not."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(NEWUSER | NEWNET) == 0:
            return ""
        return os.strerror(ctypes.get_errno())
    except (OSError, AttributeError) as fault:
        return str(fault)


def limit_resources(seconds: int, memory: int, written: int) -> None:
    """Time, memory beyond what torch takes, and what may be written; no core is dumped."""
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0]) if os.path.exists("/proc/self/statm") else 0
    address = pages * resource.getpagesize() + memory
    limits = {
        resource.RLIMIT_CPU: seconds, resource.RLIMIT_AS: address, resource.RLIMIT_FSIZE: written,
        resource.RLIMIT_CORE: 0, resource.RLIMIT_NOFILE: 64,
    }  # fmt: skip
    for what, most in limits.items():
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def only_reading() -> None:
    """From here on whatever is no reading raises: the last wall, behind the unpickler that builds tensors only."""

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(FORBIDDEN) and not imports():
            raise PermissionError(f"a reader of weights does no {event}")

    def imports() -> bool:
        """Whether it is Python's own import system that reads compiled code."""
        frame = sys._getframe(2)
        return "importlib" in frame.f_code.co_filename

    sys.addaudithook(refuse)


def leaves(content: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Tensors and plain values of nested tables and lists, each with the way to it."""
    if isinstance(content, dict):
        items = content.items()
    elif isinstance(content, list | tuple):
        items = dict(enumerate(content)).items()
    else:
        yield path, content
        return
    for key, value in items:
        yield from leaves(value, (*path, str(key)))


def packed(content: Any, limit: int) -> tuple[dict[str, Any], list[Any], list[Any]]:
    """Tensors by number, the way to each, and the plain values. Errors: GanzooError, IntegrityError."""
    import torch

    from ganzoo_core.errors import GanzooError, IntegrityError

    tensors: dict[str, Any] = {}
    ways, values, left = [], [], limit
    for path, leaf in leaves(content):
        if isinstance(leaf, torch.Tensor):
            if leaf.layout != torch.strided or leaf.is_quantized or leaf.is_meta or leaf.is_complex():
                raise GanzooError(f"tensor {'.'.join(path)}: is sparse, quantised, complex or empty of numbers")
            left -= leaf.numel() * leaf.element_size()
            if left < 0:
                raise IntegrityError(f"its tensors have more than {limit:,} bytes", "Allow more: --max-bytes.")
            tensors[f"t{len(tensors)}"] = leaf.detach()
            ways.append(list(path))
        elif isinstance(leaf, bool | int | float | str) and len(str(leaf)) < 200:
            values.append([list(path), str(leaf)])
    # Weights that share memory are parted only now, when their number is known to be bounded.
    return {k: v.contiguous().clone() for k, v in tensors.items()}, ways, values


def main(path: Path, folder: Path, limit: int, seconds: int, memory: int) -> None:
    fault_of_network = without_network()
    import numpy  # noqa: F401
    import safetensors.torch
    import torch

    from ganzoo_core.errors import GanzooError
    from ganzoo_import.readers import formats

    torch.set_num_threads(1)
    limit_resources(seconds, memory, limit + (64 << 20))
    only_reading()
    try:
        kind, content = formats.read(path, limit)
        tensors, ways, values = packed(content, limit)
        if not tensors:
            raise GanzooError("it holds no tensors")
        (folder / "tensors.safetensors").write_bytes(safetensors.torch.save(tensors))
        said = {"format": kind, "network": fault_of_network, "tensors": ways, "values": values}
        (folder / "read.json").write_text(json.dumps(said))
    except GanzooError as fault:
        refused = {"what": fault.what, "hint": fault.hint, "exit": fault.exit_code}
        (folder / "refused.json").write_text(json.dumps(refused))
    except MemoryError:
        refused = {"what": "it takes more memory than is allowed", "hint": "Allow more: --max-bytes.", "exit": 5}
        (folder / "refused.json").write_text(json.dumps(refused))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:6]))

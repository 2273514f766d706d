"""Checkpoints that are whole or absent: one directory each, written aside, flushed to the disk, renamed into place.

    checkpoints/000000120000/   objective.safetensors   the whole state of the game
                                optimizers.safetensors  "<player's key>:<index of the weight>.<name>"
                                rank-1.safetensors      buffers of another process, which are its own
                                manifest.json           the position, and every file's size and sha256

A kill at any moment leaves the last finished checkpoint as it was; what it leaves of an unfinished one is swept away by
the next start.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import safetensors.torch
from torch import Tensor

from ganzoo_core.errors import ExternalError, GanzooError, IntegrityError, escape
from ganzoo_core.training.distributed import Processes
from ganzoo_core.training.trainer import Checkpoint, Position, Tensors
from ganzoo_core.weights.header import read_header, unique

FORMAT = 2
FORMATS = (1, 2)
KEEP = 2
MANIFEST = "manifest.json"
MAX_TENSORS, MAX_HEADER = 2_000_000, 512 << 20  # our own files: three tensors for each weight that Adam moves
SAFE = "".join(chr(c) for c in range(33, 127) if chr(c) not in '%/\\"')  # of names; what else they have is encoded
FILE = re.compile(r"(objective|optimizers|rank-[1-9][0-9]{0,5})\.safetensors")


def save(folder: Path, checkpoint: Checkpoint, buffers: frozenset[str], processes: Processes) -> Path:
    """Write a checkpoint into `folder`, one directory by its image count, and retire all but the newest KEEP.

    `buffers` are the names of the state that each process has for itself. Every process calls this at the same
    position; errors: IntegrityError where their weights differ, ExternalError for a disk that refuses.
    """
    refuse_split(checkpoint, buffers, processes)
    final = folder / f"{checkpoint.position.images:012d}"
    if all(processes.gather(is_whole(final))):
        return final
    aside = folder / f".{final.name}.tmp"
    try:
        if processes.rank == 0:
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(parents=True)
        processes.gather("made")  # nobody writes before the directory is there
        files = {name: write(aside / name, data) for name, data in contents(checkpoint, buffers, processes).items()}
        gathered = processes.gather(files)
        if processes.rank == 0:
            together = {name: entry for part in gathered for name, entry in part.items()}
            write(aside / MANIFEST, manifest_of(checkpoint.position, together, processes.world))
            publish(aside, final)
            retire(folder)
    except OSError as fault:
        if processes.rank == 0:
            shutil.rmtree(aside, ignore_errors=True)
        raise ExternalError(
            f"checkpoint {final}: {fault.strerror}", "The last one is intact: free some space, then --resume."
        ) from fault
    processes.gather("published")
    return final


def refuse_split(checkpoint: Checkpoint, buffers: frozenset[str], processes: Processes) -> None:
    """All processes must hold the same weights: hashes are compared."""
    if processes.world == 1:
        return
    shared = {k: v for k, v in checkpoint.objective.items() if k not in buffers}
    if len(set(processes.gather(hashlib.sha256(pack(shared)).hexdigest()))) > 1:
        raise IntegrityError("the processes of this run hold different weights", "Please report this: it is a bug.")


def contents(checkpoint: Checkpoint, buffers: frozenset[str], processes: Processes) -> dict[str, bytes]:
    """The files that this process writes."""
    if processes.rank > 0:
        own = {k: v for k, v in checkpoint.objective.items() if k in buffers}
        return {f"rank-{processes.rank}.safetensors": pack(own)}
    return files_of(checkpoint)


def files_of(checkpoint: Checkpoint) -> dict[str, bytes]:
    """The whole state as the bytes of files, by name."""
    optimizers = {f"{player}:{k}": v for player, state in checkpoint.optimizers.items() for k, v in state.items()}
    return {"objective.safetensors": pack(checkpoint.objective), "optimizers.safetensors": pack(optimizers)}


def pack(tensors: Mapping[str, Tensor]) -> bytes:
    """The bytes of a file that can be read again: names are percent-encoded, whatever a game calls its own.

    Errors: GanzooError for tensors that the reader would refuse.
    """
    named = {quote(k, safe=SAFE): v.cpu().contiguous() for k, v in tensors.items()}
    data = bytes(safetensors.torch.save(named))
    read_header(data, "checkpoint", MAX_TENSORS, MAX_HEADER)
    return data


def write(path: Path, data: bytes) -> dict[str, Any]:
    """A file that is on the disk, not only on its way there; its size and hash."""
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def publish(aside: Path, final: Path) -> None:
    """The order matters: the files are on the disk, then their directory, then its name, then that of its parent."""
    flush(aside)
    if final.exists():  # damaged
        discard(final)
    os.rename(aside, final)
    flush(final.parent)


def is_whole(path: Path) -> bool:
    """Whether this position was saved before: a run that is repeated makes the same bytes again."""
    try:
        return path.is_dir() and bool(read(path))
    except (GanzooError, OSError):
        return False


def flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def retire(folder: Path) -> None:
    """Remove all but the newest KEEP checkpoints, once the newest is whole."""
    for old in published(folder)[:-KEEP]:
        discard(old)


def discard(checkpoint: Path) -> None:
    """Renamed before it is removed: half of it must never look like a checkpoint."""
    aside = checkpoint.with_name(f".{checkpoint.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    os.rename(checkpoint, aside)
    shutil.rmtree(aside, ignore_errors=True)


def sweep(folder: Path) -> None:
    """What an interrupted save or removal left behind."""
    for path in folder.glob(".*"):
        if path.name.endswith((".tmp", ".old")):
            shutil.rmtree(path, ignore_errors=True)


def published(folder: Path) -> list[Path]:
    """Checkpoints, the newest last."""
    return sorted(path for path in folder.glob("[0-9]*") if path.name.isdigit() and path.is_dir())


def manifest_of(position: Position, files: Mapping[str, Any], world: int) -> bytes:
    content = {"format": FORMAT, "position": asdict(position), "world": world, "files": files}
    return json.dumps({**content, "sha256": own_hash(content)}, indent=2).encode()


def own_hash(content: Mapping[str, Any]) -> str:
    """The manifest's hash of the rest of itself."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def newest(folder: Path, rank: int = 0) -> tuple[Checkpoint | None, list[str]]:
    """The newest checkpoint that verifies, and for each newer one why it was skipped.

    A process that has no buffers of its own in it, because fewer ran then, takes those of rank 0.
    Errors: GanzooError where there are checkpoints and none is whole.
    """
    skipped: list[str] = []
    for path in reversed(published(folder)):
        try:
            return read(path, rank), skipped
        except (GanzooError, OSError) as fault:
            skipped.append(f"{path.name}: {escape(fault)}")
    if skipped:
        raise GanzooError(f"{folder}: no checkpoint is whole: {'; '.join(skipped)}", "Start anew with --force.")
    return None, []


def read(path: Path, rank: int = 0) -> Checkpoint:
    """One checkpoint, every file of it verified against the manifest before it is parsed."""
    manifest = read_manifest(path)
    files = {name: verified(path / name, promised) for name, promised in manifest["files"].items()}
    found = read_files(Position(**manifest["position"]), files, rank)
    return found if manifest["format"] == FORMAT else with_new_names(found)


def read_files(position: Position, files: Mapping[str, bytes], rank: int = 0) -> Checkpoint:
    """A checkpoint from the bytes of its files."""
    objective = unpack(files, "objective.safetensors")
    if f"rank-{rank}.safetensors" in files:
        objective |= unpack(files, f"rank-{rank}.safetensors")
    optimizers: dict[str, Tensors] = {}
    for name, value in unpack(files, "optimizers.safetensors").items():
        player, _, key = name.rpartition(":")
        optimizers.setdefault(player, {})[key] = value
    return Checkpoint(position, objective, optimizers)


def with_new_names(old: Checkpoint) -> Checkpoint:
    """A checkpoint of format 1, whose moving averages were called `averages`."""
    names = {k: k.replace("averages.", "ema.", 1) if k.startswith("averages.") else k for k in old.objective}
    return Checkpoint(old.position, {names[k]: v for k, v in old.objective.items()}, old.optimizers)


def read_manifest(path: Path) -> dict[str, Any]:
    """Its own hash, format and every type are checked. Errors: IntegrityError."""
    try:
        manifest: dict[str, Any] = json.loads((path / MANIFEST).read_bytes(), object_pairs_hook=unique)
        claimed = manifest.pop("sha256")
        whole = claimed == own_hash(manifest) and manifest["format"] in FORMATS
        refuse_malformed(manifest)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as fault:
        raise IntegrityError(f"{MANIFEST} is damaged: {escape(fault)}") from None
    if not whole:
        raise IntegrityError(f"{MANIFEST} is damaged, or of another format")
    return manifest


def refuse_malformed(manifest: Mapping[str, Any]) -> None:
    """Errors: ValueError, KeyError, TypeError for what is no position, or no file of ours."""
    position = Position(**manifest["position"])
    counts = [position.phase, position.iteration, position.images, manifest["world"]]
    for name, entry in manifest["files"].items():
        if not FILE.fullmatch(name) or not isinstance(entry["sha256"], str):
            raise ValueError(f"file {name!r}")
        counts.append(entry["bytes"])
    if not all(type(count) is int and 0 <= count < 1 << 63 for count in counts):
        raise ValueError("a count that is none")


def verified(path: Path, promised: Mapping[str, Any]) -> bytes:
    data = path.read_bytes() if path.is_file() else b""
    if len(data) != promised["bytes"] or hashlib.sha256(data).hexdigest() != promised["sha256"]:
        raise IntegrityError(f"{path.name} is not what the manifest promises")
    return data


def unpack(files: Mapping[str, bytes], name: str) -> Tensors:
    if name not in files:
        raise IntegrityError(f"{name} is missing")
    read_header(files[name], name, MAX_TENSORS, MAX_HEADER)
    return {unquote(k): v for k, v in safetensors.torch.load(files[name]).items()}

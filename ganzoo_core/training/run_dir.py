"""A run directory: who may write into it, what it says of itself, and how a run goes on where it stopped.

runs/<name>/  run.json  log.jsonl  health.jsonl  samples/*.png  checkpoints/<images>/  model/
              report.html and tensorboard/, where they were asked for
"""

from __future__ import annotations

import json
import platform
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ganzoo_core.errors import GanzooError, escape, tell_user
from ganzoo_core.files import unwritable, write_aside

FORMAT = 1
OURS = (  # what --force may replace, and nothing else
    "run.json", "log.jsonl", "health.jsonl", "samples", "checkpoints", "model", "report.html", "tensorboard",
)  # fmt: skip
SAME = ("recipe", "data", "seed", "batch_size", "ema_images", "micro_batch", "device", "precision")  # for a resume


@contextmanager
def occupied(folder: Path) -> Iterator[None]:
    """The directory is this run's alone.

    Errors: GanzooError where another run has it, nobody may write there, or the system has no POSIX locks (Windows).
    """
    if sys.platform == "win32":
        raise GanzooError("training into a directory needs POSIX locks", "Train under WSL, Linux or macOS.")
    import fcntl

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / ".lock", "a")  # noqa: SIM115 (held until the run ends)
    except OSError as fault:
        raise unwritable(folder, fault, "Choose another --out.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise GanzooError(f"{folder}: another run is at work here", "Choose another --out.") from None
        try:
            yield
        finally:
            (folder / ".lock").unlink(missing_ok=True)
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()  # refused before anything was written: nothing new is left behind


def begin(folder: Path, description: Mapping[str, Any], force: bool) -> None:
    """A fresh run in `folder`, which must be empty unless forced."""
    strangers = [path for path in folder.iterdir() if path.name != ".lock"]
    if strangers and not force:
        raise GanzooError(f"{folder}: exists and is not empty", "Choose another --out, --resume it, or --force.")
    for name in OURS:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    write_json(folder / "run.json", description)


def resume(folder: Path, description: Mapping[str, Any]) -> None:
    """Go on with the run in `folder`, which must be this one. Errors: GanzooError naming the first difference."""
    old = read(folder)
    new = json.loads(json.dumps(description, default=str))
    for key in SAME:
        if old[key] != new[key]:
            raise GanzooError(f"--resume {folder}: {difference(key, old[key], new[key])}", "Resume it as it was begun.")
    if old["images"] and new["images"] and new["images"] < old["images"]:
        raise GanzooError(f"--resume {folder}: is {old['images']:,} images long, not {new['images']:,}", "Give more.")
    if old["images"] and new["images"] and new["images"] > old["images"]:
        u = old["images"] / new["images"]
        longer = f"extended from {old['images']:,} to {new['images']:,} images"
        tell_user(f"{longer}: what was its end is now {u:.2f} of its course, and its schedules go back to there")
    write_json(folder / "run.json", {**description, "command": old["command"]})  # the one that began it


def difference(key: str, old: Any, new: Any) -> str:
    """The first place in which two descriptions differ, in words."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in {**old, **new}:
            if old.get(name) != new.get(name):
                return difference(f"{key}.{name}", old.get(name), new.get(name))
    return f"{key} was {escape(old, 80)}, and is {escape(new, 80)} now"


def read(folder: Path) -> dict[str, Any]:
    """run.json. Errors: GanzooError where there is none, or a damaged one."""
    path = folder / "run.json"
    try:
        document: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']}, and this ganzoo reads {FORMAT}")
    except OSError as fault:
        raise GanzooError(f"{escape(path)}: {fault.strerror}", "--resume needs a run directory.") from None
    except (ValueError, KeyError, TypeError) as fault:
        raise GanzooError(f"{path}: {escape(fault)}", "Start anew with --force.") from None
    return document


def rewind(folder: Path, images: int) -> None:
    """Logs and pictures as they were at this image count: what was written after the checkpoint is written again."""
    for log in (folder / "log.jsonl", folder / "health.jsonl"):
        if log.exists():
            lines = [line for line in log.read_text("utf-8").splitlines(keepends=True) if before(line, images)]
            write_aside(log, "".join(lines).encode())
    for picture in (folder / "samples").glob("[0-9]*.png"):
        if int(picture.name.partition("-")[0]) > images:
            picture.unlink()


def before(line: str, images: int) -> bool:
    try:
        return bool(json.loads(line)["images"] <= images)
    except (ValueError, KeyError, TypeError):
        return False  # a line that was cut off


def environment(plugins: Sequence[str] = ()) -> dict[str, Any]:
    """What of this process decides a run's bits, and the command that began it."""
    return {"threads": torch.get_num_threads(), "command": command(), "versions": versions(plugins)}


def command() -> str:
    """The command line of this process, as one would type it."""
    program = Path(sys.argv[0]).name if sys.argv[0] else "python"
    return shlex.join(["ganzoo" if program == "__main__.py" else program, *sys.argv[1:]])


def versions(plugins: Sequence[str] = ()) -> dict[str, str]:
    """Of Python, the core, torch, and the distributions of plugins that a run depends on."""
    here = {"python": platform.python_version(), "ganzoo-core": version("ganzoo-core"), "torch": torch.__version__}
    return here | {dist: version(dist) for dist in plugins}


def write_json(path: Path, document: Any) -> None:
    write_aside(path, (json.dumps(document, indent=2, default=str) + "\n").encode())

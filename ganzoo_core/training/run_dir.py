"""A run directory: who may write into it, what it says of itself, and how a run goes on where it stopped.

runs/<name>/  run.json  log.jsonl  health.jsonl  samples/*.png (and .wav)  checkpoints/<images>/  model/
              report.html and tensorboard/, where they were asked for
"""

from __future__ import annotations

import json
import os
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
from ganzoo_core.files import as_text, unwritable, write_aside

FORMAT = 1
OURS = (  # what --force may replace, and nothing else
    "run.json", "log.jsonl", "health.jsonl", "evals.jsonl", "samples", "checkpoints", "model", "models", "report.html",
    "tensorboard",
)  # fmt: skip
SAME = (  # for a resume
    "recipe", "data", "seed", "batch_size", "ema_images", "ema_rampup", "micro_batch", "device", "precision",
    "compile",
)  # fmt: skip
NUMBER, MAYBE = (int, float), (int, float, type(None))
KEYS: dict[str, tuple[type, ...]] = {  # of run.json, and what each may be
    "recipe": (dict, type(None)), "data": (dict,), "source": (str, type(None)), "seed": (int,), "images": (int,),
    "batch_size": (int,), "ema_images": NUMBER, "ema_rampup": MAYBE, "standing_batches": (int, type(None)),
    "micro_batch": (int,), "device": (str,), "precision": (str,), "command": (str,), "versions": (dict,),
    "data_options": (dict, type(None)), "begun": (int, type(None)), "compile": (bool, type(None)),
}  # fmt: skip
COUNTS = ("seed", "images", "batch_size", "ema_images", "ema_rampup", "standing_batches", "micro_batch", "begun")


@contextmanager
def occupied(folder: Path) -> Iterator[None]:
    """The directory is this run's alone.

    Errors: GanzooError where another run has it, nobody may write there, or the system has no POSIX locks (Windows).
    """
    if sys.platform == "win32":
        raise GanzooError("training into a directory needs POSIX locks", "Train under WSL, Linux or macOS.")
    import fcntl

    path = folder / ".lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(path, "a")  # noqa: SIM115 (held until the run ends)
    except OSError as fault:
        raise unwritable(folder, fault, "Choose another --out.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not path.exists() or not os.path.samestat(os.fstat(lock.fileno()), path.stat()):
                raise OSError("the run that had it removed the file in between")
        except OSError:
            raise GanzooError(f"{folder}: another run is at work here", "Choose another --out.") from None
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()  # refused before anything was written: nothing new is left behind


def begin(folder: Path, description: Mapping[str, Any], force: bool) -> None:
    """A fresh run in `folder`, which must be empty unless forced."""
    strangers = [path for path in folder.iterdir() if path.name != ".lock"]
    if strangers and not force:
        raise GanzooError(f"{folder}: exists and is not empty", "Choose another --out, --resume it, or --force.")
    for name in OURS:
        path = folder / name
        linked = path.is_symlink()  # to a larger disk, say: what it leads to is not ours to remove
        shutil.rmtree(path) if path.is_dir() and not linked else path.unlink(missing_ok=True)
    write_json(folder / "run.json", description)


def resume(folder: Path, description: Mapping[str, Any]) -> None:
    """Go on with the run in `folder`, which must be this one. Errors: GanzooError naming the first difference."""
    old = read(folder)
    new = json.loads(json.dumps(description, default=str))
    for key in SAME:
        if same(old, key) != same(new, key):
            raise changed(folder, key, same(old, key), same(new, key))
    for dist, version_then in old["versions"].items():
        if (now := new["versions"].get(dist, "not here")) != version_then:
            tell_user(f"warning: {folder} was begun with {escape(dist)} {escape(version_then)}, and it is {now} now")
    if old["images"] and new["images"] and new["images"] < old["images"]:
        raise GanzooError(f"--resume {folder}: is {old['images']:,} images long, not {new['images']:,}", "Give more.")
    if old["images"] and new["images"] and new["images"] > old["images"]:
        longer = f"extended from {old['images']:,} to {new['images']:,} images"
        tell_user(f"{longer}: its last phase is that much longer, and its schedules go back to there")
    write_json(folder / "run.json", {**description, "begun": begun(old), "command": old["command"]})


def same(document: Mapping[str, Any], key: str) -> Any:
    """What a run says of one of SAME; an older one does not know them all, and has nothing of the kind."""
    return document.get(key, 0) or 0 if key in ("ema_rampup", "compile") else document[key]


def begun(document: Mapping[str, Any]) -> int:
    """The length that a run was begun with, to which its phases are scaled; 0 where it has none yet."""
    return int(document.get("begun") or document["images"] or 0)


def changed(folder: Path, key: str, old: Any, new: Any) -> GanzooError:
    """What cannot be resumed, in the words of who typed it."""
    if key == "data" and {**old, "fingerprint": ""} == {**new, "fingerprint": ""}:
        what = f"--resume {folder}: the files of {escape(old['name'], 80)} have changed since it was begun"
        return GanzooError(
            f"{what}: images were added, removed or altered", f"Put them back, or begin a run on them: --init {folder}."
        )
    return GanzooError(f"--resume {folder}: {difference(key, old, new)}", "Resume it as it was begun.")


def difference(key: str, old: Any, new: Any) -> str:
    """The first place in which two descriptions differ, in words."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in {**old, **new}:
            if old.get(name) != new.get(name):
                return difference(f"{key}.{name}", old.get(name), new.get(name))
    return f"{key} was {escape(old, 80)}, and is {escape(new, 80)} now"


def read(folder: Path) -> dict[str, Any]:
    """run.json, each key of the type that it should be. Errors: GanzooError where there is none, or a damaged one."""
    path = folder / "run.json"
    try:
        document: dict[str, Any] = json.loads(path.read_bytes().decode("utf-8"))
        if document["format"] != FORMAT:
            raise ValueError(f"format {escape(document['format'], 20)}, and this ganzoo reads {FORMAT}")
        for key, kinds in KEYS.items():
            if type(document.get(key)) not in kinds:  # a bool is no number
                raise ValueError(f"{key}: {escape(repr(document.get(key)), 40)}")
        refuse_malformed(document)
    except OSError as fault:
        raise GanzooError(f"{escape(path)}: {fault.strerror}", "--resume needs a run directory.") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise GanzooError(f"{escape(path)}: {escape(fault)}", "Start anew with --force.") from None
    return document


def refuse_malformed(document: Mapping[str, Any]) -> None:
    """Errors: ValueError for tables that hold what they cannot hold."""
    made = document["recipe"]
    if made is not None and not (
        made.keys() == {"family", "networks", "preset", "args", "train"}
        and isinstance(made["family"], str)
        and isinstance(made["networks"], str | None)
        and isinstance(made["preset"], str)
        and isinstance(made["args"], dict)
        and isinstance(made["train"], dict)
    ):
        raise ValueError("recipe")
    if not all(isinstance(document["data"].get(key), str) for key in ("name", "licence", "fingerprint")):
        raise ValueError("data")
    if not all(isinstance(value, str) for value in document["versions"].values()):
        raise ValueError("versions")
    for key in COUNTS:
        if document.get(key) is not None and not 0 <= document[key] < 1 << 63:
            raise ValueError(f"{key}: {document[key]}")


def rewind(folder: Path, images: int) -> None:
    """Logs and pictures as they were at this image count: what was written after the checkpoint is written again."""
    for log in (folder / "log.jsonl", folder / "health.jsonl", folder / "evals.jsonl"):
        if log.exists():
            text = log.read_text("utf-8", errors="replace")
            lines = [line for line in text.splitlines(keepends=True) if before(line, images)]
            write_aside(log, "".join(lines).encode())
    for place in (folder, folder / "samples"):
        for aside in place.glob(".*.tmp"):  # a kill in the middle of a writing left it behind
            if aside.is_file():
                aside.unlink()
    for picture in (folder / "samples").glob("[0-9]*.png"):
        if int(picture.name.partition("-")[0]) > images:
            picture.unlink()


def before(line: str, images: int) -> bool:
    try:
        return bool(json.loads(line)["images"] <= images)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False  # a line that was cut off


def environment(plugins: Sequence[str] = ()) -> dict[str, Any]:
    """What of this process decides a run's bits, and the command that began it."""
    return {"threads": torch.get_num_threads(), "command": command(), "versions": versions(plugins)}


PLACES = ("--out", "--data-root")  # of a command line: where things lie on this machine


def public(command: str) -> str:
    """A command line as a model directory tells it to others: of paths only the last part, and no place to write to.

    Nothing of one that is none.
    """
    try:
        words, left = shlex.split(command), list[str]()
    except ValueError:
        return ""
    while words:
        name, equals, value = words.pop(0).partition("=")
        if name not in (*PLACES, "--data"):
            left.append(name + equals + value)
            continue
        value = value if equals else words.pop(0) if words else ""
        if name == "--data":
            left += [name, "::".join(Path(part).name or part for part in value.split("::"))]
    return shlex.join(left)


def command() -> str:
    """The command line of this process, as one would type it."""
    program = Path(sys.argv[0]).name if sys.argv[0] else "python"
    return as_text(shlex.join(["ganzoo" if program == "__main__.py" else program, *sys.argv[1:]]))


def versions(plugins: Sequence[str] = ()) -> dict[str, str]:
    """Of Python, the core, torch, and the distributions of plugins that a run depends on."""
    here = {"python": platform.python_version(), "ganzoo-core": version("ganzoo-core"), "torch": torch.__version__}
    return here | {dist: version(dist) for dist in plugins}


def write_json(path: Path, document: Any) -> None:
    write_aside(path, (json.dumps(document, indent=2, default=str) + "\n").encode())

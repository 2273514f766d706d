"""What several verbs do alike: options KEY=VALUE, labels, and a place to write to. No torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.files import unwritable

if TYPE_CHECKING:
    from ganzoo_core.nn.generator import Generator


def pair(text: str) -> tuple[str, str]:
    """(KEY, VALUE) of KEY=VALUE, as -c gives it; a VALUE may hold more equals signs, or be empty.

    Errors: GanzooError for what is none.
    """
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise GanzooError(f"-c {escape(text)}: is not of the form key=value", "For example -c width=32.")
    return key, value


def writable(target: Path, force: bool) -> Path:
    """OUT, looked at before any work is done: its directory is made, and it is not there yet unless `force`.

    Errors: GanzooError for what exists, ExternalError where nothing can be written.
    """
    try:
        if target.exists() and not force and (target.is_file() or any(target.iterdir())):
            raise GanzooError(f"{target}: exists", "Choose another -o, or --force to overwrite it.")
        if target.suffix.lower() in (".png", ".gif") and target.is_dir():
            raise GanzooError(f"{target}: is a directory", "Choose another -o.")
        target.parent.mkdir(parents=True, exist_ok=True)
        probe = target.parent / f".{target.name}.probe"
        probe.touch()
        probe.unlink()
    except OSError as fault:
        raise unwritable(target, fault, "Choose another -o.") from None
    return target


def labelled(generator: Generator, labels: tuple[str, ...], count: int) -> dict[str, list[str]]:
    """--label as an argument of `sample`: {name of the input: `count` labels, which take turns}; nothing of none.

    Errors: GanzooError for a model that takes no label.
    """
    if not labels:
        return {}
    for name, declared in generator.inputs.items():
        if declared.flag == "--label":
            return {name: [labels[i % len(labels)] for i in range(count)]}
    raise GanzooError(f"--label {escape(labels[0])}: this model takes no label", "Leave it out.")

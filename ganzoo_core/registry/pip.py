"""Installing and removing plugins with pip, or with uv where there is no pip. No plugin is imported on the way."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from ganzoo_core.errors import ExternalError, GanzooError, UnknownNameError, escape
from ganzoo_core.registry import index


def requirement(name: str, confirmed: bool) -> str:
    """What pip is to install for a plugin's or a family's name. A stranger's requirement must be confirmed.

    Errors: UnknownNameError; GanzooError for the bare name `ganzoo`, which on the package index is not ours.
    """
    if re.sub(r"[-_.]+", "-", name.strip().lower()) == "ganzoo":
        raise GanzooError("ganzoo: on the package index is a stranger's empty package", "Ours is called ganzoo-core.")
    register = index.load_index()
    plugin = register.families.get(name, {}).get("plugin", name)
    for row in register.plugins.values():
        if plugin in (row["name"], row["dist"]):
            return located(row["install"])
    if not confirmed:
        raise UnknownNameError("plugin", name, register.plugins, "To install it all the same, add --yes.")
    return checked(name)


def pinned(item: str, confirmed: bool) -> str:
    """A line of a requirements file: a plugin of the zoo is where the register says, whatever version was written."""
    name = Requirement(item).name
    found = requirement(name, confirmed)
    return item if found == name else found


def located(install: str) -> str:
    """A requirement of the register; a path in it is relative to the checkout that the register belongs to."""
    if not install.startswith("./"):
        return install
    path = index.REGISTRY.resolve().parent / install
    if not path.is_dir():
        raise GanzooError(f"{install}: not in this installation", "The plugins are not published yet: use a checkout.")
    return str(path)


def checked(name: str) -> str:
    """A requirement or a folder, and nothing that pip would take for an option."""
    if Path(name).is_dir() and not name.startswith("-"):
        return str(Path(name))
    try:
        return str(Requirement(name))
    except InvalidRequirement:
        raise GanzooError(f"{escape(name)}: is no requirement and no folder", "For example ganzoo-dcgan.") from None


def from_file(path: Path) -> list[str]:
    """The names in a requirements file, as `ganzoo plugins --freeze` writes it."""
    try:
        lines = [line.split("#")[0].strip() for line in path.read_text("utf-8").splitlines()]
        return [str(Requirement(line)) for line in lines if line]
    except (OSError, ValueError) as fault:
        raise GanzooError(f"{path}: {escape(fault)}", "`ganzoo plugins --freeze` writes such a file.") from None


def run(verb: str, arguments: Sequence[str]) -> None:
    """pip or uv, its words on stderr. Errors: ExternalError where it fails."""
    if find_spec("pip"):
        command = [sys.executable, "-P", "-m", "pip", verb, "--disable-pip-version-check"]
        command += ["--yes"] if verb == "uninstall" else []
    elif uv := shutil.which("uv"):
        command = [uv, "pip", verb, "--python", sys.executable]
    else:
        raise ExternalError("neither pip nor uv is here", "Install one of them.")
    done = subprocess.run([*command, *arguments], stdout=sys.stderr, check=False)
    if done.returncode:
        raise ExternalError(f"{' '.join(command[-3:])}: exit {done.returncode}", "Its own words above say why.")
    index.installed.cache_clear()

"""The studio as a folder for a Hugging Face Space: app, requirements, card, and the wheels that it needs.

Our packages are on no index, and a Space installs its requirements before it sees its other files: so the wheels lie
beside the app, which unpacks them when it starts, and the requirements are what our wheels require of others. That is
how the Hub's documentation has it, from memory: no Space has been started by us.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from email.parser import Parser
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement

import ganzoo_core as gz
from ganzoo_core.cli import write_aside
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.models import find

OURS = "ganzoo-"
NEEDED = ("ganzoo-core", "ganzoo-studio")

APP = '''"""The ganzoo studio on a Space. The wheels beside this file are unpacked once, then served from."""

import os
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
UNPACKED = HERE / "unpacked"
for wheel in sorted((HERE / "wheels").glob("*.whl")):
    zipfile.ZipFile(wheel).extractall(UNPACKED)
sys.path.insert(0, str(UNPACKED))
os.environ["PYTHONPATH"] = str(UNPACKED)  # for the searches, each a process of its own

from ganzoo_studio.server import serve  # noqa: E402

HOST, PORT = os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0"), os.environ.get("GRADIO_SERVER_PORT", "7860")
serve({sources!r}, HOST, int(PORT))
'''

CARD = """---
title: ganzoo studio
sdk: gradio
sdk_version: {gradio}
app_file: app.py
license: apache-2.0
tags: [ganzoo, gan]
---

# ganzoo studio

{models}

Made by `ganzoo studio --export`. Each page shows the command that makes its pictures again. The models' own licences:

{licences}
"""


def write_space(sources: Sequence[str], wheels: Path, folder: Path) -> Path:
    """The folder. Errors: GanzooError for a source that is no id, and for wheels that are not there."""
    ids = chosen(sources)
    files = closure(available(wheels), [*NEEDED, *plugins_of(ids)])
    (folder / "wheels").mkdir(parents=True, exist_ok=True)
    for wheel in files.values():
        shutil.copyfile(wheel, folder / "wheels" / wheel.name)
    write_aside(folder / "app.py", APP.format(sources=ids).encode())
    write_aside(folder / "requirements.txt", "".join(f"{line}\n" for line in others(files)).encode())
    write_aside(folder / "README.md", card(ids).encode())
    return folder


def chosen(sources: Sequence[str]) -> list[str]:
    """Ids, or all that are installed. Errors: GanzooError for a path: a Space has none of this machine's."""
    known = {info.id for info in gz.list_models() if info.installed}
    for source in sources:
        if source not in known:
            raise GanzooError(f"{escape(source)}: is no installed model", "Only ids can go to a Space: `ganzoo list`.")
    return list(sources) or sorted(known)


def plugins_of(ids: Sequence[str]) -> list[str]:
    """The distributions that have these models."""
    configs = [json.loads((find(id) / "config.json").read_bytes()) for id in ids]
    return sorted({config[part]["plugin"] for config in configs for part in ("networks", "objective")})


def available(folder: Path) -> dict[str, Path]:
    """Our wheels by the names of their distributions. Errors: GanzooError where there are none."""
    found = {path.name.partition("-")[0].replace("_", "-"): path for path in sorted(folder.glob("ganzoo_*.whl"))}
    if not found:
        raise GanzooError(
            f"{escape(folder)}: holds no wheels of ganzoo", "`make dist` builds them; then --wheels dist."
        )
    return found


def closure(wheels: dict[str, Path], wanted: Sequence[str]) -> dict[str, Path]:
    """These distributions and all of ours that they require. Errors: GanzooError for one that is not there."""
    found, open_ = dict[str, Path](), list(wanted)
    while open_:
        name = open_.pop()
        if name in found:
            continue
        if name not in wheels:
            raise GanzooError(f"{name}: its wheel is not there", "`make dist` builds all of them.")
        found[name] = wheels[name]
        open_ += [required.name for required in requirements(wheels[name]) if required.name.startswith(OURS)]
    return dict(sorted(found.items()))


def requirements(wheel: Path) -> list[Requirement]:
    """What a wheel always requires."""
    with ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    every = map(Requirement, metadata.get_all("Requires-Dist") or ())
    return [one for one in every if one.marker is None or one.marker.evaluate({"extra": ""})]


def others(wheels: dict[str, Path]) -> list[str]:
    """What our wheels require of others, each once and with all its bounds; gradio is the Space's own."""
    bounds: dict[str, Requirement] = {}
    for wheel in wheels.values():
        for one in requirements(wheel):
            if not one.name.startswith(OURS):
                known = bounds.setdefault(one.name.lower(), one)
                known.specifier &= one.specifier
    return sorted(f"{one.name}{one.specifier}" for one in bounds.values())


def card(ids: Sequence[str]) -> str:
    """README.md of the Space."""
    licences = "\n".join(f"- {id}: {gz.model_info(id).licence}" for id in ids)
    gradio = version("gradio") if has_gradio() else "6.31.0"
    return CARD.format(gradio=gradio, models=f"{len(ids)} models of the zoo of GANs in a browser.", licences=licences)


def has_gradio() -> bool:
    from importlib.util import find_spec

    return find_spec("gradio") is not None

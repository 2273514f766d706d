"""A finished model comes into the checkout, after a person has looked at its sheet."""

from __future__ import annotations

import shutil
from pathlib import Path

from ganzoo_core.errors import GanzooError, tell_user
from ganzoo_core.registry.plugins import registry
from zoo.manifest import Entry
from zoo.places import Places

SAMPLES_BYTES = 400_000  # of samples.png: 64 colour pictures of 64 px


def adopt(entry: Entry, places: Places, checkout: Path) -> Path:
    """Copy outbox/ID/model into the package of its family. Errors: GanzooError for what must not ship."""
    found = places.verdict(entry.id)
    if found is None:
        raise GanzooError(f"{entry.id}: is not finished", "`make zoo-status` shows how far it is.")
    target, made = package(entry, checkout) / entry.id, places.out(entry.id) / "model"
    if entry.frozen or target.exists():
        raise GanzooError(f"{target}: a released model keeps its bytes", f"Better weights are {entry.id}_v2.")
    samples = made / "samples.png"
    if samples.exists() and samples.stat().st_size > SAMPLES_BYTES:
        raise GanzooError(f"{samples}: {samples.stat().st_size:,} bytes, more than {SAMPLES_BYTES:,}")
    shutil.copytree(made, target)
    freeze(entry.id, checkout / "zoo.toml")
    if not found["beats"]:
        tell_user(f"{entry.id}: {found['metric']} is {found['value']:.4g}, not {found['target']} ({found['baseline']})")
    tell_user(f"{entry.id} is in {target}; now `ganzoo registry build` and `make docs`")
    return target


def freeze(id: str, path: Path) -> None:
    """Say in the manifest that it has been released; how it was trained stays there to be read."""
    text, line = path.read_text(), f'id = "{id}"\n'
    path.write_text(text.replace(line, f"{line}frozen = true\n", 1))


def package(entry: Entry, checkout: Path) -> Path:
    """The folder of weights inside the plugin that brings the family."""
    family = entry.family or entry.id.partition(".")[0]
    distribution = registry().families.owner(family)
    folder = checkout / "plugins" / distribution / distribution.replace("-", "_")
    if not folder.is_dir():
        raise GanzooError(f"{folder}: no such package")
    return folder / "weights"

"""What a gallery shows: a card for every installed model with weights, and one for every other installed family."""

from __future__ import annotations

import json
from typing import NamedTuple

import ganzoo_core as gz
from ganzoo_core.models import find, usage_of
from ganzoo_core.plugin import FamilyInfo, ModelInfo


class Card(NamedTuple):
    """One card. `samples` are the bytes of a PNG, empty where there are none, like those of `recording`."""

    id: str  # of a model; "" of a family without one
    family: str
    summary: str
    paper: str
    task: str
    dataset: str
    licence: str
    command: str
    scores: tuple[str, ...]
    samples: bytes
    recording: bytes = b""  # of a WAV file, of what can be heard


def cards() -> list[Card]:
    """Models first, by id; then families that have none."""
    families = {info.name: info for info in gz.list_families() if info.installed}
    models = [info for info in gz.list_models() if info.installed and info.family in families]
    bare = families.keys() - {info.family for info in models}
    return [of_model(info, families[info.family]) for info in models] + [of_family(families[k]) for k in sorted(bare)]


def of_model(info: ModelInfo, family: FamilyInfo) -> Card:
    folder = find(info.id)
    sheet, heard = folder / "samples.png", folder / "samples.wav"
    scores = tuple(f"{row['name']} {row['value']:.4g}" for row in info.metrics[:4])
    return Card(
        info.id, info.family, family.summary, paper_of(family), info.task, info.dataset, info.licence,
        command_of(info.id), scores, *(path.read_bytes() if path.exists() else b"" for path in (sheet, heard)),
    )  # fmt: skip


def of_family(family: FamilyInfo) -> Card:
    """It can be trained, and that is how."""
    command = f"ganzoo train {family.name}"
    return Card("", family.name, family.summary, paper_of(family), family.task, "", "", command, (), b"")


def paper_of(family: FamilyInfo) -> str:
    return f"{family.paper}, {family.year}"


def command_of(id: str) -> str:
    """A line that samples it, by what its config.json says."""
    config = json.loads((find(id) / "config.json").read_bytes())
    return usage_of(config).line(id, id.partition(".")[0])

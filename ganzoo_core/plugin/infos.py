"""What is known of families and trained models, as look-ups return it. Imports nothing: looking up is light."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class FamilyInfo(NamedTuple):
    """A GAN family of the zoo, whether installed or not."""

    name: str
    summary: str
    task: str
    paper: str
    year: int
    arxiv: str
    plugin: str
    installed: bool
    weights: tuple[str, ...]


class ModelInfo(NamedTuple):
    """Trained weights."""

    id: str
    family: str
    task: str
    dataset: str
    licence: str
    dataset_licence: str
    bytes: int
    installed: bool
    metrics: tuple[Mapping[str, Any], ...]

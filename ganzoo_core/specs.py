"""What a plugin contributes, as frozen records that import nothing heavy.

A record names code by a lazy reference, "module:attribute", which is imported when it is used and not before:
so the zoo can be listed without loading torch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from ganzoo_core.errors import GanzooError, plain

Task = Literal[
    "unconditional", "class_conditional", "translation", "inpainting", "super_resolution",
    "text_to_image", "single_image", "semi_supervised", "video",
]  # fmt: skip
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True)
class Paper:
    """Where an idea comes from. `arxiv` is an id such as "1406.2661", or "" where there is none."""

    title: str
    authors: tuple[str, ...]
    year: int
    arxiv: str


@dataclass(frozen=True)
class Preset:
    """A named configuration: `args` of the recipe, and `train` options (batch_size, ema_images, images ...)."""

    args: Mapping[str, Any] = field(default_factory=dict)
    train: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """A GAN: networks x objective x recipe."""

    name: str
    summary: str  # one line
    task: Task
    paper: Paper
    networks: str  # -> a function with plain typed keyword arguments that returns named networks
    objective: str  # -> an Objective that takes those networks and its own keyword arguments
    presets: Mapping[str, Preset]  # `paper` and `tiny` at least
    aliases: tuple[str, ...] = ()  # other names that it goes by, for search and info

    def __post_init__(self) -> None:
        check_name("family", self.name)
        if "tiny" not in self.presets:
            raise GanzooError(f"family {self.name}: has no preset `tiny`", "Every family has one, for the tests.")


@dataclass(frozen=True)
class Weights:
    """A model directory inside a plugin; its config.json says all the rest."""

    id: str  # family.tag
    path: Path


@dataclass(frozen=True)
class Dataset:
    """A data set by name. `open` -> a function (root, variant, **options) -> ganzoo_core.data.Source."""

    name: str
    summary: str
    keys: tuple[str, ...]  # what its batches hold
    licence: str  # SPDX
    open: str
    variants: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_name("data set", self.name)


@dataclass(frozen=True)
class Metric:
    """A measurement by name. `compute` -> a function (ganzoo_core.metrics.Subject) -> (name, value, protocol) ..."""

    name: str
    summary: str
    compute: str
    tasks: tuple[str, ...] = ()  # for which it is measured when none is named; "points" for points in the plane


@dataclass(frozen=True)
class Observer:
    """Something that watches runs. `make` -> a function (run directory) -> ganzoo_core.observers.Observer."""

    name: str
    summary: str
    make: str


@dataclass(frozen=True)
class Command:
    """A verb of the command line. `command` -> a click command."""

    name: str
    summary: str
    command: str


def check_name(kind: str, name: str) -> None:
    if not NAME.fullmatch(name):
        raise GanzooError(f"{kind} name {plain(name)!r}: not of the form [a-z][a-z0-9_]*", "Rename it.")


def resolve(reference: str) -> Any:
    """What "module:attribute" names; imports the module."""
    module, _, attribute = reference.partition(":")
    if not attribute:
        raise GanzooError(f"reference {plain(reference)!r}: not of the form module:attribute")
    return getattr(import_module(module), attribute)

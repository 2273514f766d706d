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
from typing import Any

from ganzoo_core.errors import GanzooError, escape

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
    suits: str = ""  # data that `ganzoo train` chooses it for where no preset is named: "folder", of one's own pictures


@dataclass(frozen=True)
class Family:
    """A GAN: networks x objective x recipe."""

    name: str
    summary: str  # one line
    paper: Paper
    objective: str  # -> an Objective; the annotated fields of its class are its arguments
    networks: str  # -> a function with annotated keyword arguments that returns networks by name; or another family
    presets: Mapping[str, Preset] = field(default_factory=dict)  # `paper` and `tiny` at least; none: its networks' own
    task: str = "unconditional"  # a name of TASKS, or of a plugin's ganzoo_tasks
    aliases: tuple[str, ...] = ()  # other names that it goes by, for search and info

    def __post_init__(self) -> None:
        check_name("family", self.name)
        if ":" in self.networks and "tiny" not in self.presets:
            raise GanzooError(f"family {self.name}: has no preset `tiny`", "Every family has one, for the tests.")


@dataclass(frozen=True)
class Task:
    """What a family does, by name: for `ganzoo list --task`, cards and the choice of metrics."""

    name: str
    summary: str
    pipeline: str = ""  # the Hub's own word for it, "" where it has none

    def __post_init__(self) -> None:
        check_name("task", self.name)


@dataclass(frozen=True)
class Weights:
    """A model directory inside a plugin; its config.json says all the rest."""

    id: str  # family.tag
    path: Path


@dataclass(frozen=True)
class DatasetEntry:
    """A data set by name. `open` -> a function (root, variant, **options) -> ganzoo_core.data.Dataset."""

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
    """A measurement by name. `compute` -> a function (metrics.EvalContext) -> (name, value, protocol) ..."""

    name: str
    summary: str
    compute: str
    tasks: tuple[str, ...] = ()  # for which it is measured when none is named; "any" for all of them
    kinds: tuple[str, ...] = ("images",)  # of outputs that it can measure
    share_of: str = ""  # the entry of its protocol that says of how many it is a share; "": it is none
    higher: bool = False  # whether more is better


@dataclass(frozen=True)
class CallbackEntry:
    """Something that watches runs. `make` -> a function (ganzoo_core.training.callbacks.base.Run) -> a Callback."""

    name: str
    summary: str
    make: str


@dataclass(frozen=True)
class Command:
    """A verb of the command line. `command` -> a click command."""

    name: str
    summary: str
    command: str


@dataclass(frozen=True)
class KindEntry:
    """A kind of what generators take or make. `kind` -> a class, a ganzoo_core.nn.Input or Output."""

    name: str
    summary: str
    kind: str

    def __post_init__(self) -> None:
        check_name("kind", self.name)


@dataclass(frozen=True)
class BatchKey:
    """A key of batches. `synthetic` -> a function (n, facts, rng) -> Tensor [n, ...]: noise to test families on.

    `facts` has the arguments of a recipe, and image_size, channels and classes in any case.
    """

    name: str
    summary: str
    synthetic: str

    def __post_init__(self) -> None:
        check_name("batch key", self.name)


@dataclass(frozen=True)
class View:
    """Data in another form, NAME:DATA. `open` -> a function (ganzoo_core.data.Dataset) -> a Dataset.

    Where `of_path` is set, it is a function (path, options) -> a Dataset in place of that. With an `argument`, what
    that is called, it is NAME:ARGUMENT:DATA, and the argument, a str, is handed over behind the rest.
    """

    name: str
    summary: str
    open: str
    keys: tuple[str, ...] = ()  # that it adds to a batch
    of_path: bool = False
    argument: str = ""

    def __post_init__(self) -> None:
        check_name("view", self.name)

    @property
    def usage(self) -> str:
        """How it is written before data."""
        return f"{self.name}:{self.argument}" if self.argument else self.name


@dataclass(frozen=True)
class Layout:
    """How weights of another implementation of a network are called, for `ganzoo import`.

    `args` -> a function (shapes by name) -> arguments of the networks; a KeyError or ValueError says that they are none
    of these. `names` -> a function (arguments) -> pairs (their name, our name), of layers or of single tensors, or
    triples with an operation of ganzoo_import.operations. The name "" on their side keeps what ours begins with,
    unless a later pair finds something; ../NAME is a tensor that lies beside the network in its file.
    """

    name: str
    family: str
    summary: str  # whose implementation
    args: str
    names: str
    network: str = "G"
    called: tuple[str, ...] = ()  # what files and wrappers of theirs call this network

    def __post_init__(self) -> None:
        check_name("layout", self.name)


@dataclass(frozen=True)
class JoinedLayout(Layout):
    """A layout of an implementation that keeps one network in several files.

    `args` -> a function (tensors by FILE/NAME, numbers among them) -> arguments of the networks. `names` -> a function
    (arguments, those tensors) -> triples (their names, our name, our tensor).
    """


def check_name(kind: str, name: str) -> None:
    if not NAME.fullmatch(name):
        raise GanzooError(f"{kind} name {escape(name)!r}: not of the form [a-z][a-z0-9_]*", "Rename it.")


def resolve(reference: str) -> Any:
    """What "module:attribute" names; imports the module."""
    module, _, attribute = reference.partition(":")
    if not attribute:
        raise GanzooError(f"reference {escape(reference)!r}: not of the form module:attribute")
    return getattr(import_module(module), attribute)


TASKS = (
    Task("unconditional", "samples out of nothing", "unconditional-image-generation"),
    Task("class_conditional", "samples of a class", "unconditional-image-generation"),
    Task("translation", "pictures out of pictures", "image-to-image"),
    Task("inpainting", "pictures with holes, filled", "image-to-image"),
    Task("super_resolution", "small pictures, enlarged", "image-to-image"),
    Task("text_to_image", "pictures of what is said", "text-to-image"),
    Task("single_image", "variations of one picture", "unconditional-image-generation"),
    Task("semi_supervised", "learning from few labels", "unconditional-image-generation"),
    Task("video", "moving pictures"),
)

"""The models that a studio offers: named at its start, loaded when they are asked for, the least used one put back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError, UnknownNameError
from ganzoo_core.models import Model
from ganzoo_studio.limits import LOADED


class Shelf:
    """A visitor names a source; one that was not put here is none, whatever lies on the machine."""

    def __init__(self, sources: Sequence[str]) -> None:
        """Errors: GanzooError for what is neither a model nor a run."""
        self.runs = {Path(source).resolve().name: Path(source) for source in sources if is_run(source)}
        self.sources = [source for source in sources or installed() if not is_run(source) or has_model(source)]
        self.loaded: OrderedDict[str, Model] = OrderedDict()
        self.loading = Lock()

    def model(self, source: str) -> Model:
        """Loaded once for all visitors: threads may share a model. Errors: those of `gz.load`."""
        self.refuse_other(source)
        with self.loading:
            if source not in self.loaded or is_run(source):  # a run's model is a new one after every checkpoint
                self.loaded[source] = gz.load(source)
            self.loaded.move_to_end(source)
            while len(self.loaded) > LOADED:
                self.loaded.popitem(last=False)
            return self.loaded[source]

    def refuse_other(self, source: str) -> None:
        """Errors: UnknownNameError for what is not offered."""
        if source not in self.sources:
            raise UnknownNameError("model", str(source), self.sources)

    def where(self, source: str) -> str:
        """The same for a process in another folder."""
        self.refuse_other(source)
        return str(Path(source).resolve()) if Path(source).is_dir() else source

    def run(self, name: str) -> Path:
        """A run directory. Errors: UnknownNameError for another."""
        if name not in self.runs:
            raise UnknownNameError("run", str(name), self.runs)
        return self.runs[name]


def installed() -> list[str]:
    """Ids of all models that are here."""
    return [info.id for info in gz.list_models() if info.installed]


def is_run(source: str) -> bool:
    return (Path(source) / "run.json").is_file()


def has_model(source: str) -> bool:
    return (Path(source) / "model" / "config.json").is_file()


class Seat(NamedTuple):
    """What is asked about: a model, and one of its published generators by name, "" for the first."""

    source: str
    net: str


def refuse_empty(shelf: Shelf) -> None:
    """Errors: GanzooError for a studio that would have nothing to show."""
    if not shelf.sources and not shelf.runs:
        raise GanzooError("there is no model here", "Install a plugin with weights: `ganzoo list`.")

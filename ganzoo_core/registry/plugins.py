"""Plugins, loaded one by one so that a broken one harms nobody, and what they contribute, by name."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

import pluggy

from ganzoo_core.errors import DATA_ONLY, GanzooError, UnknownNameError, escape
from ganzoo_core.plugin import hooks
from ganzoo_core.plugin.records import (
    TASKS,
    BatchKey,
    CallbackEntry,
    Command,
    DatasetEntry,
    Family,
    KindEntry,
    Layout,
    Metric,
    Task,
    View,
    Weights,
)
from ganzoo_core.registry import index
from ganzoo_core.registry.index import Installed

Record = TypeVar("Record")
KINDS: dict[str, tuple[str, type]] = {  # what is contributed -> what it is called, and its record
    "families": ("family", Family), "weights": ("model", Weights), "datasets": ("data set", DatasetEntry),
    "metrics": ("metric", Metric), "callbacks": ("callback", CallbackEntry), "commands": ("command", Command),
    "kinds": ("kind", KindEntry), "batch_keys": ("batch key", BatchKey), "views": ("view", View),
    "tasks": ("task", Task), "layouts": ("layout", Layout),
}  # fmt: skip
CORE = "ganzoo-core"
LOADING = RLock()


class Loaded(NamedTuple):
    """A plugin that works, and all that it contributes."""

    plugin: Installed
    module: ModuleType
    records: Mapping[str, tuple[Any, ...]]  # by kind


class Broken(NamedTuple):
    """A plugin that does not, and why."""

    plugin: Installed
    error: str


class Table(Mapping[str, Record]):
    """Records of one kind by name; a name that two plugins claim belongs to neither until one of them is gone."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.claims: dict[str, list[tuple[str, Record]]] = {}

    def claim(self, owner: str, record: Record) -> None:
        """A distribution contributes a record."""
        name: str = record.id if isinstance(record, Weights) else record.name  # type: ignore[attr-defined]
        self.claims.setdefault(name, []).append((owner, record))

    def owner(self, name: str) -> str:
        """The distribution that contributes `name`."""
        return self.find(name)[0]

    def __getitem__(self, name: str) -> Record:
        return self.find(name)[1]

    def find(self, name: str) -> tuple[str, Record]:
        """(distribution, record). Errors: UnknownNameError, a KeyError too; GanzooError for a name claimed twice."""
        claims = self.claims.get(name)
        if not claims:
            hint = index.install_hint(name) if self.kind == "family" else ""
            raise UnknownNameError(self.kind, name, self.claims, hint)
        if len(claims) > 1:
            owners = " and ".join(owner for owner, _ in claims)
            raise GanzooError(f"{self.kind} {name}: contributed by {owners}", "Uninstall one of them.")
        return claims[0]

    def __iter__(self) -> Iterator[str]:
        return (name for name, claims in sorted(self.claims.items()) if len(claims) == 1)

    def __len__(self) -> int:
        return sum(len(claims) == 1 for claims in self.claims.values())

    def __contains__(self, name: object) -> bool:
        return len(self.claims.get(str(name), ())) == 1


class Registry:
    """All that the core and the installed plugins contribute."""

    def __init__(self, loaded: Iterable[Loaded], broken: Iterable[Broken]) -> None:
        from ganzoo_core.data.batch_keys import BATCH_KEYS
        from ganzoo_core.data.catalog import DATASETS
        from ganzoo_core.data.views.catalog import VIEWS

        self.families: Table[Family] = Table("family")
        self.weights: Table[Weights] = Table("model")
        self.datasets: Table[DatasetEntry] = Table("data set")
        self.metrics: Table[Metric] = Table("metric")
        self.callbacks: Table[CallbackEntry] = Table("callback")
        self.commands: Table[Command] = Table("command")
        self.kinds: Table[KindEntry] = Table("kind")
        self.batch_keys: Table[BatchKey] = Table("batch key")
        self.views: Table[View] = Table("view")
        self.tasks: Table[Task] = Table("task")
        self.layouts: Table[Layout] = Table("layout")
        self.loaded, self.broken = tuple(loaded), tuple(broken)
        for kind, records in {"datasets": DATASETS, "tasks": TASKS, "views": VIEWS, "batch_keys": BATCH_KEYS}.items():
            for record in records:
                getattr(self, kind).claim(CORE, record)
        for plugin, _, contributed in self.loaded:
            for kind, records in contributed.items():
                for record in records:
                    getattr(self, kind).claim(plugin.dist, record)

    @property
    def hooks(self) -> Any:
        """All plugins' hooks at once, for those that answer rather than contribute."""
        manager = manager_of(loaded.module for loaded in self.loaded)
        return manager.hook


def registry() -> Registry:
    """The registry of this process. Broken plugins cost one warning line each on stderr."""
    with LOADING:  # threads that ask at once wait for one import
        return loaded()


@cache
def loaded() -> Registry:
    results = [load(plugin) for plugin in index.installed().values()]
    for result in results:
        if isinstance(result, Broken):
            print(f"ganzoo: warning: {describe(result)}", file=sys.stderr)
    return Registry(
        (result for result in results if isinstance(result, Loaded)),
        (result for result in results if isinstance(result, Broken)),
    )


def describe(broken: Broken) -> str:
    plugin = broken.plugin
    return f"plugin {plugin.name} ({plugin.dist} {plugin.version}) is off: {broken.error}. pip uninstall {plugin.dist}"


def load(plugin: Installed) -> Loaded | Broken:
    """Import one plugin and collect what it contributes; whatever it raises or prints stays with it."""
    try:
        refuse_other_versions(plugin)
        with stdout_to_stderr(), undisturbed():
            module = import_module(plugin.module)
            return Loaded(plugin, module, contributions(module))
    except KeyboardInterrupt:
        raise
    except ImportError as fault:
        return Broken(plugin, written_for_old(fault) or f"{type(fault).__name__}: {escape(fault)}")
    except BaseException as fault:  # SystemExit too: a plugin may not end the program
        return Broken(plugin, f"{type(fault).__name__}: {escape(fault)}")


OLD = {  # modules of 0.1, which are gone, and where a plugin finds the same now
    "hookspecs": "plugin", "specs": "plugin", "networks": "nn", "blocks": "nn", "equalised": "nn",
    "objective": "objectives",    "losses": "objectives", "penalties": "objectives", "schedules": "objectives",
}  # fmt: skip


def written_for_old(fault: ImportError) -> str:
    """What to change in a plugin that was written for 0.1; "" for any other."""
    old = (fault.name or "").removeprefix("ganzoo_core.")
    if old not in OLD:
        return ""
    return (
        f"written for ganzoo-core 0.1: import from ganzoo_core.{OLD[old]}, not ganzoo_core.{old} (CHANGELOG.md, 0.2.0)"
    )


def refuse_other_versions(plugin: Installed) -> None:
    """Before importing: does the plugin want this core, this torch and whatever else of it is installed here?"""
    from importlib.metadata import PackageNotFoundError, PathDistribution, version

    from packaging.requirements import Requirement

    for line in PathDistribution(plugin.metadata).requires or ():
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            running = version(requirement.name)
        except PackageNotFoundError:
            continue  # its import will say so
        if not requirement.specifier.contains(running, prereleases=True):
            old_core = requirement.name == CORE and requirement.specifier.contains("0.1.0")
            hint = (
                "ganzoo_core.plugin, .nn and .objectives replace its modules: see CHANGELOG.md, 0.2.0"
                if old_core
                else ""
            )
            raise GanzooError(f"requires {requirement.name}{requirement.specifier}, and this is {running}", hint)


def contributions(module: ModuleType) -> dict[str, tuple[Any, ...]]:
    """What one plugin's hooks return, checked."""
    hooks = manager_of([module]).hook
    records: dict[str, tuple[Any, ...]] = {}
    for kind, (_, record) in KINDS.items():
        results = getattr(hooks, f"ganzoo_{kind}")()
        records[kind] = tuple(item for result in results for item in iterate(kind, result))
        for item in records[kind]:
            if not isinstance(item, record):
                raise GanzooError(f"ganzoo_{kind} returned {escape(repr(item), 60)}, not a {record.__name__}")
    records["weights"] += beside(module)
    return records


def beside(module: ModuleType) -> tuple[Weights, ...]:
    """The trained models that lie in weights/ID beside a plugin's module."""
    folders = sorted((Path(module.__file__ or "").parent / "weights").glob("*.*/config.json"))
    return tuple(Weights(path.parent.name, path.parent) for path in folders)


def iterate(kind: str, result: Any) -> Iterable[Any]:
    if not isinstance(result, Iterable) or isinstance(result, (str, bytes)):
        raise GanzooError(f"ganzoo_{kind} returned {escape(repr(result), 60)}, not an iterable of records")
    return result


def manager_of(modules: Iterable[ModuleType]) -> pluggy.PluginManager:
    manager = pluggy.PluginManager("ganzoo")
    manager.add_hookspecs(hooks)
    for module in modules:
        manager.register(module)
    manager.check_pending()  # a hook implementation that no specification knows is a mistake
    return manager


@contextlib.contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """On the command line, whatever is written to file descriptor 1 goes to 2: a plugin's banner is no data.

    In a program of others stdout is theirs, and all their threads': it is left alone.
    """
    if not DATA_ONLY.get():
        yield
        return
    sys.stdout.flush()
    saved = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(saved, 1)
        os.close(saved)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Working directory, signal handlers, random generators and default dtype are afterwards what they were."""
    import random
    import signal

    torch = sys.modules.get("torch")  # what is not loaded has nothing to disturb
    folder, rng = os.getcwd(), random.getstate()
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")  # Windows lacks the last two
    handlers = {n: signal.getsignal(n) for n in (getattr(signal, s) for s in names if hasattr(signal, s))}
    dtype, state = (torch.get_default_dtype(), torch.get_rng_state()) if torch else (None, None)
    try:
        yield
    finally:
        os.chdir(folder)
        random.setstate(rng)
        for number, handler in handlers.items():
            if signal.getsignal(number) != handler:
                signal.signal(number, handler)
        if torch:
            torch.set_default_dtype(dtype)
            torch.set_rng_state(state)


def path_of(weights_id: str) -> Path:
    """The model directory of an id."""
    zoo = registry()
    if weights_id not in zoo.weights:
        family = weights_id.partition(".")[0]
        hint = index.install_hint(family) if weights_id in index.load_index().weights else ""
        raise UnknownNameError("model", weights_id, zoo.weights, hint or "`ganzoo list` shows all.")
    return zoo.weights[weights_id].path

"""Plugins, loaded one by one so that a broken one harms nobody, and what they contribute, by name."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, NamedTuple, TypeVar

import pluggy

from ganzoo_core import catalogue, hookspecs, hub
from ganzoo_core.catalogue import FamilyInfo, Installed, ModelInfo
from ganzoo_core.errors import GanzooError, UnknownName, plain
from ganzoo_core.specs import Command, Dataset, Family, Metric, Observer, Weights

Record = TypeVar("Record", Family, Weights, Dataset, Metric, Observer, Command)
KINDS: dict[str, type] = {
    "families": Family, "weights": Weights, "datasets": Dataset,
    "metrics": Metric, "observers": Observer, "commands": Command,
}  # fmt: skip
CORE = "ganzoo-core"


class Loaded(NamedTuple):
    """A plugin that works, and all that it contributes."""

    plugin: Installed
    module: ModuleType
    records: Mapping[str, tuple[Any, ...]]  # by kind


class Broken(NamedTuple):
    """A plugin that does not, and why."""

    plugin: Installed
    error: str


class Table(Generic[Record]):
    """Records of one kind by name; a name that two plugins claim belongs to neither until one of them is gone."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.claims: dict[str, list[tuple[str, Record]]] = {}

    def claim(self, owner: str, record: Record) -> None:
        name = record.id if isinstance(record, Weights) else record.name
        self.claims.setdefault(name, []).append((owner, record))

    def owner(self, name: str) -> str:
        """The distribution that contributes `name`."""
        return self.find(name)[0]

    def __getitem__(self, name: str) -> Record:
        return self.find(name)[1]

    def find(self, name: str) -> tuple[str, Record]:
        claims = self.claims.get(name)
        if not claims:
            hint = catalogue.install_hint(name) if self.kind == "family" else ""
            raise UnknownName(self.kind, name, self.claims, hint)
        if len(claims) > 1:
            owners = " and ".join(owner for owner, _ in claims)
            raise GanzooError(f"{self.kind} {name}: contributed by {owners}", "Uninstall one of them.")
        return claims[0]

    def __iter__(self) -> Iterator[str]:
        return (name for name, claims in sorted(self.claims.items()) if len(claims) == 1)

    def __contains__(self, name: object) -> bool:
        return len(self.claims.get(str(name), ())) == 1

    def items(self) -> Iterator[tuple[str, Record]]:
        return ((name, self[name]) for name in self)


class Registry:
    """All that the core and the installed plugins contribute."""

    def __init__(self, loaded: Iterable[Loaded], broken: Iterable[Broken]) -> None:
        from ganzoo_core.data.catalog import DATASETS

        self.families: Table[Family] = Table("family")
        self.weights: Table[Weights] = Table("model")
        self.datasets: Table[Dataset] = Table("data set")
        self.metrics: Table[Metric] = Table("metric")
        self.observers: Table[Observer] = Table("observer")
        self.commands: Table[Command] = Table("command")
        self.loaded, self.broken = tuple(loaded), tuple(broken)
        for dataset in DATASETS:
            self.datasets.claim(CORE, dataset)
        for plugin, _, records in self.loaded:
            for kind, contributed in records.items():
                for record in contributed:
                    getattr(self, kind).claim(plugin.dist, record)

    @property
    def hooks(self) -> Any:
        """All plugins' hooks at once, for those that answer rather than contribute, and the Hub's own behind them."""
        manager = manager_of([hub, *(loaded.module for loaded in self.loaded)])
        return manager.hook


@cache
def registry() -> Registry:
    """The registry of this process. Broken plugins cost one warning line each on stderr."""
    results = [load(plugin) for plugin in catalogue.installed().values()]
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
    except BaseException as fault:  # SystemExit too: a plugin may not end the program
        return Broken(plugin, f"{type(fault).__name__}: {plain(fault)}")


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
            raise GanzooError(f"requires {requirement.name}{requirement.specifier}, and this is {running}")


def contributions(module: ModuleType) -> dict[str, tuple[Any, ...]]:
    """What one plugin's hooks return, checked."""
    hooks = manager_of([module]).hook
    records: dict[str, tuple[Any, ...]] = {}
    for kind, record in KINDS.items():
        results = getattr(hooks, f"ganzoo_{kind}")()
        records[kind] = tuple(item for result in results for item in iterate(kind, result))
        for item in records[kind]:
            if not isinstance(item, record):
                raise GanzooError(f"ganzoo_{kind} returned {plain(repr(item), 60)}, not a {record.__name__}")
    return records


def iterate(kind: str, result: Any) -> Iterable[Any]:
    if not isinstance(result, Iterable) or isinstance(result, (str, bytes)):
        raise GanzooError(f"ganzoo_{kind} returned {plain(repr(result), 60)}, not an iterable of records")
    return result


def manager_of(modules: Iterable[ModuleType]) -> pluggy.PluginManager:
    manager = pluggy.PluginManager("ganzoo")
    manager.add_hookspecs(hookspecs)
    for module in modules:
        manager.register(module)
    manager.check_pending()  # a hook implementation that no specification knows is a mistake
    return manager


@contextlib.contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Whatever is written to file descriptor 1 goes to 2: stdout carries data only, a plugin's banner is none."""
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
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)}
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


def family_infos(plugins: frozenset[str]) -> dict[str, FamilyInfo]:
    """The families of some installed plugins in the catalogue's form."""
    zoo = registry()
    chosen = [loaded for loaded in zoo.loaded if loaded.plugin.name in plugins]
    return {
        family.name: FamilyInfo(
            family.name, family.summary, family.task, family.paper.title, family.paper.year, family.paper.arxiv,
            loaded.plugin.name, True, tuple(i for i in zoo.weights if i.partition(".")[0] == family.name),
        )
        for loaded in chosen
        for family in loaded.records["families"]
    }  # fmt: skip


def model_infos(plugins: frozenset[str]) -> dict[str, ModelInfo]:
    """Likewise their trained weights, from each one's own config.json."""
    from ganzoo_core.configs import model_info

    zoo = registry()
    tasks: Callable[[str], str] = lambda name: zoo.families[name].task if name in zoo.families else ""  # noqa: E731
    chosen = [w for loaded in zoo.loaded if loaded.plugin.name in plugins for w in loaded.records["weights"]]
    return {w.id: model_info(w.path, tasks(w.id.partition(".")[0])) for w in chosen}


def path_of(weights_id: str) -> Path:
    """The model directory of an id."""
    zoo = registry()
    if weights_id not in zoo.weights:
        family = weights_id.partition(".")[0]
        hint = catalogue.install_hint(family) if weights_id in catalogue.register().weights else ""
        raise UnknownName("model", weights_id, zoo.weights, hint or "`ganzoo list` shows all.")
    return zoo.weights[weights_id].path

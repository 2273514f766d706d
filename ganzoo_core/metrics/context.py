"""What a metric is given: samples of one seed, the data beside them, and what other metrics made of both."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import safetensors.torch
import torch
from torch import Tensor, nn

from ganzoo_core.data import Dataset, fingerprint, view_of
from ganzoo_core.errors import ExternalError, GanzooError, escape
from ganzoo_core.files import write_aside
from ganzoo_core.nn.generator import Generator
from ganzoo_core.nn.inputs import Label
from ganzoo_core.registry.plugins import registry
from ganzoo_core.registry.recipes import sampling_options
from ganzoo_core.seeds import hash63

BLOCK = 512  # samples that are held at once
GOLDEN = (5**0.5 - 1) / 2
Progress = Callable[[str, int, int], None]  # what is being done, how much of it, of how much
T = TypeVar("T")


@dataclass(frozen=True)
class EvalConfig:
    """What is to be measured, and how."""

    data: str
    metrics: tuple[str, ...] = ()  # none: those that suit the model
    n: int = 10_000
    seeds: tuple[int, ...] = (0,)
    extractor: str = ""  # "": the data set's own
    net: str = ""  # the published network; "": the first generator
    image_size: int = 0  # of pictures that are measured in a model's place; 0: their own
    root: Path | None = None  # where data sets lie
    options: tuple[tuple[str, str], ...] = ()  # of its sampling, as texts: (("truncation", "0.7"),)


class Measured(Protocol):
    """What is measured: a model, or what stands in its place."""

    @property
    def networks(self) -> Mapping[str, nn.Module]: ...

    def network(self, name: str) -> Generator: ...


class EvalContext:
    """What a metric is given: samples of one seed, the data beside them, and what other metrics made of both."""

    def __init__(
        self, model: Measured, source: Dataset, config: EvalConfig, seed: int, progress: Progress, cache: Path | None
    ) -> None:
        self.model, self.source, self.config, self.seed = model, source, config, seed
        self.progress, self.cache = progress, cache
        self.made: dict[Callable[[EvalContext], Any], Any] = {}
        self.in_order: dict[str, Tensor] = {}  # the data's classes, sorted
        self.net: Generator = model.network(config.net)
        self.device = next((w.device for w in self.net.parameters()), torch.device("cpu"))
        self.options = sampling_options(self.net, dict(config.options))
        for name in self.options.keys() & self.net.inputs.keys():
            raise GanzooError(f"sampling option {name}: samples of all kinds are measured", "Leave it out.")
        self.n = min(config.n, len(source)) if self.given else config.n  # there is one answer to each example

    @property
    def about(self) -> Mapping[str, Any]:
        """What the protocol says of the samples beside all else."""
        return {}

    @property
    def given(self) -> list[str]:
        """The inputs that are taken from the data: neither drawn nor gone through."""
        return [name for name, declared in self.net.inputs.items() if declared.from_data]

    def cached(self, make: Callable[[EvalContext], T]) -> T:
        """make(self), made once however many metrics ask for it."""
        if make not in self.made:
            self.made[make] = make(self)
        result: T = self.made[make]
        return result

    def generated(self, n: int = 0) -> Iterator[dict[str, Tensor]]:
        """All samples in blocks: `x` [m, C, H, W], and by name every condition that they were given.

        Labels come as often as in the data, categorical codes equally often; other conditions come from the data,
        example by example. Block b draws from its own seed, 63 bits of a hash of the seed and b.
        """
        total = n or self.n
        for start in range(0, total, BLOCK):
            which = range(start, min(start + BLOCK, total))
            self.progress("sampling", start, total)
            conditions = {**self.classes(which), **self.taken(which)}
            yield {**conditions, "x": self.samples(which, conditions)}
        self.progress("sampling", total, total)

    def samples(self, which: range, conditions: Mapping[str, Tensor]) -> Tensor:
        """One block of samples.  [m, C, H, W]"""
        sent = {name: value.to(self.device) for name, value in conditions.items() if name in self.net.inputs}
        x = self.net.sample(len(which), seed=hash63(self.seed, "block", which.start), **self.options, **sent)
        if len(x) != len(which):
            raise GanzooError("sampling options that make sheets cannot be measured", "Leave them out.")
        return x

    def classes(self, which: range) -> dict[str, Tensor]:
        """Labels and categorical codes of samples `which`, int64 [m] each.

        A label that the data has comes as often as there; what it has not, each class equally often.
        """
        turns = {name: declared.cycle(which) for name, declared in self.net.inputs.items()}
        found = {name: values for name, values in turns.items() if values is not None}
        return found | {name: self.as_in_data(name, which) for name in found if self.data_has(name)}

    def data_has(self, name: str) -> bool:
        """Whether the data have the very classes of an input."""
        declared, info = self.net.inputs[name], self.source.info
        return isinstance(declared, Label) and name in info.keys and declared.classes == info.classes

    def as_in_data(self, name: str, which: range) -> Tensor:
        """Classes of samples `which` in the data's own proportions, evenly spread however many samples there are.

        Sample i has the class at the fraction i phi mod 1 of the data in order, phi the golden ratio's.  int64 [m]
        """
        if name not in self.in_order:
            key = f"classes {name}"
            values = self.disk_cached(key, lambda: {name: torch.cat([batch[name] for batch in self.real()])})
            self.in_order[name] = values[name].sort().values
        at = (torch.tensor(which, dtype=torch.float64) * GOLDEN) % 1
        ordered = self.in_order[name]
        return ordered[(at * len(ordered)).long()]

    def taken(self, which: range) -> dict[str, Tensor]:
        """Inputs of samples `which` out of the data, and `target`, what should be made of them."""
        if not self.given:
            return {}
        batch = self.source.fetch([j % len(self.source) for j in which])
        for name in self.given:
            if name not in batch:
                raise GanzooError(f"{self.source.info.name}: has no {name}, which {self.model} needs")
        return {**{name: batch[name] for name in self.given}, "target": batch[self.target]}

    @property
    def target(self) -> str:
        """Which key of the data the samples should resemble: of a pair, the one that the model is not given.

        Errors: GanzooError for data that have no samples of the kind.
        """
        keys, own = self.source.info.keys, self.net.output.batch_key
        target = next((key for key in ("b", "a") if key in keys and key not in self.given), own)
        if target not in keys:
            what = f"{escape(self.source.info.name)}: has no {target}, and this model makes {self.net.output.kind}"
            raise GanzooError(what, "Choose another --data.")
        return target

    def real(self, which: Sequence[int] = ()) -> Iterator[dict[str, Tensor]]:
        """The data in blocks, all of it in its own order, or examples `which`; `x` is what samples should resemble."""
        order = which or range(len(self.source))
        for start in range(0, len(order), BLOCK):
            self.progress("reading data", start, len(order))
            batch = self.source.fetch(order[start : start + BLOCK])
            yield {**batch, "x": batch[self.target]}
        self.progress("reading data", len(order), len(order))

    def disk_cached(self, key: str, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
        """Tensors made of the data alone, from the cache where they have been made before.

        `key` says all that they depend on besides the data's own content hash and torch. A file names the sha256 of
        its bytes: one that was damaged is made anew.
        """
        whole = fingerprint(self.source.info.fingerprint, key, torch.__version__)
        for path in self.cache.glob(f"{whole}-*.safetensors") if self.cache else ():
            data = path.read_bytes()
            if path.stem == f"{whole}-{hashlib.sha256(data).hexdigest()}":
                found: dict[str, Tensor] = safetensors.torch.load(data)
                return found
            path.unlink(missing_ok=True)
        tensors = make()
        if self.cache:
            data = safetensors.torch.save(tensors)
            write_cache(self.cache / f"{whole}-{hashlib.sha256(data).hexdigest()}.safetensors", data)
        return tensors


def write_cache(path: Path, data: bytes) -> None:
    """A cache that cannot be written is none: the figures are the same."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_aside(path, data)
    except (OSError, ExternalError):
        return


def registered_data(data: str) -> bool:
    """Whether data are the zoo's own, in whatever view, and no path."""
    zoo = registry()
    view, _, rest = view_of(data, zoo.views)
    return registered_data(rest) if view is not None else rest.partition(":")[0] in zoo.datasets and "/" not in data


def cache_folder() -> Path | None:
    """Where statistics of data sets are kept."""
    try:
        return Path.home() / ".cache" / "ganzoo" / "statistics"
    except RuntimeError:  # nobody's home
        return None

"""Scores with their protocol: a model beside the data that it should resemble. How is said by the metrics of plugins.

No score means anything without the way in which it was measured, so none is published without it, and
`ganzoo verify --metrics` measures it again.
"""

from __future__ import annotations

import hashlib
import json
import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import safetensors.torch
import torch
from torch import Tensor

from ganzoo_core.data import Dataset, fingerprint, open_dataset
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.files import write_aside
from ganzoo_core.models.model import Model
from ganzoo_core.nn.generator import Generator
from ganzoo_core.nn.streams import STREAM
from ganzoo_core.plugin.records import Metric, resolve
from ganzoo_core.registry.plugins import registry
from ganzoo_core.registry.recipes import sampling_options
from ganzoo_core.seeds import hash63
from ganzoo_core.weights.config import read_metrics

BLOCK = 512  # samples that are held at once
Progress = Callable[[str, int, int], None]  # what is being done, how much of it, of how much
T = TypeVar("T")


@dataclass(frozen=True)
class Score:
    """A number with how it was measured. `value` is a fraction where it could be a percentage."""

    name: str  # with its extractor, where there is one: fid[mnist-cnn]
    value: float
    protocol: Mapping[str, Any]
    spread: float | None = None  # standard deviation over several seeds

    def row(self) -> dict[str, Any]:
        """As metrics.json and registry.toml have it."""
        spread = {} if self.spread is None else {"spread": self.spread}
        return {"name": self.name, "value": self.value, **spread, "protocol": dict(self.protocol)}


@dataclass(frozen=True)
class EvalConfig:
    """What is to be measured, and how."""

    data: str
    metrics: tuple[str, ...] = ()  # none: those that suit the model
    n: int = 10_000
    seeds: tuple[int, ...] = (0,)
    extractor: str = ""  # "": the data set's own
    net: str = ""  # the published network; "": the first generator
    root: Path | None = None  # where data sets lie
    options: tuple[tuple[str, str], ...] = ()  # of its sampling, as texts: (("truncation", "0.7"),)


class EvalContext:
    """What a metric is given: samples of one seed, the data beside them, and what other metrics made of both."""

    def __init__(
        self, model: Model, source: Dataset, config: EvalConfig, seed: int, progress: Progress, cache: Path | None
    ) -> None:
        self.model, self.source, self.config, self.seed = model, source, config, seed
        self.progress, self.cache = progress, cache
        self.made: dict[Callable[[EvalContext], Any], Any] = {}
        self.net: Generator = model.network(config.net)
        self.options = sampling_options(self.net, dict(config.options))
        for name in self.options.keys() & self.net.inputs.keys():
            raise GanzooError(f"sampling option {name}: samples of all kinds are measured", "Leave it out.")
        self.n = min(config.n, len(source)) if self.given else config.n  # there is one answer to each example

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

        Labels and categorical codes are cycled through, so that each comes equally often; other conditions come from
        the data, example by example. Block b draws from its own seed, 63 bits of a hash of the seed and b.
        """
        total = n or self.n
        device = next(self.net.parameters()).device
        for start in range(0, total, BLOCK):
            which = range(start, min(start + BLOCK, total))
            self.progress("sampling", start, total)
            conditions = {**self.cycled(which), **self.taken(which)}
            sent = {name: value.to(device) for name, value in conditions.items() if name in self.net.inputs}
            x = self.net.sample(len(which), seed=hash63(self.seed, "block", start), **self.options, **sent)
            if len(x) != len(which):
                raise GanzooError("sampling options that make sheets cannot be measured", "Leave them out.")
            yield {**conditions, "x": x}
        self.progress("sampling", total, total)

    def cycled(self, which: range) -> dict[str, Tensor]:
        """Labels and categorical codes of samples `which`, int64 [m], each class equally often."""
        turns = {name: declared.cycle(which) for name, declared in self.net.inputs.items()}
        return {name: values for name, values in turns.items() if values is not None}

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
    except OSError:
        return


def cache_folder() -> Path | None:
    """Where statistics of data sets are kept."""
    try:
        return Path.home() / ".cache" / "ganzoo" / "statistics"
    except RuntimeError:  # nobody's home
        return None


def evaluate(model: Model, config: EvalConfig, progress: Progress = lambda *_: None) -> list[Score]:
    """Measure: one score per name, over several seeds their mean and spread. The same digits every time.

    Errors: GanzooError for an unknown metric, or one that does not suit the model or the data.
    """
    zoo = registry()
    source = opened(model, config)
    chosen = [zoo.metrics[name] for name in config.metrics] or suited(model)
    kind = model.network(config.net).output.kind
    for metric in chosen:
        if kind not in metric.kinds:
            what = f"metric {metric.name}: measures {' and '.join(metric.kinds)}, and this model makes {kind}"
            raise GanzooError(what, "Choose another --metric.")
    each: list[list[Score]] = []
    for seed in config.seeds:
        context = EvalContext(model, source, config, seed, progress, cache_folder())
        each.append([score for metric in chosen for score in measured(metric, context, config)])
    return [over_seeds(scores, config.seeds) for scores in zip(*each, strict=True)]


def opened(model: Model, config: EvalConfig) -> Dataset:
    """The data in the form of the model's samples: what its output asks for."""
    zoo, args = registry(), model.recipe.args
    options = model.network(config.net).output.data_options()
    if "image_size" in options:
        options["image_size"] = options["image_size"] or args.get("image_size")
    return open_dataset(
        config.data, root=config.root, longest_side=args.get("longest_side"), datasets=zoo.datasets, views=zoo.views,
        **options,
    )  # fmt: skip


def suited(model: Model) -> list[Metric]:
    """The metrics that are measured when none is named: those for the model's task, or for what it makes."""
    kind, task = model.generator.output.kind, model.info.task
    found = [m for m in registry().metrics.values() if kind in m.kinds and ({task, "any"} & set(m.tasks))]
    if not found:
        raise GanzooError(
            f"no installed metric suits a {task} model of {kind}",
            "Install them with `ganzoo install metrics`, or name one.",
        )
    return found


def measured(metric: Metric, context: EvalContext, config: EvalConfig) -> Iterator[Score]:
    """What one metric says of one context, with the whole protocol."""
    split = config.data.partition(":")[2] or first_variant(config.data)
    found: Iterable[tuple[str, float, Mapping[str, Any]]] = resolve(metric.compute)(context)
    owner = registry().metrics.owner(metric.name)
    for name, value, own in found:
        protocol = {
            "metric": metric.name, "data": config.data, "data_sha256": context.source.info.fingerprint,
            "split": split, "n": context.n, "n_real": len(context.source), "resize": "none", **own,
            **({"net": config.net} if config.net else {}), "seed": context.seed, "stream": STREAM,
            **({"options": dict(config.options)} if config.options else {}),
            "versions": {dist: version(dist) for dist in dict.fromkeys(("ganzoo-core", owner, "torch"))},
        }  # fmt: skip
        yield Score(name, float(value), protocol)


def first_variant(data: str) -> str:
    """What a data set serves when no variant is named: its first, or all that it has."""
    zoo = registry()
    return (zoo.datasets[data].variants or ("all",))[0] if data in zoo.datasets else "all"


def over_seeds(scores: Sequence[Score], seeds: Sequence[int]) -> Score:
    """The mean of one score over seeds, with its standard deviation."""
    if len(scores) == 1:
        return scores[0]
    values = [score.value for score in scores]
    protocol = {**scores[0].protocol, "seed": list(seeds)}
    return Score(scores[0].name, statistics.mean(values), protocol, statistics.stdev(values))


def publish(folder: Path, scores: Sequence[Score]) -> Path:
    """Write scores into a model directory's metrics.json, in place of those of the same name on the same data."""
    ours = {key(score.row()) for score in scores}
    rows = [row for row in read_metrics(folder) if key(row) not in ours] + [score.row() for score in scores]
    text = json.dumps({"metrics": sorted(rows, key=key)}, indent=2)
    write_aside(folder / "metrics.json", (text + "\n").encode())
    return folder / "metrics.json"


def key(row: Mapping[str, Any]) -> tuple[str, ...]:
    info = row["protocol"]
    return info["data"], row["name"], info.get("net", ""), json.dumps(info.get("options", {}), sort_keys=True)


@dataclass(frozen=True)
class Remeasured:
    """A published score and what measuring it again gives."""

    name: str
    published: float
    found: float

    @property
    def equal(self) -> bool:
        """To one part in ten thousand: the last bits are the machine's, and on one machine all are equal."""
        return math.isclose(self.published, self.found, rel_tol=1e-4, abs_tol=1e-6)


def remeasure(model: Model, root: Path | None = None, progress: Progress = lambda *_: None) -> list[Remeasured]:
    """Every published score of a model measured again by its own protocol. Errors: GanzooError where it has none."""
    rows: list[Mapping[str, Any]] = list(read_metrics(model.folder))
    if not rows:
        raise GanzooError(f"{model.config['id']}: has no published metrics", "`ganzoo eval --publish` makes some.")
    courses: dict[EvalConfig, list[Mapping[str, Any]]] = {}
    for row in rows:
        courses.setdefault(question_of(row["protocol"], root), []).append(row)
    results = []
    for config, published in courses.items():
        names = tuple(dict.fromkeys(row["protocol"]["metric"] for row in published))
        again = replace(config, metrics=names, root=root)
        found = {score.name: score for score in evaluate(model, again, progress)}
        for row in published:
            same_data(row, found[row["name"]])
            results.append(Remeasured(row["name"], row["value"], found[row["name"]].value))
    return results


def question_of(protocol: Mapping[str, Any], root: Path | None) -> EvalConfig:
    """The config, but for its metrics, that a published protocol answers."""
    seed = protocol["seed"]
    seeds = tuple(seed) if isinstance(seed, list) else (seed,)
    extractor, net = (protocol.get(key, "") for key in ("extractor", "net"))
    options = tuple((name, str(value)) for name, value in protocol.get("options", {}).items())
    return EvalConfig(protocol["data"], (), protocol["n"], seeds, extractor, net, root, options)


def same_data(row: Mapping[str, Any], found: Score) -> None:
    """The data must be those of the protocol, or the two numbers say nothing of each other."""
    wanted, here = row["protocol"]["data_sha256"], found.protocol["data_sha256"]
    if wanted != here:
        raise GanzooError(
            f"{escape(row['protocol']['data'])}: other data than {row['name']} was measured on: {here}, not {wanted}"
        )

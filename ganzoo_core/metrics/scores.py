"""Scores with their protocol: a model beside the data that it should resemble. How is said by the metrics of plugins.

No score means anything without the way in which it was measured, so none is published without it, and
`ganzoo verify --metrics` measures it again.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ganzoo_core.data import Dataset, open_dataset, view_of
from ganzoo_core.errors import GanzooError
from ganzoo_core.files import write_aside
from ganzoo_core.metrics.context import EvalConfig, EvalContext, Progress, cache_folder, registered_data
from ganzoo_core.metrics.pictures import Pictures, PicturesContext
from ganzoo_core.models.model import Model
from ganzoo_core.nn.streams import STREAM
from ganzoo_core.plugin.records import Metric, resolve
from ganzoo_core.registry.plugins import registry
from ganzoo_core.weights.config import read_metrics


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


def evaluate(subject: Model | Pictures, config: EvalConfig, progress: Progress | None = None) -> list[Score]:
    """Measure: one score per name, over several seeds their mean and spread. The same digits every time.

    Errors: GanzooError for an unknown metric, or one that does not suit the model or the data.
    """
    chosen = metrics_for(subject, config)
    source = opened(subject, config)
    each: list[list[Score]] = []
    for seed in config.seeds:
        context = context_of(subject, source, config, seed, progress)
        each.append([score for metric in chosen for score in measured(metric, context, config)])
    return [over_seeds(scores, config.seeds) for scores in zip(*each, strict=True)]


def context_of(
    subject: Model | Pictures, source: Dataset, config: EvalConfig, seed: int, progress: Progress | None
) -> EvalContext:
    """What a model makes, or what pictures there are, beside the data."""
    if isinstance(subject, Pictures):
        return PicturesContext(subject, source, config, seed, progress or silent, cache_folder())
    return EvalContext(subject, source, config, seed, progress or silent, cache_folder())


def silent(what: str, done: int, total: int) -> None:
    """The progress of what nobody watches."""


def metrics_for(subject: Model | Pictures, config: EvalConfig) -> list[Metric]:
    """Those that were asked for, or that suit. Errors: GanzooError for one that measures something else."""
    chosen = [registry().metrics[name] for name in config.metrics] or suited(subject)
    kind = subject.network(config.net).output.kind
    for metric in chosen:
        if kind not in metric.kinds:
            what = f"metric {metric.name}: measures {' and '.join(metric.kinds)}, and this model makes {kind}"
            raise GanzooError(what, "Choose another --metric.")
    return chosen


def opened(subject: Model | Pictures, config: EvalConfig) -> Dataset:
    """The data in the form of the samples: what the output asks for, and where it leaves that open, the recipe."""
    zoo, args = registry(), subject.recipe.args if isinstance(subject, Model) else {}
    options = subject.network(config.net).output.data_options()
    options = {name: args.get(name) if value is None else value for name, value in options.items()}
    return open_dataset(
        config.data, root=config.root, longest_side=args.get("longest_side"), datasets=zoo.datasets, views=zoo.views,
        **options,
    )  # fmt: skip


def suited(subject: Model | Pictures) -> list[Metric]:
    """The metrics that are measured when none is named: those for the model's task, or for what it makes."""
    kind, task = subject.generator.output.kind, subject.task
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
            "metric": metric.name, "data": public_name(config.data), "data_sha256": context.source.info.fingerprint,
            "split": split, "n": context.n, "n_real": len(context.source), "resize": "none", **own,
            **({"net": config.net} if config.net else {}), "seed": context.seed, "stream": STREAM, **context.about,
            **({"options": dict(config.options)} if config.options else {}),
            "versions": {dist: version(dist) for dist in dict.fromkeys(("ganzoo-core", owner, "torch"))},
        }  # fmt: skip
        yield Score(name, float(value), protocol)


def public_name(data: str) -> str:
    """Data as a protocol names them: of a path its last part, for the rest is the machine's; the hash says which."""
    view, argument, rest = view_of(data, registry().views)
    if view is not None:
        return ":".join(filter(None, (view.name, argument, public_name(rest))))
    return data if registered_data(data) else "::".join(Path(part).name or part for part in data.split("::"))


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

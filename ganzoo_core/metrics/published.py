"""Published scores, measured again by their own protocol. A protocol may be a stranger's: it is read, never trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.metrics.context import EvalConfig, Progress, registered_data
from ganzoo_core.metrics.scores import Score, evaluate
from ganzoo_core.models.model import Model
from ganzoo_core.nn.streams import STREAM
from ganzoo_core.registry.plugins import registry
from ganzoo_core.weights.config import read_metrics

FEW = 5e-4  # of what a share counts may fall on the other side of a border on another processor: 5 of 10,000
RELATIVE = 1e-3  # by which other scores may differ there
MAX_SAMPLES = 10_000_000


@dataclass(frozen=True)
class Remeasured:
    """A published score and what measuring it again gives."""

    name: str
    published: float
    found: float
    counted: int = 0  # of how many it is the share; 0: it is no share
    stream: str = STREAM  # that the published samples were drawn from

    @property
    def verdict(self) -> str:
        """`equal`, as on the machine that measured it; `equal within ...`, as other processors' roundings allow;
        `measured with another stream`, where its samples were drawn as they no longer are; or `differs`.

        Features differ in their last bits from one processor to the next. A share then changes by whole samples that
        lay on a border, a few of n; a distance changes smoothly, by less than a thousandth.
        """
        if math.isclose(self.published, self.found, rel_tol=1e-6, abs_tol=1e-9):
            return "equal"
        moved = math.ceil(abs(self.published - self.found) * self.counted - 1e-6)
        if self.counted and moved <= max(1, FEW * self.counted):
            return f"equal within {moved} of {self.counted:,}"
        if not self.counted and math.isclose(self.published, self.found, rel_tol=RELATIVE, abs_tol=1e-6):
            return "equal within 1 in 1,000"
        return "differs" if self.stream == STREAM else "measured with another stream"

    @property
    def equal(self) -> bool:
        return self.verdict != "differs"


def remeasure(model: Model, root: Path | None = None, progress: Progress | None = None) -> list[Remeasured]:
    """Every published score of a model measured again by its own protocol.

    Errors: GanzooError where it has none, or a protocol that cannot be followed.
    """
    rows: list[Mapping[str, Any]] = list(read_metrics(model.folder))
    if not rows:
        raise GanzooError(f"{model.config['id']}: has no published metrics", "`ganzoo eval --publish` makes some.")
    courses: dict[EvalConfig, list[Mapping[str, Any]]] = {}
    for row in rows:
        courses.setdefault(question_of(row, root), []).append(row)
    return [result for config, published in courses.items() for result in again(model, config, published, progress)]


def again(
    model: Model, config: EvalConfig, published: Sequence[Mapping[str, Any]], progress: Progress | None
) -> list[Remeasured]:
    """The scores that were measured in one way."""
    names = tuple(dict.fromkeys(row["protocol"]["metric"] for row in published))
    found = {score.name: score for score in evaluate(model, replace(config, metrics=names), progress)}
    results = []
    for row in published:
        if row["name"] not in found:
            raise GanzooError(f"published score {escape(row['name'])}: measuring again gives {', '.join(found)}")
        score = found[row["name"]]
        same_data(row, score)
        stream = str(row["protocol"].get("stream", ""))
        results.append(Remeasured(row["name"], row["value"], score.value, counted(score), stream))
    return results


def counted(score: Score) -> int:
    """Of how many a score is the share, by what its metric says; 0 where it is none."""
    key = registry().metrics[score.protocol["metric"]].share_of
    return int(score.protocol[key]) if key else 0


def question_of(row: Mapping[str, Any], root: Path | None) -> EvalConfig:
    """The config, but for its metrics, that a published score answers. Errors: GanzooError for what is no protocol."""
    protocol = row["protocol"]
    for name in ("metric", "data", "data_sha256", "n", "seed"):
        if name not in protocol:
            what = f"published score {escape(row['name'])}: its protocol has no {name}"
            raise GanzooError(what, "It cannot be measured again.")
    seeds = protocol["seed"] if isinstance(protocol["seed"], list) else [protocol["seed"]]
    n, options = protocol["n"], protocol.get("options", {})
    if not 0 < n <= MAX_SAMPLES or not all(0 <= seed < 2**63 for seed in seeds):
        raise GanzooError(f"published score {escape(row['name'])}: n {n} and seed {escape(seeds, 60)} are out of range")
    extractor, net = (str(protocol.get(key, "")) for key in ("extractor", "net"))
    given = tuple((str(name), str(value)) for name, value in options.items())
    return EvalConfig(data_of(row, root), (), n, tuple(seeds), extractor, net, root=root, options=given)


def data_of(row: Mapping[str, Any], root: Path | None) -> str:
    """The data that a published score was measured on: a data set of the zoo's, or a name in the folder of data.

    A protocol names no other path: what it says is a stranger's.
    """
    data: str = row["protocol"]["data"]
    if registered_data(data):
        return data
    if root is not None and Path(data).name == data and (root / data).exists():
        return str(root / data)
    raise GanzooError(
        f"{row['name']} was measured on {escape(data, 80)!r}, which is no data set of the zoo",
        "Put it into a folder and name that: --data-root FOLDER.",
    )


def same_data(row: Mapping[str, Any], found: Score) -> None:
    """The data must be those of the protocol, or the two numbers say nothing of each other."""
    wanted, here = row["protocol"]["data_sha256"], found.protocol["data_sha256"]
    if wanted != here:
        raise GanzooError(
            f"{escape(row['protocol']['data'])}: other data than {row['name']} was measured on: {here}, not {wanted}"
        )

"""Scores of rows: what is learnt from them, how their columns and pairs of columns are distributed, how near the data
they lie. Each stands beside what takes no model: real rows, and columns that were drawn independently of each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.metrics import EvalContext
from ganzoo_tables.columns import Category, Column
from ganzoo_tables.data import asked, part
from ganzoo_tables.table import Table

Rows = NDArray[np.float64]  # [n, C]
Scores = Iterator[tuple[str, float, Mapping[str, Any]]]
BINS = 10  # of a number, for pairs of columns
TREES = 100


class Compared(NamedTuple):
    """Rows of four origins; categories are numbered alike in all of them."""

    columns: tuple[Column, ...]
    samples: Rows
    train: Rows  # four of five rows of the data
    test: Rows  # the fifth
    independent: Rows  # each column of the first drawn on its own

    @property
    def others(self) -> Iterator[tuple[str, Rows]]:
        """What takes the samples' place, by name."""
        yield from (("real", self.train), ("independent", self.independent))


def compared(context: EvalContext) -> Compared:
    """Errors: GanzooError for data of other columns than the model's."""
    table = asked(context.source)
    whole = Table(replace(table.source, part=""))
    train, test = (part(whole, name).rows.double().numpy() for name in ("train", "test"))
    rows = np.concatenate([block["x"].double().cpu().numpy() for block in context.generated()])
    columns = tuple(map(joined, agreed(context, whole.columns), whole.columns))
    for place, (mine, column) in enumerate(zip(context.net.output.described, columns, strict=True)):  # type: ignore[attr-defined]
        if isinstance(column, Category):
            places = np.array([column.values.index(value) for value in mine.values])
            rows[:, place] = places[rows[:, place].astype(int)]
    rng = np.random.default_rng(context.seed)
    independent = np.stack([rng.permutation(column) for column in train.T], 1)
    return Compared(columns, rows, train, test, independent)


def agreed(context: EvalContext, columns: Sequence[Column]) -> Sequence[Column]:
    """The model's columns, which must be those of the data. Errors: GanzooError."""
    mine: Sequence[Column] = context.net.output.described  # type: ignore[attr-defined]
    found, wanted = ([(column.name, type(column)) for column in some] for some in (columns, mine))
    for (name, kind), other in zip(wanted, [*found, *[(None, None)] * len(wanted)], strict=False):
        if (name, kind) != other:
            what = f"{escape(context.source.info.name)}: the model's column {escape(name, 60)}"
            raise GanzooError(f"{what} is no {kind.__name__.lower()} there, in its place", "Choose another --data.")
    if len(found) > len(wanted):
        raise GanzooError(f"{escape(context.source.info.name)}: has more columns than the model", "Drop them: drop:")
    return mine


def joined(mine: Column, theirs: Column) -> Column:
    """The data's column, with values that only the model knows behind its own."""
    if not isinstance(theirs, Category) or not isinstance(mine, Category):
        return theirs
    values = (*theirs.values, *(value for value in mine.values if value not in theirs.values))
    return Category(theirs.name, values, (1 / len(values),) * len(values))


# Trained on samples, tested on real rows


def tstr(context: EvalContext) -> Scores:
    """A forest of 100 trees learns the last column from the others, and is asked about rows that were held out.

    Accuracy and AUC (one against the rest, mean) of a category, R^2 of a number. As many samples are learnt from as
    there are real rows.
    """
    rows = context.cached(compared)
    target = rows.columns[-1]
    told = {"target": target.name, "learner": f"forest of {TREES}", "tested_on": "every fifth row"}
    for name, learnt_from in (("", rows.samples[: len(rows.train)]), *rows.others):
        for score, value in learnt(rows.columns, learnt_from, rows.test).items():
            label = " ".join(filter(None, ("" if score in ("accuracy", "r2") else score, name)))
            yield f"tstr[{label}]" if label else "tstr", value, {**told, "score": score, "n": len(learnt_from)}


def learnt(columns: Sequence[Column], train: Rows, test: Rows) -> dict[str, float]:
    """What a forest knows of the last column of `test` that has seen `train`."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    train, test = (rows[~np.isnan(rows[:, -1])] for rows in (train, test))
    x, y = features(columns[:-1], train[:, :-1]), train[:, -1]
    asked_of, truth = features(columns[:-1], test[:, :-1]), test[:, -1]
    if not isinstance(columns[-1], Category):
        return {"r2": float(RandomForestRegressor(TREES, random_state=0).fit(x, y).score(asked_of, truth))}
    if len(np.unique(y)) == 1:
        return {"accuracy": float((truth == y[0]).mean()), "auc": 0.5}
    forest = RandomForestClassifier(TREES, random_state=0).fit(x, y)
    chances = np.zeros((len(truth), len(columns[-1].values)))
    chances[:, forest.classes_.astype(int)] = forest.predict_proba(asked_of)
    return {"accuracy": float((chances.argmax(1) == truth).mean()), "auc": area(chances, truth)}


def area(chances: Rows, truth: NDArray[np.float64]) -> float:
    """Under the ROC curve of each class against the rest, their mean; of two classes that is one."""
    from sklearn.metrics import roc_auc_score

    classes = [k for k in range(chances.shape[1]) if 0 < (truth == k).mean() < 1]
    areas = [roc_auc_score(truth == k, chances[:, k]) for k in classes]
    return float(np.mean(areas)) if areas else 0.5


def features(columns: Sequence[Column], rows: Rows) -> Rows:
    """Numbers as they are, categories one-hot.  [n, F]"""
    parts = [np.ones((len(rows), 1))]
    for column, x in zip(columns, rows.T, strict=True):
        parts.append(np.eye(len(column.values))[x.astype(int)] if isinstance(column, Category) else x[:, None])
    return np.concatenate(parts, 1)


# Distributions


def columns(context: EvalContext) -> Scores:
    """The mean distance of columns: Kolmogorov-Smirnov of numbers, total variation of categories; and of pairs.

    Pairs of columns are compared by the total variation of their joint distribution, numbers in ten bins of equally
    many real rows. `real` is the distance of the held-out rows from the others.
    """
    rows = context.cached(compared)
    for name, made in (("", rows.samples), ("real", rows.test), ("independent", rows.independent)):
        each = [distance(column, a, b) for column, a, b in zip(rows.columns, rows.train.T, made.T, strict=True)]
        worst = int(np.argmax(each))
        told = {"worst": rows.columns[worst].name, "worst_value": each[worst]}
        yield f"columns[{name}]" if name else "columns", float(np.mean(each)), told
        if len(each) > 1:
            yield f"columns[{' '.join(filter(None, ('pairs', name)))}]", of_pairs(rows, made), {"bins": BINS}


def distance(column: Column, a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """In [0, 1]. What is missing is a value of its own, below all numbers."""
    if isinstance(column, Category):
        return variation(a.astype(int), b.astype(int))
    a, b = (np.sort(np.nan_to_num(x, nan=-np.inf)) for x in (a, b))
    at = np.concatenate([a, b])
    return float(np.abs(np.searchsorted(a, at, "right") / len(a) - np.searchsorted(b, at, "right") / len(b)).max())


def variation(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """1/2 sum |p - q|"""
    values = int(max(a.max(), b.max())) + 1
    p, q = (np.bincount(x, minlength=values) / len(x) for x in (a, b))
    return float(np.abs(p - q).sum() / 2)


def of_pairs(rows: Compared, made: Rows) -> float:
    """The mean total variation of all pairs of columns."""
    binned = [bins(*some) for some in zip(rows.columns, rows.train.T, made.T, strict=True)]
    found = [
        variation(a * width + c, b * width + d)
        for (a, b), (c, d) in combinations(binned, 2)
        for width in [int(max(c.max(), d.max())) + 1]
    ]
    return float(np.mean(found))


def bins(column: Column, real: NDArray[np.float64], made: NDArray[np.float64]) -> tuple[NDArray[np.int64], ...]:
    """Both as whole numbers: categories as they are, numbers by the tenth of the real ones that they fall into."""
    if isinstance(column, Category):
        return real.astype(int), made.astype(int)
    edges = np.unique(np.nanquantile(real, np.linspace(0, 1, BINS + 1)[1:-1]))
    return tuple(np.where(np.isnan(x), 0, 1 + np.searchsorted(edges, x, "right")) for x in (real, made))


# Copies


def closest(context: EvalContext) -> Scores:
    """The median distance of samples to the closest row that was learnt from, numbers in standard deviations.

    `held out` is that of real rows which were not learnt from: samples that lie much nearer are copies. `copies` is the
    share of samples that equal a row.
    """
    from sklearn.neighbors import NearestNeighbors

    rows = context.cached(compared)
    middle, scale = np.nanmean(rows.train, 0), np.nanstd(rows.train, 0)
    there = NearestNeighbors(n_neighbors=1).fit(placed(rows.columns, rows.train, middle, scale))
    for name, made in (("", rows.samples), ("held out", rows.test), ("independent", rows.independent)):
        far = there.kneighbors(placed(rows.columns, made, middle, scale))[0]
        yield f"closest[{name}]" if name else "closest", float(np.median(far)), {"copies": float((far < 1e-6).mean())}


def placed(columns: Sequence[Column], rows: Rows, middle: Rows, scale: Rows) -> Rows:
    """Points whose distance counts a standard deviation and a change of category as 1.  [n, F]"""
    parts = []
    for column, x, mean, deviation in zip(columns, rows.T, middle, scale, strict=True):
        if isinstance(column, Category):
            parts.append(np.eye(len(column.values))[x.astype(int)] / np.sqrt(2))
        else:
            missing = np.isnan(x)
            parts += [np.where(missing, 0, (x - mean) / (deviation or 1))[:, None], missing[:, None]]
    return np.concatenate(parts, 1)

"""What ganzoo-tables contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import (
    BatchKey,
    DatasetEntry,
    Family,
    KindEntry,
    Metric,
    Paper,
    Preset,
    Task,
    View,
    hookimpl,
)

CTGAN = Family(
    name="ctgan",
    summary="rows of a table: modes of numbers, and categories asked for evenly; a critic of packs",
    task="table",
    paper=Paper(
        title="Modeling Tabular data using Conditional GAN",
        authors=("Lei Xu", "Maria Skoularidou", "Alfredo Cuesta-Infante", "Kalyan Veeramachaneni"),
        year=2019,
        arxiv="1907.00503",
    ),
    networks="ganzoo_tables.ctgan.networks:networks",
    objective="ganzoo_tables.ctgan.objective:CTGAN",
    presets={
        "paper": Preset({}, {"batch_size": 500, "ema_images": 0}),
        "tiny": Preset(
            {"z_dim": 8, "g_widths": (16, 16), "d_widths": (16, 16), "pac": 2, "images": 4_000},
            {"batch_size": 8, "ema_images": 0},
        ),
    },
)  # fmt: skip

MEDGAN = Family(
    name="medgan",
    summary="records of codes: G makes what an autoencoder's decoder turns into rows; D sees the mean of its batch",
    task="table",
    paper=Paper(
        title="Generating Multi-label Discrete Patient Records using Generative Adversarial Networks",
        authors=("Edward Choi", "Siddharth Biswal", "Bradley Malin", "Jon Duke", "Walter F. Stewart", "Jimeng Sun"),
        year=2017,
        arxiv="1703.06490",
    ),
    networks="ganzoo_tables.medgan.networks:networks",
    objective="ganzoo_tables.medgan.objective:MedGAN",
    presets={
        "paper": Preset({}, {"batch_size": 1000, "ema_images": 0}),
        "people": Preset({"images": 1_500_000, "pretrain": 200_000}, {"batch_size": 500, "ema_images": 0}),
        "tiny": Preset(
            {"width": 16, "d_widths": (16,), "images": 4_000, "pretrain": 1_000, "pretrain_batch": 8},
            {"batch_size": 8, "ema_images": 0},
        ),
    },
)  # fmt: skip

TABLEGAN = Family(
    name="tablegan",
    summary="rows as square pictures: DCGAN, which keeps to the data's moments and to a classifier's labels",
    task="table",
    paper=Paper(
        title="Data Synthesis based on Generative Adversarial Networks",
        authors=("Noseong Park", "Mahmoud Mohammadi", "Kshitij Gorde", "Sushil Jajodia", "Hongkyu Park",
                 "Youngmin Kim"),
        year=2018,
        arxiv="1806.03384",
    ),
    networks="ganzoo_tables.tablegan.networks:networks",
    objective="ganzoo_tables.tablegan.objective:TableGAN",
    presets={
        "paper": Preset({}, {"batch_size": 500, "ema_images": 0}),
        "people": Preset({"side": 4, "width": 32, "images": 1_500_000}, {"batch_size": 500, "ema_images": 0}),
        "tiny": Preset({"side": 4, "width": 4, "z_dim": 8, "images": 8_000}, {"batch_size": 8, "ema_images": 0}),
    },
)  # fmt: skip

KINDS = (
    KindEntry("tables", "rows of a table, [C]: numbers, and categories by their place", "ganzoo_tables.kinds:Tables"),
    KindEntry("condition", "what a row is to have, COLUMN=VALUE", "ganzoo_tables.kinds:Condition"),
)
DATA = "ganzoo_tables.data"
BATCH_KEYS = (
    BatchKey("row", "rows of a table, float32 [n, C]: numbers, and categories by their place", f"{DATA}:row"),
    BatchKey("matching", "rows that satisfy `condition`, as training by sampling draws them", f"{DATA}:row"),
    BatchKey("condition", "a value of a category, numbered through all of them, int64 [n]", f"{DATA}:condition"),
)
DATASETS = (
    DatasetEntry(
        "table",
        "rows of tables: 10,000 planted people, and scikit-learn's own sets",
        ("row", "matching", "condition"),
        "CC0-1.0",
        f"{DATA}:sets",
        ("people", "breast_cancer", "diabetes", "iris", "wine"),
    ),
)
VIEWS = (
    View("csv", "a file of rows under a header", f"{DATA}:csv", ("row", "matching", "condition"), of_path=True),
    View("parquet", "the same as Parquet (the extra `pandas`)", f"{DATA}:parquet", of_path=True),
    View("number", "a table whose COLUMN,COLUMN are numbers", f"{DATA}:number", argument="COLUMNS"),
    View("category", "a table whose COLUMN,COLUMN are categories", f"{DATA}:category", argument="COLUMNS"),
    View("drop", "a table without COLUMN,COLUMN", f"{DATA}:dropped", argument="COLUMNS"),
    View("filled", "a table with medians where COLUMN,COLUMN miss something", f"{DATA}:filled", argument="COLUMNS"),
    View("target", "a table whose COLUMN comes last: its label", f"{DATA}:target", argument="COLUMN"),
    View("train_rows", "four of five rows of a table", f"{DATA}:train_part"),
    View("test_rows", "the fifth row of five", f"{DATA}:test_part"),
)
TASKS = (Task("table", "rows of a table"),)
SCORES, OF_TABLES = "ganzoo_tables.scores", ("table",)
METRICS = (
    Metric("tstr", "trained on samples, tested on rows that were held out", f"{SCORES}:tstr", OF_TABLES, ("tables",),
           higher=True),
    Metric("columns", "distance of each column's distribution (KS, total variation), and of pairs of columns",
           f"{SCORES}:columns", OF_TABLES, ("tables",)),
    Metric("closest", "distance from samples to the closest row of the data", f"{SCORES}:closest", OF_TABLES,
           ("tables",), higher=True),
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [CTGAN, MEDGAN, TABLEGAN]


@hookimpl
def ganzoo_kinds() -> Iterable[KindEntry]:
    return KINDS


@hookimpl
def ganzoo_batch_keys() -> Iterable[BatchKey]:
    return BATCH_KEYS


@hookimpl
def ganzoo_datasets() -> Iterable[DatasetEntry]:
    return DATASETS


@hookimpl
def ganzoo_views() -> Iterable[View]:
    return VIEWS


@hookimpl
def ganzoo_tasks() -> Iterable[Task]:
    return TASKS


@hookimpl
def ganzoo_metrics() -> Iterable[Metric]:
    return METRICS

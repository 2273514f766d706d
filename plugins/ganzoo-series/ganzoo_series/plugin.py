"""What ganzoo-series contributes. Imports no torch."""

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

SERIES = Task("series", "numbers over time, and tunes")

TIMEGAN = Family(
    name="timegan",
    summary="series are coded, the next code is foretold, and a GAN plays among the codes",
    task=SERIES.name,
    paper=Paper(
        title="Time-series Generative Adversarial Networks",
        authors=("Jinsung Yoon", "Daniel Jarrett", "Mihaela van der Schaar"),
        year=2019,
        arxiv="",
    ),
    networks="ganzoo_series.timegan_networks:networks",
    objective="ganzoo_series.timegan:TimeGAN",
    presets={
        "paper": Preset({}, {"batch_size": 128}),
        "sines": Preset({"images_e": 128_000, "images_s": 128_000, "images": 512_000}, {"batch_size": 128}),
        "tiny": Preset(
            {"length": 8, "features": 3, "hidden": 6, "layers": 2, "images_e": 2_000, "images_s": 2_000,
             "images": 4_000},
            {"batch_size": 16},
        ),
    },
    aliases=("TimeGAN",),
)  # fmt: skip

RCGAN = Family(
    name="rcgan",
    summary="an LSTM makes a series out of noise at each step, another judges every step; for a label, or for none",
    task=SERIES.name,
    paper=Paper(
        title="Real-valued (Medical) Time Series Generation with Recurrent Conditional GANs",
        authors=("Cristóbal Esteban", "Stephanie L. Hyland", "Gunnar Rätsch"),
        year=2017,
        arxiv="1706.02633",
    ),
    networks="ganzoo_series.rcgan_networks:networks",
    objective="ganzoo_series.rcgan:RCGAN",
    presets={
        "paper": Preset({}, {"batch_size": 28}),
        "waves": Preset({"hidden": 64, "images": 400_000}, {"batch_size": 64, "ema_images": 10_000}),
        "digits": Preset({"classes": 10, "hidden": 64, "images": 400_000}, {"batch_size": 64, "ema_images": 10_000}),
        "tiny": Preset(
            {"length": 8, "features": 2, "hidden": 8, "classes": 3, "z_dim": 2, "images": 4_000}, {"batch_size": 16}
        ),
    },
    aliases=("RGAN",),
)

CRNNGAN = Family(
    name="c_rnn_gan",
    summary="tunes, note by note: an LSTM hears what it said, another listens both ways",
    task=SERIES.name,
    paper=Paper(
        title="C-RNN-GAN: Continuous recurrent neural networks with adversarial training",
        authors=("Olof Mogren",),
        year=2016,
        arxiv="1611.09904",
    ),
    networks="ganzoo_series.crnngan_networks:networks",
    objective="ganzoo_series.crnngan:CRNNGAN",
    presets={
        "paper": Preset({}, {"batch_size": 20}),
        "tunes": Preset({"hidden": 64, "images_g": 60_000, "images": 120_000}, {"batch_size": 32, "ema_images": 4_000}),
        "tiny": Preset({"length": 6, "hidden": 8, "z_dim": 2, "images_g": 2_000, "images": 4_000}, {"batch_size": 16}),
    },
    aliases=("C-RNN-GAN",),
)


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [TIMEGAN, RCGAN, CRNNGAN]


@hookimpl
def ganzoo_tasks() -> Iterable[Task]:
    return [SERIES]


@hookimpl
def ganzoo_kinds() -> Iterable[KindEntry]:
    return [
        KindEntry("series", "numbers at each of many moments, [T, C] in [-1, 1]", "ganzoo_series.kinds:Series"),
        KindEntry("notes", "a tune, a note at each step, [T, 4] in [-1, 1]", "ganzoo_series.kinds:Notes"),
    ]


@hookimpl
def ganzoo_batch_keys() -> Iterable[BatchKey]:
    return [
        BatchKey("series", "numbers over time, float32 [n, T, C] in [-1, 1]", "ganzoo_series.data:noise"),
        BatchKey(
            "notes",
            "tunes, float32 [n, T, 4] in [-1, 1]: length, pitch, loudness, time since the last note",
            "ganzoo_series.data:noisy_notes",
        ),
    ]


@hookimpl
def ganzoo_datasets() -> Iterable[DatasetEntry]:
    here = "ganzoo_series.data"
    return [
        DatasetEntry(
            "sines",
            "10,000 series of 24 steps: five slow sines of any frequency and phase; waves: one, of 1 to 5 periods",
            ("series",),
            "CC0-1.0",
            f"{here}:open_sines",
            ("train", "test", "waves", "waves_test"),
        ),
        DatasetEntry(
            "tunes",
            "4,000 tunes of 16 notes: walks on a scale of five tones, in one of four rhythms; by rule",
            ("notes",),
            "CC0-1.0",
            f"{here}:open_tunes",
            ("train", "test"),
        ),
    ]


@hookimpl
def ganzoo_views() -> Iterable[View]:
    here = "ganzoo_series.data"
    return [
        View(
            "windows", "windows of a table FILE.csv", f"{here}:open_table", ("series",), of_path=True, argument="STEPS"
        ),
        View("midi", "a .mid or a folder of them: 16 notes in a row", f"{here}:open_midi", ("notes",), of_path=True),
        View("rows", "pictures as series, a row of pixels at each moment", f"{here}:PixelRows", ("series",)),
    ]


@hookimpl
def ganzoo_metrics() -> Iterable[Metric]:
    here, tasks, kinds = "ganzoo_series.scores", (SERIES.name,), ("series", "notes")
    return [
        Metric(
            "discriminative",
            "how well a network that is trained to tell samples from data does: accuracy beyond a half; 0 is best",
            f"{here}:discriminative",
            tasks,
            kinds,
        ),
        Metric(
            "predictive",
            "error of a network that foretells data and was trained on samples; and of one that was trained on data",
            f"{here}:predictive",
            tasks,
            kinds,
        ),
        Metric(
            "tstr_series",
            "share of labelled data that a classifier of labelled samples names; and one of data",
            f"{here}:tstr",
            (),
            kinds,
            share_of="n_real",
            higher=True,
        ),
    ]

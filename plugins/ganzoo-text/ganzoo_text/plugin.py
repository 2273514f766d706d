"""What ganzoo-text contributes. Imports no torch."""

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

SEQGAN = Family(
    name="seqgan",
    summary="words, one after the other: each is paid by what D says of the lines that may still come of it",
    task="text",
    paper=Paper(
        title="SeqGAN: Sequence Generative Adversarial Nets with Policy Gradient",
        authors=("Lantao Yu", "Weinan Zhang", "Jun Wang", "Yong Yu"),
        year=2016,
        arxiv="1609.05473",
    ),
    networks="ganzoo_text.seqgan.networks:networks",
    objective="ganzoo_text.seqgan.objective:SeqGAN",
    presets={
        "paper": Preset({}, {"batch_size": 64, "ema_images": 0}),
        "small": Preset(
            {"windows": (1, 2, 3, 4, 5), "widths": (32, 64, 64, 64, 64), "rollouts": 4, "d_steps": 5, "mle": 300_000,
             "d_first": 50_000, "images": 100_000, "g_lr": 1e-3, "d_lr": 1e-3},
            {"batch_size": 64, "ema_images": 0},
        ),
        "tiny": Preset(
            {"words": 20, "embedding": 8, "hidden": 8, "d_embedding": 8, "windows": (1, 2), "widths": (8, 8),
             "rollouts": 2, "d_steps": 2, "mle": 2_000, "d_first": 1_000, "images": 2_000},
            {"batch_size": 8, "ema_images": 0},
        ),
    },
)  # fmt: skip

RELGAN = Family(
    name="relgan",
    summary="soft words carry D's gradient to a relational memory, and harden; D reads each line in many embeddings",
    task="text",
    paper=Paper(
        title="RelGAN: Relational Generative Adversarial Networks for Text Generation",
        authors=("Weili Nie", "Nina Narodytska", "Ankit Patel"),
        year=2019,
        arxiv="",
    ),
    networks="ganzoo_text.relgan.networks:networks",
    objective="ganzoo_text.relgan.objective:RelGAN",
    presets={
        "paper": Preset({}, {"batch_size": 64, "ema_images": 0}),
        "small": Preset(
            {"head_size": 32, "parts": 16, "part_size": 2, "widths": (64, 64, 64, 64), "d_hidden": 64,
             "mle": 300_000, "mle_lr": 3e-3, "images": 40_000},
            {"batch_size": 64, "ema_images": 0},
        ),
        "tiny": Preset(
            {"words": 20, "embedding": 8, "head_size": 4, "parts": 4, "windows": (2, 3), "widths": (8, 8),
             "d_hidden": 8, "beta_max": 10.0, "d_steps": 2, "mle": 2_000, "images": 2_000},
            {"batch_size": 8, "ema_images": 0},
        ),
    },
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [SEQGAN, RELGAN]


@hookimpl
def ganzoo_kinds() -> Iterable[KindEntry]:
    return [KindEntry("lines", "words by their numbers, [L]", "ganzoo_text.kinds:Lines")]


@hookimpl
def ganzoo_batch_keys() -> Iterable[BatchKey]:
    return [BatchKey("tokens", "words by their numbers, int64 [n, L], 0 behind the last", "ganzoo_text.data:noise")]


@hookimpl
def ganzoo_datasets() -> Iterable[DatasetEntry]:
    return [
        DatasetEntry(
            "oracle",
            "10,000 sequences of a random LSTM: 20 of 5,000 words, or 10 of 200",
            ("tokens",),
            "CC0-1.0",
            "ganzoo_text.data:oracle",
            ("paper", "paper_test", "small", "small_test"),
        )
    ]


@hookimpl
def ganzoo_views() -> Iterable[View]:
    return [
        View("lines", "a text file, a line each", "ganzoo_text.data:lines", ("tokens",), of_path=True),
        View("words", "captions of pictures, without the pictures", "ganzoo_text.data:captions", ("tokens",)),
    ]


@hookimpl
def ganzoo_tasks() -> Iterable[Task]:
    return [Task("text", "lines of words", "text-generation")]


@hookimpl
def ganzoo_metrics() -> Iterable[Metric]:
    return [
        Metric("nll_oracle", "-log p of a word of samples, by the oracle", "ganzoo_text.scores:nll_oracle",
               kinds=("lines",)),
        Metric("nll", "-log p of a word of the data, by the model", "ganzoo_text.scores:nll", ("text",), ("lines",)),
        Metric("bleu", "how much of lines, 2 to 5 words at a time, the data have", "ganzoo_text.scores:bleu",
               kinds=("lines",), higher=True),
        Metric("self_bleu", "how much of lines the other samples have: how alike they are",
               "ganzoo_text.scores:self_bleu", kinds=("lines",)),
    ]  # fmt: skip

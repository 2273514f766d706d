"""1-D signals for ganzoo: a modality that the core has never heard of, contributed through hooks alone."""

from ganzoo_core.plugin import (
    BatchKey,
    DatasetEntry,
    Family,
    KindEntry,
    Metric,
    Paper,
    Preset,
    Task,
    hookimpl,
)


@hookimpl
def ganzoo_kinds():
    return [
        KindEntry("signals", "curves over time, [C, L] in [-1, 1]", "ganzoo_signals.signals:Signals"),
        KindEntry("pitch", "oscillations in a window", "ganzoo_signals.signals:Pitch"),
    ]


@hookimpl
def ganzoo_batch_keys():
    return [BatchKey("signal", "curves, float32 [n, C, L] in [-1, 1]", "ganzoo_signals.data:noise")]


@hookimpl
def ganzoo_datasets():
    return [
        DatasetEntry(
            "oscillations",
            "512 curves of 1 to 8 oscillations",
            ("signal",),
            "CC0-1.0",
            "ganzoo_signals.data:oscillations",
        )
    ]


@hookimpl
def ganzoo_tasks():
    return [Task("signals", "curves over time")]


@hookimpl
def ganzoo_metrics():
    return [
        Metric(
            "spectral",
            "distance of the mean log spectra",
            "ganzoo_signals.metrics:spectral",
            tasks=("signals",),
            kinds=("signals",),
        )
    ]


@hookimpl
def ganzoo_families():
    return [
        Family(
            "signal_gan",
            "a dense GAN of curves, for the tests",
            Paper("Generative Adversarial Nets", ("Ian J. Goodfellow",), 2014, "1406.2661"),
            "ganzoo_signals.objective:SignalGAN",
            "ganzoo_signals.networks:networks",
            {"paper": Preset(), "tiny": Preset({"width": 16, "images": 2_000}, {"batch_size": 16, "ema_images": 200})},
            task="signals",
        )
    ]

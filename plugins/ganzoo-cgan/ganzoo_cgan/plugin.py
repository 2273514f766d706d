"""What ganzoo-cgan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

CGAN = Family(
    name="cgan",
    summary="the label goes into both players, so that samples can be asked for by class",
    task="class_conditional",
    paper=Paper(
        title="Conditional Generative Adversarial Nets",
        authors=("Mehdi Mirza", "Simon Osindero"),
        year=2014,
        arxiv="1411.1784",
    ),
    networks="ganzoo_cgan.networks:networks",
    objective="ganzoo_cgan.objective:CGAN",
    presets={
        "paper": Preset({"image_size": 28, "channels": 1, "classes": 10}, {"batch_size": 100}),
        "mnist": Preset(
            {"body": "convolutional", "image_size": 32, "channels": 1, "classes": 10, "width": 32,
             "rule": "adam", "lr": 2e-4, "images": 300_000},
            {"batch_size": 64, "ema_images": 20_000},
        ),
        "digits": Preset(
            {"body": "convolutional", "image_size": 16, "channels": 1, "classes": 10, "width": 32, "z_dim": 32,
             "rule": "adam", "lr": 5e-4, "images": 120_000},
            {"batch_size": 32, "ema_images": 4_000},
        ),
        "pictures": Preset(
            {"body": "convolutional", "image_size": 64, "channels": 3, "classes": 10, "width": 32,
             "rule": "adam", "lr": 2e-4, "augment": "diffaugment", "images": 200_000},
            {"batch_size": 32, "ema_images": 10_000},
            suits="folder",
        ),
        "pictures128": Preset(
            {"body": "convolutional", "image_size": 128, "channels": 3, "classes": 10, "width": 24,
             "rule": "adam", "lr": 2e-4, "augment": "diffaugment", "images": 200_000},
            {"batch_size": 32, "ema_images": 10_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "classes": 10, "width": 96, "z_dim": 16, "units": 24,
             "rule": "adam", "lr": 1e-3, "images": 20_000},
            {"batch_size": 16},
        ),
    },
    aliases=("conditional GAN",),
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [CGAN]

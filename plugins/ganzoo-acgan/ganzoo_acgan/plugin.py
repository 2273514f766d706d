"""What ganzoo-acgan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

ACGAN = Family(
    name="acgan",
    summary="the discriminator also names the class, and the generator wants it to be right",
    task="class_conditional",
    paper=Paper(
        title="Conditional Image Synthesis with Auxiliary Classifier GANs",
        authors=("Augustus Odena", "Christopher Olah", "Jonathon Shlens"),
        year=2016,
        arxiv="1610.09585",
    ),
    networks="ganzoo_acgan.networks:networks",
    objective="ganzoo_acgan.objective:ACGAN",
    presets={
        "paper": Preset({"image_size": 128, "channels": 3, "classes": 10, "width": 16}, {"batch_size": 100}),
        "cifar10": Preset({"image_size": 32, "channels": 3, "classes": 10, "width": 16}, {"batch_size": 100}),
        "mnist": Preset(
            {"image_size": 32, "channels": 1, "classes": 10, "width": 12, "images": 400_000},
            {"batch_size": 64, "ema_images": 20_000},
        ),
        "digits": Preset(
            {"image_size": 16, "channels": 1, "classes": 10, "width": 8, "z_dim": 32, "lr": 5e-4, "images": 120_000},
            {"batch_size": 32, "ema_images": 4_000},
        ),
        "pictures": Preset(
            {"image_size": 32, "channels": 3, "classes": 10, "width": 12, "augment": "diffaugment", "images": 200_000},
            {"batch_size": 32, "ema_images": 10_000},
            suits="folder",
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "classes": 10, "width": 2, "z_dim": 16, "images": 20_000},
            {"batch_size": 16},
        ),
    },
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [ACGAN]

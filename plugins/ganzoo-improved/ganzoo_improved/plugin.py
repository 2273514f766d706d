"""What ganzoo-improved contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

PAPER = Paper(
    title="Improved Techniques for Training GANs",
    authors=("Tim Salimans", "Ian Goodfellow", "Wojciech Zaremba", "Vicki Cheung", "Alec Radford", "Xi Chen"),
    year=2016,
    arxiv="1606.03498",
)

IMPROVED = Family(
    name="improved",
    summary="learns to classify from few labels: the discriminator's classes and a fake one, feature matching",
    task="semi_supervised",
    paper=PAPER,
    networks="ganzoo_improved.networks:networks",
    objective="ganzoo_improved.objective:Improved",
    presets={
        "paper": Preset({"image_size": 32, "channels": 3, "classes": 10, "width": 96}, {"batch_size": 100}),
        "mnist": Preset(
            {"body": "dense", "image_size": 28, "channels": 1, "classes": 10, "width": 1000,
             "lr": 3e-3, "images": 700_000},
            {"batch_size": 100, "ema_images": 60_000},
        ),
        "digits": Preset(
            {"body": "dense", "image_size": 16, "channels": 1, "classes": 10, "width": 256, "z_dim": 50,
             "lr": 3e-3, "images": 200_000},
            {"batch_size": 50, "ema_images": 4_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "classes": 10, "width": 6, "z_dim": 8, "images": 20_000},
            {"batch_size": 16},
        ),
    },
)  # fmt: skip

IMPROVED_DCGAN = Family(
    name="improved_dcgan",
    summary="DCGAN with minibatch discrimination, virtual batch norm, label smoothing and historical averaging",
    paper=PAPER,
    networks="ganzoo_improved.convolutional:networks",
    objective="ganzoo_improved.objective:ImprovedDCGAN",
    presets={
        "paper": Preset({"image_size": 64, "channels": 3, "width": 64}, {"batch_size": 64}),
        "digits": Preset(
            {"image_size": 16, "channels": 1, "width": 32, "z_dim": 32, "reference": 32, "kernels": 32,
             "lr": 5e-4, "images": 120_000},
            {"batch_size": 32, "ema_images": 4_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "width": 8, "z_dim": 16, "reference": 8, "kernels": 8, "images": 20_000},
            {"batch_size": 16},
        ),
    },
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [IMPROVED, IMPROVED_DCGAN]

"""What ganzoo-energies contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

CONVOLUTIONAL = "ganzoo_energies.networks:convolutional"
MNIST = {"image_size": 32, "channels": 1, "width": 20, "d_width": 8, "z_dim": 64, "d_lr": 5e-4, "lr": 5e-4}
TINY = {"image_size": 16, "channels": 1, "width": 8, "z_dim": 16, "images": 20_000}

EBGAN = Family(
    name="ebgan",
    summary="the discriminator is an autoencoder, its energy how badly it redraws a picture",
    paper=Paper(
        "Energy-based Generative Adversarial Network",
        ("Junbo Zhao", "Michael Mathieu", "Yann LeCun"), 2016, "1609.03126",
    ),
    networks=CONVOLUTIONAL,
    objective="ganzoo_energies.ebgan:EBGAN",
    presets={
        "paper": Preset({"image_size": 64, "channels": 3}, {"batch_size": 64}),
        "pt": Preset({"image_size": 64, "channels": 3, "pull": 0.1}, {"batch_size": 64}),
        "mnist": Preset({**MNIST, "m": 0.2, "pull": 0.1, "images": 50_000}, {"batch_size": 32, "ema_images": 2_000}),
        "tiny": Preset({**TINY, "m": 1.0, "pull": 0.1}, {"batch_size": 16}),
    },
    aliases=("EBGAN-PT",),
)  # fmt: skip

BEGAN = Family(
    name="began",
    summary="an autoencoder as the discriminator, and an equilibrium with a measure of how far training is",
    paper=Paper(
        "BEGAN: Boundary Equilibrium Generative Adversarial Networks",
        ("David Berthelot", "Thomas Schumm", "Luke Metz"), 2017, "1703.10717",
    ),
    networks="ganzoo_energies.networks:began",
    objective="ganzoo_energies.began:BEGAN",
    presets={
        "paper": Preset({"image_size": 64, "channels": 3}, {"batch_size": 16}),
        "mnist": Preset(
            {"image_size": 32, "channels": 1, "n": 12, "h_dim": 32, "gamma": 0.95, "lambda_k": 0.3, "lr": 5e-4,
             "halve_every": 60_000, "images": 120_000},
            {"batch_size": 16, "ema_images": 2_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "n": 4, "h_dim": 8, "halve_every": 10_000, "images": 20_000},
            {"batch_size": 16},
        ),
    },
)  # fmt: skip

MAGAN = Family(
    name="magan",
    summary="an energy-based game whose margin follows the energy of real pictures down",
    paper=Paper(
        "MAGAN: Margin Adaptation for Generative Adversarial Networks",
        ("Ruohan Wang", "Antoine Cully", "Hyung Jin Chang", "Yiannis Demiris"), 2017, "1704.03817",
    ),
    networks=CONVOLUTIONAL,
    objective="ganzoo_energies.magan:MAGAN",
    presets={
        "small": Preset({"image_size": 64, "channels": 3}, {"batch_size": 64}),
        "mnist": Preset(
            {**{k: v for k, v in MNIST.items() if k != "d_lr"}, "epoch": 4_000, "pretrain": 8_000, "images": 50_000},
            {"batch_size": 32, "ema_images": 2_000},
        ),
        "tiny": Preset({**TINY, "epoch": 64, "pretrain": 1_000}, {"batch_size": 16}),
    },
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [EBGAN, BEGAN, MAGAN]

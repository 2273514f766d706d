"""What ganzoo-aging contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Metric, Paper, Preset, Task, hookimpl

AGING = Task("aging", "pictures of the same person, older or younger", "image-to-image")

CAAE = Family(
    name="caae",
    summary="an encoder whose codes fill a cube, so that age is a knob beside them: the same face, older or younger",
    task=AGING.name,
    paper=Paper(
        title="Age Progression/Regression by Conditional Adversarial Autoencoder",
        authors=("Zhifei Zhang", "Yang Song", "Hairong Qi"),
        year=2017,
        arxiv="1702.08423",
    ),
    networks="ganzoo_aging.caae_networks:networks",
    objective="ganzoo_aging.caae:CAAE",
    presets={
        "paper": Preset(
            {"image_size": 128, "channels": 3, "classes": 10, "attribute": True},
            {"batch_size": 100},
        ),
        "thickness": Preset(
            {"image_size": 32, "channels": 1, "classes": 6, "width": 12, "z_dim": 32, "d_width": 8, "d_units": 64,
             "rec": "l2", "lam_img": 1e-3, "lam_z": 0.01, "lr": 1e-3, "images": 200_000},
            {"batch_size": 32, "ema_images": 2_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "classes": 3, "width": 8, "z_dim": 8, "d_width": 4, "d_units": 16,
             "lam_z": 0.01, "lam_tv": 0.01, "attribute": True, "lam_v": 0.1, "images": 20_000},
            {"batch_size": 16},
        ),
    },
    aliases=("conditional adversarial autoencoder",),
)  # fmt: skip

AGE_CGAN = Family(
    name="age_cgan",
    summary="a GAN of age groups, and a search for the latent of a face at its own age that keeps who it is",
    task=AGING.name,
    paper=Paper(
        title="Face Aging With Conditional Generative Adversarial Networks",
        authors=("Grigory Antipov", "Moez Baccouche", "Jean-Luc Dugelay"),
        year=2017,
        arxiv="1702.01983",
    ),
    networks="ganzoo_aging.age_cgan_networks:networks",
    objective="ganzoo_aging.age_cgan:AgeCGAN",
    presets={
        "paper": Preset({"image_size": 64, "channels": 3, "classes": 6}, {"batch_size": 64}),
        "thickness": Preset(
            {"image_size": 32, "channels": 1, "classes": 6, "width": 32, "z_dim": 32, "e_width": 16, "e_units": 256,
             "features": 64, "fr_width": 16, "lr": 1e-3, "images": 300_000, "images_e": 200_000, "images_fr": 60_000},
            {"batch_size": 64, "ema_images": 5_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "classes": 3, "width": 4, "z_dim": 8, "e_width": 2, "e_units": 16,
             "features": 8, "fr_width": 4, "images": 10_000, "images_e": 5_000, "images_fr": 5_000},
            {"batch_size": 16},
        ),
    },
    aliases=("Age-cGAN",),
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [CAAE, AGE_CGAN]


@hookimpl
def ganzoo_tasks() -> Iterable[Task]:
    return [AGING]


@hookimpl
def ganzoo_metrics() -> Iterable[Metric]:
    return [
        Metric(
            "age_rank",
            "rank correlation of the ages asked for and the ages measured, on mnist:thickness",
            "ganzoo_aging.metrics:age_rank",
            (AGING.name,),
            higher=True,
        ),
        Metric(
            "identity_kept",
            "share of pictures in which a classifier still sees who was given, at whatever age",
            "ganzoo_aging.metrics:identity_kept",
            (AGING.name,),
            share_of="n",
            higher=True,
        ),
    ]

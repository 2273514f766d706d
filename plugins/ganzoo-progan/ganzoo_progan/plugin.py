"""What ganzoo-progan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

SMALL = {"fmap_base": 512, "fmap_max": 128, "z_dim": 128, "batches": (32,)}

PROGAN = Family(
    name="progan",
    summary="both networks grow: resolution by resolution, each faded in on top of the last",
    paper=Paper(
        title="Progressive Growing of GANs for Improved Quality, Stability, and Variation",
        authors=("Tero Karras", "Timo Aila", "Samuli Laine", "Jaakko Lehtinen"),
        year=2017,
        arxiv="1710.10196",
    ),
    networks="ganzoo_progan.networks:networks",
    objective="ganzoo_progan.objective:ProGAN",
    presets={
        "paper": Preset(
            {"image_size": 1024, "channels": 3, "group": 16, "fade_images": 800_000, "settle_images": 800_000,
             "images": 800_000},
            {"ema_images": 10_000},
        ),
        "emoji": Preset(
            {**SMALL, "image_size": 32, "channels": 3, "batches": (16,), "lr": 2e-3, "fade_images": 6_000,
             "settle_images": 5_000, "images": 27_000},
            {"ema_images": 1_000},
        ),
        "digits": Preset(
            {**SMALL, "image_size": 16, "channels": 1, "fade_images": 10_000, "settle_images": 10_000,
             "images": 20_000},
            {"ema_images": 4_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "fmap_base": 32, "fmap_max": 8, "z_dim": 8, "batches": (8,),
             "fade_images": 4_000, "settle_images": 4_000, "images": 4_000},
            {"batch_size": 8},
        ),
    },
    aliases=("PGGAN", "Progressive GAN"),
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [PROGAN]

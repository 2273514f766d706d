"""What ganzoo-unetgan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

UNET_GAN = Family(
    name="unet_gan",
    summary="the discriminator is a U-Net: it judges the picture and every pixel, and is taught with CutMix",
    paper=Paper(
        title="A U-Net Based Discriminator for Generative Adversarial Networks",
        authors=("Edgar Schönfeld", "Bernt Schiele", "Anna Khoreva"),
        year=2020,
        arxiv="2002.12655",
    ),
    networks="ganzoo_unetgan.networks:networks",
    objective="ganzoo_unetgan.objective:UNetGAN",
    presets={
        "small": Preset({"image_size": 128, "channels": 3}, {"batch_size": 50, "ema_images": 350_000}),
        "fashion": Preset(
            {"image_size": 32, "channels": 1, "classes": 10, "z_chunk": 16, "y_dim": 32, "d_lr": 1e-3, "g_lr": 5e-4,
             "g_widths": (128, 96, 48, 24), "d_widths": (24, 48, 96), "standing": 16, "images": 180_000},
            {"batch_size": 32, "ema_images": 8_000},
        ),
        "pictures": Preset(
            {"image_size": 64, "channels": 3, "z_chunk": 16, "d_lr": 1e-3, "g_lr": 5e-4, "standing": 16,
             "g_widths": (128, 128, 64, 32, 16), "d_widths": (16, 32, 64, 128), "images": 100_000},
            {"batch_size": 32, "ema_images": 8_000},
            suits="folder",
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "z_chunk": 8, "g_widths": (16, 16, 8), "d_widths": (8, 16),
             "mixing_from": 0.1, "standing": 2, "images": 20_000},
            {"batch_size": 16, "ema_images": 2_000},
        ),
    },
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [UNET_GAN]

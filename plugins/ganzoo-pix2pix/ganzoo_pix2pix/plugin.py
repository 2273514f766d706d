"""What ganzoo-pix2pix contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Layout, Paper, Preset, hookimpl

EMOJI = {"image_size": 64, "channels": 3, "levels": 6, "width": 24, "norm": "instance", "d_width": 16}

PIX2PIX = Family(
    name="pix2pix",
    summary="one picture into another, learnt from pairs: a U-Net against a discriminator of patches, and L1",
    task="translation",
    paper=Paper(
        title="Image-to-Image Translation with Conditional Adversarial Networks",
        authors=("Phillip Isola", "Jun-Yan Zhu", "Tinghui Zhou", "Alexei A. Efros"),
        year=2016,
        arxiv="1611.07004",
    ),
    networks="ganzoo_pix2pix.networks:networks",
    objective="ganzoo_pix2pix.objective:Pix2Pix",
    presets={
        "paper": Preset({"image_size": 256, "channels": 3}, {"batch_size": 1}),
        "edges2emoji": Preset({**EMOJI, "images": 40_000}, {"batch_size": 8, "ema_images": 2_000}),
        "noto2blob": Preset({**EMOJI, "images": 60_000}, {"batch_size": 8, "ema_images": 2_000}),
        "tiny": Preset(
            {"image_size": 16, "channels": 3, "levels": 4, "width": 8, "d_width": 8, "patch": 16, "images": 5_000},
            {"batch_size": 4},
        ),
    },
)


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [PIX2PIX]


@hookimpl
def ganzoo_layouts() -> Iterable[Layout]:
    here, whose = "ganzoo_pix2pix.layouts", "pytorch-CycleGAN-and-pix2pix"
    return [
        Layout("pix2pix_unet", "pix2pix", whose, f"{here}:of_unet", f"{here}:unet", "G", ("net_G",)),
        Layout("pix2pix_patches", "pix2pix", whose, f"{here}:of_judge", f"{here}:patches", "D", ("net_D",)),
    ]

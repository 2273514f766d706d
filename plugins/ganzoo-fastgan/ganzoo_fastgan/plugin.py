"""What ganzoo-fastgan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

FASTGAN = Family(
    name="fastgan",
    summary="coarse maps gate fine ones, and D has to be able to draw what it saw: for a hundred pictures",
    paper=Paper(
        title="Towards Faster and Stabilized GAN Training for High-fidelity Few-shot Image Synthesis",
        authors=("Bingchen Liu", "Yizhe Zhu", "Kunpeng Song", "Ahmed Elgammal"),
        year=2021,
        arxiv="2101.04775",
    ),
    networks="ganzoo_fastgan.networks:networks",
    objective="ganzoo_fastgan.objective:FastGAN",
    presets={
        "paper": Preset({"image_size": 256, "channels": 3}, {"batch_size": 8, "ema_images": 5_500}),
        "faces": Preset(
            {"image_size": 64, "channels": 3, "z_dim": 64, "width": 12, "d_width": 12, "reconstruction": "l1",
             "lr": 5e-4, "images": 50_000},
            {"batch_size": 8, "ema_images": 2_000},
        ),
        "tiny": Preset(
            {"image_size": 64, "channels": 1, "z_dim": 8, "width": 4, "d_width": 4, "reconstruction": "l1",
             "images": 20_000},
            {"batch_size": 8},
        ),
    },
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [FASTGAN]

"""What ganzoo-lapgan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

LAPGAN = Family(
    name="lapgan",
    summary="a GAN for every level of a Laplacian pyramid, sampled from coarse to fine",
    paper=Paper(
        title="Deep Generative Image Models using a Laplacian Pyramid of Adversarial Networks",
        authors=("Emily Denton", "Soumith Chintala", "Arthur Szlam", "Rob Fergus"),
        year=2015,
        arxiv="1506.05751",
    ),
    networks="ganzoo_lapgan.networks:networks",
    objective="ganzoo_lapgan.objective:LAPGAN",
    presets={
        "paper": Preset({"image_size": 32, "channels": 3, "classes": 10}, {"batch_size": 128}),
        "unconditional": Preset({"image_size": 32, "channels": 3, "classes": 0}, {"batch_size": 128}),
        "emoji": Preset(
            {"image_size": 32, "channels": 3, "classes": 0, "widths": (64, 32), "d_width": 48,
             "rule": "adam", "lr": 8e-4, "lengths": (300_000, 90_000, 60_000)},
            {"batch_size": 64},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "classes": 0, "coarsest": 4, "z_dim": 8, "g_units": 16, "d_units": 16,
             "widths": (8, 4), "d_width": 8, "rule": "adam", "lr": 1e-3, "lengths": (8_000,)},
            {"batch_size": 16},
        ),
    },
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [LAPGAN]

"""What ganzoo-r3gan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

R3GAN = Family(
    name="r3gan",
    summary="relativistic pairs and both gradient penalties: stable enough for plain modern networks, without tricks",
    paper=Paper(
        title="The GAN is dead; long live the GAN! A Modern Baseline GAN",
        authors=("Yiwen Huang", "Aaron Gokaslan", "Volodymyr Kuleshov", "James Tompkin"),
        year=2024,
        arxiv="2501.05441",
    ),
    networks="ganzoo_r3gan.networks:networks",
    objective="ganzoo_r3gan.objective:R3GAN",
    presets={
        "paper": Preset({"image_size": 256, "channels": 3}, {"batch_size": 256, "ema_images": 500_000}),
        "small": Preset(
            {"image_size": 32, "channels": 3, "classes": 10, "widths": (768, 768, 768, 768), "gamma": 0.05,
             "end_gamma": 0.005},
            {"batch_size": 512, "ema_images": 500_000},
        ),
        "mnist": Preset(
            {"image_size": 32, "channels": 1, "widths": (192, 64, 24, 8), "blocks": 1, "gamma": 1.0, "end_gamma": 0.1,
             "lr": 1e-3, "end_lr": 2e-4, "burn_in": 0.5, "images": 180_000},
            {"batch_size": 32, "ema_images": 5_000},
        ),
        "pictures": Preset(
            {"image_size": 64, "channels": 3, "widths": (192, 96, 48, 16, 8), "blocks": 1, "gamma": 4.0,
             "end_gamma": 0.4, "lr": 1e-3, "end_lr": 2e-4, "burn_in": 0.5, "augment": "diffaugment", "images": 60_000},
            {"batch_size": 32, "ema_images": 5_000},
            suits="folder",
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "widths": (16, 8, 8), "blocks": 1, "group": 8, "z_dim": 8, "gamma": 2.0,
             "end_gamma": 0.2, "images": 20_000},
            {"batch_size": 16},
        ),
    },
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [R3GAN]

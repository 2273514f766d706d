"""What ganzoo-projected contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

PROJECTED = Family(
    name="projected_gan",
    summary="discriminators judge maps of a frozen ImageNet network, mixed at random across channels and scales",
    paper=Paper(
        title="Projected GANs Converge Faster",
        authors=("Axel Sauer", "Kashyap Chitta", "Jens Müller", "Andreas Geiger"),
        year=2021,
        arxiv="2111.01007",
    ),
    networks="ganzoo_projected.networks:networks",
    objective="ganzoo_projected.objective:ProjectedGAN",
    presets={
        "paper": Preset(
            {"image_size": 256, "channels": 3, "augment": "diffaugment"}, {"batch_size": 64, "ema_images": 10_000}
        ),
        "lite": Preset(
            {"image_size": 256, "channels": 3, "blocks": "single", "augment": "diffaugment"},
            {"batch_size": 64, "ema_images": 10_000},
        ),
        "faces": Preset(
            {"image_size": 64, "channels": 3, "z_dim": 64, "width": 12, "blocks": "single", "side": 96, "d_width": 24,
             "augment": "diffaugment", "d_lr": 2e-5, "g_lr": 1e-3, "images": 50_000},
            {"batch_size": 8, "ema_images": 2_000},
        ),
        "tiny": Preset(
            {"image_size": 32, "channels": 1, "z_dim": 8, "width": 4, "features": "random", "side": 64, "d_width": 4,
             "images": 20_000},
            {"batch_size": 8},
        ),
    },
    aliases=("Projected GAN", "FastGAN-lite"),
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [PROJECTED]

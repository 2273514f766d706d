"""What ganzoo-wgan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

WGAN = Family(
    name="wgan",
    summary="the critic measures the earth mover's distance; its weights are clipped",
    paper=Paper(
        title="Wasserstein GAN",
        authors=("Martin Arjovsky", "Soumith Chintala", "Léon Bottou"),
        year=2017,
        arxiv="1701.07875",
    ),
    networks="ganzoo_dcgan.networks:networks",
    objective="ganzoo_wgan.objective:WGAN",
    presets={
        "paper": Preset({"image_size": 64, "channels": 3, "width": 64}, {"batch_size": 64}),
        "mnist": Preset(
            {"image_size": 32, "channels": 1, "width": 32, "lr": 2e-4,
             "n_warm": 50, "warm_up": 32_000, "images": 1_000_000},
            {"batch_size": 64, "ema_images": 20_000},
        ),
        "digits": Preset(
            {"image_size": 16, "channels": 1, "width": 32, "lr": 5e-4,
             "n_warm": 25, "warm_up": 8_000, "images": 240_000},
            {"batch_size": 32, "ema_images": 10_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "width": 8, "z_dim": 16,
             "n_warm": 10, "warm_up": 4_000, "images": 20_000},
            {"batch_size": 16},
        ),
    },
)  # fmt: skip

WGAN_GP = Family(
    name="wgan_gp",
    summary="WGAN with a penalty on the critic's slope in place of clipping; residual networks",
    paper=Paper(
        title="Improved Training of Wasserstein GANs",
        authors=(
            "Ishaan Gulrajani", "Faruk Ahmed", "Martin Arjovsky", "Vincent Dumoulin", "Aaron Courville",
        ),
        year=2017,
        arxiv="1704.00028",
    ),
    networks="ganzoo_wgan.networks:networks",
    objective="ganzoo_wgan.objective:WGANGP",
    presets={
        "paper": Preset(
            {"image_size": 32, "channels": 3, "width": 128, "lr": 2e-4, "g_batches": 2}, {"batch_size": 64}
        ),
        "mnist": Preset(
            {"image_size": 32, "channels": 1, "width": 32, "lr": 8e-4, "n_critic": 3, "images": 150_000},
            {"batch_size": 32, "ema_images": 10_000},
        ),
        "digits": Preset(
            {"image_size": 16, "channels": 1, "width": 32, "lr": 1e-3, "n_critic": 3, "images": 120_000},
            {"batch_size": 32, "ema_images": 4_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "width": 8, "z_dim": 16, "images": 20_000}, {"batch_size": 16}
        ),
    },
    aliases=("Improved WGAN",),
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [WGAN, WGAN_GP]

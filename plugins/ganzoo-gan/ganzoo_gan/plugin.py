"""What ganzoo-gan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

GAN = Family(
    name="gan",
    summary="the original: two perceptrons, one game",
    paper=Paper(
        title="Generative Adversarial Nets",
        authors=(
            "Ian Goodfellow", "Jean Pouget-Abadie", "Mehdi Mirza", "Bing Xu",
            "David Warde-Farley", "Sherjil Ozair", "Aaron Courville", "Yoshua Bengio",
        ),
        year=2014,
        arxiv="1406.2661",
    ),
    networks="ganzoo_gan.networks:networks",
    objective="ganzoo_gan.objective:GAN",
    presets={
        "paper": Preset({"image_size": 28, "channels": 1}, {"batch_size": 100}),
        "mnist": Preset(
            {"image_size": 28, "channels": 1, "width": 512, "units": 64,
             "rule": "adam", "lr": 4e-4, "images": 1_500_000},
            {"batch_size": 32, "ema_images": 20_000},
        ),
        "digits": Preset(
            {"image_size": 16, "channels": 1, "width": 256, "units": 64,
             "rule": "adam", "lr": 1e-3, "images": 150_000},
            {"batch_size": 32, "ema_images": 4_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "width": 64, "z_dim": 16, "units": 16, "pieces": 3, "images": 20_000},
            {"batch_size": 16},
        ),
    },
    aliases=("vanilla GAN",),
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [GAN]

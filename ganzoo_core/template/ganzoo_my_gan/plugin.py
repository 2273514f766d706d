"""What this plugin contributes. It imports no torch, so that the zoo can be listed quickly."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ganzoo_core.hookspecs import hookimpl
from ganzoo_core.specs import Family, Paper, Preset, Weights

MY_GAN = Family(
    name="my_gan",
    summary="what is new about it, in one line",
    task="unconditional",
    paper=Paper(title="MyGAN", authors=("Your Name",), year=2026, arxiv=""),
    networks="ganzoo_my_gan.networks:networks",
    objective="ganzoo_my_gan.objective:MyGAN",
    presets={
        "paper": Preset({"image_size": 64, "channels": 3}, {"batch_size": 64}),
        "digits": Preset({"image_size": 16, "channels": 1, "images": 60_000}, {"batch_size": 32, "ema_images": 2_000}),
        "tiny": Preset({"image_size": 16, "channels": 1, "width": 8, "images": 20_000}, {"batch_size": 16}),
    },
)


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [MY_GAN]


@hookimpl
def ganzoo_weights() -> Iterable[Weights]:
    """Model directories below weights/, each named by its id."""
    return [Weights(path.name, path) for path in sorted((Path(__file__).parent / "weights").glob("my_gan.*"))]

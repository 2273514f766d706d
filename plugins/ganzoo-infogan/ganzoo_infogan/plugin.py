"""What ganzoo-infogan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

INFOGAN = Family(
    name="infogan",
    summary="codes that mean something, learnt without labels: they can be read back from the image",
    paper=Paper(
        title="InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial Nets",
        authors=("Xi Chen", "Yan Duan", "Rein Houthooft", "John Schulman", "Ilya Sutskever", "Pieter Abbeel"),
        year=2016,
        arxiv="1606.03657",
    ),
    networks="ganzoo_infogan.networks:networks",
    objective="ganzoo_infogan.objective:InfoGAN",
    presets={
        "paper": Preset({"image_size": 28, "channels": 1}, {"batch_size": 128}),
        "mnist": Preset(
            {"image_size": 28, "channels": 1, "width": 32, "images": 250_000},
            {"batch_size": 64, "ema_images": 10_000},
        ),
        "digits": Preset(
            {"image_size": 16, "channels": 1, "width": 16, "z_dim": 30, "images": 120_000},
            {"batch_size": 32, "ema_images": 4_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "width": 4, "z_dim": 8, "images": 20_000}, {"batch_size": 16}
        ),
    },
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [INFOGAN]

"""What ganzoo-singan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, JoinedLayout, Layout, Paper, Preset, hookimpl

SINGAN = Family(
    name="singan",
    summary="a pyramid of small GANs learns the patches of a single picture, from coarse to fine",
    task="single_image",
    paper=Paper(
        title="SinGAN: Learning a Generative Model from a Single Natural Image",
        authors=("Tamar Rott Shaham", "Tali Dekel", "Tomer Michaeli"),
        year=2019,
        arxiv="1905.01164",
    ),
    networks="ganzoo_singan.networks:networks",
    objective="ganzoo_singan.objective:SinGAN",
    presets={
        "paper": Preset({"channels": 3}, {"batch_size": 1}),
        "super_resolution": Preset(
            {"channels": 3, "coarsest": 18, "factor": 0.5 ** (1 / 3), "alpha": 100.0}, {"batch_size": 1}
        ),
        "small": Preset(
            {"longest_side": 128, "widest": 32, "lr": 1e-3, "repeat": 1,
             "iterations": (1200, 1000, 800, 600, 450, 350, 250, 200)},
            {"batch_size": 1},
        ),
        "tiny": Preset(
            {"longest_side": 16, "channels": 1, "coarsest": 8, "factor": 0.5, "width": 4, "widest": 8,
             "double_every": 2, "layers": 3, "iterations": (20,)},
            {"batch_size": 1},
        ),
    },
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [SINGAN]


@hookimpl
def ganzoo_layouts() -> Iterable[Layout]:
    here, whose = "ganzoo_singan.layouts", "SinGAN's authors: a folder of a trained picture"
    return [
        JoinedLayout("singan_authors_g", "singan", whose, f"{here}:of_g", f"{here}:g"),
        JoinedLayout("singan_authors_d", "singan", whose, f"{here}:of_g", f"{here}:d", network="D"),
    ]

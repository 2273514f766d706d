"""What ganzoo-stylegan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Layout, Paper, Preset, hookimpl

SMALL = {"fmap_base": 1024, "fmap_max": 128, "z_dim": 128, "w_dim": 128, "mapping_layers": 4}
TINY = {
    "image_size": 16, "channels": 1, "fmap_base": 128, "fmap_max": 16, "z_dim": 8, "w_dim": 8, "mapping_layers": 2,
}  # fmt: skip

STYLEGAN = Family(
    name="stylegan",
    summary="z becomes a style w, and w steers every layer of a generator that starts from a constant",
    paper=Paper(
        title="A Style-Based Generator Architecture for Generative Adversarial Networks",
        authors=("Tero Karras", "Samuli Laine", "Timo Aila"),
        year=2018,
        arxiv="1812.04948",
    ),
    networks="ganzoo_stylegan.networks:networks",
    objective="ganzoo_stylegan.objective:StyleGAN",
    presets={
        "paper": Preset({"image_size": 1024, "channels": 3}, {"ema_images": 10_000}),
        "emoji": Preset(
            {**SMALL, "fmap_base": 768, "image_size": 32, "channels": 3, "gamma": 2.0, "mixing": 0.5, "batches": (16,),
             "lrs": (3e-3,), "fade_images": 8_000, "settle_images": 6_000, "images": 32_000},
            {"ema_images": 4_000},
        ),
        "digits": Preset(
            {**SMALL, "image_size": 16, "channels": 1, "gamma": 1.0, "batches": (32,),
             "fade_images": 10_000, "settle_images": 20_000, "images": 30_000},
            {"ema_images": 4_000},
        ),
        "tiny": Preset(
            {**TINY, "batches": (8,), "fade_images": 4_000, "settle_images": 4_000, "images": 8_000},
            {"batch_size": 8},
        ),
    },
)  # fmt: skip

STYLEGAN2 = Family(
    name="stylegan2",
    summary="styles scale weights instead of normalising maps, pictures are summed over skips, nothing grows",
    paper=Paper(
        title="Analyzing and Improving the Image Quality of StyleGAN",
        authors=("Tero Karras", "Samuli Laine", "Miika Aittala", "Janne Hellsten", "Jaakko Lehtinen", "Timo Aila"),
        year=2019,
        arxiv="1912.04958",
    ),
    networks="ganzoo_stylegan.networks2:networks",
    objective="ganzoo_stylegan.objective2:StyleGAN2",
    presets={
        "paper": Preset({"image_size": 1024, "channels": 3}, {"batch_size": 32, "ema_images": 10_000}),
        "ada256": Preset(
            {"image_size": 256, "channels": 3, "fmap_base": 16384, "group": 8, "gamma": 1.0, "lr": 2.5e-3,
             "augment": "ada"},
            {"batch_size": 64, "ema_images": 20_000},
        ),
        "emoji": Preset(
            {**SMALL, "fmap_base": 768, "image_size": 32, "channels": 3, "gamma": 1.0, "lr": 3e-3, "mixing": 0.5,
             "augment": "ada", "images": 60_000},
            {"batch_size": 16, "ema_images": 4_000},
        ),
        "digits": Preset(
            {**SMALL, "image_size": 16, "channels": 1, "gamma": 1.0, "images": 60_000},
            {"batch_size": 32, "ema_images": 4_000},
        ),
        "tiny": Preset({**TINY, "images": 20_000}, {"batch_size": 8}),
    },
    aliases=("StyleGAN2-ADA",),
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [STYLEGAN, STYLEGAN2]


@hookimpl
def ganzoo_layouts() -> Iterable[Layout]:
    here, whose = "ganzoo_stylegan.layouts", "stylegan2-pytorch, the common port"
    return [
        Layout("port_stylegan2_g", "stylegan2", whose, f"{here}:of_g", f"{here}:g", "G", ("g_ema", "g")),
        Layout("port_stylegan2_d", "stylegan2", whose, f"{here}:of_d", f"{here}:d", "D", ("d",)),
    ]

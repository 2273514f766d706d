"""What ganzoo-srgan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Layout, Paper, Preset, hookimpl

SMALL = {
    "image_size": 96, "channels": 3, "scale": 4, "width": 32, "blocks": 6, "norm": "none", "skip": "bicubic",
    "d_width": 24, "d_hidden": 128, "content": "pixels", "mse_lr": 1e-3, "mse_lr_end": 0.0, "mse_images": 48_000,
}  # fmt: skip

SRGAN = Family(
    name="srgan",
    summary="a residual network enlarges photographs four times; a discriminator makes it draw texture",
    task="super_resolution",
    paper=Paper(
        title="Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network",
        authors=(
            "Christian Ledig", "Lucas Theis", "Ferenc Huszár", "Jose Caballero", "Andrew Cunningham",
            "Alejandro Acosta", "Andrew Aitken", "Alykhan Tejani", "Johannes Totz", "Zehan Wang", "Wenzhe Shi",
        ),
        year=2016,
        arxiv="1609.04802",
    ),
    networks="ganzoo_srgan.networks:networks",
    objective="ganzoo_srgan.objective:SRGAN",
    presets={
        "paper": Preset({"image_size": 96, "channels": 3, "scale": 4}, {"batch_size": 16}),
        "kodak": Preset(
            {**SMALL, "lr": 2e-4, "images": 4_800}, {"batch_size": 8, "ema_images": 1_500}
        ),
        "kodak_mse": Preset({**SMALL, "images": 0}, {"batch_size": 8}),
        "tiny": Preset(
            {
                "image_size": 32, "channels": 3, "scale": 4, "width": 8, "blocks": 2, "d_width": 8, "d_hidden": 16,
                "content": "pixels", "mse_images": 4_000, "images": 4_000,
            },
            {"batch_size": 8},
        ),
    },
    aliases=("srresnet",),
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [SRGAN]


@hookimpl
def ganzoo_layouts() -> Iterable[Layout]:
    here, whose = "ganzoo_srgan.layouts", "SRGAN-PyTorch"
    return [
        Layout("srresnet", "srgan", whose, f"{here}:of_g", f"{here}:g", "G", ("generator",)),
    ]

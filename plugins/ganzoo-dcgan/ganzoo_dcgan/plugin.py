"""What ganzoo-dcgan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Layout, Paper, Preset, hookimpl

DCGAN = Family(
    name="dcgan",
    summary="the first convolutional GAN that trains stably: strides, batch norm and Adam",
    paper=Paper(
        title="Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks",
        authors=("Alec Radford", "Luke Metz", "Soumith Chintala"),
        year=2015,
        arxiv="1511.06434",
    ),
    networks="ganzoo_dcgan.networks:networks",
    objective="ganzoo_dcgan.objective:DCGAN",
    presets={
        "paper": Preset({"image_size": 64, "channels": 3, "width": 64}, {"batch_size": 128}),
        "mnist": Preset(
            {"image_size": 32, "channels": 1, "width": 48, "images": 600_000},
            {"batch_size": 64, "ema_images": 10_000},
        ),
        "digits": Preset(
            {"image_size": 16, "channels": 1, "width": 32, "images": 90_000},
            {"batch_size": 32, "ema_images": 2_000},
        ),
        "pictures": Preset(
            {"image_size": 64, "channels": 3, "width": 32, "augment": "diffaugment", "images": 200_000},
            {"batch_size": 32, "ema_images": 10_000},
            suits="folder",
        ),
        "pictures128": Preset(
            {"image_size": 128, "channels": 3, "width": 24, "augment": "diffaugment", "images": 200_000},
            {"batch_size": 32, "ema_images": 10_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "width": 8, "z_dim": 16, "images": 20_000}, {"batch_size": 16}
        ),
    },
)


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [DCGAN]


@hookimpl
def ganzoo_layouts() -> Iterable[Layout]:
    here, whose = "ganzoo_dcgan.layouts", "pytorch/examples' DCGAN and its many descendants"
    return [
        Layout("dcgan_g", "dcgan", whose, f"{here}:of_g", f"{here}:same", "G", ("netG", "generator")),
        Layout("dcgan_d", "dcgan", whose, f"{here}:of_d", f"{here}:same", "D", ("netD", "discriminator")),
    ]

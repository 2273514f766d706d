"""What ganzoo-stackgan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Metric, Paper, Preset, hookimpl

SPOKEN = {"channels": 3, "z_dim": 64, "dim": 128, "t_width": 32, "v_width": 16}
SMALL = {**SPOKEN, "width": 24, "d_width": 40, "c_dim": 64, "halvings": 2, "lr": 5e-4, "lam": 0.01, "keep": 1.0}
TINY = {"channels": 3, "z_dim": 8, "dim": 12, "t_width": 8, "v_width": 4, "words_images": 8_000}

GAN_CLS = Family(
    name="gan_cls",
    summary="words into pictures: the discriminator is told about pictures whose words do not fit",
    task="text_to_image",
    paper=Paper(
        title="Generative Adversarial Text to Image Synthesis",
        authors=("Scott Reed", "Zeynep Akata", "Xinchen Yan", "Lajanugen Logeswaran", "Bernt Schiele", "Honglak Lee"),
        year=2016,
        arxiv="1605.05396",
    ),
    networks="ganzoo_stackgan.cls:networks",
    objective="ganzoo_stackgan.cls:GANCLS",
    presets={
        "paper": Preset({"image_size": 64, "channels": 3}, {"batch_size": 64}),
        "shapes": Preset(
            {
                **SPOKEN,
                "image_size": 32,
                "width": 32,
                "nt": 64,
                "mix": 1,
                "lr": 5e-4,
                "words_images": 90_000,
                "images": 150_000,
            },
            {"batch_size": 32, "ema_images": 4_000},
        ),
        "tiny": Preset({**TINY, "image_size": 16, "width": 8, "nt": 8, "mix": 1, "images": 8_000}, {"batch_size": 8}),
    },
    aliases=("GAN-INT-CLS", "GAN-INT"),
)

STACKGAN = Family(
    name="stackgan",
    summary="words into pictures in two stages: a sketch, then a picture of four times the side",
    task="text_to_image",
    paper=Paper(
        title="StackGAN: Text to Photo-realistic Image Synthesis with Stacked Generative Adversarial Networks",
        authors=(
            "Han Zhang", "Tao Xu", "Hongsheng Li", "Shaoting Zhang", "Xiaogang Wang", "Xiaolei Huang",
            "Dimitris Metaxas",
        ),
        year=2017,
        arxiv="1612.03242",
    ),
    networks="ganzoo_stackgan.networks:networks",
    objective="ganzoo_stackgan.objective:StackGAN",
    presets={
        "paper": Preset({"image_size": 256, "small": 64, "channels": 3}, {"batch_size": 64}),
        "birds": Preset(
            {
                "image_size": 256, "small": 64, "channels": 3, "width": 128, "d_width": 64, "blocks": 4,
                "stage1_images": 5_300_000, "images": 5_300_000,
            },
            {"batch_size": 64},
        ),
        "emoji64": Preset(
            {
                **SMALL, "image_size": 64, "small": 32, "augment": "diffaugment", "words_images": 64_000,
                "stage1_images": 360_000, "images": 1_600,
            },
            {"batch_size": 32, "ema_images": 4_000},
        ),
        "tiny": Preset(
            {
                **TINY, "image_size": 16, "small": 8, "width": 4, "d_width": 4, "c_dim": 6, "blocks": 1,
                "stage1_images": 8_000, "images": 8_000,
            },
            {"batch_size": 8},
        ),
    },
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [GAN_CLS, STACKGAN]


@hookimpl
def ganzoo_metrics() -> Iterable[Metric]:
    return [
        Metric(
            "r_precision",
            "share of pictures that fit their own caption better than 99 others, by the model's own encoders",
            "ganzoo_stackgan.precision:r_precision",
            ("text_to_image",),
        )
    ]

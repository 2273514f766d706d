"""What ganzoo-cyclegan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Layout, Paper, Preset, hookimpl

CYCLEGAN = Family(
    name="cyclegan",
    summary="one kind of picture into another and back, without pairs: what goes there and back must be the same",
    task="translation",
    paper=Paper(
        title="Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
        authors=("Jun-Yan Zhu", "Taesung Park", "Phillip Isola", "Alexei A. Efros"),
        year=2017,
        arxiv="1703.10593",
    ),
    networks="ganzoo_cyclegan.networks:networks",
    objective="ganzoo_cyclegan.objective:CycleGAN",
    presets={
        "paper": Preset({"image_size": 256, "channels": 3}, {"batch_size": 1}),
        "paper128": Preset({"image_size": 128, "channels": 3, "blocks": 6}, {"batch_size": 1}),
        "noto2blob": Preset(
            {"image_size": 64, "channels": 3, "width": 16, "blocks": 4, "d_width": 16, "images": 12_000},
            {"batch_size": 2, "ema_images": 1_000},
        ),
        "twemoji2noto": Preset(
            {"image_size": 32, "channels": 3, "width": 16, "blocks": 4, "d_width": 16, "patch": 34, "lr": 3e-4,
             "images": 12_000},
            {"batch_size": 4, "ema_images": 1_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 3, "width": 4, "blocks": 1, "d_width": 4, "patch": 16, "pool": 6,
             "images": 5_000},
            {"batch_size": 4},
        ),
    },
)  # fmt: skip

DISCOGAN = Family(
    name="discogan",
    summary="one kind of picture into another and back, without pairs: narrow networks, and features that match",
    task="translation",
    paper=Paper(
        title="Learning to Discover Cross-Domain Relations with Generative Adversarial Networks",
        authors=("Taeksoo Kim", "Moonsu Cha", "Hyunsoo Kim", "Jung Kwon Lee", "Jiwon Kim"),
        year=2017,
        arxiv="1703.05192",
    ),
    networks="ganzoo_cyclegan.discogan:networks",
    objective="ganzoo_cyclegan.discogan:DiscoGAN",
    presets={
        "paper": Preset({"image_size": 64, "channels": 3}, {"batch_size": 64}),
        "bottleneck": Preset({"image_size": 64, "channels": 3, "bottleneck": 100}, {"batch_size": 64}),
        "tiny": Preset(
            {"image_size": 16, "channels": 3, "width": 8, "warm_up": 1_000, "images": 4_000}, {"batch_size": 8}
        ),
    },
)

DUALGAN = Family(
    name="dualgan",
    summary="one kind of picture into another and back, without pairs: U-Nets under Wasserstein critics",
    task="translation",
    paper=Paper(
        title="DualGAN: Unsupervised Dual Learning for Image-to-Image Translation",
        authors=("Zili Yi", "Hao Zhang", "Ping Tan", "Minglun Gong"),
        year=2017,
        arxiv="1704.02510",
    ),
    networks="ganzoo_cyclegan.dualgan:networks",
    objective="ganzoo_cyclegan.dualgan:DualGAN",
    presets={
        "paper": Preset({"image_size": 256, "channels": 3}, {"batch_size": 1}),
        "tiny": Preset(
            {"image_size": 16, "channels": 3, "width": 4, "levels": 4, "d_width": 4, "patch": 16, "lr": 5e-4,
             "images": 5_000},
            {"batch_size": 4},
        ),
    },
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [CYCLEGAN, DISCOGAN, DUALGAN]


@hookimpl
def ganzoo_layouts() -> Iterable[Layout]:
    here, whose = "ganzoo_cyclegan.layouts", "pytorch-CycleGAN-and-pix2pix"
    return [
        Layout("cyclegan_g", "cyclegan", whose, f"{here}:of_translator", f"{here}:translator", "G", ("G_A", "A2B")),
        Layout("cyclegan_f", "cyclegan", whose, f"{here}:of_translator", f"{here}:translator", "F", ("G_B", "B2A")),
        Layout(
            "cyclegan_d_y", "cyclegan", whose, f"{here}:of_judge", "ganzoo_pix2pix.layouts:patches", "D_Y", ("D_A",)
        ),
        Layout(
            "cyclegan_d_x", "cyclegan", whose, f"{here}:of_judge", "ganzoo_pix2pix.layouts:patches", "D_X", ("D_B",)
        ),
    ]

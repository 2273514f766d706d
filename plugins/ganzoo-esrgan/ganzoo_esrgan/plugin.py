"""What ganzoo-esrgan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Layout, Paper, Preset, hookimpl

SMALL = {
    "channels": 3, "scale": 4, "width": 32, "grow": 16, "blocks": 3, "skip": "bicubic", "d_width": 24,
    "content": "lite0", "psnr_lr": 5e-4,
}  # fmt: skip
TINY = {
    "image_size": 32, "channels": 3, "scale": 4, "width": 8, "grow": 4, "blocks": 1, "d_width": 8,
    "content": "pixels", "psnr_images": 4_000, "images": 4_000,
}  # fmt: skip

ESRGAN = Family(
    name="esrgan",
    summary="residual-in-residual dense blocks enlarge photographs four times; a relativistic judge sharpens them",
    task="super_resolution",
    paper=Paper(
        title="ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks",
        authors=(
            "Xintao Wang", "Ke Yu", "Shixiang Wu", "Jinjin Gu", "Yihao Liu", "Chao Dong", "Chen Change Loy", "Yu Qiao",
            "Xiaoou Tang",
        ),
        year=2018,
        arxiv="1809.00219",
    ),
    networks="ganzoo_esrgan.networks:networks",
    objective="ganzoo_esrgan.objective:ESRGAN",
    presets={
        "paper": Preset({"image_size": 128, "channels": 3, "scale": 4}, {"batch_size": 16}),
        "kodak": Preset(
            {**SMALL, "image_size": 96, "psnr_images": 40_000, "images": 4_000, "d_hidden": 100},
            {"batch_size": 8, "ema_images": 1_500},
        ),
        "tiny": Preset({**TINY, "d_hidden": 16}, {"batch_size": 8}),
    },
)  # fmt: skip

REAL_ESRGAN = Family(
    name="real_esrgan",
    summary="the same network learns from photographs that are blurred, resized, made noisy and compressed twice",
    task="super_resolution",
    paper=Paper(
        title="Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data",
        authors=("Xintao Wang", "Liangbin Xie", "Chao Dong", "Ying Shan"),
        year=2021,
        arxiv="2107.10833",
    ),
    networks="ganzoo_esrgan.networks:real_networks",
    objective="ganzoo_esrgan.objective:RealESRGAN",
    presets={
        "paper": Preset({"image_size": 256, "channels": 3, "scale": 4}, {"batch_size": 48, "ema_images": 33_254}),
        "x2": Preset({"image_size": 256, "channels": 3, "scale": 2}, {"batch_size": 48, "ema_images": 33_254}),
        "anime6b": Preset(
            {"image_size": 256, "channels": 3, "scale": 4, "blocks": 6}, {"batch_size": 48, "ema_images": 33_254}
        ),
        "kodak": Preset(
            {**SMALL, "image_size": 96, "psnr_images": 40_000, "images": 4_000},
            {"batch_size": 8, "ema_images": 1_500},
        ),
        "tiny": Preset(TINY, {"batch_size": 4}),
    },
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [ESRGAN, REAL_ESRGAN]


@hookimpl
def ganzoo_layouts() -> Iterable[Layout]:
    here = "ganzoo_esrgan.layouts"
    return [
        Layout("rrdbnet", family, whose, f"{here}:of_g", f"{here}:{table}", "G", ("generator",))
        for family in ("esrgan", "real_esrgan")
        for whose, table in (("BasicSR", "basicsr"), ("ESRGAN", "esrgan"))
    ]

"""What ganzoo-inpainting contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, View, hookimpl

PIXELS = {"image_size": 256, "channels": 3}

GLCIC = Family(
    name="glcic",
    summary="fills holes anywhere: dilated convolutions see far, and D sees the whole picture and the part",
    task="inpainting",
    paper=Paper(
        title="Globally and Locally Consistent Image Completion",
        authors=("Satoshi Iizuka", "Edgar Simo-Serra", "Hiroshi Ishikawa"),
        year=2017,
        arxiv="",
    ),
    networks="ganzoo_inpainting.glcic_networks:networks",
    objective="ganzoo_inpainting.glcic:GLCIC",
    presets={
        "paper": Preset(PIXELS, {"batch_size": 96}),
        "emoji": Preset(
            {"image_size": 32, "channels": 3, "width": 24, "local": 16, "d_width": 24, "units": 128,
             "images_c": 60_000, "images_d": 4_000, "images": 30_000},
            {"batch_size": 32, "ema_images": 2_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 3, "width": 4, "local": 8, "d_width": 4, "units": 8, "images_c": 2_000,
             "images_d": 1_000, "images": 4_000},
            {"batch_size": 8},
        ),
    },
    aliases=("Globally and Locally Consistent Image Completion",),
)  # fmt: skip

DEEPFILL = Family(
    name="deepfill",
    summary="fills free-form holes: gates learn which pixels count, attention copies what is there already",
    task="inpainting",
    paper=Paper(
        title="Free-Form Image Inpainting with Gated Convolution",
        authors=("Jiahui Yu", "Zhe Lin", "Jimei Yang", "Xiaohui Shen", "Xin Lu", "Thomas Huang"),
        year=2018,
        arxiv="1806.03589",
    ),
    networks="ganzoo_inpainting.deepfill_networks:networks",
    objective="ganzoo_inpainting.deepfill:DeepFill",
    presets={
        "paper": Preset(PIXELS, {"batch_size": 16}),
        "emoji": Preset(
            {"image_size": 64, "channels": 3, "width": 16, "d_width": 16, "halvings": 4, "l1": 4.0, "lr": 5e-4,
             "images": 36_000},
            {"batch_size": 16, "ema_images": 2_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 3, "width": 8, "d_width": 4, "halvings": 2, "images": 4_000},
            {"batch_size": 8},
        ),
    },
    aliases=("DeepFill v2", "gated convolution"),
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [GLCIC, DEEPFILL]


@hookimpl
def ganzoo_views() -> Iterable[View]:
    here = "ganzoo_inpainting.holes"
    return [
        View("boxes", "with a box anywhere as a hole, in training another one each time", f"{here}:Boxes", ("mask",)),
        View("free_form", "with strokes of a brush as holes, likewise", f"{here}:FreeForms", ("mask",)),
    ]

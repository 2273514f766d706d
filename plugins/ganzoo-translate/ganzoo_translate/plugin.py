"""What ganzoo-translate contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

PIXELS = {"image_size": 256, "channels": 3}
TWEMOJI = {"image_size": 32, "channels": 3, "width": 16, "d_width": 16, "lr": 3e-4, "images": 12_000}
TINY = {"image_size": 16, "channels": 3, "width": 4, "blocks": 1, "d_width": 4, "images": 5_000}
AVERAGED = {"batch_size": 4, "ema_images": 1_000}

DISTANCE = Family(
    name="distance_gan",
    summary="one kind of picture into another without pairs or a way back: distances between pictures are kept",
    task="translation",
    paper=Paper(
        title="One-Sided Unsupervised Domain Mapping", authors=("Sagie Benaim", "Lior Wolf"), year=2017,
        arxiv="1706.00826",
    ),
    networks="ganzoo_translate.networks:one_sided",
    objective="ganzoo_translate.distance:DistanceGAN",
    presets={
        "small": Preset(PIXELS, {"batch_size": 2}),
        "twemoji2noto": Preset({**TWEMOJI, "blocks": 4, "patch": 34, "distance": 2.0, "images": 20_000}, AVERAGED),
        "tiny": Preset({**TINY, "patch": 16, "pool": 6, "distance": 0.5, "self_distance": 0.5}, {"batch_size": 4}),
    },
    aliases=("DistanceGAN",),
)  # fmt: skip

GEOMETRY = Family(
    name="gcgan",
    summary="one kind of picture into another without pairs or a way back: what is made of a turned picture is turned",
    task="translation",
    paper=Paper(
        title="Geometry-Consistent Generative Adversarial Networks for One-Sided Unsupervised Domain Mapping",
        authors=(
            "Huan Fu", "Mingming Gong", "Chaohui Wang", "Kayhan Batmanghelich", "Kun Zhang", "Dacheng Tao",
        ),
        year=2018,
        arxiv="1809.05852",
    ),
    networks="ganzoo_translate.networks:geometric",
    objective="ganzoo_translate.geometry:GcGAN",
    presets={
        "small": Preset(PIXELS, {"batch_size": 1}),
        "twemoji2noto": Preset({**TWEMOJI, "blocks": 4, "patch": 34}, AVERAGED),
        "tiny": Preset({**TINY, "patch": 16, "pool": 6}, {"batch_size": 4}),
    },
    aliases=("GcGAN",),
)  # fmt: skip

UGATIT = Family(
    name="ugatit",
    summary="two translators that look where the domains differ, between instance norm and layer norm",
    task="translation",
    paper=Paper(
        title=(
            "U-GAT-IT: Unsupervised Generative Attentional Networks with Adaptive Layer-Instance Normalization for "
            "Image-to-Image Translation"
        ),
        authors=("Junho Kim", "Minjae Kim", "Hyeonwoo Kang", "Kwanghee Lee"),
        year=2019,
        arxiv="1907.10830",
    ),
    networks="ganzoo_translate.ugatit_networks:networks",
    objective="ganzoo_translate.ugatit:UGATIT",
    presets={
        "paper": Preset(PIXELS, {"batch_size": 1}),
        "full": Preset({**PIXELS, "light": False}, {"batch_size": 1}),
        "twemoji2noto": Preset(
            {**TWEMOJI, "blocks": 2, "wide": 5, "near": 4, "cam": 100.0, "images": 8_000}, AVERAGED
        ),
        "tiny": Preset({**TINY, "wide": 4, "near": 3}, {"batch_size": 4}),
    },
    aliases=("U-GAT-IT",),
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [DISTANCE, GEOMETRY, UGATIT]

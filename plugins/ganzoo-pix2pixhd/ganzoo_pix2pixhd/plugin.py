"""What ganzoo-pix2pixhd contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import BatchKey, DatasetEntry, Family, KindEntry, Paper, Preset, Task, hookimpl

SCENES = {
    "image_size": 64, "channels": 3, "labels": 4, "width": 8, "halvings": 2, "blocks": 3, "enhancer": True,
    "local_blocks": 2, "d_width": 16, "scales": 2, "content": "lite0", "percep": 1.0, "global_images": 12_000,
    "local_images": 4_000, "images": 24_000,
}  # fmt: skip
TINY = {
    "image_size": 16, "channels": 3, "labels": 3, "width": 4, "halvings": 1, "blocks": 1, "enhancer": True,
    "local_blocks": 1, "d_width": 4, "scales": 2, "percep": 0.0, "global_images": 1_000, "local_images": 1_000,
    "images": 2_000,
}  # fmt: skip
HD = {"image_size": 1024, "channels": 3, "width": 32, "enhancer": True, "scales": 3, "images": 267_750}

PIX2PIXHD = Family(
    name="pix2pixhd",
    summary="large pictures of label maps: a coarse network, then a fine one around it, judged at several scales",
    task="semantic_synthesis",
    paper=Paper(
        title="High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs",
        authors=("Ting-Chun Wang", "Ming-Yu Liu", "Jun-Yan Zhu", "Andrew Tao", "Jan Kautz", "Bryan Catanzaro"),
        year=2017,
        arxiv="1711.11585",
    ),
    networks="ganzoo_pix2pixhd.networks:networks",
    objective="ganzoo_pix2pixhd.objective:Pix2PixHD",
    presets={
        "paper": Preset({"image_size": 512, "channels": 3}, {"batch_size": 1}),
        "hd": Preset(HD, {"batch_size": 1}),
        "scenes": Preset(SCENES, {"batch_size": 8, "ema_images": 1_000}),
        "tiny": Preset(TINY, {"batch_size": 4}),
    },
    aliases=("pix2pixHD",),
)

SPADE = Family(
    name="spade",
    summary="pictures of label maps: the map scales and shifts every norm, place by place, so that none washes it out",
    task="semantic_synthesis",
    paper=Paper(
        title="Semantic Image Synthesis with Spatially-Adaptive Normalization",
        authors=("Taesung Park", "Ming-Yu Liu", "Ting-Chun Wang", "Jun-Yan Zhu"),
        year=2019,
        arxiv="1903.07291",
    ),
    networks="ganzoo_pix2pixhd.spade_networks:networks",
    objective="ganzoo_pix2pixhd.spade:SPADE",
    presets={
        "paper": Preset({"image_size": 256, "channels": 3}, {"batch_size": 32}),
        "scenes": Preset(
            {"image_size": 64, "channels": 3, "labels": 4, "widths": (96, 96, 64, 32, 16), "hidden": 24, "d_width": 16,
             "content": "lite0", "percep": 1.0, "g_lr": 4e-4, "d_lr": 8e-4, "images": 24_000},
            {"batch_size": 8, "ema_images": 1_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 3, "labels": 3, "widths": (8, 8, 4), "hidden": 4, "d_width": 4,
             "percep": 0.0, "images": 4_000},
            {"batch_size": 4},
        ),
    },
    aliases=("GauGAN",),
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [PIX2PIXHD, SPADE]


@hookimpl
def ganzoo_tasks() -> Iterable[Task]:
    return [Task("semantic_synthesis", "pictures of label maps", "image-to-image")]


@hookimpl
def ganzoo_kinds() -> Iterable[KindEntry]:
    what = "labels one-hot, and where one thing ends and another begins"
    return [KindEntry("label_map", what, "ganzoo_pix2pixhd.maps:LabelMap")]


@hookimpl
def ganzoo_batch_keys() -> Iterable[BatchKey]:
    what = "labels one-hot and the edges of instances, float32 [n, labels + 1, H, W]"
    return [BatchKey("map", what, "ganzoo_pix2pixhd.maps:noise")]


@hookimpl
def ganzoo_datasets() -> Iterable[DatasetEntry]:
    return [
        DatasetEntry(
            "scenes",
            "balls, boxes and tents that hide one another, with exact label and instance maps: drawn by formula",
            ("map", "a", "b"),
            "CC0-1.0",
            "ganzoo_pix2pixhd.scenes:open_scenes",
            ("train", "test"),
        )
    ]

"""What ganzoo-masks contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import (
    BatchKey,
    DatasetEntry,
    Family,
    KindEntry,
    Metric,
    Paper,
    Preset,
    Task,
    View,
    hookimpl,
)

SEGMENTATION = Task("segmentation", "which part of a picture is the thing", "image-segmentation")
SMALL = {"image_size": 64, "channels": 3, "width": 8, "c_width": 16, "depth": 4}

SEGAN = Family(
    name="segan_seg",
    summary="a mask for a picture: what it cuts out, and what the true one does, look alike to a critic at all scales",
    task=SEGMENTATION.name,
    paper=Paper(
        title="SegAN: Adversarial Network with Multi-scale L1 Loss for Medical Image Segmentation",
        authors=("Yuan Xue", "Tao Xu", "Han Zhang", "L. Rodney Long", "Xiaolei Huang"),
        year=2018,
        arxiv="1706.01805",
    ),
    networks="ganzoo_masks.networks:networks",
    objective="ganzoo_masks.segan:SegAN",
    presets={
        "small": Preset({**SMALL, "lr": 1e-3, "halvings": 4, "images": 12_000}, {"batch_size": 16, "ema_images": 500}),
        "paper": Preset({"image_size": 128, "channels": 3}, {"batch_size": 64}),
        "tiny": Preset(
            {"image_size": 16, "channels": 3, "width": 4, "c_width": 4, "depth": 2, "images": 4_000}, {"batch_size": 8}
        ),
    },
    aliases=("SegAN",),
)


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [SEGAN]


@hookimpl
def ganzoo_tasks() -> Iterable[Task]:
    return [SEGMENTATION]


@hookimpl
def ganzoo_kinds() -> Iterable[KindEntry]:
    return [KindEntry("masks", "how sure it is of each pixel, [1, H, W] in [0, 1]", "ganzoo_masks.kinds:Masks")]


@hookimpl
def ganzoo_batch_keys() -> Iterable[BatchKey]:
    here = "ganzoo_masks.noise"
    return [
        BatchKey("photo", "what a mask is wanted of, float32 [n, C, H, W] in [-1, 1]", f"{here}:photo"),
        BatchKey("region", "1 where the thing is, else 0, float32 [n, 1, H, W]", f"{here}:region"),
    ]


@hookimpl
def ganzoo_datasets() -> Iterable[DatasetEntry]:
    return [
        DatasetEntry(
            name="retina",
            summary="parts of one photograph of the back of an eye, 64x64, colour, at half its size",
            keys=("x",),
            licence="CC0-1.0",
            open="ganzoo_masks.retina:open_retina",
            variants=("train", "test"),
        )
    ]


@hookimpl
def ganzoo_views() -> Iterable[View]:
    here, keys = "ganzoo_masks.silhouettes", ("photo", "region")
    return [
        View("silhouettes", "pictures on white, and their silhouettes", f"{here}:Silhouettes", keys),
        View("cluttered", "likewise, before mottled grounds of all colours", f"{here}:Cluttered", keys),
        View("vessels", "pictures, and where thin dark lines run: by a filter", "ganzoo_masks.vessels:Vessels", keys),
    ]


@hookimpl
def ganzoo_metrics() -> Iterable[Metric]:
    here, tasks, kinds = "ganzoo_masks.scores", (SEGMENTATION.name,), ("masks",)
    return [
        Metric(
            "iou", "what both masks have of what either has, picture by picture; and by Otsu's threshold",
            f"{here}:iou", tasks, kinds, higher=True,
        ),
        Metric(
            "dice", "twice what both masks have, of what they have together; and by Otsu's threshold",
            f"{here}:dice", tasks, kinds, higher=True,
        ),
    ]  # fmt: skip

"""What ganzoo-volumes contributes. Imports no torch."""

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

VOLUME = Task("volume", "solids made of voxels")
SMALL = {"image_size": 32, "width": 16, "z_dim": 64, "z_low": -1.0, "d_lr": 2e-4}

GAN3D = Family(
    name="gan3d",
    summary="DCGAN in three dimensions: noise becomes a solid of voxels; D rests while it is too far ahead",
    task=VOLUME.name,
    paper=Paper(
        title="Learning a Probabilistic Latent Space of Object Shapes via 3D Generative-Adversarial Modeling",
        authors=("Jiajun Wu", "Chengkai Zhang", "Tianfan Xue", "William T. Freeman", "Joshua B. Tenenbaum"),
        year=2016,
        arxiv="1610.07584",
    ),
    networks="ganzoo_volumes.networks:networks",
    objective="ganzoo_volumes.gan3d:GAN3D",
    presets={
        "small": Preset({**SMALL, "images": 30_000}, {"batch_size": 16, "ema_images": 1_000}),
        "paper": Preset({"image_size": 64}, {"batch_size": 100}),
        "tiny": Preset({"image_size": 16, "width": 4, "z_dim": 8, "images": 4_000}, {"batch_size": 8}),
    },
    aliases=("3D-GAN", "3DGAN"),
)


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [GAN3D]


@hookimpl
def ganzoo_tasks() -> Iterable[Task]:
    return [VOLUME]


@hookimpl
def ganzoo_kinds() -> Iterable[KindEntry]:
    what = "how sure it is that each cell is filled, [1, X, Y, Z] in [0, 1]"
    return [KindEntry("volumes", what, "ganzoo_volumes.kinds:Volumes")]


@hookimpl
def ganzoo_batch_keys() -> Iterable[BatchKey]:
    what = "solids, 1 where they are filled, float32 [n, 1, X, Y, Z], z upward"
    return [BatchKey("voxels", what, "ganzoo_volumes.solids:noise")]


@hookimpl
def ganzoo_datasets() -> Iterable[DatasetEntry]:
    return [
        DatasetEntry(
            name="solids",
            summary="4,096 balls, boxes, cylinders, cones and rings by formula, 32 cells a side; or chairs",
            keys=("voxels", "label"),
            licence="CC0-1.0",
            open="ganzoo_volumes.solids:open_solids",
            variants=("train", "test", "chairs", "chairs_test"),
        )
    ]


@hookimpl
def ganzoo_views() -> Iterable[View]:
    what = "a folder of .npy and .binvox: solids of voxels"
    return [View("voxels", what, "ganzoo_volumes.folders:open_voxels", ("voxels",), of_path=True)]


@hookimpl
def ganzoo_metrics() -> Iterable[Metric]:
    here, tasks, kinds = "ganzoo_volumes.scores", (VOLUME.name,), ("volumes",)
    return [
        Metric(
            "shape_frechet",
            "Fréchet distance of how full 64 parts of samples and of data are, and of their surface there",
            f"{here}:shape_frechet", tasks, kinds,
        ),
        Metric(
            "connected", "share of samples that are one piece, but for a hundredth; and of the data",
            f"{here}:connected", tasks, kinds, share_of="n", higher=True,
        ),
        Metric(
            "nearest_iou", "overlap (IoU) with the nearest of the data; and of the data with the nearest sample",
            f"{here}:nearest_iou", tasks, kinds, higher=True,
        ),
    ]  # fmt: skip

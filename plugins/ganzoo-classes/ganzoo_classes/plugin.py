"""What ganzoo-classes contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

NETWORKS = "ganzoo_classes.networks"
SMALL = {
    "image_size": 32, "channels": 1, "g_widths": (128, 96, 48, 24), "d_widths": (24, 48, 96, 96), "d_halvings": 3,
}  # fmt: skip
TINY = {
    "image_size": 16, "channels": 1, "g_widths": (16, 16, 8), "d_widths": (8, 16, 16), "d_halvings": 2,
    "images": 20_000,
}  # fmt: skip
WIDE = {"image_size": 64, "g_widths": (1024, 512, 256, 128, 64), "d_widths": (64, 128, 256, 512, 1024), "d_halvings": 5}
WIDER = {
    "image_size": 128, "g_widths": (1024, 1024, 512, 256, 128, 64), "d_widths": (64, 128, 256, 512, 1024, 1024),
    "d_halvings": 5,
}  # fmt: skip
CHUNKS = {"classes": 10, "z_chunk": 16, "y_dim": 32, "attention": 16, "embedding": 64, "standing": 16}
COMPARING = {  # small presets of both games that compare
    "mnist": Preset(
        {**SMALL, **CHUNKS, "n_dis": 2, "lr": 5e-4, "images": 110_000}, {"batch_size": 32, "ema_images": 8_000}
    ),
    "tiny": Preset(
        {**TINY, **CHUNKS, "z_chunk": 8, "y_dim": 8, "attention": 8, "embedding": 16, "standing": 2},
        {"batch_size": 16, "ema_images": 2_000},
    ),
}

SSGAN = Family(
    name="ssgan",
    summary="D also says by how much a picture has been turned: a task for which nobody needs to label",
    paper=Paper(
        title="Self-Supervised GANs via Auxiliary Rotation Loss",
        authors=("Ting Chen", "Xiaohua Zhai", "Marvin Ritter", "Mario Lucic", "Neil Houlsby"),
        year=2018,
        arxiv="1811.11212",
    ),
    networks=f"{NETWORKS}:rotating",
    objective="ganzoo_classes.ssgan:SSGAN",
    presets={
        "paper": Preset({"image_size": 32, "channels": 3}, {"batch_size": 64}),
        "imagenet64": Preset({"channels": 3, **WIDE}, {"batch_size": 64}),
        "imagenet128": Preset({"channels": 3, **WIDER}, {"batch_size": 64}),
        "mnist": Preset(
            {**SMALL, "z_dim": 64, "n_dis": 1, "lr": 4e-4, "images": 100_000},
            {"batch_size": 32, "ema_images": 8_000},
        ),
        "tiny": Preset({**TINY, "z_dim": 16}, {"batch_size": 16}),
    },
)

TWIN = Family(
    name="tacgan",
    summary="a second classifier, of samples alone, takes back what AC-GAN's classifier teaches too much",
    task="class_conditional",
    paper=Paper(
        title="Twin Auxiliary Classifiers GAN",
        authors=("Mingming Gong", "Yanwu Xu", "Chunyuan Li", "Kun Zhang", "Kayhan Batmanghelich"),
        year=2019,
        arxiv="1907.02690",
    ),
    networks=f"{NETWORKS}:twins",
    objective="ganzoo_classes.twin:TwinACGAN",
    presets={
        "small": Preset({"image_size": 32, "channels": 3, "classes": 10}, {"batch_size": 64}),
        "mnist": Preset(
            {**SMALL, "classes": 10, "z_dim": 64, "n_dis": 1, "lr": 4e-4, "images": 100_000},
            {"batch_size": 32, "ema_images": 8_000},
        ),
        "tiny": Preset({**TINY, "classes": 10, "z_dim": 16}, {"batch_size": 16}),
    },
    aliases=("Twin AC-GAN",),
)

CONTRA = Family(
    name="contragan",
    summary="pictures of one class are to look alike to D, and those of others unlike",
    task="class_conditional",
    paper=Paper(
        title="ContraGAN: Contrastive Learning for Conditional Image Generation",
        authors=("Minguk Kang", "Jaesik Park"),
        year=2020,
        arxiv="2006.12681",
    ),
    networks=f"{NETWORKS}:contrasting",
    objective="ganzoo_classes.contrast:ContraGAN",
    presets={
        "small": Preset({"image_size": 32, "channels": 3, "classes": 10}, {"batch_size": 64}),
        **COMPARING,
    },
)

REAC = Family(
    name="reacgan",
    summary="AC-GAN's classifier, of unit vectors and against the other pictures of the batch",
    task="class_conditional",
    paper=Paper(
        title="Rebooting ACGAN: Auxiliary Classifier GANs with Stable Training",
        authors=("Minguk Kang", "Woohyeon Shim", "Minsu Cho", "Jaesik Park"),
        year=2021,
        arxiv="2111.01118",
    ),
    networks=f"{NETWORKS}:contrasting",
    objective="ganzoo_classes.contrast:ReACGAN",
    presets={
        "small": Preset({"image_size": 32, "channels": 3, "classes": 10}, {"batch_size": 128}),
        **COMPARING,
    },
)


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [SSGAN, TWIN, CONTRA, REAC]

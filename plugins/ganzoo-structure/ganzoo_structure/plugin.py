"""What ganzoo-structure contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Metric, Paper, Preset, Task, View, hookimpl

ANOMALY = Task("anomaly_detection", "what is odd among pictures of one kind", "image-to-image")
LEFT_OUT = {"channels": 1, "image_size": 32}

GANOMALY = Family(
    name="ganomaly",
    summary="normal pictures are coded, made again and coded again; of an odd one the two codes differ",
    task=ANOMALY.name,
    paper=Paper(
        title="GANomaly: Semi-Supervised Anomaly Detection via Adversarial Training",
        authors=("Samet Akcay", "Amir Atapour-Abarghouei", "Toby P. Breckon"),
        year=2018,
        arxiv="1805.06725",
    ),
    networks="ganzoo_structure.ganomaly_networks:networks",
    objective="ganzoo_structure.ganomaly:GANomaly",
    presets={
        "paper": Preset({"image_size": 32, "channels": 3}, {"batch_size": 64}),
        "pictures64": Preset({"image_size": 64, "channels": 3}, {"batch_size": 64}),
        "mnist": Preset({**LEFT_OUT, "width": 16, "z_dim": 32, "lr": 1e-3, "images": 200_000}, {"batch_size": 64}),
        "tiny": Preset({"image_size": 16, "channels": 1, "width": 4, "z_dim": 8, "images": 20_000}, {"batch_size": 16}),
    },
)

ANOGAN = Family(
    name="anogan",
    summary="a GAN of normal pictures, and a search for the latent of any: what it cannot draw is odd",
    task=ANOMALY.name,
    paper=Paper(
        title="Unsupervised Anomaly Detection with Generative Adversarial Networks to Guide Marker Discovery",
        authors=(
            "Thomas Schlegl", "Philipp Seeböck", "Sebastian M. Waldstein", "Ursula Schmidt-Erfurth", "Georg Langs",
        ),
        year=2017,
        arxiv="1703.05921",
    ),
    networks="ganzoo_structure.anogan_networks:networks",
    objective="ganzoo_structure.anogan:AnoGAN",
    presets={
        "paper": Preset({"image_size": 64, "channels": 1}, {"batch_size": 64}),
        "mnist": Preset(
            {**LEFT_OUT, "width": 16, "z_dim": 32, "search_steps": 100, "search_lr": 0.05, "lr": 1e-3,
             "images": 200_000},
            {"batch_size": 64},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "width": 4, "z_dim": 8, "search_steps": 3, "images": 20_000},
            {"batch_size": 16},
        ),
    },
)  # fmt: skip

MSGGAN = Family(
    name="msggan",
    summary="pictures of all scales go from G straight to D: what growing does, without growing",
    task="unconditional",
    paper=Paper(
        title="MSG-GAN: Multi-Scale Gradients for Generative Adversarial Networks",
        authors=("Animesh Karnewar", "Oliver Wang"),
        year=2020,
        arxiv="1903.06048",
    ),
    networks="ganzoo_structure.msggan_networks:networks",
    objective="ganzoo_structure.msggan:MSGGAN",
    presets={
        "paper": Preset({"image_size": 64, "channels": 3}, {"batch_size": 36, "ema_images": 25_000}),
        "pictures256": Preset({"image_size": 256, "channels": 3}, {"batch_size": 36, "ema_images": 25_000}),
        "pictures1024": Preset({"image_size": 1024, "channels": 3}, {"batch_size": 36, "ema_images": 25_000}),
        "mnist": Preset(
            {"image_size": 32, "channels": 1, "z_dim": 64, "lr": 1e-3, "images": 100_000},
            {"batch_size": 32, "ema_images": 4_000},
        ),
        "tiny": Preset({"image_size": 16, "channels": 1, "z_dim": 16, "lr": 1e-2, "images": 20_000}, {"batch_size": 8}),
    },
    aliases=("MSG-GAN",),
)

STACKED = Family(
    name="stacked_gan",
    summary="a stack of GANs undoes a classifier layer by layer: class, features, picture",
    task="class_conditional",
    paper=Paper(
        title="Stacked Generative Adversarial Networks",
        authors=("Xun Huang", "Yixuan Li", "Omid Poursaeed", "John Hopcroft", "Serge Belongie"),
        year=2016,
        arxiv="1612.04357",
    ),
    networks="ganzoo_structure.stacked_networks:networks",
    objective="ganzoo_structure.stacked:StackedGAN",
    presets={
        "small": Preset({"image_size": 32, "channels": 1, "classes": 10}, {"batch_size": 100}),
        "mnist": Preset(
            {"image_size": 32, "channels": 1, "classes": 10, "width": 16, "e_width": 8, "features": 128, "units": 256,
             "z1": 32, "z0": 16, "lr": 5e-4, "images": 80_000, "images_alone": 60_000, "images_e": 30_000},
            {"batch_size": 64, "ema_images": 4_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "classes": 10, "width": 4, "e_width": 4, "features": 16, "units": 16,
             "z1": 4, "z0": 4, "images": 10_000, "images_alone": 5_000, "images_e": 5_000},
            {"batch_size": 16},
        ),
    },
)  # fmt: skip

DEBLURGAN = Family(
    name="deblurgan",
    summary="a blurred photograph made sharp: a residual translator under WGAN-GP's critic and the picture's content",
    task="translation",
    paper=Paper(
        title="DeblurGAN: Blind Motion Deblurring Using Conditional Adversarial Networks",
        authors=("Orest Kupyn", "Volodymyr Budzan", "Mykola Mykhailych", "Dmytro Mishkin", "Jiří Matas"),
        year=2018,
        arxiv="1711.07064",
    ),
    networks="ganzoo_structure.deblurgan_networks:networks",
    objective="ganzoo_structure.deblurgan:DeblurGAN",
    presets={
        "paper": Preset({"image_size": 256, "channels": 3}, {"batch_size": 1}),
        "kodak": Preset(
            {"image_size": 64, "channels": 3, "width": 16, "blocks": 6, "drop": 0.0, "d_width": 16, "patch": 34,
             "content": "lite0", "n_critic": 1, "lr": 5e-4, "images": 40_000},
            {"batch_size": 8, "ema_images": 4_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 3, "width": 4, "blocks": 1, "d_width": 4, "patch": 16, "n_critic": 2,
             "content": "pixels", "images": 5_000},
            {"batch_size": 4},
        ),
    },
)  # fmt: skip

LRGAN = Family(
    name="lrgan",
    summary="a ground, then one figure after another, each with a look, a shape and a place: layers nobody pointed out",
    task="unconditional",
    paper=Paper(
        title="LR-GAN: Layered Recursive Generative Adversarial Networks for Image Generation",
        authors=("Jianwei Yang", "Anitha Kannan", "Dhruv Batra", "Devi Parikh"),
        year=2017,
        arxiv="1703.01560",
    ),
    networks="ganzoo_structure.lrgan_networks:networks",
    objective="ganzoo_structure.lrgan:LRGAN",
    presets={
        "small": Preset({"image_size": 32, "channels": 3}, {"batch_size": 64}),
        "grounds": Preset(
            {"image_size": 32, "channels": 3, "width": 16, "d_width": 16, "z_dim": 32, "hidden": 64, "lr": 1e-3,
             "images": 200_000},
            {"batch_size": 64, "ema_images": 10_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 3, "width": 4, "d_width": 4, "z_dim": 4, "layers": 3, "hidden": 8,
             "images": 20_000},
            {"batch_size": 16},
        ),
    },
    aliases=("LR-GAN",),
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [GANOMALY, ANOGAN, MSGGAN, STACKED, DEBLURGAN, LRGAN]


@hookimpl
def ganzoo_tasks() -> Iterable[Task]:
    return [ANOMALY]


@hookimpl
def ganzoo_views() -> Iterable[View]:
    here = "ganzoo_structure.novelty"
    return [
        View("without", "all classes but one, without labels", f"{here}:Without", argument="CLASS"),
        View(
            "blurred",
            "pictures as a camera that is not held still takes them, and sharp",
            "ganzoo_structure.blur:Blurred",
            ("a", "b"),
        ),
        View("grounds", "small, white, anywhere on grounds of random colours", "ganzoo_structure.grounds:OnGrounds"),
        View("novel", "normal or novel: whether a picture is of one class", f"{here}:Novel", argument="CLASS"),
    ]


@hookimpl
def ganzoo_metrics() -> Iterable[Metric]:
    return [
        Metric(
            "roc_auc",
            "area under the curve of true over false alarms; 0.5 is chance",
            "ganzoo_structure.detector:roc_auc",
            (ANOMALY.name,),
            higher=True,
        )
    ]

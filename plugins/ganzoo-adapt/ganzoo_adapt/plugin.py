"""What ganzoo-adapt contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import DatasetEntry, Family, KindEntry, Metric, Paper, Preset, Task, View, hookimpl

ADAPTATION = Task("domain_adaptation", "labelled pictures of one kind teach a classifier of another", "image-to-image")
DIGITS = {"image_size": 32, "channels": 3, "classes": 10}

PIXELDA = Family(
    name="pixelda",
    summary="labelled pictures are made to look like unlabelled ones, and a classifier learns from what they became",
    task=ADAPTATION.name,
    paper=Paper(
        title="Unsupervised Pixel-Level Domain Adaptation with Generative Adversarial Networks",
        authors=("Konstantinos Bousmalis", "Nathan Silberman", "David Dohan", "Dumitru Erhan", "Dilip Krishnan"),
        year=2016,
        arxiv="1612.05424",
    ),
    networks="ganzoo_adapt.pixelda_networks:networks",
    objective="ganzoo_adapt.pixelda:PixelDA",
    presets={
        "paper": Preset(DIGITS, {"batch_size": 64}),
        "kodak": Preset(
            {**DIGITS, "width": 16, "blocks": 2, "d_width": 16, "t_width": 16, "lr": 1e-3, "images": 60_000},
            {"batch_size": 64},
        ),
        "tiny": Preset(
            {**DIGITS, "width": 4, "blocks": 1, "z_dim": 4, "d_width": 4, "t_width": 4, "images": 5_000},
            {"batch_size": 8},
        ),
    },
    aliases=("PixelDA",),
)

SIMGAN = Family(
    name="simgan",
    summary="synthetic pictures are refined until patches of them look real, and stay near what they were",
    task=ADAPTATION.name,
    paper=Paper(
        title="Learning from Simulated and Unsupervised Images through Adversarial Training",
        authors=(
            "Ashish Shrivastava", "Tomas Pfister", "Oncel Tuzel", "Josh Susskind", "Wenda Wang", "Russ Webb",
        ),
        year=2016,
        arxiv="1612.07828",
    ),
    networks="ganzoo_adapt.simgan_networks:networks",
    objective="ganzoo_adapt.simgan:SimGAN",
    presets={
        "paper": Preset({"image_size": 55, "channels": 1, "classes": 10}, {"batch_size": 512}),
        "kodak": Preset(
            {**DIGITS, "width": 16, "blocks": 2, "d_width": 48, "t_width": 16, "lam": 0.05, "k_g": 3, "lr": 1e-3,
             "pool": 2_000, "images_r": 6_400, "images_d": 6_400, "images": 128_000, "images_t": 30_000},
            {"batch_size": 64},
        ),
        "tiny": Preset(
            {**DIGITS, "width": 4, "blocks": 1, "d_width": 8, "t_width": 4, "pool": 12,
             "images_r": 2_000, "images_d": 2_000, "images": 5_000, "images_t": 2_000},
            {"batch_size": 8},
        ),
    },
    aliases=("S+U learning",),
)  # fmt: skip


DANN = Family(
    name="dann",
    summary="features that no domain can be told by: what D passes back is turned round",
    task=ADAPTATION.name,
    paper=Paper(
        title="Domain-Adversarial Training of Neural Networks",
        authors=(
            "Yaroslav Ganin",
            "Evgeniya Ustinova",
            "Hana Ajakan",
            "Pascal Germain",
            "Hugo Larochelle",
            "François Laviolette",
            "Mario Marchand",
            "Victor Lempitsky",
        ),
        year=2015,
        arxiv="1505.07818",
    ),
    networks="ganzoo_adapt.features:dann",
    objective="ganzoo_adapt.dann:DANN",
    presets={
        "paper": Preset({**DIGITS, "image_size": 28}, {"batch_size": 128}),
        "kodak": Preset(
            {**DIGITS, "image_size": 28, "widths": (32, 50), "lr": 0.02, "images": 200_000}, {"batch_size": 64}
        ),
        "tiny": Preset({**DIGITS, "image_size": 16, "widths": (4, 8), "hidden": 8, "images": 5_000}, {"batch_size": 8}),
    },
    aliases=("gradient reversal", "RevGrad"),
)

ADDA = Family(
    name="adda",
    summary="an encoder of the target learns to make features like the source's, which a classifier knows already",
    task=ADAPTATION.name,
    paper=Paper(
        title="Adversarial Discriminative Domain Adaptation",
        authors=("Eric Tzeng", "Judy Hoffman", "Kate Saenko", "Trevor Darrell"),
        year=2017,
        arxiv="1702.05464",
    ),
    networks="ganzoo_adapt.features:adda",
    objective="ganzoo_adapt.adda:ADDA",
    presets={
        "small": Preset({**DIGITS, "image_size": 28, "channels": 1}, {"batch_size": 128}),
        "kodak": Preset(
            {**DIGITS, "image_size": 28, "images_s": 60_000, "images": 120_000}, {"batch_size": 64}
        ),
        "tiny": Preset(
            {**DIGITS, "image_size": 16, "widths": (4, 8), "features": 8, "hidden": 8, "images_s": 2_000,
             "images": 5_000},
            {"batch_size": 8},
        ),
    },
)  # fmt: skip


CYCADA = Family(
    name="cycada",
    summary="labelled pictures are translated there and back and stay what they were called; then features meet, too",
    task=ADAPTATION.name,
    paper=Paper(
        title="CyCADA: Cycle-Consistent Adversarial Domain Adaptation",
        authors=(
            "Judy Hoffman", "Eric Tzeng", "Taesung Park", "Jun-Yan Zhu", "Phillip Isola", "Kate Saenko",
            "Alexei A. Efros", "Trevor Darrell",
        ),
        year=2017,
        arxiv="1711.03213",
    ),
    networks="ganzoo_adapt.cycada_networks:networks",
    objective="ganzoo_adapt.cycada:CyCADA",
    presets={
        "paper": Preset(DIGITS, {"batch_size": 128}),
        "kodak": Preset(
            {**DIGITS, "width": 16, "blocks": 2, "d_width": 16, "patch": 34, "t_widths": (16, 32, 64),
             "features": 128, "hidden": 128, "lr": 4e-4, "images_s": 30_000, "images": 12_000, "images_t": 20_000,
             "images_f": 20_000},
            {"batch_size": 16},
        ),
        "tiny": Preset(
            {**DIGITS, "image_size": 16, "width": 4, "blocks": 1, "d_width": 4, "patch": 16, "pool": 6,
             "t_widths": (4, 4, 8), "features": 8, "hidden": 8, "images_s": 2_000, "images": 4_000,
             "images_t": 2_000, "images_f": 2_000},
            {"batch_size": 8},
        ),
    },
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [PIXELDA, SIMGAN, DANN, ADDA, CYCADA]


@hookimpl
def ganzoo_tasks() -> Iterable[Task]:
    return [ADAPTATION]


@hookimpl
def ganzoo_kinds() -> Iterable[KindEntry]:
    return [KindEntry("shares", "how sure a classifier is of each class, [K] in [0, 1]", "ganzoo_adapt.kinds:Shares")]


@hookimpl
def ganzoo_datasets() -> Iterable[DatasetEntry]:
    return [
        DatasetEntry(
            "mnist_kodak",
            "digits of MNIST that invert a patch of a photograph, 28x28; adapt, simulated: beside labelled others",
            ("x", "label", "a", "b"),
            "CC-BY-SA-3.0 AND LicenseRef-Kodak",
            "ganzoo_adapt.digits:open_mnist_kodak",
            ("train", "test", "adapt", "simulated"),
        )
    ]


@hookimpl
def ganzoo_views() -> Iterable[View]:
    what = "two folders A::B: pictures of A with their classes, pictures of B without"
    return [View("adapt", what, "ganzoo_adapt.domains:open_domains", ("a", "b", "label"), of_path=True)]


@hookimpl
def ganzoo_metrics() -> Iterable[Metric]:
    return [
        Metric(
            "target_accuracy",
            "share of pictures of the target that a classifier of adapted ones names; and one of the source alone",
            "ganzoo_adapt.accuracy:target_accuracy",
            (ADAPTATION.name,),
            ("images", "shares"),
            share_of="n_real",
            higher=True,
        )
    ]

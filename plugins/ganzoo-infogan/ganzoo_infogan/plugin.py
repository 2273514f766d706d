"""What ganzoo-infogan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Metric, Paper, Preset, hookimpl

INFOGAN = Family(
    name="infogan",
    summary="codes that mean something, learnt without labels: they can be read back from the image",
    paper=Paper(
        title="InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial Nets",
        authors=("Xi Chen", "Yan Duan", "Rein Houthooft", "John Schulman", "Ilya Sutskever", "Pieter Abbeel"),
        year=2016,
        arxiv="1606.03657",
    ),
    networks="ganzoo_infogan.networks:networks",
    objective="ganzoo_infogan.objective:InfoGAN",
    presets={
        "paper": Preset({"image_size": 28, "channels": 1}, {"batch_size": 128}),
        "mnist": Preset(
            {"image_size": 28, "channels": 1, "width": 32, "images": 250_000},
            {"batch_size": 64, "ema_images": 10_000},
        ),
        "digits": Preset(
            {"image_size": 16, "channels": 1, "width": 16, "z_dim": 30, "images": 120_000},
            {"batch_size": 32, "ema_images": 4_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "width": 4, "z_dim": 8, "images": 20_000}, {"batch_size": 16}
        ),
    },
)  # fmt: skip

CLUSTERGAN = Family(
    name="clustergan",
    summary="islands in the prior, and an encoder that finds them again: clusters of pictures without labels",
    paper=Paper(
        title="ClusterGAN: Latent Space Clustering in Generative Adversarial Networks",
        authors=("Sudipto Mukherjee", "Himanshu Asnani", "Eugene Lin", "Sreeram Kannan"),
        year=2018,
        arxiv="1809.03627",
    ),
    networks="ganzoo_infogan.clustergan:networks",
    objective="ganzoo_infogan.clustergan:ClusterGAN",
    presets={
        "paper": Preset({"image_size": 28, "channels": 1}, {"batch_size": 64}),
        "mnist": Preset(
            {"image_size": 28, "channels": 1, "width": 32, "units": 256, "n_critic": 2, "lr": 5e-4, "images": 400_000},
            {"batch_size": 64, "ema_images": 10_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "width": 4, "units": 16, "z_dim": 4, "n_critic": 2, "images": 20_000},
            {"batch_size": 16},
        ),
    },
)

SS_INFOGAN = Family(
    name="ss_infogan",
    summary="InfoGAN with a few labels: they say what one of the codes is to mean",
    task="semi_supervised",
    paper=Paper(
        title="Guiding InfoGAN with Semi-Supervision",
        authors=("Adrian Spurr", "Emre Aksan", "Otmar Hilliges"),
        year=2017,
        arxiv="1707.04487",
    ),
    networks="ganzoo_infogan.semi:networks",
    objective="ganzoo_infogan.semi:SSInfoGAN",
    presets={
        "paper": Preset({"image_size": 28, "channels": 1, "classes": 10}, {"batch_size": 128}),
        "mnist": Preset(
            {
                "image_size": 28,
                "channels": 1,
                "classes": 10,
                "width": 32,
                "units": 256,
                "lr_d": 5e-4,
                "images": 300_000,
            },
            {"batch_size": 64, "ema_images": 10_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "classes": 10, "width": 4, "units": 16, "z_dim": 8, "images": 20_000},
            {"batch_size": 16},
        ),
    },
    aliases=("SS-InfoGAN",),
)


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [INFOGAN, CLUSTERGAN, SS_INFOGAN]


@hookimpl
def ganzoo_metrics() -> Iterable[Metric]:
    summary = "how well k-means of what an encoder finds agrees with the classes, beside k-means of pixels"
    return [Metric("cluster_ari", summary, "ganzoo_infogan.metrics:cluster_ari", higher=True)]

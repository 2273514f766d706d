"""What ganzoo-semi contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

SMALL = Preset({"image_size": 32, "channels": 1, "classes": 10}, {"batch_size": 64})
MNIST = Preset(
    {"image_size": 32, "channels": 1, "classes": 10, "width": 16, "z_dim": 64, "lr": 1e-3, "images": 150_000},
    {"batch_size": 64, "ema_images": 10_000},
)
TINY = Preset(
    {"image_size": 16, "channels": 1, "classes": 10, "width": 4, "z_dim": 8, "images": 20_000}, {"batch_size": 16}
)

SGAN = Family(
    name="sgan_semi",
    summary="D names the class or says fake: a classifier that learns from few labels, and a GAN",
    task="semi_supervised",
    paper=Paper(
        title="Semi-Supervised Learning with Generative Adversarial Networks",
        authors=("Augustus Odena",),
        year=2016,
        arxiv="1606.01583",
    ),
    networks="ganzoo_semi.networks:of_one_more",
    objective="ganzoo_semi.objective:SGAN",
    presets={"small": SMALL, "mnist": MNIST, "tiny": TINY},
)

CATGAN = Family(
    name="catgan",
    summary="D is to be sure of the class of real pictures and unsure of fakes; with few labels, or none",
    task="semi_supervised",
    paper=Paper(
        title="Unsupervised and Semi-supervised Learning with Categorical Generative Adversarial Networks",
        authors=("Jost Tobias Springenberg",),
        year=2015,
        arxiv="1511.06390",
    ),
    networks="ganzoo_semi.networks:of_classes",
    objective="ganzoo_semi.objective:CatGAN",
    presets={"small": SMALL, "mnist": MNIST, "tiny": TINY},
)

TRIPLE = Family(
    name="triple_gan",
    summary="a classifier, a generator, and a D that judges the pairs of both: few labels suffice",
    task="semi_supervised",
    paper=Paper(
        title="Triple Generative Adversarial Nets",
        authors=("Chongxuan Li", "Kun Xu", "Jun Zhu", "Bo Zhang"),
        year=2017,
        arxiv="1703.02291",
    ),
    networks="ganzoo_semi.networks:of_three",
    objective="ganzoo_semi.triple:TripleGAN",
    presets={
        "small": SMALL,
        "mnist": Preset({**MNIST.args, "images": 90_000, "warm_up": 60_000}, MNIST.train),
        "tiny": Preset({**TINY.args, "images": 10_000, "warm_up": 10_000}, TINY.train),
    },
    aliases=("Triple-GAN",),
)


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [SGAN, CATGAN, TRIPLE]

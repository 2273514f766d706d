"""What ganzoo-crowds contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

POINTS = {"image_size": None, "channels": None}
MIXTURE = {**POINTS, "layers": "perceptron", "z_dim": 16, "lr": 1e-3, "images": 256_000}
STACKED = {"image_size": 16, "channels": 3, "width": 32, "z_dim": 64, "images": 300_000}
TINY = {"image_size": 16, "channels": 1, "width": 8, "z_dim": 16, "images": 20_000}


def game(
    name: str,
    summary: str,
    paper: Paper,
    reference: str,
    published: Mapping[str, Preset],
    aliases: tuple[str, ...] = (),
    networks: str = "",
    points: Mapping[str, Any] = MappingProxyType({}),
) -> Family:
    """One of them; `points` hold in the presets ring and grid, `published` are the paper's."""
    module = f"ganzoo_crowds.{reference.partition(':')[0]}"
    course = {"batch_size": 128, "ema_images": 10_000}
    return Family(
        name=name,
        summary=summary,
        paper=paper,
        networks=f"{networks or module}:networks",
        objective=f"ganzoo_crowds.{reference}",
        presets={
            **published,
            "ring": Preset({**MIXTURE, "scale": 1.0, **points}, course),
            "grid": Preset({**MIXTURE, "scale": 4.0, **points}, course),
            "stacked_mnist": Preset(STACKED, {"batch_size": 64, "ema_images": 5_000}),
            "tiny": Preset(TINY, {"batch_size": 16}),
        },
        aliases=aliases,
    )


D2GAN = game(
    "d2gan",
    "two discriminators, one for either Kullback-Leibler divergence: all modes, and nothing between them",
    Paper(
        "Dual Discriminator Generative Adversarial Nets",
        ("Tu Dinh Nguyen", "Trung Le", "Hung Vu", "Dinh Phung"), 2017, "1709.03831",
    ),
    "d2gan:D2GAN",
    {"paper": Preset({**POINTS, "layers": "nguyen", "z_dim": 256, "alpha": 1.0, "beta": 1.0, "images": 12_800_000},
                     {"batch_size": 512})},
    points={"alpha": 1.0, "beta": 1.0},
)  # fmt: skip

MADGAN = game(
    "madgan",
    "several generators, and a discriminator that names which of them made a sample: each gets modes of its own",
    Paper(
        "Multi-Agent Diverse Generative Adversarial Networks",
        ("Arnab Ghosh", "Viveka Kulharia", "Vinay Namboodiri", "Philip H. S. Torr", "Puneet K. Dokania"),
        2017, "1704.02906",
    ),
    "madgan:MADGAN",
    {"small": Preset({"image_size": 64, "channels": 3, "width": 64}, {"batch_size": 64})},
    aliases=("MAD-GAN",),
)  # fmt: skip

PACGAN = game(
    "pacgan",
    "the discriminator judges several samples at a time, and so sees a lack of diversity",
    Paper(
        "PacGAN: The power of two samples in generative adversarial networks",
        ("Zinan Lin", "Ashish Khetan", "Giulia Fanti", "Sewoong Oh"), 2017, "1712.04086",
    ),
    "pacgan:PacGAN",
    {"paper": Preset({**POINTS, "layers": "lin", "z_dim": 2, "lr": 1e-4, "b1": 0.8, "images": 40_000_000},
                     {"batch_size": 100})},
)  # fmt: skip

VEEGAN = game(
    "veegan",
    "a reconstructor leads from samples back to z, so that no mode is without one",
    Paper(
        "VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning",
        ("Akash Srivastava", "Lazar Valkov", "Chris Russell", "Michael U. Gutmann", "Charles Sutton"),
        2017, "1705.07761",
    ),
    "veegan:VEEGAN",
    {"small": Preset({"image_size": 64, "channels": 3, "width": 64}, {"batch_size": 64})},
    points={"z_dim": 2},  # as many as a point has: F could not read more out of it
)  # fmt: skip

UNROLLED = game(
    "unrolled_gan",
    "the generator descends what the discriminator will say some steps later",
    Paper(
        "Unrolled Generative Adversarial Networks",
        ("Luke Metz", "Ben Poole", "David Pfau", "Jascha Sohl-Dickstein"), 2016, "1611.02163",
    ),
    "unrolled:UnrolledGAN",
    {"paper": Preset({**POINTS, "layers": "metz", "z_dim": 256, "lr": 1e-3, "d_pace": 0.1, "unroll": 10,
                      "images": 12_800_000}, {"batch_size": 512})},
    networks="ganzoo_crowds.networks",
)  # fmt: skip

SMALL = {"small": Preset({"image_size": 32, "channels": 3, "width": 64}, {"batch_size": 64})}

GMAN = game(
    "gman",
    "several discriminators: G hears their mean, the hardest of them, or what is between, and may choose",
    Paper(
        "Generative Multi-Adversarial Networks",
        ("Ishan Durugkar", "Ian Gemp", "Sridhar Mahadevan"), 2016, "1611.01673",
    ),
    "gman:GMAN",
    SMALL,
    aliases=("GMAN*", "generative multi-adversarial network"),
)  # fmt: skip

MGAN = game(
    "mgan",
    "a mixture of generators that share most layers, and a classifier that tells them apart, as they want it to",
    Paper(
        "MGAN: Training Generative Adversarial Nets with Multiple Generators",
        ("Quan Hoang", "Tu Dinh Nguyen", "Trung Le", "Dinh Phung"), 2017, "1708.02556",
    ),
    "mgan:MGAN",
    SMALL,
    aliases=("MGGAN", "mixture GAN"),
    points={"beta": 0.125},
)  # fmt: skip

DELIGAN = game(
    "deligan",
    "the latent is a mixture of Gaussians that are learnt: for diverse data, and few of them",
    Paper(
        "DeLiGAN: Generative Adversarial Networks for Diverse and Limited Data",
        ("Swaminathan Gurumurthy", "Ravi Kiran Sarvadevabhatla", "R. Venkatesh Babu"), 2017, "1706.02071",
    ),
    "deligan:DeLiGAN",
    SMALL,
)  # fmt: skip

BOURGAN = game(
    "bourgan",
    "the latent has the shape of the data, by Bourgain's embedding, and G keeps its distances",
    Paper(
        "BourGAN: Generative Networks with Metric Embeddings",
        ("Chang Xiao", "Peilin Zhong", "Changxi Zheng"), 2018, "1805.07674",
    ),
    "bourgan:BourGAN",
    SMALL,
)  # fmt: skip

MIX_GAN = game(
    "mix_gan",
    "mixtures of generators and of discriminators, whose weights are learnt: such a game has an equilibrium",
    Paper(
        "Generalization and Equilibrium in Generative Adversarial Nets (GANs)",
        ("Sanjeev Arora", "Rong Ge", "Yingyu Liang", "Tengyu Ma", "Yi Zhang"), 2017, "1703.00573",
    ),
    "mix:MixGAN",
    SMALL,
    aliases=("MIX+GAN",),
)  # fmt: skip

MIXTURE_DENSITY_GAN = game(
    "mixture_density_gan",
    "the discriminator places samples in space, and real ones belong to the corners of a simplex",
    Paper(
        "Mixture Density Generative Adversarial Networks",
        ("Hamid Eghbal-zadeh", "Werner Zellinger", "Gerhard Widmer"), 2018, "1811.00152",
    ),
    "mixture_density:MixtureDensityGAN",
    SMALL,
    aliases=("mixture density GAN",),
)  # fmt: skip
MGAN = replace(MGAN, presets={**MGAN.presets, "tiny": Preset({**TINY, "generators": 4}, {"batch_size": 16})})
BOURGAN = replace(  # how long z is follows from how many points there are
    BOURGAN,
    presets={
        name: Preset({key: value for key, value in preset.args.items() if key != "z_dim"}, preset.train)
        for name, preset in BOURGAN.presets.items()
    },
)


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [D2GAN, MADGAN, PACGAN, VEEGAN, UNROLLED, GMAN, MGAN, DELIGAN, BOURGAN, MIX_GAN, MIXTURE_DENSITY_GAN]

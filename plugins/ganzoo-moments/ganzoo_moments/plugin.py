"""What ganzoo-moments contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

NETWORKS = "ganzoo_moments.networks:networks"
COLOUR = {"image_size": 64, "channels": 3}
MNIST = {"image_size": 32, "channels": 1, "width": 20, "z_dim": 64}
TINY = {"image_size": 16, "channels": 1, "width": 8, "z_dim": 16, "images": 20_000}
SHORT = {"batch_size": 32, "ema_images": 2_000}

MMD_GAN = Family(
    name="mmd_gan",
    summary="a maximum mean discrepancy whose kernel is learnt against the generator",
    paper=Paper(
        "MMD GAN: Towards Deeper Understanding of Moment Matching Network",
        ("Chun-Liang Li", "Wei-Cheng Chang", "Yu Cheng", "Yiming Yang", "Barnabás Póczos"), 2017, "1705.08584",
    ),
    networks="ganzoo_moments.networks:autoencoding",
    objective="ganzoo_moments.mmd_gan:MMDGAN",
    presets={
        "paper": Preset(COLOUR, {"batch_size": 64}),
        "mnist": Preset(
            {**MNIST, "z_dim": 32, "lr": 3e-4, "clip": 0.03, "auto": 1.0, "k": 2, "often": 0, "warm_up": 0,
             "images": 50_000},
            SHORT,
        ),
        "tiny": Preset({**TINY, "k": 1, "k_often": 2, "often": 2, "warm_up": 1_000}, {"batch_size": 16}),
    },
    aliases=("MMD-GAN",),
)  # fmt: skip

MCGAN = Family(
    name="mcgan",
    summary="the means and the covariances of learnt features are to match",
    paper=Paper(
        "McGan: Mean and Covariance Feature Matching GAN",
        ("Youssef Mroueh", "Tom Sercu", "Vaibhava Goel"), 2017, "1702.08398",
    ),
    networks=NETWORKS,
    objective="ganzoo_moments.mcgan:McGan",
    presets={
        "small": Preset({**COLOUR, "h_dim": 16}, {"batch_size": 64}),
        "mnist": Preset({**MNIST, "h_dim": 16, "lr": 3e-4, "clip": 0.03, "n_critic": 2, "images": 50_000}, SHORT),
        "tiny": Preset({**TINY, "h_dim": 6, "k": 4, "n_critic": 2}, {"batch_size": 16}),
    },
)  # fmt: skip

CRAMER_GAN = Family(
    name="cramer_gan",
    summary="the energy distance of a learnt space: a Wasserstein GAN whose gradients are unbiased",
    paper=Paper(
        "The Cramer Distance as a Solution to Biased Wasserstein Gradients",
        ("Marc G. Bellemare", "Ivo Danihelka", "Will Dabney", "Shakir Mohamed", "Balaji Lakshminarayanan",
         "Stephan Hoyer", "Rémi Munos"), 2017, "1705.10743",
    ),
    networks=NETWORKS,
    objective="ganzoo_moments.cramer_gan:CramerGAN",
    presets={
        "small": Preset({**COLOUR, "norm": "none"}, {"batch_size": 64}),
        "mnist": Preset(
            {**MNIST, "width": 16, "h_dim": 64, "norm": "none", "lr": 5e-4, "k": 1, "images": 45_000},
            {**SHORT, "batch_size": 16},
        ),
        "tiny": Preset({**TINY, "h_dim": 8, "norm": "none", "k": 2}, {"batch_size": 16}),
    },
    aliases=("Cramér GAN",),
)  # fmt: skip

SWGAN = Family(
    name="swgan",
    summary="the generator descends a Wasserstein distance along random lines through the discriminator's features",
    paper=Paper(
        "Generative Modeling using the Sliced Wasserstein Distance",
        ("Ishan Deshpande", "Ziyu Zhang", "Alexander Schwing"), 2018, "1803.11188",
    ),
    networks="ganzoo_dcgan.networks:networks",
    objective="ganzoo_moments.swgan:SWGAN",
    presets={
        "small": Preset({**COLOUR, "lines": 10_000}, {"batch_size": 64}),
        "mnist": Preset({**MNIST, "lr": 4e-4, "lines": 256, "images": 50_000}, SHORT),
        "tiny": Preset({**TINY, "lines": 32}, {"batch_size": 16}),
    },
)  # fmt: skip

OT_GAN = Family(
    name="ot_gan",
    summary="an energy distance between minibatches: transport at a cost that the critic sets",
    paper=Paper(
        "Improving GANs Using Optimal Transport",
        ("Tim Salimans", "Han Zhang", "Alec Radford", "Dimitris Metaxas"), 2018, "1803.05573",
    ),
    networks=NETWORKS,
    objective="ganzoo_moments.ot_gan:OTGAN",
    presets={
        "small": Preset({**COLOUR, "h_dim": 1024}, {"batch_size": 512}),
        "mnist": Preset({**MNIST, "h_dim": 64, "lr": 5e-4, "images": 60_000}, {**SHORT, "batch_size": 64}),
        "tiny": Preset({**TINY, "h_dim": 8, "rounds": 10}, {"batch_size": 16}),
    },
    aliases=("OT-GAN",),
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [MMD_GAN, MCGAN, CRAMER_GAN, SWGAN, OT_GAN]

"""What ganzoo-autoencoders contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ganzoo_core.plugin import Family, Metric, Paper, Preset, hookimpl

MNIST = {"image_size": 32, "channels": 1, "width": 16, "z_dim": 16}
TINY = {"image_size": 16, "channels": 1, "width": 4, "z_dim": 8, "images": 20_000}


def trained(**args: Any) -> Preset:
    """On MNIST, some minutes of one thread."""
    return Preset({**MNIST, **args}, {"batch_size": 64, "ema_images": 5_000})


def tiny(**args: Any) -> Preset:
    return Preset({**TINY, **args}, {"batch_size": 16})


VAE = Family(
    name="vae",
    summary="no GAN: an encoder and a decoder under a bound on the likelihood; what the GANs here are compared with",
    paper=Paper("Auto-Encoding Variational Bayes", ("Diederik Kingma", "Max Welling"), 2014, arxiv="1312.6114"),
    networks="ganzoo_autoencoders.vae:networks",
    objective="ganzoo_autoencoders.vae:VAE",
    presets={
        "small": Preset({"image_size": 28, "channels": 1}, {"batch_size": 100}),
        "mnist": trained(body="dcgan", images=150_000),
        "tiny": tiny(body="dcgan"),
    },
    aliases=("variational autoencoder",),
)

VAEGAN = Family(
    name="vaegan",
    summary="a VAE whose pictures are compared in what the discriminator of a GAN sees of them, not in pixels",
    paper=Paper(
        title="Autoencoding beyond pixels using a learned similarity metric",
        authors=("Anders Boesen Lindbo Larsen", "Søren Kaae Sønderby", "Hugo Larochelle", "Ole Winther"),
        year=2016,
        arxiv="1512.09300",
    ),
    networks="ganzoo_autoencoders.vaegan:networks",
    objective="ganzoo_autoencoders.vaegan:VAEGAN",
    presets={
        "paper": Preset({"image_size": 64, "channels": 3}, {"batch_size": 64}),
        "mnist": Preset(
            {"image_size": 32, "channels": 1, "widths": (12, 24, 48), "g_widths": (48, 32, 24, 12), "d_first": 8,
             "d_widths": (16, 32, 64), "units": 128, "z_dim": 16, "gamma": 1e-2, "lr": 1e-3,
             "images": 100_000},
            {"batch_size": 64, "ema_images": 5_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "widths": (4, 8), "g_widths": (8, 8, 4), "d_first": 4, "d_widths": (4, 8),
             "units": 16, "z_dim": 8, "gamma": 1e-3, "images": 20_000},
            {"batch_size": 16},
        ),
    },
    aliases=("VAE/GAN",),
)  # fmt: skip

AAE = Family(
    name="aae",
    summary="an autoencoder whose codes a discriminator makes look like draws from the prior; with few labels, or none",
    paper=Paper(
        title="Adversarial Autoencoders",
        authors=("Alireza Makhzani", "Jonathon Shlens", "Navdeep Jaitly", "Ian Goodfellow", "Brendan Frey"),
        year=2015,
        arxiv="1511.05644",
    ),
    networks="ganzoo_autoencoders.aae:networks",
    objective="ganzoo_autoencoders.aae:AAE",
    presets={
        "paper": Preset({"image_size": 28, "channels": 1}, {"batch_size": 100}),
        "labels": Preset({"image_size": 28, "channels": 1, "classes": 10, "z_dim": 10}, {"batch_size": 100}),
        "mnist": trained(body="dcgan", d_units=(128, 128), optimizer="adam", lr=1e-3, d_lr=1e-3, drops=(0.7,),
                         rec="sum", adv=1.0, noise=0.0, images=150_000),
        "mnist_labels": trained(body="dcgan", z_dim=10, classes=10, d_units=(128, 128), optimizer="adam", lr=1e-3,
                                d_lr=1e-3, drops=(0.7,), rec="sum", adv=1.0, images=150_000),
        "tiny": tiny(body="dcgan", d_units=(16, 16), optimizer="adam", lr=1e-3, d_lr=1e-3),
    },
    aliases=("adversarial autoencoder",),
)  # fmt: skip

BIGAN = Family(
    name="bigan",
    summary="D judges pairs of a picture and a code, so that the encoder beside G comes to invert it",
    paper=Paper(
        title="Adversarial Feature Learning",
        authors=("Jeff Donahue", "Philipp Krähenbühl", "Trevor Darrell"),
        year=2016,
        arxiv="1605.09782",
    ),
    networks="ganzoo_autoencoders.bigan:networks",
    objective="ganzoo_autoencoders.bigan:BiGAN",
    presets={
        "paper": Preset({"image_size": 28, "channels": 1}, {"batch_size": 128}),
        "ali": Preset(
            {"image_size": 32, "channels": 3, "body": "ali", "z_dim": 64, "uniform": False, "stochastic": True,
             "lr": 1e-4, "end_lr": 1e-4, "decay": 0.0, "images": 323_750_000},
            {"batch_size": 100},
        ),
        "mnist": trained(body="dcgan", units=(128,), uniform=False, lr=5e-4, end_lr=5e-5, regularise=("r1:1",),
                         images=200_000),
        "mnist_ali": trained(body="dcgan", units=(128,), uniform=False, stochastic=True, lr=5e-4, end_lr=5e-5,
                             regularise=("r1:1",), images=200_000),
        "tiny": tiny(body="dcgan", units=(16,)),
    },
    aliases=("ALI", "adversarially learned inference"),
)  # fmt: skip

ALPHA_GAN = Family(
    name="alpha_gan",
    summary="an autoencoder between two discriminators, of pictures and of codes: VAE and GAN in one bound",
    paper=Paper(
        title="Variational Approaches for Auto-Encoding Generative Adversarial Networks",
        authors=("Mihaela Rosca", "Balaji Lakshminarayanan", "David Warde-Farley", "Shakir Mohamed"),
        year=2017,
        arxiv="1706.04987",
    ),
    networks="ganzoo_autoencoders.alpha_gan:networks",
    objective="ganzoo_autoencoders.alpha_gan:AlphaGAN",
    presets={
        "small": Preset({"image_size": 64, "channels": 3}, {"batch_size": 64}),
        "mnist": trained(d_width=16, c_units=(128, 128), lr=5e-4, images=120_000),
        "tiny": tiny(d_width=4, c_units=(16, 16)),
    },
    aliases=("alpha-GAN",),
)

AGE = Family(
    name="age",
    summary="two networks and no discriminator: encoder and generator play about how codes are spread on a sphere",
    paper=Paper(
        title="It Takes (Only) Two: Adversarial Generator-Encoder Networks",
        authors=("Dmitry Ulyanov", "Andrea Vedaldi", "Victor Lempitsky"),
        year=2017,
        arxiv="1704.02304",
    ),
    networks="ganzoo_autoencoders.age:networks",
    objective="ganzoo_autoencoders.age:AGE",
    presets={
        "paper": Preset({"image_size": 64, "channels": 3}, {"batch_size": 64}),
        "mnist": trained(k=3, lr=5e-4, mu=20.0, halved=2, images=150_000),
        "tiny": tiny(k=2),
    },
    aliases=("adversarial generator-encoder",),
)

WAE_GAN = Family(
    name="wae_gan",
    summary="an autoencoder whose codes, all together, are to be a draw from the prior: optimal transport to the data",
    paper=Paper(
        title="Wasserstein Auto-Encoders",
        authors=("Ilya Tolstikhin", "Olivier Bousquet", "Sylvain Gelly", "Bernhard Schölkopf"),
        year=2018,
        arxiv="1711.01558",
    ),
    networks="ganzoo_autoencoders.wae_gan:networks",
    objective="ganzoo_autoencoders.wae_gan:WAEGAN",
    presets={
        "paper": Preset({"image_size": 28, "channels": 1}, {"batch_size": 100}),
        "mnist": trained(body="dcgan", d_units=(128, 128), images=150_000),
        "tiny": tiny(body="dcgan", d_units=(16, 16)),
    },
    aliases=("WAE", "Wasserstein autoencoder"),
)

INTROVAE = Family(
    name="introvae",
    summary="a VAE whose encoder is the discriminator, too: codes of what was made are pushed away from the prior",
    paper=Paper(
        title="IntroVAE: Introspective Variational Autoencoders for Photographic Image Synthesis",
        authors=("Huaibo Huang", "Zhihang Li", "Ran He", "Zhenan Sun", "Tieniu Tan"),
        year=2018,
        arxiv="1807.06358",
    ),
    networks="ganzoo_autoencoders.introvae:networks",
    objective="ganzoo_autoencoders.introvae:IntroVAE",
    presets={
        "paper": Preset({"image_size": 256, "channels": 3}, {"batch_size": 16}),
        "mnist": Preset(
            {"image_size": 32, "channels": 1, "widths": (12, 24, 48), "z_dim": 16, "m": 20.0, "beta": 0.5, "lr": 1e-3,
             "b1": 0.5, "images": 80_000},
            {"batch_size": 64, "ema_images": 5_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "widths": (4, 8), "z_dim": 8, "m": 10.0, "images": 20_000},
            {"batch_size": 16},
        ),
    },
    aliases=("introspective variational autoencoder",),
)  # fmt: skip

CVAE_GAN = Family(
    name="cvae_gan",
    summary="a VAE/GAN that is told the class, and whose G matches means of what D and a classifier see",
    task="class_conditional",
    paper=Paper(
        title="CVAE-GAN: Fine-Grained Image Generation through Asymmetric Training",
        authors=("Jianmin Bao", "Dong Chen", "Fang Wen", "Houqiang Li", "Gang Hua"),
        year=2017,
        arxiv="1703.10155",
    ),
    networks="ganzoo_autoencoders.cvae_gan:networks",
    objective="ganzoo_autoencoders.cvae_gan:CVAEGAN",
    presets={
        "small": Preset({"image_size": 64, "channels": 3, "classes": 10}, {"batch_size": 64}),
        "mnist": trained(classes=10, units=128, lr=1e-3, images=100_000),
        "tiny": tiny(classes=10, units=16),
    },
    aliases=("CVAE-GAN",),
)

BAGAN = Family(
    name="bagan",
    summary="a GAN of unbalanced classes that begins from an autoencoder of all of them, and asks for each as often",
    task="class_conditional",
    paper=Paper(
        title="BAGAN: Data Augmentation with Balancing GAN",
        authors=("Giovanni Mariani", "Florian Scheidegger", "Roxana Istrate", "Costas Bekas", "Cristiano Malossi"),
        year=2018,
        arxiv="1803.09655",
    ),
    networks="ganzoo_autoencoders.bagan:networks",
    objective="ganzoo_autoencoders.bagan:BAGAN",
    presets={
        "small": Preset({"image_size": 32, "channels": 3, "classes": 10}, {"batch_size": 128}),
        "mnist": trained(classes=10, lr=5e-4, auto_images=60_000, images=100_000),
        "tiny": Preset({**TINY, "classes": 10, "auto_images": 10_000, "images": 10_000}, {"batch_size": 16}),
    },
    aliases=("balancing GAN",),
)

MDGAN = Family(
    name="mdgan",
    summary="pictures that an encoder brings back keep the generator near all of the data, so that no mode is missing",
    paper=Paper(
        title="Mode Regularized Generative Adversarial Networks",
        authors=("Tong Che", "Yanran Li", "Athul Paul Jacob", "Yoshua Bengio", "Wenjie Li"),
        year=2016,
        arxiv="1612.02136",
    ),
    networks="ganzoo_autoencoders.mdgan:networks",
    objective="ganzoo_autoencoders.mdgan:MDGAN",
    presets={
        "small": Preset({"image_size": 64, "channels": 3}, {"batch_size": 64}),
        "mnist": trained(d_width=16, lr=1e-3, images=100_000),
        "tiny": tiny(d_width=4),
    },
    aliases=("mode regularized GAN", "manifold-diffusion GAN"),
)


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [VAE, VAEGAN, AAE, BIGAN, ALPHA_GAN, AGE, WAE_GAN, INTROVAE, CVAE_GAN, BAGAN, MDGAN]


@hookimpl
def ganzoo_metrics() -> Iterable[Metric]:
    summary = "peak signal to noise of pictures that went through a model's encoder and back, dB"
    return [Metric("psnr_again", summary, "ganzoo_autoencoders.metrics:psnr_again", higher=True)]

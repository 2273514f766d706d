"""What ganzoo-objectives contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

RELATIVISTIC = Paper(
    "The relativistic discriminator: a key element missing from standard GAN",
    ("Alexia Jolicoeur-Martineau",),
    2018,
    "1807.00734",
)
SMALL = {"image_size": 16, "channels": 1}


def game(
    name: str,
    objective: str,
    summary: str,
    paper: Paper,
    digits: Mapping[str, Any] | None = None,
    aliases: tuple[str, ...] = (),
    networks: str = "ganzoo_dcgan.networks:networks",
    **args: Any,
) -> Family:
    """DCGAN's networks in another game. `args` hold in every preset; `digits` in the small ones."""
    small = {**SMALL, **args, **(digits or {})}
    length = 60_000 * (1 + small.get("k", 1)) // 2
    return Family(
        name=name,
        summary=summary,
        paper=paper,
        networks=networks,
        objective=objective if ":" in objective else f"ganzoo_objectives.objective:{objective}",
        presets={
            "paper": Preset({"image_size": 64, "channels": 3, "width": 64, **args}, {"batch_size": 64}),
            "digits": Preset({"width": 32, "images": length, **small}, {"batch_size": 32, "ema_images": 2_000}),
            "tiny": Preset({"width": 8, "z_dim": 16, "images": 20_000, **small}, {"batch_size": 16}),
        },
        aliases=aliases,
    )


LOSSES = [
    game(
        "lsgan", "LSGAN", "least squares in place of cross-entropy",
        Paper(
            "Least Squares Generative Adversarial Networks",
            ("Xudong Mao", "Qing Li", "Haoran Xie", "Raymond Y. K. Lau", "Zhen Wang", "Stephen Paul Smolley"),
            2016, "1611.04076",
        ),
    ),
    game(
        "geometric_gan", "GeometricGAN", "the hinge loss: the discriminator is a support vector machine",
        Paper("Geometric GAN", ("Jae Hyun Lim", "Jong Chul Ye"), 2017, "1705.02894"),
    ),
    game(
        "bs_gan", "BoundarySeekingGAN", "the generator seeks the discriminator's boundary",
        Paper(
            "Boundary-Seeking Generative Adversarial Networks",
            ("R Devon Hjelm", "Athul Paul Jacob", "Tong Che", "Adam Trischler", "Kyunghyun Cho", "Yoshua Bengio"),
            2017, "1702.08431",
        ),
    ),
    game(
        "softmax_gan", "SoftmaxGAN", "one softmax over all scores of both batches",
        Paper("Softmax GAN", ("Min Lin",), 2017, "1704.06191"),
    ),
    game("rsgan", "RSGAN", "relativistic: real scores against fake ones, pair by pair", RELATIVISTIC),
    game("ragan", "RaGAN", "relativistic: each score against the average of the other side", RELATIVISTIC),
    game("ralsgan", "RaLSGAN", "relativistic average, least squares", RELATIVISTIC),
    game("rahinge_gan", "RaHingeGAN", "relativistic average, hinge", RELATIVISTIC),
    game(
        "fgan", "FGAN", "a variational bound of any f-divergence: KL, its reverse, Pearson, Hellinger, Jensen-Shannon",
        Paper(
            "f-GAN: Training Generative Neural Samplers using Variational Divergence Minimization",
            ("Sebastian Nowozin", "Botond Cseke", "Ryota Tomioka"), 2016, "1606.00709",
        ),
    ),
]  # fmt: skip

PENALTIES = [
    game(
        "dragan", "DRAGAN", "the discriminator's slope is 1 around the data",
        Paper(
            "On Convergence and Stability of GANs",
            ("Naveen Kodali", "Jacob Abernethy", "James Hays", "Zsolt Kira"), 2017, "1705.07215",
        ),
        norm="none", lam=10.0, lr=1e-4, b2=0.9, digits={"lr": 4e-4},
    ),
    game(
        "r1_gan", "R1GAN", "the discriminator is flat at the data",
        Paper(
            "Which Training Methods for GANs do actually Converge?",
            ("Lars Mescheder", "Andreas Geiger", "Sebastian Nowozin"), 2018, "1801.04406",
        ),
        norm="none", lam=10.0, lr=1e-4, b1=0.0, b2=0.99, digits={"lr": 4e-4, "lam": 1.0},
    ),
    game(
        "js_regularized_gan", "JSRegularizedGAN", "slopes cost where the discriminator is unsure, as noise would",
        Paper(
            "Stabilizing Training of Generative Adversarial Networks through Regularization",
            ("Kevin Roth", "Aurelien Lucchi", "Sebastian Nowozin", "Thomas Hofmann"), 2017, "1705.09367",
        ),
        aliases=("JS-regularized GAN",),
        norm="none", lam=0.1,
    ),
    game(
        "wgan_lp", "WGANLP", "WGAN-GP with a penalty only on slopes above 1",
        Paper(
            "On the regularization of Wasserstein GANs",
            ("Henning Petzka", "Asja Fischer", "Denis Lukovnicov"), 2018, "1709.08894",
        ),
        norm="none", lam=10.0, lr=1e-4, b1=0.0, b2=0.9, k=5, digits={"lr": 4e-4, "k": 3},
    ),
    game(
        "wgan_div", "WGANDiv", "a divergence with the dual form of the Wasserstein distance and no Lipschitz bound",
        Paper(
            "Wasserstein Divergence for GANs",
            ("Jiqing Wu", "Zhiwu Huang", "Janine Thoma", "Dinesh Acharya", "Luc Van Gool"), 2018, "1712.01026",
        ),
        aliases=("WGAN-div",),
        norm="none", lam=2.0, b1=0.0, b2=0.9, k=4, digits={"k": 3},
    ),
    game(
        "bwgan", "BWGAN", "WGAN-GP for other norms between images than the Euclidean",
        Paper("Banach Wasserstein GAN", ("Jonas Adler", "Sebastian Lunz"), 2018, "1806.06621"),
        norm="none", lr=2e-4, b1=0.0, b2=0.9, k=5, digits={"lr": 4e-4, "k": 3},
    ),
]  # fmt: skip

CONSTRAINTS = [
    game(
        "fisher_gan", "FisherGAN", "the distance of mean scores in units of their spread",
        Paper("Fisher GAN", ("Youssef Mroueh", "Tom Sercu"), 2017, "1705.09675"),
        lam=1e-6, k=2, digits={"lam": 1e-2},
    ),
    game(
        "sobolev_gan", "SobolevGAN", "the distance of mean scores in units of the discriminator's slope",
        Paper(
            "Sobolev GAN",
            ("Youssef Mroueh", "Chun-Liang Li", "Tom Sercu", "Anant Raj", "Yu Cheng"), 2017, "1711.04894",
        ),
        norm="none", lam=1e-6, lr=1e-4, b2=0.9, k=5, digits={"lr": 4e-4, "k": 3, "lam": 1e-2},
    ),
]  # fmt: skip

PAIRS = [
    game(
        "lsgan_qi", "LossSensitiveGAN", "loss-sensitive: a margin that grows with the distance from the data",
        Paper(
            "Loss-Sensitive Generative Adversarial Networks on Lipschitz Densities", ("Guo-Jun Qi",),
            2017, "1701.06264",
        ),
        aliases=("Loss-sensitive GAN",),
        lam=2e-4, lr=1e-4, digits={"lam": 1e-2, "lr": 2e-4},
    ),
    game(
        "gan_qp", "GANQP", "a quadratic potential bounds the score's difference, without a Lipschitz bound",
        Paper(
            "GAN-QP: A Novel GAN Framework without Gradient Vanishing and Lipschitz Constraint", ("Jianlin Su",),
            2018, "1811.07296",
        ),
        lam=10.0, k=2,
    ),
    game(
        "coulomb_gan", "CoulombGAN", "the discriminator learns the field of real and fake charges",
        Paper(
            "Coulomb GANs: Provably Optimal Nash Equilibria via Potential Fields",
            (
                "Thomas Unterthiner", "Bernhard Nessler", "Calvin Seward", "Günter Klambauer", "Martin Heusel",
                "Hubert Ramsauer", "Sepp Hochreiter",
            ),
            2017, "1708.08819",
        ),
    ),
]  # fmt: skip

SLOPES = [
    game(
        "gan_gp", "ganzoo_objectives.slopes:GANGP", "WGAN-GP's penalty in DCGAN's own game",
        Paper(
            "Many Paths to Equilibrium: GANs Do Not Need to Decrease a Divergence At Every Step",
            (
                "William Fedus", "Mihaela Rosca", "Balaji Lakshminarayanan", "Andrew M. Dai", "Shakir Mohamed",
                "Ian Goodfellow",
            ),
            2017, "1710.08446",
        ),
        norm="none", lam=10.0, lr=1e-4, b2=0.9, digits={"lr": 4e-4},
    ),
    game(
        "lipschitz_gan", "ganzoo_objectives.slopes:LipschitzGAN", "the steepest place between data and samples costs",
        Paper(
            "Lipschitz Generative Adversarial Nets",
            (
                "Zhiming Zhou", "Jiadong Liang", "Yuxuan Song", "Lantao Yu", "Hongwei Wang", "Weinan Zhang", "Yong Yu",
                "Zhihua Zhang",
            ),
            2019, "1902.05687",
        ),
        aliases=("LGAN",),
        norm="none", b1=0.0, b2=0.9, k=5, digits={"lr": 4e-4, "k": 2},
    ),
    game(
        "gn_gan", "ganzoo_objectives.slopes:GNGAN", "the discriminator's score is divided by its own slope",
        Paper(
            "Gradient Normalization for Generative Adversarial Networks",
            ("Yi-Lun Wu", "Hong-Han Shuai", "Zhi-Rui Tam", "Hong-Yu Chiu"), 2021, "2109.02235",
        ),
        aliases=("GN-GAN",),
        norm="none", b1=0.0, b2=0.9, k=5, digits={"lr": 4e-4, "k": 2},
    ),
]  # fmt: skip

CONSISTENCY = [
    game(
        "ct_gan", "ganzoo_objectives.consistency:CTGAN", "two dropouts of the critic are to agree about the data",
        Paper(
            "Improving the Improved Training of Wasserstein GANs: A Consistency Term and Its Dual Effect",
            ("Xiang Wei", "Boqing Gong", "Zixia Liu", "Wei Lu", "Liqiang Wang"), 2018, "1803.01541",
        ),
        networks="ganzoo_objectives.dropout:networks",
        b2=0.9, k=5, digits={"lr": 4e-4, "k": 3, "drop": 0.2},
    ),
    game(
        "bre", "ganzoo_objectives.consistency:BRE", "which of D's units fire differs as much as it can",
        Paper(
            "Improving GAN Training via Binarized Representation Entropy (BRE) Regularization",
            ("Yanshuai Cao", "Gavin Weiguang Ding", "Kry Yik-Chau Lui", "Ruitong Huang"), 2018, "1805.03644",
        ),
        aliases=("BRE-GAN",),
    ),
    game(
        "icr", "ganzoo_objectives.consistency:ICR", "moved pictures and moved latents are to score the same",
        Paper(
            "Improved Consistency Regularization for GANs",
            ("Zhengli Zhao", "Sameer Singh", "Honglak Lee", "Zizhao Zhang", "Augustus Odena", "Han Zhang"),
            2020, "2002.04724",
        ),
        aliases=("ICR-GAN",),
        regularise=("bcr", "zcr"),
    ),
]  # fmt: skip

SELECTION = [
    game(
        "top_k", "ganzoo_objectives.selection:TopK", "the generator learns from its best samples only",
        Paper(
            "Top-k Training of GANs: Improving GAN Performance by Throwing Away Bad Samples",
            ("Samarth Sinha", "Zhengli Zhao", "Anirudh Goyal", "Colin Raffel", "Augustus Odena"), 2020, "2002.06224",
        ),
    ),
    game(
        "logan", "ganzoo_objectives.selection:LOGAN", "both players are shown samples of latents one step better",
        Paper(
            "LOGAN: Latent Optimisation for Generative Adversarial Networks",
            ("Yan Wu", "Jeff Donahue", "David Balduzzi", "Karen Simonyan", "Timothy Lillicrap"), 2019, "1912.00953",
        ),
        prior="uniform",
    ),
    game(
        "apa", "ganzoo_objectives.selection:APA", "some samples pass for real, the more the surer D is",
        Paper(
            "Deceive D: Adaptive Pseudo Augmentation for GAN Training with Limited Data",
            ("Liming Jiang", "Bo Dai", "Wayne Wu", "Chen Change Loy"), 2021, "2111.06849",
        ),
        digits={"pace": 50_000},
    ),
]  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [*LOSSES, *PENALTIES, *CONSTRAINTS, *PAIRS, *SLOPES, *CONSISTENCY, *SELECTION]

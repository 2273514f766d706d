"""The games of ESRGAN and Real-ESRGAN: a network learns to be right, then its relativistic or U-Net judge joins in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

import torch
from ganzoo_objectives.losses import ragan
from ganzoo_srgan.networks import bicubic
from torch import Tensor, nn

from ganzoo_core.nn import Discriminator, Generator, computing_in, preserve_rng, reseed
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Schedule, Step, Terms, adam, nonsaturating
from ganzoo_esrgan.content import LEVEL_SPACES, SPACES, distance
from ganzoo_esrgan.degradations import degraded, sharpened

Space = Literal["vgg", "lite0", "pixels"]


class ESRGAN(Objective):
    """ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks (Wang et al. 2018, arXiv:1809.00219).

    x is a crop of a photograph, low the same crop made smaller. Distances are of pictures in [0, 1].
    """

    G: Generator
    D: Discriminator
    content: Annotated[Space, "what the perceptual loss compares; vgg needs its file"] = "vgg"
    percep: Annotated[float, "weight of the perceptual loss"] = 1.0
    adv: Annotated[float, "weight of the adversarial loss, lambda"] = 5e-3
    pixel: Annotated[float, "weight of the L1 loss, eta"] = 1e-2
    psnr_lr: Annotated[float, "Adam's step while the loss is L1"] = 2e-4
    lr: Annotated[float, "Adam's step of the GAN; halved after 1/8, 1/4, 1/2 and 3/4 of it"] = 1e-4
    psnr_images: Annotated[int, "length of the L1 phase in crops: 1e6 updates of 16; 0: there is none"] = 16_000_000
    images: Annotated[int, "length of the GAN phase: 4e5 updates of 16; 0: RRDB-PSNR alone"] = 6_400_000

    needs = frozenset({"x", "low"})
    spaces: ClassVar[Mapping[str, type[nn.Module]]] = SPACES
    schedules: ClassVar[Mapping[str, Schedule]] = {"lr": lambda u: halved(u)}

    def __post_init__(self) -> None:
        super().__post_init__()
        self.space = self.spaces[self.content]()

    def phases(self) -> Sequence[Phase]:
        R = Player("R", [self.G], adam(self.psnr_lr, 0.9, 0.99))
        D, G = (
            Player(name, [net], adam(self.lr, 0.9, 0.99), self.schedules)
            for name, net in (("D", self.D), ("G", self.G))
        )
        right = Phase("psnr", [Step(R, self.l1_loss)], self.psnr_images)
        real = Phase("gan", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)
        return [phase for phase in (right, real) if phase.images]

    def pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """What G sees, and what it shall draw."""
        return batch["low"], batch["x"]

    def l1_loss(self, batch: Batch) -> Terms:
        """L1 of pixels in [0, 1]."""
        low, x = self.pair(batch)
        return {"l1": l1(self.G(low), x)}

    def d_loss(self, batch: Batch) -> Terms:
        """-1/2 E log sigmoid(D(x) - E D(G)) - 1/2 E log(1 - sigmoid(D(G) - E D(x)))."""
        low, x = self.pair(batch)
        terms = ragan.d(self.D(x), self.D(self.G(low)))
        return {name: term / 2 for name, term in terms.items()}

    def g_loss(self, batch: Batch) -> Terms:
        """L_percep + lambda L_G^Ra + eta L_1; L_G^Ra is D's loss with real and fake exchanged."""
        low, x = self.pair(batch)
        fake = self.G(low)
        adv = ragan.g(self.D(fake), self.D(x)) / 2
        return {**self.distances(fake, x), "adv": self.adv * adv}

    def distances(self, fake: Tensor, x: Tensor) -> Terms:
        return {"percep": self.percep * distance(self.space, fake, x), "l1": self.pixel * l1(fake, x)}

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Bicubic enlargements, ours, and the truth."""
        with preserve_rng():
            reseed(0)  # what is random in a pair is the same in every picture of a run
            low, x = self.pair(batch)
        G = self.exported_networks()["G"]
        assert isinstance(G, Generator)
        return {"bicubic": bicubic(low, x.shape[-1] // low.shape[-1]), "G": G.sample(len(low), seed=0, low=low), "x": x}


class RealESRGAN(ESRGAN):
    """Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data (Wang et al. 2021).

    arXiv:2107.10833. Crops x are spoilt anew each time (degradations.py), and G shall draw x sharpened. low, x made
    smaller and not spoilt, is there to show what G makes of it.
    """

    adv: Annotated[float, "weight of the adversarial loss"] = 0.1
    pixel: Annotated[float, "weight of the L1 loss"] = 1.0
    lr: Annotated[float, "Adam's step of the GAN"] = 1e-4
    psnr_images: Annotated[int, "length of the L1 phase in crops: 1e6 updates of 48; 0: there is none"] = 48_000_000
    images: Annotated[int, "length of the GAN phase: 4e5 updates of 48; 0: Real-ESRNet alone"] = 19_200_000

    spaces: ClassVar[Mapping[str, type[nn.Module]]] = LEVEL_SPACES
    schedules: ClassVar[Mapping[str, Schedule]] = {}

    @torch.no_grad()
    def pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """What became of the crops, and the crops sharpened."""
        x = (batch["x"] + 1) / 2
        scale: int = self.G.scale  # type: ignore[assignment]
        with computing_in(torch.float32, x.device):
            return 2 * degraded(x, scale) - 1, 2 * sharpened(x) - 1

    def d_loss(self, batch: Batch) -> Terms:
        """-E log D(x) - E log(1 - D(G)), of every pixel."""
        low, x = self.pair(batch)
        return nonsaturating.d(self.D(x), self.D(self.G(low)))

    def g_loss(self, batch: Batch) -> Terms:
        """L_1 + L_percep - 0.1 E log D(G)."""
        low, x = self.pair(batch)
        fake = self.G(low)
        return {**self.distances(fake, x), "adv": self.adv * nonsaturating.g(self.D(fake), None)}


def l1(fake: Tensor, x: Tensor) -> Tensor:
    """Mean absolute difference of pictures in [0, 1], given in [-1, 1]."""
    return (fake.float() - x).abs().mean() / 2


def halved(u: float) -> float:
    """1, and half as much after each of the published marks."""
    return float(0.5 ** sum(u >= mark for mark in (1 / 8, 1 / 4, 1 / 2, 3 / 4)))

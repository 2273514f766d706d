"""The game of BicycleGAN: z must come back from what it made, and what z was read off must come back from z."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import l1_loss

from ganzoo_core.nn import Discriminator, Generator
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, halfway_to_zero
from ganzoo_couples.scales import judging, pleasing, refuse_others

PREVIEW = 16  # pictures that are translated for the progress grid
DRAWN = 3  # times each


class BicycleGAN(Objective):
    """Toward Multimodal Image-to-Image Translation (Zhu et al. 2017, arXiv:1711.11586). A and B are pairs.

    cVAE-GAN, B -> z -> B^: z of E(B) makes B of A again. cLR-GAN, z -> B^ -> z^: of random z, E finds it again.
    """

    G: Generator
    E: nn.Module
    D: Discriminator
    D2: Discriminator
    lam: Annotated[float, "lambda, the weight of making B again"] = 10.0
    lam_kl: Annotated[float, "lambda_KL, the weight of E's z being N(0, 1)"] = 0.01
    lam_z: Annotated[float, "lambda_latent, the weight of finding z again"] = 0.5
    lr: Annotated[float, "Adam's step for all players; from half the course on it falls to 0"] = 2e-4
    images: Annotated[int, "length in pairs: 200 epochs of the 400 facades"] = 80_000

    needs = frozenset({"a", "b"})
    exported = ("G", "E")

    def __post_init__(self) -> None:
        refuse_others("bicyclegan", self.D, self.D2)

    def phases(self) -> Sequence[Phase]:
        G, D = (
            Player(name, nets, adam(self.lr, 0.5), {"lr": halfway_to_zero})
            for name, nets in (("G", [self.G, self.E]), ("D", [self.D, self.D2]))
        )
        return [Phase("main", [Step(G, self.g_loss), Step(D, self.d_loss)], self.images)]

    def encoded(self, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """z ~ E(B), and its mean and log-variance.  [N, C, H, W] -> [N, z_dim] each"""
        mean, log_variance = self.E(b)
        return mean + torch.randn_like(mean) * (log_variance / 2).exp(), mean, log_variance

    def g_loss(self, batch: Batch) -> Terms:
        """What G and E minimise; E is not asked to make it easier for itself to find random z again."""
        a, b, _ = halves(batch)
        z, mean, log_variance = self.encoded(b)
        z_random = self.G.prior(len(a))
        fake, fake_random = self.G(a, z), self.G(a, z_random)
        return {
            "adv": pleasing(self.D, fake),
            "adv2": pleasing(self.D2, fake_random),
            "l1": self.lam * l1_loss(fake.float(), b),
            "kl": self.lam_kl * kl(mean.float(), log_variance.float()),
            "z": self.lam_z * l1_loss(frozen(self.E, fake_random)[0].float(), z_random),
        }

    def d_loss(self, batch: Batch) -> Terms:
        """D tells B from G(A, E(B)), D2 from G(A, z); each sees real pictures of its own half of the batch."""
        a, b, b_other = halves(batch)
        fake, fake_random = self.G(a, self.encoded(b)[0]), self.G(a, self.G.prior(len(a)))
        first, second = judging(self.D, b, fake), judging(self.D2, b_other, fake_random)
        return first | {f"{name}2": term for name, term in second.items()}

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """A, what G makes of it with several z, and B."""
        a, b, G = batch["a"][:PREVIEW], batch["b"][:PREVIEW], self.exported_networks()["G"]
        assert isinstance(G, Generator)
        return {"a": a} | {f"G{seed}": G.sample(len(a), seed=seed, a=a) for seed in range(DRAWN)} | {"b": b}


def halves(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """A and B of the first half of the batch, which are encoded, and B of the second; of one pair it is both."""
    n = len(batch["a"])
    return batch["a"][: (n + 1) // 2], batch["b"][: (n + 1) // 2], batch["b"][n // 2 :]


def kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """D_KL(N(mean, variance) || N(0, 1)), summed over all numbers of the batch.  [N, z_dim] each"""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()


def frozen(net: nn.Module, *inputs: Tensor) -> tuple[Tensor, ...]:
    """What a network makes, with gradients for its inputs and none for its weights."""
    weights = {name: w.detach() for name, w in net.named_parameters()}
    return functional_call(net, weights, inputs)

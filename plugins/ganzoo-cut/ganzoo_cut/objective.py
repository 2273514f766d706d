"""The games of CUT and FastCUT: a patch of what G makes is to be told among others by the patch that it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganzoo_core.nn import Discriminator, Generator
from ganzoo_core.objectives import (
    Batch,
    Objective,
    Phase,
    Player,
    Schedule,
    Step,
    Terms,
    adam,
    halfway_to_zero,
    least_squares,
)


class CUT(Objective):
    """Contrastive Learning for Unpaired Image-to-Image Translation (Park et al. 2020, arXiv:2007.15651).

    x of the domain X is batch["a"], y of Y is batch["b"]; G: X -> Y. There is no way back.
    """

    G: Generator
    F: nn.Module
    D: Discriminator

    lam: Annotated[float, "lambda, the weight of the contrast"] = 1.0
    tau: Annotated[float, "temperature of the contrast"] = 0.07
    patches: Annotated[int, "places of each map that are told apart"] = 256
    lr: Annotated[float, "Adam's step for all players; from half the course on it falls to 0"] = 2e-4
    images: Annotated[int, "length in pairs: 400 epochs of horse2zebra's 1,335 zebras"] = 534_000

    needs = frozenset({"a", "b"})
    schedules: ClassVar[Mapping[str, Schedule]] = {"lr": halfway_to_zero}

    def phases(self) -> Sequence[Phase]:
        D = Player("D", [self.D], adam(self.lr, 0.5), self.schedules)
        G = Player("G", [self.G, self.F], adam(self.lr, 0.5), self.schedules)
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)]

    def d_loss(self, batch: Batch) -> Terms:
        """1/2 E (D(y) - 1)^2 + 1/2 E D(G(x))^2."""
        return least_squares.d(self.D(batch["b"]), self.D(self.G(batch["a"])))

    def g_loss(self, batch: Batch) -> Terms:
        """L_GAN + lambda (L_NCE(x, G(x)) + L_NCE(y, G(y))) / 2; the last keeps G from changing what is of Y already."""
        x, y = batch["a"], batch["b"]
        fake = self.G(x)
        nce = {"nce_x": self.contrast(x, fake), "nce_y": self.contrast(y, self.G(y))}
        return {"adv": 2 * least_squares.g(self.D(fake), None), **{k: self.lam / 2 * v for k, v in nce.items()}}

    def contrast(self, x: Tensor, made: Tensor, mirrored: bool = False) -> Tensor:
        """L_PatchNCE of G's features, mean over maps: patches of G(x) are queries, those of x at all places are keys.

        `mirrored`: what was made comes from the mirror image of x.
        """
        maps = self.G.features(made)  # type: ignore[operator]
        queries = [h.flip(3) for h in maps] if mirrored else maps
        with torch.no_grad():
            keys = self.G.features(x)  # type: ignore[operator]
        places = [chosen(h, self.patches) for h in keys]
        pairs = zip(self.F(queries, places), self.F(keys, places), strict=True)
        return torch.stack([patch_nce(q.float(), k.detach().float(), self.tau) for q, k in pairs]).mean()

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """x, G(x), y, G(y)."""
        G, x, y = self.exported_networks()["G"], batch["a"], batch["b"]
        assert isinstance(G, Generator)
        return {"a": x, "G": G.sample(len(x), seed=0, a=x), "b": y, "Gy": G.sample(len(y), seed=0, a=y)}


class FastCUT(CUT):
    """FastCUT (Park et al. 2020): more contrast, none of y, and pictures mirrored half of the time in its place."""

    lam: Annotated[float, "lambda, the weight of the contrast"] = 10.0
    lr: Annotated[float, "Adam's step for all players; in the last quarter of the course it falls to 0"] = 2e-4
    images: Annotated[int, "length in pairs: 200 epochs of horse2zebra's 1,335 zebras"] = 267_000

    schedules: ClassVar[Mapping[str, Schedule]] = {"lr": lambda u: min(1.0, 4 - 4 * u)}

    def d_loss(self, batch: Batch) -> Terms:
        """As CUT's, of mirror images half of the time."""
        return least_squares.d(self.D(batch["b"]), self.D(self.made(batch["a"], tossed())))

    def g_loss(self, batch: Batch) -> Terms:
        """L_GAN + lambda L_NCE(x, G(x)); G(mirror image of x), mirrored back, is asked for the patches of x."""
        x, mirrored = batch["a"], tossed()
        fake = self.made(x, mirrored)
        return {
            "adv": 2 * least_squares.g(self.D(fake), None),
            "nce_x": self.lam * self.contrast(x, fake, mirrored),
        }

    def made(self, x: Tensor, mirrored: bool) -> Tensor:
        fake: Tensor = self.G(x.flip(3) if mirrored else x)
        return fake


def tossed() -> bool:
    """A coin of the host's, so that no device is waited for."""
    return bool(torch.rand((), device="cpu") < 0.5)


def chosen(h: Tensor, n: int) -> Tensor:
    """At most n places of a map, none twice: indices into h w."""
    places = h.shape[2] * h.shape[3]
    return torch.randperm(places, device=h.device)[: min(n, places)]


def patch_nce(queries: Tensor, keys: Tensor, tau: float) -> Tensor:
    """Cross-entropy of finding each query's own key among those of all places of its picture.

    [N, S, f] both, of length 1: S - 1 of the keys are wrong ones.
    """
    alike = queries @ keys.transpose(1, 2) / tau  # [N, S, S]
    own = torch.arange(alike.shape[1], device=alike.device).expand(len(alike), -1)
    return cross_entropy(alike.flatten(0, 1), own.flatten())

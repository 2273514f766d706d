"""The game of VQGAN: first a picture must come through the codebook whole, then patches of it must look real, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from ganzoo_fastgan.reconstruction import Perceptual
from torch import Tensor
from torch.nn.functional import l1_loss, mse_loss

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, hinge
from ganzoo_vqgan import networks
from ganzoo_vqgan.networks import Coded

DELTA, MOST = 1e-4, 1e4  # what keeps lambda finite, and its bound


class VQGAN(Objective):
    """Taming Transformers for High-Resolution Image Synthesis (Esser et al. 2020, arXiv:2012.09841), stage one.

    L = |x - x^| + L_percep + L_codes + lambda L_GAN,  x^ = G(q(E(x)));  lambda is set by gradients, step by step.
    """

    G: networks.VQGAN
    D: Discriminator
    percep: Annotated[float, "weight of the perceptual loss, through a network that pip installs; 0: L1 alone"] = 1.0
    codebook: Annotated[float, "weight of the codebook's two losses"] = 1.0
    beta: Annotated[float, "of them, the weight of the one that moves the codebook"] = 0.25
    gan: Annotated[float, "factor on the adaptive weight lambda"] = 0.8
    seen: Annotated[int, "pictures, places of which the codebook begins as; 0: none, as published"] = 0
    lr: Annotated[float, "Adam's step for both players: 4.5e-6 x batch"] = 5.4e-5
    start_images: Annotated[int, "length without D: 250,001 updates of 12; 0: D is there from the start"] = 3_000_012
    images: Annotated[int, "length with D; 0: there is none"] = 3_000_000

    def __post_init__(self) -> None:
        super().__post_init__()
        self.distance = Perceptual()
        self.prepare_on = self.seen  # type: ignore[misc]

    @torch.no_grad()
    def prepare(self, batch: Batch) -> None:
        """Let the codebook begin as what E makes of places of the data, drawn at random."""
        vectors = self.G.Z.vectors.weight
        places = self.G.Z.before(self.G.E(batch["x"])).movedim(1, -1).flatten(0, 2)  # [places, dim]
        if len(places) < len(vectors):
            raise GanzooError(f"seen {self.seen}: {len(places)} places for {len(vectors)} codes", "Give more.")
        vectors.copy_(places[torch.randperm(len(places), device=places.device)[: len(vectors)]])

    def phases(self) -> Sequence[Phase]:
        G, D = (Player(name, [net], adam(self.lr, 0.5, 0.9)) for name, net in (("G", self.G), ("D", self.D)))
        alone = Phase("codes", [Step(G, self.code_loss)], self.start_images)
        judged = Phase("gan", [Step(G, self.g_loss), Step(D, self.d_loss)], self.images)
        return [phase for phase in (alone, judged) if phase.images]

    def code_loss(self, batch: Batch) -> Terms:
        """L_VQ (Eq. 4), |x - x^| and L_percep in place of the square."""
        return self.terms(batch["x"], self.G.coded(batch["x"]))

    def g_loss(self, batch: Batch) -> Terms:
        """L_VQ + lambda L_GAN (Eq. 6), L_GAN = -E D(x^)."""
        x = batch["x"]
        coded = self.G.coded(x)
        terms, adv = self.terms(x, coded), hinge.g(self.D(coded.drawn), None)
        rec = terms["l1"] + terms["percep"] if self.percep else terms["l1"]
        lam = self.gan * adaptive(rec, adv, self.G.G.last.weight)
        return terms | {"adv": lam * adv, "lambda": lam}

    def d_loss(self, batch: Batch) -> Terms:
        """Half of E max(0, 1 - D(x)) + E max(0, 1 + D(x^))."""
        x = batch["x"]
        return {name: term / 2 for name, term in hinge.d(self.D(x), self.D(self.G(x))).items()}

    def terms(self, x: Tensor, coded: Coded) -> Terms:
        """L_rec: |x - x^| + L_percep; L_codes: |sg z_q - z|^2 + beta |z_q - sg z|^2; and how the codebook is used."""
        drawn, z, z_q, codes = coded
        seen = {"percep": self.percep * self.distance(drawn, x)} if self.percep else {}
        return {
            "l1": l1_loss(drawn.float(), x),
            **seen,
            "commit": self.codebook * mse_loss(z, z_q.detach()),
            "codes": self.codebook * self.beta * mse_loss(z_q, z.detach()),
            **usage(codes, self.G.Z.vectors.num_embeddings),
        }


def adaptive(rec: Tensor, adv: Tensor, last: Tensor) -> Tensor:
    """lambda = |grad L_rec| / (|grad L_GAN| + delta), of the weights of G's last layer (Eq. 7).

    0 where nobody learns: a look at the losses.
    """
    if not last.requires_grad:
        return torch.zeros_like(adv)
    (of_rec,), (of_adv,) = (torch.autograd.grad(loss, last, retain_graph=True) for loss in (rec, adv))
    return (of_rec.norm() / (of_adv.norm() + DELTA)).clamp(0, MOST)


def usage(codes: Tensor, n: int) -> Terms:
    """The codes of a batch, without gradients: `used`, the share of all n that occur, and `perplexity`.

    That is exp of their entropy: n where all come equally often, 1 where one comes alone.
    """
    share = torch.full((codes.numel(),), 1 / codes.numel(), device=codes.device)
    p = torch.zeros(n, device=codes.device).index_add(0, codes.flatten(), share)
    return {"used": (p > 0).float().mean(), "perplexity": torch.special.entr(p).sum().exp()}

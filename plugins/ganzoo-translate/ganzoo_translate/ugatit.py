"""The game of U-GAT-IT: two translators that look where the domains differ, and four judges that do so, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from ganzoo_cyclegan.objective import ThereAndBack
from torch import Tensor, nn
from torch.nn.functional import l1_loss, softplus

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import (
    Batch,
    Phase,
    Player,
    Step,
    Terms,
    adam,
    halfway_to_zero,
    least_squares,
    to_float32,
)
from ganzoo_translate.layers import LIN
from ganzoo_translate.ugatit_networks import Translator


class UGATIT(ThereAndBack):
    """U-GAT-IT: Unsupervised Generative Attentional Networks with AdaLIN (Kim et al. 2020, arXiv:1907.10830).

    x of the domain X is batch["a"], y of Y is batch["b"]; the paper's G_s->t is G, its G_t->s is F; D_G* and D_L* are
    its global and local discriminators.
    """

    D_GX: Discriminator
    D_LX: Discriminator
    D_GY: Discriminator
    D_LY: Discriminator

    cycle: Annotated[float, "lambda_2, the weight of the way there and back"] = 10.0
    identity: Annotated[float, "lambda_3, the weight of leaving alone what is of the domain already"] = 10.0
    cam: Annotated[float, "lambda_4, the weight of what the attention of G and F is taught"] = 1000.0
    lr: Annotated[float, "Adam's step for both players; from half the course on it falls to 0"] = 1e-4
    decay: Annotated[float, "of all weights, within Adam"] = 1e-4
    images: Annotated[int, "length in pictures of each domain: a million batches of one"] = 1_000_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (isinstance(self.G, Translator) and isinstance(self.F, Translator)):
            raise GanzooError("ugatit: these networks show no attention", "Take its own networks.")

    def phases(self) -> Sequence[Phase]:
        optim, schedules = adam(self.lr, 0.5, decay=self.decay), {"lr": halfway_to_zero}
        D = Player("D", [self.D_GX, self.D_LX, self.D_GY, self.D_LY], optim, schedules)
        G = Player("G", [self.G, self.F], optim, schedules, project=self.clip_rho)
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)]

    @torch.no_grad()
    def clip_rho(self) -> None:
        """rho into [0, 1] (Eq. 1)."""
        for module in self.modules():
            if isinstance(module, LIN):
                module.rho.clamp_(0, 1)

    def d_loss(self, batch: Batch) -> Terms:
        """E (D(y) - 1)^2 + E D(G(x))^2 of scores and of the attention's logits (Eq. 2, and 5's D), all four judges."""
        x, y = batch["a"], batch["b"]
        fake_x, fake_y = self.F(y), self.G(x)
        given = {"x": (x, fake_x, (self.D_GX, self.D_LX)), "y": (y, fake_y, (self.D_GY, self.D_LY))}
        return {
            f"{domain}_{part}": term
            for domain, (real, fake, judges) in given.items()
            for part, term in judged(real, fake, judges).items()
        }

    def g_loss(self, batch: Batch) -> Terms:
        """lambda_1 L_lsgan + lambda_2 L_cycle + lambda_3 L_identity + lambda_4 L_cam (Eqs. 2 to 6), lambda_1 = 1."""
        x, y = batch["a"], batch["b"]
        G, F = self.translators()
        (fake_y, of_x), (fake_x, of_y) = G.with_logits(x), F.with_logits(y)
        (same_y, not_x), (same_x, not_y) = G.with_logits(y), F.with_logits(x)
        return {
            "adv_g": pleased(fake_y, (self.D_GY, self.D_LY)),
            "adv_f": pleased(fake_x, (self.D_GX, self.D_LX)),
            "cycle": self.cycle * (l1_loss(F(fake_y).float(), x) + l1_loss(G(fake_x).float(), y)),
            "identity": self.identity * (l1_loss(same_y.float(), y) + l1_loss(same_x.float(), x)),
            "cam": self.cam * (told(of_x, not_x) + told(of_y, not_y)),
        }

    def translators(self) -> tuple[Translator, Translator]:
        G, F = self.G, self.F
        assert isinstance(G, Translator) and isinstance(F, Translator)
        return G, F


def judged(real: Tensor, fake: Tensor, judges: Sequence[nn.Module]) -> Terms:
    """The sum over judges, of scores and of logits: E (D(y) - 1)^2 and E D(G(x))^2."""
    terms = {"real": real.new_zeros((), dtype=torch.float32), "fake": real.new_zeros((), dtype=torch.float32)}
    for D in judges:
        assert isinstance(D, Discriminator)
        for r, f in zip(D.score_and_features(real), D.score_and_features(fake), strict=True):
            for part, term in least_squares.d(r, f).items():
                terms[part] = terms[part] + 2 * term
    return terms


def pleased(fake: Tensor, judges: Sequence[nn.Module]) -> Tensor:
    """E (D(G(x)) - 1)^2, the same sum."""
    found = [verdict for D in judges if isinstance(D, Discriminator) for verdict in D.score_and_features(fake)]
    return torch.stack([2 * least_squares.g(verdict, None) for verdict in found]).sum()


def told(source: Tensor, target: Tensor) -> Tensor:
    """- E log eta(x) - E log(1 - eta(y)): the attention tells its source from what is of the target (Eq. 5)."""
    return softplus(-to_float32(source)).mean() + softplus(to_float32(target)).mean()

"""The game of SimGAN: a is a synthetic picture, y its label, b a real one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from torch import Tensor, nn
from torch.nn.functional import cross_entropy, softplus

from ganzoo_core.nn import Discriminator, Generator
from ganzoo_core.objectives import Batch, ImagePool, Objective, Phase, Player, Step, Terms, adam, sgd, to_float32


class SimGAN(Objective):
    """Learning from Simulated and Unsupervised Images through Adversarial Training (Shrivastava et al. 2016).

    R learns to leave pictures alone, D to tell them; then they play. At last T learns the labels of refined pictures,
    and S, its twin, those of synthetic ones: what refinement is worth is the difference of the two.
    """

    R: Generator
    D: Discriminator
    T: nn.Module
    S: nn.Module

    lam: Annotated[float, "lambda, the weight of each pixel's distance to the synthetic picture"] = 1e-4
    k_g: Annotated[int, "K_g, updates of R for one of D"] = 2
    pool: Annotated[int, "refined pictures that D is shown again: a hundred batches of 512"] = 51_200
    lr: Annotated[float, "the step of R's and D's gradient descent"] = 1e-3
    t_lr: Annotated[float, "Adam's step for T and S"] = 1e-3
    images_r: Annotated[int, "pictures on which R learns to leave them alone: 1,000 batches of 512"] = 512_000
    images_d: Annotated[int, "pictures on which D begins: 200 batches of 512"] = 102_400
    images: Annotated[int, "length of the game in synthetic pictures"] = 10_000_000
    images_t: Annotated[int, "pictures from which T and S learn"] = 1_000_000

    needs = frozenset({"a", "b", "label"})
    exported = ("R", "T", "S")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.history = ImagePool(self.pool)

    def phases(self) -> Sequence[Phase]:
        R, D = Player("R", [self.R], sgd(self.lr)), Player("D", [self.D], sgd(self.lr))
        T, S = (Player(name, [net], adam(self.t_lr, 0.9)) for name, net in (("T", self.T), ("S", self.S)))
        return [
            Phase("regularise", [Step(R, self.reg_loss)], self.images_r),
            Phase("judge", [Step(D, self.d_loss)], self.images_d),
            Phase("main", [Step(R, self.r_loss, repeat=self.k_g), Step(D, self.d_loss)], self.images),
            Phase("task", [Step(T, self.t_loss), Step(S, self.s_loss)], self.images_t),
        ]

    def r_loss(self, batch: Batch) -> Terms:
        """- sum over patches of log(1 - D(R(a))), D the odds of being refined, + lambda ||R(a) - a||_1."""
        refined = self.R(batch["a"])
        return {"adv": per_picture(softplus(-self.D(refined))), "reg": self.lam * l1(refined, batch["a"])}

    def reg_loss(self, batch: Batch) -> Terms:
        """lambda ||R(a) - a||_1."""
        return {"reg": self.lam * l1(self.R(batch["a"]), batch["a"])}

    def d_loss(self, batch: Batch) -> Terms:
        """- sum over patches of log D(R(a)) + log(1 - D(b)); half of what is refined comes out of the history."""
        refined = self.history.exchange(self.R(batch["a"]).detach())
        return {"real": per_picture(softplus(-self.D(batch["b"]))), "fake": per_picture(softplus(self.D(refined)))}

    def t_loss(self, batch: Batch) -> Terms:
        """CE(T(R(a)), y)."""
        return {"refined": cross_entropy(self.T(self.R(batch["a"])).float(), batch["label"])}

    def s_loss(self, batch: Batch) -> Terms:
        """CE(S(a), y)."""
        return {"source": cross_entropy(self.S(batch["a"]).float(), batch["label"])}


def per_picture(terms: Tensor) -> Tensor:
    """The sum over all places of a picture, mean over pictures.  [N, ...] -> []"""
    return to_float32(terms).flatten(1).sum(1).mean()


def l1(x: Tensor, y: Tensor) -> Tensor:
    """||x - y||_1 of pictures, mean over them."""
    return per_picture((x - y).abs())

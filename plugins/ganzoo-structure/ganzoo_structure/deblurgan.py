"""The game of DeblurGAN: WGAN-GP's critic of patches, and the content of the sharp picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import torch
from ganzoo_pix2pix.networks import PatchGAN
from ganzoo_srgan.content import VGG54, Lite0, Pixels
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from ganzoo_core.objectives import (
    Batch,
    Objective,
    Phase,
    Player,
    Step,
    Terms,
    adam,
    gradient_penalty,
    halfway_to_zero,
    wasserstein,
)
from ganzoo_structure.deblurgan_networks import G

Space = Literal["vgg", "lite0", "pixels"]


class VGG33(VGG54):
    """phi_3,3(x) of VGG19, up to the third convolution before the third pooling, as it is."""

    layers = 15

    def features(self, net: nn.Module, x: Tensor) -> Tensor:
        made: Tensor = net(x)
        return made


class DeblurGAN(Objective):
    """DeblurGAN: Blind Motion Deblurring Using Conditional Adversarial Networks (Kupyn et al. 2018, arXiv:1711.07064).

    a is a blurred picture, b the sharp one. L = L_GAN + lambda L_X, with L_X the distance of features of G(a) and b.
    """

    G: G
    D: PatchGAN
    content: Annotated[Space, "what L_X compares; vgg needs its file"] = "vgg"
    lam: Annotated[float, "lambda, the weight of L_X"] = 100.0
    gp: Annotated[float, "weight of the gradient penalty"] = 10.0
    n_critic: Annotated[int, "updates of D for each of G"] = 5
    lr: Annotated[float, "Adam's step for both players; in the second half it falls to 0"] = 1e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.5
    images: Annotated[int, "length in pairs: 300 epochs of 1,000, times the critic's updates"] = 1_800_000

    needs = frozenset({"a", "b"})
    spaces: ClassVar[Mapping[str, type[Any]]] = {"vgg": VGG33, "lite0": Lite0, "pixels": Pixels}

    def __post_init__(self) -> None:
        self.space: nn.Module = self.spaces[self.content]()

    def phases(self) -> Sequence[Phase]:
        D, G = (
            Player(name, [net], adam(self.lr, self.b1), {"lr": halfway_to_zero})
            for name, net in (("D", self.D), ("G", self.G))
        )
        return [Phase("main", [Step(D, self.d_loss, repeat=self.n_critic), Step(G, self.g_loss)], self.images)]

    def judge(self, x: Tensor) -> Tensor:
        """The mean over patches.  [N]"""
        return self.D(x).flatten(1).mean(1)

    def d_loss(self, batch: Batch) -> Terms:
        """E D(G(a)) - E D(b) + 10 E (|grad D| - 1)^2."""
        b, fake = batch["b"], self.G(batch["a"])
        terms = wasserstein.d(self.judge(b), self.judge(fake))
        return terms | {"gp": self.gp * gradient_penalty(self.judge, b, fake)}

    def g_loss(self, batch: Batch) -> Terms:
        """-E D(G(a)) + 100 E |phi(G(a)) - phi(b)|^2."""
        fake = self.G(batch["a"])
        far = mse_loss(self.space(fake).float(), self.space(batch["b"]).float())
        return {"adv": wasserstein.g(self.judge(fake), None), "content": self.lam * far}

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Blurred pictures, ours, and the sharp ones."""
        net = self.exported_networks()["G"]
        assert isinstance(net, G)
        return {"a": batch["a"], "G": net.sample(len(batch["a"]), seed=0, a=batch["a"]), "b": batch["b"]}

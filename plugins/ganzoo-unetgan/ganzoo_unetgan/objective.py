"""The game of U-Net GAN: the hinge for pictures and for pixels, and CutMix, with which D is to be consistent."""

from __future__ import annotations

from typing import Annotated

import torch
from ganzoo_biggan.objective import with_standing
from ganzoo_sngan.objective import Hinge
from torch import Tensor, nn
from torch.nn.functional import relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import Batch, Optim, Terms, adam, hinge, to_float32
from ganzoo_unetgan.cutmix import masks, mix
from ganzoo_unetgan.networks import UNet


class UNetGAN(Hinge):
    """A U-Net Based Discriminator for Generative Adversarial Networks (Schönfeld et al. 2020, arXiv:2002.12655).

    D gives a score of the whole picture and one of every pixel; each has its hinge loss, and G is told by both.
    Pictures that CutMix puts together are false as wholes, and their pixels are what they come from; what D says of
    these is to be what it says of the two pictures, put together alike (squared difference). The share of steps with
    CutMix grows from 0 to `mixing` at `mixing_from`.
    """

    D: UNet
    share: Tensor  # of steps with CutMix, as it is now

    d_lr: Annotated[float, "Adam's step for D"] = 5e-4
    g_lr: Annotated[float, "Adam's step for G"] = 1e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.0
    b2: Annotated[float, "Adam's beta_2"] = 0.999
    consistency: Annotated[float, "weight of the squared difference under CutMix"] = 1.0
    mixing: Annotated[float, "share of steps with CutMix, in the end"] = 0.5
    mixing_from: Annotated[float, "the fraction of the run at which it is reached, on a straight line"] = 0.5
    standing: Annotated[int, "batches of samples for the statistics of what is published"] = 100
    images: Annotated[int, "length in real images"] = 14_000_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.D, UNet):
            what = f"unet_gan: {type(self.D).__name__} does not judge pixels where they lie"
            raise GanzooError(what, "Take its own networks; CutMix is its augmentation: -c augment=none.")
        self.register_buffer("share", torch.zeros(()))

    def optim(self, player: str) -> Optim:
        return adam(self.d_lr if player == "D" else self.g_lr, self.b1, self.b2)

    def on_step_end(self, u: float) -> None:
        self.share.fill_(self.mixing * min(1.0, u / self.mixing_from))

    def d_loss(self, batch: Batch) -> Terms:
        x, y = batch["x"], self.y(batch, 1)
        fake = self.fake(len(x), *y)
        real, false = self.D(x, *y), self.D(fake, *y)
        mask = masks(x)
        mixed = self.D(mix(x, fake, mask), *y)
        now = (torch.rand((), device=x.device) < self.share).float()
        pixels = hinge.d(real[:, 1:], false[:, 1:])
        return hinge.d(real[:, 0], false[:, 0]) | {
            "real_pixels": pixels["real"],
            "fake_pixels": pixels["fake"],
            "mixed": now * mixed_loss(mixed, mask),
            "consistency": now * self.consistency * inconsistency(real, false, mixed, mask),
        }

    def g_loss(self, batch: Batch) -> Terms:
        y = self.y(batch, 1)
        scores = self.D(self.fake(len(batch["x"]), *y), *y)
        return {"adv": hinge.g(scores[:, 0], None), "pixels": hinge.g(scores[:, 1:], None)}

    def exported_networks(self) -> dict[str, nn.Module]:
        """G with standing statistics; one that has them already (a trained model) as it is."""
        return {name: with_standing(net, self.standing) for name, net in super().exported_networks().items()}


def mixed_loss(scores: Tensor, mask: Tensor) -> Tensor:
    """The hinge of scores [N, 1 + H W] of mixed pictures: false as wholes, real as pixels where the mask is 1."""
    scores, mask = to_float32(scores), mask.flatten(1)
    pixels = mix(relu(1 - scores[:, 1:]), relu(1 + scores[:, 1:]), mask)
    return relu(1 + scores[:, 0]).mean() + pixels.mean()


def inconsistency(real: Tensor, fake: Tensor, mixed: Tensor, mask: Tensor) -> Tensor:
    """E (D(mix(x, G(z))) - mix(D(x), D(G(z))))^2, a mean over pixels; scores are [N, 1 + H W]."""
    expected = mix(to_float32(real[:, 1:]), to_float32(fake[:, 1:]), mask.flatten(1))
    return (to_float32(mixed[:, 1:]) - expected).square().mean()

"""DCGAN's generator, and classifiers: discriminators that are one, and one beside a discriminator of pairs."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import torch
from ganzoo_cgan.networks import ConditionalD, ConditionalG
from ganzoo_dcgan.networks import G as DCGAN_G
from torch import Tensor, nn

from ganzoo_core.nn import Discriminator, doublings, initialise


def halving(image_size: int, channels: int, width: int, outputs: int, drop: float) -> nn.Sequential:
    """Halves the side down to 4x4, and then says a logit of each class: [N, C, H, W] -> [N, outputs]."""
    widths = [width * 2**i for i in range(doublings(image_size, least=16, most=128))]
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(drop)]
    for f, f_next in pairwise(widths):
        layers += [nn.Conv2d(f, f_next, 4, 2, 1, bias=False), nn.BatchNorm2d(f_next), nn.LeakyReLU(0.2)]
        layers += [nn.Dropout2d(drop)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * widths[-1], outputs)).apply(initialise)


class Classifier(Discriminator):
    """A discriminator that says a logit of each class."""

    def __init__(self, image_size: int, channels: int, width: int, outputs: int, drop: float) -> None:
        super().__init__()
        self.main = halving(image_size, channels, width, outputs, drop)

    def logits(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, K]
        """Of the classes alone."""
        made: Tensor = self.main(x)
        return made

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        return self.score_and_features(x)[0]

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """How sure it is, minus the entropy of p(y | x) in nats [N], and what that is read from: the logits [N, K]."""
        logits = self.logits(x)
        return -entropy(logits), logits


class OneMore(Classifier):
    """With a further class, the last: the fakes."""

    def logits(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, K]
        return self.all_logits(x)[:, :-1]

    def all_logits(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, K + 1]
        made: Tensor = self.main(x)
        return made

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """log p(real | x) - log p(fake | x) [N], and what that is read from: all logits [N, K + 1]."""
        logits = self.all_logits(x)
        return odds(logits), logits


class C(nn.Module):
    """A classifier that judges nothing: p(y | x)."""

    def __init__(self, image_size: int, channels: int, width: int, classes: int, drop: float) -> None:
        super().__init__()
        self.main = halving(image_size, channels, width, classes, drop)

    def logits(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, K]
        made: Tensor = self.main(x)
        return made

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, K]
        return self.logits(x)


def odds(logits: Tensor) -> Tensor:
    """Of being of any class but the last.  [N, K + 1] -> [N]"""
    return logits[:, :-1].float().logsumexp(1) - logits[:, -1].float()


def entropy(logits: Tensor) -> Tensor:
    """H[p(y | x)] in nats.  [N, K] -> [N]"""
    log_p = logits.float().log_softmax(1)
    return -(log_p.exp() * log_p).sum(1)


def marginal_entropy(logits: Tensor) -> Tensor:
    """H[E p(y | x)] in nats: how evenly a batch falls into the classes.  [N, K] -> []"""
    p = logits.float().softmax(1).mean(0)
    return -(p * (p + torch.finfo(p.dtype).tiny).log()).sum()


SideArg = Annotated[int, "side of the square image: 16, 32, 64 or 128"]
ChannelsArg = Annotated[int, "1 gray, 3 colour"]
ClassesArg = Annotated[int, "how many labels there are"]
WidthArg = Annotated[int, "channels next to the image; they double towards 4x4"]
LatentArg = Annotated[int, "length of the latent z ~ N(0, 1)"]
DropArg = Annotated[float, "share of the classifier's maps that are left out at random in training"]


def of_classes(
    *,
    image_size: SideArg = 32,
    channels: ChannelsArg = 1,
    classes: ClassesArg = 10,
    width: WidthArg = 64,
    z_dim: LatentArg = 100,
    drop: DropArg = 0.3,
) -> dict[str, nn.Module]:
    """The generator G and the classifier D."""
    D = Classifier(image_size, channels, width, classes, drop)
    return {"G": DCGAN_G(image_size, channels, width, z_dim), "D": D}


def of_one_more(
    *,
    image_size: SideArg = 32,
    channels: ChannelsArg = 1,
    classes: ClassesArg = 10,
    width: WidthArg = 64,
    z_dim: LatentArg = 100,
    drop: DropArg = 0.3,
) -> dict[str, nn.Module]:
    """The generator G and the classifier D, with a class for fakes."""
    D = OneMore(image_size, channels, width, classes + 1, drop)
    return {"G": DCGAN_G(image_size, channels, width, z_dim), "D": D}


def of_three(
    *,
    image_size: SideArg = 32,
    channels: ChannelsArg = 1,
    classes: ClassesArg = 10,
    width: WidthArg = 64,
    z_dim: LatentArg = 100,
    drop: DropArg = 0.3,
) -> dict[str, nn.Module]:
    """The generator G(z, y), the classifier C(x), and the discriminator D(x, y) of pairs."""
    shape = (channels, image_size, image_size)
    return {
        "G": ConditionalG(shape, classes, z_dim, width),
        "C": C(image_size, channels, width, classes, drop),
        "D": ConditionalD(shape, classes, width),
    }

"""The networks of StarGAN (Choi et al. 2017): one translator for all domains, and a judge that names the domain."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Image, Images, Label, sample_deterministic


class InstanceNorm(nn.InstanceNorm2d):
    """With gamma, beta and running statistics, as published; `live`, a picture's own are taken in evaluation mode, too.

    Its own are those of a group norm of one channel per group, whose kernel is several times as fast on a CPU.
    """

    def __init__(self, f: int) -> None:
        super().__init__(f, affine=True, track_running_stats=True)

    def forward(self, x: Tensor, live: bool = False) -> Tensor:
        if self.training:
            self.track(x)
        elif not live:
            return super().forward(x)
        return torch.group_norm(x.contiguous(), self.num_features, self.weight, self.bias, self.eps)

    @torch.no_grad()
    def track(self, x: Tensor) -> None:
        """The running statistics follow the means, over the batch, of mean and variance of each picture."""
        assert self.running_mean is not None and self.running_var is not None
        variance, mean = torch.var_mean(x.float(), (2, 3))  # [N, f]
        self.running_mean.lerp_(mean.mean(0), self.momentum or 0.0)
        self.running_var.lerp_(variance.mean(0), self.momentum or 0.0)


class Stage(nn.Module):
    """A convolution without biases, and a norm."""

    def __init__(self, conv: nn.Module, f: int) -> None:
        super().__init__()
        self.conv, self.norm = conv, InstanceNorm(f)

    def forward(self, h: Tensor, live: bool) -> Tensor:
        return self.norm(self.conv(h), live)


class Residual(nn.Module):
    """h + two 3x3 convolutions of it."""

    def __init__(self, f: int) -> None:
        super().__init__()
        self.first, self.second = (Stage(nn.Conv2d(f, f, 3, 1, 1, bias=False), f) for _ in range(2))

    def forward(self, h: Tensor, live: bool) -> Tensor:
        return h + self.second(self.first(h, live).relu(), live)


class G(Generator):
    """G(x, c): a picture and the domain that it is to be of; c goes in as planes beside the picture's channels."""

    def __init__(self, channels: int, classes: int, width: int, blocks: int) -> None:
        super().__init__()
        self.inputs = {"x": Image((channels, None, None), multiple=4), "label": Label(classes)}
        self.output = Images((channels, None, None))
        self.classes, f = classes, width
        self.first = Stage(nn.Conv2d(channels + classes, f, 7, 1, 3, bias=False), f)
        self.down = nn.ModuleList(Stage(nn.Conv2d(n, 2 * n, 4, 2, 1, bias=False), 2 * n) for n in (f, 2 * f))
        self.blocks = nn.ModuleList(Residual(4 * f) for _ in range(blocks))
        self.up = nn.ModuleList(
            Stage(nn.ConvTranspose2d(n, n // 2, 4, 2, 1, bias=False), n // 2) for n in (4 * f, 2 * f)
        )
        self.last = nn.Conv2d(f, channels, 7, 1, 3, bias=False)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:  # [N, C, H, W], [N] -> [N, C, H, W]
        return self.drawn(x, label, live=self.training)

    def drawn(self, x: Tensor, label: Tensor, *, live: bool) -> Tensor:
        return self.translated(x, one_hot(label, self.classes).to(x.dtype), live)

    def translated(self, x: Tensor, c: Tensor, live: bool = False) -> Tensor:
        """With c as numbers, [N, classes]: several attributes at a time, where it has learnt such."""
        h = torch.cat([x, c[:, :, None, None].expand(-1, -1, *x.shape[2:])], 1)
        for stage in (self.first, *self.down):
            h = stage(h, live).relu()
        for block in self.blocks:
            h = block(h, live)
        for stage in self.up:
            h = stage(h, live).relu()
        return self.last(h).tanh()

    def sample(self, n: int, *, seed: int, **inputs: Any) -> Tensor:
        """See Generator.sample. Norms take each picture's own statistics, as in training."""
        return sample_deterministic(self, partial(self.drawn, live=True), n, seed, inputs)


class D(Discriminator):
    """Convolutions that halve the side; D_src scores patches of what they make, and `cls` names the domain of it."""

    def __init__(self, image_size: int, channels: int, classes: int, width: int, halvings: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        f = channels
        for i in range(halvings):
            layers += [nn.Conv2d(f, width * 2**i, 4, 2, 1), nn.LeakyReLU(0.01)]
            f = width * 2**i
        self.main = nn.Sequential(*layers)
        self.src = nn.Conv2d(f, 1, 3, 1, 1, bias=False)
        self.cls = nn.Sequential(nn.Conv2d(f, classes, image_size >> halvings, bias=False), nn.Flatten())

    def features(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, f, h, w], of which `cls` makes the logits of the domains, [N, classes]."""
        return self.main(x)

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.features(x)
        return self.src(h), h

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, 1, h, w]
        return self.src(self.features(x))


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures that it is trained on"] = 128,
    channels: Annotated[int, "of the pictures: 1 gray, 3 colour"] = 3,
    classes: Annotated[int, "domains"] = 5,
    width: Annotated[int, "channels of G next to the picture; the residual blocks have four times as many"] = 64,
    blocks: Annotated[int, "residual blocks of G"] = 6,
    d_width: Annotated[int, "channels of D at half the side; they double with each halving"] = 64,
    halvings: Annotated[int, "how often D halves the side: 6 for 128 px, down to 2x2"] = 6,
) -> dict[str, nn.Module]:
    """The translator G(x, label) and the judge D(x)."""
    if min(image_size, channels, classes, width, d_width, halvings) < 1 or blocks < 0:
        raise GanzooError("a size below 1", "Choose others.")
    if image_size % max(4, 2**halvings):
        what = f"image_size {image_size}: not a multiple of {max(4, 2**halvings)}, which D halves {halvings} times"
        raise GanzooError(what, "Choose another, or fewer halvings.")
    return {"G": G(channels, classes, width, blocks), "D": D(image_size, channels, classes, d_width, halvings)}

"""The pair of pix2pix (Isola et al. 2016, Sec. 3.2 and App. 6.1): a U-Net, and a discriminator that scores patches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, dropout, leaky_relu, relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Image, Images, initialise, sample_deterministic

Norm = Literal["batch", "instance"]
STRIDES = {16: 1, 34: 2, 70: 3, 142: 4, 286: 5}  # receptive field of a score -> convolutions of stride 2


class BatchNorm(nn.BatchNorm2d):
    """Batch norm; live in evaluation mode, it takes the statistics of the batch and leaves the running ones alone."""

    def forward(self, x: Tensor, live: bool = False) -> Tensor:
        if live and not self.training:
            return batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)
        return super().forward(x)


class InstanceNorm(nn.InstanceNorm2d):
    """Statistics of each picture by itself. With gamma and beta (`affine`) it is what batch norm is at a batch of one.

    Computed as a group norm of one channel per group, whose kernel is several times as fast on a CPU.
    """

    def forward(self, x: Tensor, live: bool = False) -> Tensor:
        return torch.group_norm(x.contiguous(), self.num_features, self.weight, self.bias, self.eps)


class Level(nn.Module):
    """A convolution that halves or doubles the side, a norm, dropout: one level of the encoder or of the decoder."""

    def __init__(self, conv: nn.Module, norm: nn.Module | None = None, p: float = 0.0) -> None:
        super().__init__()
        self.conv, self.norm, self.p = conv, norm, p

    def forward(self, h: Tensor, live: bool) -> Tensor:
        h = self.conv(h)
        if self.norm is not None:
            h = self.norm(h, live)
        return dropout(h, self.p, live)


class UNet(Generator):
    """Encoder and decoder with skips: each level of the decoder sees what the encoder made at its size.

    Its noise is dropout, which is on when it samples, too, and so are the statistics of the batch (Secs. 3.1, 3.3).
    Pictures are sampled one at a time: none depends on its neighbours.
    """

    sample_batch_size: ClassVar[int] = 1  # then the statistics of the batch are those of the picture

    def __init__(self, key: str, channels: int, down: Sequence[Level], up: Sequence[Level]) -> None:
        super().__init__()
        self.inputs = {key: Image((channels, None, None), multiple=2 ** len(down))}
        self.output = Images((channels, None, None))
        self.down, self.up = nn.ModuleList(down), nn.ModuleList(up)

    def forward(self, a: Tensor) -> Tensor:  # [N, C, H, W] -> [N, C, H, W]
        return self.drawn(a, live=self.training)

    def drawn(self, a: Tensor, *, live: bool) -> Tensor:
        """One pass; where it is `live`, dropout is on and norms take the statistics of this batch."""
        h, skips = a, list[Tensor]()
        for i, level in enumerate(self.down):
            h = level(leaky_relu(h, 0.2) if i else h, live)
            skips.append(h)
        h = skips.pop()
        for level in self.up:
            h = level(relu(h), live)
            # The authors' leaky ReLU works in place, so their skip is leaky_relu(skip); the ReLU that follows makes
            # the same of both: relu(leaky_relu(s)) = relu(s).
            h = torch.cat([skips.pop(), h], 1) if skips else h
        return h.tanh()

    def sample(self, n: int, *, seed: int, noise: bool = True, **inputs: Tensor) -> Tensor:
        """n pictures [n, C, H, W] in [-1, 1], one for each input picture, whose sides are multiples of 2 ** levels.

        `noise`: dropout and the picture's own statistics, as published; without it the pass is that of evaluation
        mode, and the same for every seed. Errors: GanzooError for a missing or a wrong picture.
        """
        return sample_deterministic(self, partial(self.drawn, live=noise), n, seed, inputs)


def unet(channels: int, width: int, levels: int, norm: Norm) -> UNet:
    """U-Net256 with 8 levels: 64, 128, 256 and then 512 channels, down to 1x1 and back.

    Neither the first nor the last level of the encoder has a norm; dropout is on the levels of the decoder that make
    8 f from 8 f, but for the innermost.
    """
    if levels < 2:
        raise GanzooError(f"levels {levels}: below 2", "The published are 8 for 256 px, 7 for 128 px; 6 suit 64 px.")
    normed = BatchNorm if norm == "batch" else partial(InstanceNorm, affine=True)
    widths = [width * min(2**i, 8) for i in range(levels)]
    down = [Level(nn.Conv2d(channels, width, 4, 2, 1, bias=False))]
    for i, (f, f_next) in enumerate(pairwise(widths), 2):
        down.append(Level(nn.Conv2d(f, f_next, 4, 2, 1, bias=False), normed(f_next) if i < levels else None))
    up, f = [], widths[-1]
    for i in range(levels - 2, -1, -1):
        p = 0.5 if 3 <= i < levels - 2 else 0.0
        up.append(Level(nn.ConvTranspose2d(f, widths[i], 4, 2, 1, bias=False), normed(widths[i]), p))
        f = 2 * widths[i]
    up.append(Level(nn.ConvTranspose2d(f, channels, 4, 2, 1)))
    return UNet("a", channels, down, up)


class PatchGAN(Discriminator):
    """Scores of overlapping patches, [N, 1, h, w]: all convolutions, so it takes pictures of any size (Sec. 3.2.2).

    Each score sees `patch` x `patch` pixels: 1 (the PixelGAN: 1x1 convolutions), 16, 34, 70, 142 or 286. `channels` are
    those of all that it sees. Its norm has weights where it is over the batch, and none where it is over the picture,
    as in CycleGAN.
    """

    def __init__(self, channels: int, width: int, patch: int, norm: Norm) -> None:
        super().__init__()
        pixel = patch == 1
        if not pixel and patch not in STRIDES:
            raise GanzooError(f"patch {patch}: not 1, {', '.join(map(str, STRIDES))}", "Choose one.")
        kernel, widths, strides = (1, [width, 2 * width], [1, 1]) if pixel else patched(width, STRIDES[patch])
        pad, biased = kernel // 2 - (kernel == 4), pixel or norm == "instance"
        layers: list[nn.Module] = []
        for i, (f, stride) in enumerate(zip(widths, strides, strict=True)):
            layers.append(nn.Conv2d(widths[i - 1] if i else channels, f, kernel, stride, pad, bias=biased or i == 0))
            layers += [nn.BatchNorm2d(f) if norm == "batch" else InstanceNorm(f)] if i else []
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.main = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, kernel, 1, pad))

    def forward(self, x: Tensor, *conditions: Tensor) -> Tensor:
        """Of x [N, C, H, W], beside the pictures that it goes with, which come first: concat(a, b)."""
        return self.main(torch.cat([*conditions, x], 1))


def patched(width: int, n: int) -> tuple[int, list[int], list[int]]:
    """Kernel, widths and strides of n convolutions that halve the side and one that does not."""
    return 4, [width * min(2**i, 8) for i in range(n + 1)], [2] * n + [1]


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures that it is trained on: a multiple of 2 ** levels"] = 256,
    channels: Annotated[int, "of a and b: 1 gray, 3 colour"] = 3,
    width: Annotated[int, "f, the channels of G next to the picture; they double with each level, up to 8 f"] = 64,
    levels: Annotated[int, "how often G halves the side: 8 for 256 px, 7 for 128, 6 for 64"] = 8,
    norm: Annotated[
        Norm, "of G: over the batch, as published, or over each picture, which is the same at batch 1"
    ] = "batch",
    d_width: Annotated[int, "the channels of D next to the picture"] = 64,
    patch: Annotated[int, "pixels that a score of D sees: 1, 16, 34, 70, 142 or 286"] = 70,
) -> dict[str, nn.Module]:
    """The generator G(a) and the discriminator D(b, a)."""
    if min(image_size, channels, width, d_width) < 1 or image_size % 2**levels:
        raise GanzooError(f"image_size {image_size}: not a multiple of {2**levels}, which G halves {levels} times",
                          "Choose another image_size or other levels.")  # fmt: skip
    nets = {"G": unet(channels, width, levels, norm), "D": PatchGAN(2 * channels, d_width, patch, "batch")}
    return {name: net.apply(initialise) for name, net in nets.items()}

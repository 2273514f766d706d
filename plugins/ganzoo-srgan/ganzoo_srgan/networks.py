"""SRResNet, which is SRGAN's generator, and the discriminator that judges its crops (Ledig et al. 2016, Fig. 4)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Image, Images, computing_in, in_tiles, sample_deterministic

Norm = Literal["batch", "none"]
Skip = Literal["none", "bicubic"]
SCALES = (2, 4)


class Block(nn.Module):
    """x + BN conv PReLU BN conv x: Sec. 2.1.1, after Gross & Wilber."""

    def __init__(self, f: int, norm: Norm) -> None:
        super().__init__()
        self.main = nn.Sequential(*convolution(f, f, norm), nn.PReLU(), *convolution(f, f, norm))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.main(x)


class G(Generator):
    """A small picture -> features -> residual blocks at its own size -> pixel shuffles -> the picture enlarged.

    Any height and width will do. Low pictures are [0, 1] inside, as published; what comes out is [-1, 1].
    """

    sample_batch_size: ClassVar[int] = 1  # whole photographs

    def __init__(self, channels: int, scale: int, width: int, blocks: int, norm: Norm, skip: Skip) -> None:
        super().__init__()
        if scale not in SCALES:
            raise GanzooError(f"scale {scale}: not 2 or 4", "Choose one: -c scale=4.")
        self.inputs = {"low": Image((channels, None, None))}
        self.output = Images((channels, None, None))
        self.scale, self.skip, f = scale, skip, width
        self.first = nn.Sequential(nn.Conv2d(channels, f, 9, 1, 4), nn.PReLU())
        self.blocks = nn.Sequential(*[Block(f, norm) for _ in range(blocks)])
        self.trunk = nn.Sequential(*convolution(f, f, norm))
        up = [[nn.Conv2d(f, 4 * f, 3, 1, 1), nn.PixelShuffle(2), nn.PReLU()] for _ in range(SCALES.index(scale) + 1)]
        self.up = nn.Sequential(*[layer for stage in up for layer in stage])  # each: twice the side
        self.last = nn.Conv2d(f, channels, 9, 1, 4)
        if skip == "bicubic":
            for w in self.last.parameters():
                nn.init.zeros_(w)  # training begins at the bicubic picture itself

    def forward(self, low: Tensor) -> Tensor:  # [N, C, H, W] in [-1, 1] -> [N, C, scale H, scale W]
        h = self.first((low + 1) / 2)
        y: Tensor = self.last(self.up(h + self.trunk(self.blocks(h))))
        return y if self.skip == "none" else y + bicubic(low, self.scale)

    def sample(self, n: int, *, seed: int, **inputs: Any) -> Tensor:
        """The pictures `low` [n, C, H, W] enlarged, in [-1, 1]; nothing is random. Errors: GanzooError."""
        margin = 8 + 2 * len(self.blocks)  # first 4, blocks 2 each, trunk 1, up 1 and 1/2, last 4 of 4 times the side

        def enlarged(low: Tensor) -> Tensor:
            return in_tiles(lambda part: self(part).clamp(-1, 1), low, self.scale, margin)

        return sample_deterministic(self, enlarged, n, seed, inputs)


class D(Discriminator):
    """Eight convolutions, every other one halving the side, then two layers and the score of the crop."""

    def __init__(self, image_size: int, channels: int, width: int, hidden: int) -> None:
        super().__init__()
        if image_size < 16 or image_size % 16:
            raise GanzooError(f"image_size {image_size}: not a multiple of 16", "Choose 96, the published crop, or 48.")
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, 1, 1), nn.LeakyReLU(0.2, inplace=True)]
        f = width
        for times, stride in ((1, 2), (2, 1), (2, 2), (4, 1), (4, 2), (8, 1), (8, 2)):
            layers += [nn.Conv2d(f, times * width, 3, stride, 1, bias=False), nn.BatchNorm2d(times * width)]
            layers += [nn.LeakyReLU(0.2, inplace=True)]
            f = times * width
        self.main = nn.Sequential(*layers, nn.Flatten())
        self.dense = nn.Linear(8 * width * (image_size // 16) ** 2, hidden)
        self.score = nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        return self.score(self.features(x)).flatten()

    def features(self, x: Tensor) -> Tensor:
        return nn.functional.leaky_relu(self.dense(self.main(x)), 0.2)


def convolution(f: int, f_next: int, norm: Norm) -> list[nn.Module]:
    """3x3, and batch norm, beside which a bias would be idle."""
    if norm == "none":
        return [nn.Conv2d(f, f_next, 3, 1, 1)]
    return [nn.Conv2d(f, f_next, 3, 1, 1, bias=False), nn.BatchNorm2d(f_next)]


def bicubic(low: Tensor, scale: int) -> Tensor:
    """Keys' cubic interpolation with a = -0.5, as in Pillow and Matlab (without antialias torch has a = -0.75)."""
    with computing_in(torch.float32, low.device):
        return interpolate(low.float(), scale_factor=scale, mode="bicubic", antialias=True)


def networks(
    *,
    image_size: Annotated[
        int, "side of the square crops that D judges, a multiple of 16; G takes pictures of any size"
    ] = 96,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    scale: Annotated[int, "how many times as large: 2 or 4"] = 4,
    width: Annotated[int, "G's channels"] = 64,
    blocks: Annotated[int, "G's residual blocks"] = 16,
    norm: Annotated[
        Norm, "of G's convolutions: none for later practice, which trains faster when networks are small"
    ] = "batch",
    skip: Annotated[Skip, "what G's output is added to: bicubic makes it learn only what that lacks"] = "none",
    d_width: Annotated[int, "D's channels next to the crop; they grow to eight times as many"] = 64,
    d_hidden: Annotated[int, "units of D's layer before the score"] = 1024,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    return {
        "G": G(channels, scale, width, blocks, norm, skip),
        "D": D(image_size, channels, d_width, d_hidden),
    }

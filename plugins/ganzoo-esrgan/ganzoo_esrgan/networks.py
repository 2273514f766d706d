"""RRDBNet, which is the generator of both papers, and their discriminators (Wang et al. 2018, Fig. 4; 2021, Fig. 6)."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

import torch
from ganzoo_srgan.networks import bicubic
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, pixel_unshuffle

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Image, Images, apply_spectral_norm, in_tiles, sample_deterministic

Skip = Literal["none", "bicubic"]
BETA = 0.2  # residual scaling
SCALES = (1, 2, 4)


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees what all before it made; a fifth of the last is added to the input."""

    def __init__(self, f: int, grow: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(f + i * grow, f if i == 4 else grow, 3, 1, 1) for i in range(5))
        for conv in self.convs:
            assert isinstance(conv, nn.Conv2d) and conv.bias is not None
            nn.init.kaiming_normal_(conv.weight)
            with torch.no_grad():
                conv.weight.mul_(0.1)  # a small start (Sec. 3.1)
            nn.init.zeros_(conv.bias)

    def forward(self, x: Tensor) -> Tensor:
        *first, last = self.convs
        seen = [x]
        for conv in first:
            seen.append(leaky_relu(conv(torch.cat(seen, 1)), 0.2))
        return x + BETA * last(torch.cat(seen, 1))


class RRDB(nn.Module):
    """Residual in residual: three dense blocks, and a fifth of what they make of x added to x (Fig. 4)."""

    def __init__(self, f: int, grow: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*[DenseBlock(f, grow) for _ in range(3)])

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + BETA * self.blocks(x)
        return y


class G(Generator):
    """A small picture -> features -> RRDBs at its own size -> twice: nearest neighbour and a convolution -> enlarged.

    The network enlarges four times; for a smaller scale the picture is first folded into more channels, so that the
    blocks work at a quarter of the side of what comes out. Any height and width will do. Pictures are [0, 1] inside, as
    published; outside, all are [-1, 1].
    """

    sample_batch_size: ClassVar[int] = 1  # whole photographs

    def __init__(self, channels: int, scale: int, width: int, grow: int, blocks: int, skip: Skip) -> None:
        super().__init__()
        if scale not in SCALES:
            raise GanzooError(f"scale {scale}: not 1, 2 or 4", "Choose one: -c scale=4.")
        self.inputs = {"low": Image((channels, None, None))}
        self.output = Images((channels, None, None))
        self.scale, self.skip, self.fold = scale, skip, 4 // scale
        self.first = nn.Conv2d(channels * self.fold**2, width, 3, 1, 1)
        self.blocks = nn.Sequential(*[RRDB(width, grow) for _ in range(blocks)])
        self.trunk = nn.Conv2d(width, width, 3, 1, 1)
        self.up = nn.ModuleList(nn.Conv2d(width, width, 3, 1, 1) for _ in range(2))
        self.high = nn.Conv2d(width, width, 3, 1, 1)
        self.last = nn.Conv2d(width, channels, 3, 1, 1)
        if skip == "bicubic":
            for w in self.last.parameters():
                nn.init.zeros_(w)  # training begins at the bicubic picture itself

    def forward(self, low: Tensor) -> Tensor:  # [N, C, H, W] in [-1, 1] -> [N, C, scale H, scale W]
        h = self.first(folded((low + 1) / 2, self.fold))
        h = h + self.trunk(self.blocks(h))
        for conv in self.up:
            h = leaky_relu(conv(interpolate(h, scale_factor=2.0, mode="nearest")), 0.2)
        y: Tensor = 2 * self.last(leaky_relu(self.high(h), 0.2)) - 1
        y = y[..., : self.scale * low.shape[-2], : self.scale * low.shape[-1]]  # without what was folded from beyond
        return y if self.skip == "none" else y + 1 + bicubic(low, self.scale)

    def sample(self, n: int, *, seed: int, **inputs: Any) -> Tensor:
        """The pictures `low` [n, C, H, W] enlarged, in [-1, 1]; nothing is random. Errors: GanzooError."""
        margin = self.fold * (15 * len(self.blocks) + 4)  # 5 in a dense block; first, trunk, and 1 of the enlarged

        def enlarged(low: Tensor) -> Tensor:
            return in_tiles(lambda part: self(part).clamp(-1, 1), low, self.scale, margin)

        return sample_deterministic(self, enlarged, n, seed, inputs)


@torch.no_grad()
def interpolated(psnr: nn.Module, gan: nn.Module, a: float) -> nn.Module:
    """Network interpolation (Wang et al. 2018, Sec. 3.4): (1 - a) of one network and a of the other, weight by weight.

    Errors: GanzooError where they are not of one shape.
    """
    first, second = psnr.state_dict(), gan.state_dict()
    if {k: v.shape for k, v in first.items()} != {k: v.shape for k, v in second.items()}:
        raise GanzooError("the two networks are not of one shape", "Take the GAN that began with the other.")
    made = copy.deepcopy(gan)
    made.load_state_dict({name: torch.lerp(first[name], second[name], a) for name in first})
    return made


def folded(x: Tensor, by: int) -> Tensor:
    """Squares of by x by pixels into channels; the picture goes on beyond its edge as it ends, up to a whole square."""
    if by == 1:
        return x
    down, right = (-x.shape[-2]) % by, (-x.shape[-1]) % by
    return pixel_unshuffle(nn.functional.pad(x, (0, right, 0, down), mode="replicate"), by)


class VGGStyleD(Discriminator):
    """Convolutions, every other one halving the side down to 4, then two layers and the score of the crop."""

    def __init__(self, image_size: int, channels: int, width: int, hidden: int) -> None:
        super().__init__()
        if image_size < 32 or image_size % 32:
            raise GanzooError(
                f"image_size {image_size}: not a multiple of 32", "Choose 128, the published crop, or 64."
            )
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, 1, 1), nn.LeakyReLU(0.2)]
        layers += halving(width, width)
        f = width
        for times in (2, 4, 8, 8):
            layers += [nn.Conv2d(f, times * width, 3, 1, 1, bias=False), nn.BatchNorm2d(times * width)]
            layers += [nn.LeakyReLU(0.2), *halving(times * width, times * width)]
            f = times * width
        self.main = nn.Sequential(*layers, nn.Flatten())
        self.score = nn.Sequential(
            nn.Linear(f * (image_size // 32) ** 2, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1)
        )

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] in [-1, 1] -> [N]
        score: Tensor = self.score(self.main((x + 1) / 2))
        return score.flatten()


def halving(f: int, f_next: int) -> list[nn.Module]:
    """4x4, stride 2, and batch norm, beside which a bias would be idle."""
    return [nn.Conv2d(f, f_next, 4, 2, 1, bias=False), nn.BatchNorm2d(f_next), nn.LeakyReLU(0.2)]


class UNetD(Discriminator):
    """A U-Net with spectral norm: a score of every pixel, which knows its surroundings (Wang et al. 2021, Fig. 6)."""

    def __init__(self, image_size: int, channels: int, width: int) -> None:
        super().__init__()
        if image_size < 16 or image_size % 8:
            raise GanzooError(f"image_size {image_size}: not a multiple of 8", "Choose 256, the published crop, or 64.")
        f = [width, 2 * width, 4 * width, 8 * width]
        self.first = nn.Conv2d(channels, width, 3, 1, 1)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1, bias=False) for a, b in pairwise(f))
        self.up = nn.ModuleList(nn.Conv2d(b, a, 3, 1, 1, bias=False) for a, b in reversed(list(pairwise(f))))
        self.high = nn.ModuleList(nn.Conv2d(width, width, 3, 1, 1, bias=False) for _ in range(2))
        for part in (self.down, self.up, self.high):
            apply_spectral_norm(part, nn.Conv2d)
        self.last = nn.Conv2d(width, 1, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] in [-1, 1] -> [N, 1, H, W]
        h = leaky_relu(self.first((x + 1) / 2), 0.2)
        passed = []
        for conv in self.down:
            passed.append(h)
            h = leaky_relu(conv(h), 0.2)
        for conv in self.up:
            h = interpolate(h, scale_factor=2.0, mode="bilinear", align_corners=False)
            h = leaky_relu(conv(h), 0.2) + passed.pop()
        for conv in self.high:
            h = leaky_relu(conv(h), 0.2)
        return self.last(h)


Channels = Annotated[int, "1 gray, 3 colour"]
Scale = Annotated[int, "how many times as large: 1, 2 or 4"]
Width = Annotated[int, "G's channels"]
Grow = Annotated[int, "channels that each convolution of a dense block adds"]
Blocks = Annotated[int, "G's residual-in-residual dense blocks"]
Added = Annotated[Skip, "what G's output is added to: bicubic makes it learn only what that lacks"]


def networks(
    *,
    image_size: Annotated[int, "side of the square crops that D judges, a multiple of 32; G takes any size"] = 128,
    channels: Channels = 3,
    scale: Scale = 4,
    width: Width = 64,
    grow: Grow = 32,
    blocks: Blocks = 23,
    skip: Added = "none",
    d_width: Annotated[int, "D's channels next to the crop; they grow to eight times as many"] = 64,
    d_hidden: Annotated[int, "units of D's layer before the score"] = 100,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D of ESRGAN."""
    return {
        "G": G(channels, scale, width, grow, blocks, skip),
        "D": VGGStyleD(image_size, channels, d_width, d_hidden),
    }


def real_networks(
    *,
    image_size: Annotated[int, "side of the square crops that D judges, a multiple of 8; G takes any size"] = 256,
    channels: Channels = 3,
    scale: Scale = 4,
    width: Width = 64,
    grow: Grow = 32,
    blocks: Blocks = 23,
    skip: Added = "none",
    d_width: Annotated[int, "D's channels next to the crop; they grow to eight times as many"] = 64,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D of Real-ESRGAN."""
    return {"G": G(channels, scale, width, grow, blocks, skip), "D": UNetD(image_size, channels, d_width)}

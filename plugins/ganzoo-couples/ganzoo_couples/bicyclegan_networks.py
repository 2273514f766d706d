"""The networks of BicycleGAN (Zhu et al. 2017): a U-Net that is told z at each level, an encoder of z, two judges."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import torch
from ganzoo_pix2pix.networks import STRIDES, InstanceNorm, PatchGAN
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, leaky_relu, relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, Image, Images, Latent
from ganzoo_couples.scales import MultiScale

CODE_SIDE = 8  # of the maps that E averages


class G(Generator):
    """G(A, z): pix2pix's U-Net, at whose every level z joins as planes; going up, maps are enlarged bilinearly."""

    def __init__(self, channels: int, width: int, levels: int, z_dim: int) -> None:
        super().__init__()
        self.inputs = {"a": Image((channels, None, None), multiple=2**levels), "z": Latent((z_dim,))}
        self.output = Images((channels, None, None))
        f = [width * min(2**i, 8) for i in range(levels)]
        self.down = nn.ModuleList(nn.Conv2d(n + z_dim, m, 4, 2, 1) for n, m in pairwise([channels, *f]))
        self.down_norms = nn.ModuleList(InstanceNorm(m) for m in f[1:-1])  # not of the first and the last
        self.up = nn.ModuleList(
            enlarging(f[-1] if i == levels - 1 else 2 * f[i], f[i - 1] if i else channels)
            for i in range(levels - 1, -1, -1)
        )
        self.up_norms = nn.ModuleList(InstanceNorm(m) for m in reversed(f[:-1]))

    def forward(self, a: Tensor, z: Tensor) -> Tensor:  # [N, C, H, W], [N, z_dim] -> [N, C, H, W]
        h, skips = a, list[Tensor]()
        for i, conv in enumerate(self.down):
            h = torch.cat([h, z[:, :, None, None].expand(-1, -1, *h.shape[2:])], 1)
            h = conv(leaky_relu(h, 0.2) if i else h)
            h = self.down_norms[i - 1](h) if 0 < i < len(self.down) - 1 else h
            skips.append(h)
        h = skips.pop()
        for conv, norm in zip(self.up[:-1], self.up_norms, strict=True):
            h = torch.cat([norm(conv(relu(h))), skips.pop()], 1)
        return self.up[-1](relu(h)).tanh()


def enlarging(f: int, f_next: int) -> nn.Sequential:
    """Twice the side between pixels, then a 3x3 convolution that sees the mirror image beyond the border."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(f, f_next, 3, padding=1, padding_mode="reflect")
    )


class Block(nn.Module):
    """norm, leaky ReLU, conv, norm, leaky ReLU, conv, half the side; around it half the side and a 1x1 convolution."""

    def __init__(self, f: int, f_next: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            *(InstanceNorm(f), nn.LeakyReLU(0.2), nn.Conv2d(f, f, 3, 1, 1)),
            *(InstanceNorm(f), nn.LeakyReLU(0.2), nn.Conv2d(f, f_next, 3, 1, 1), nn.AvgPool2d(2)),
        )
        self.shortcut = nn.Conv2d(f, f_next, 1)

    def forward(self, h: Tensor) -> Tensor:
        return self.main(h) + self.shortcut(avg_pool2d(h, 2))


class E(nn.Module):
    """E(B): mean and log-variance of the z that makes B of A, [N, C, s, s] -> [N, z_dim] each."""

    def __init__(self, image_size: int, channels: int, width: int, z_dim: int) -> None:
        super().__init__()
        halvings = (image_size // CODE_SIDE).bit_length() - 1
        f = [width * min(i + 1, 4) for i in range(halvings)]  # at 256 px: 64, 128, 192, 256, 256
        self.mean, self.log_variance = nn.Linear(f[-1], z_dim), nn.Linear(f[-1], z_dim)
        blocks = [Block(n, m) for n, m in pairwise(f)]
        self.main = nn.Sequential(nn.Conv2d(channels, f[0], 4, 2, 1), *blocks, nn.LeakyReLU(0.2))

    def forward(self, b: Tensor) -> tuple[Tensor, Tensor]:
        h = avg_pool2d(self.main(b), CODE_SIDE).flatten(1)
        return self.mean(h), self.log_variance(h)


class TwoScales(MultiScale):
    """Two PatchGANs that see B alone: one at its size, and one of half the width at half of it."""

    def __init__(self, channels: int, width: int, patch: int) -> None:
        super().__init__()
        self.fine, self.coarse = (PatchGAN(channels, f, patch, "instance") for f in (width, width // 2))
        self.shrink = nn.AvgPool2d(3, 2, 1, count_include_pad=False)

    def scales(self, b: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of patches at both: [N, C, H, W] -> [N, 1, h, w] each."""
        return self.fine(b), self.coarse(self.shrink(b))


def initialise(layer: nn.Module) -> None:
    """Glorot's normal times 0.02, as in the authors' code; no biases."""
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_normal_(layer.weight, 0.02)
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures that it is trained on: 16, 32 ... 256"] = 256,
    channels: Annotated[int, "of a and b: 1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels of G next to the picture; they double with each level, up to eight times"] = 64,
    levels: Annotated[int, "how often G halves the side: 8 for 256 px, 7 for 128"] = 8,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1)"] = 8,
    e_width: Annotated[int, "channels of E at half the side"] = 64,
    d_width: Annotated[int, "channels of D and D2 next to the picture; half of them at the coarse scale"] = 64,
    patch: Annotated[int, "pixels that a score of D sees at the fine scale: 16, 34, 70, 142 or 286"] = 70,
) -> dict[str, nn.Module]:
    """The generator G(a, z), the encoder E(b), and the discriminators D of encoded z and D2 of random z."""
    if min(image_size, channels, width, z_dim, e_width) < 1 or d_width < 2 or levels < 2:
        raise GanzooError("a size below 1, d_width or levels below 2", "Choose others.")
    if image_size < 2 * CODE_SIDE or image_size & (image_size - 1) or image_size % 2**levels:
        what = f"image_size {image_size}: not a power of 2 from {max(2**levels, 2 * CODE_SIDE)} on"
        raise GanzooError(what, "Choose another, or fewer levels.")
    if patch not in STRIDES:
        raise GanzooError(f"patch {patch}: not {', '.join(map(str, STRIDES))}", "Choose one.")
    nets: dict[str, nn.Module] = {
        "G": G(channels, width, levels, z_dim),
        "E": E(image_size, channels, e_width, z_dim),
        "D": TwoScales(channels, d_width, patch),
        "D2": TwoScales(channels, d_width, patch),
    }
    return {name: net.apply(initialise) for name, net in nets.items()}

"""The networks of Projected GANs (Sauer et al. 2021): FastGAN's generator, and discriminators on frozen maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import torch
from ganzoo_fastgan.networks import Pyramid, check_side, normalised, sides_of
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, apply_spectral_norm, pixel_norm, sample_deterministic
from ganzoo_projected.features import FEATURES, Fixed

SLOPE = 0.2
COARSEST = 32  # pixels of what is looked at, for one place of the coarsest map


class G(Pyramid):
    """FastGAN's, of a latent of fixed length, without its smaller picture and without tanh."""

    def __init__(self, image_size: int, channels: int, z_dim: int, width: int, twice: bool) -> None:
        super().__init__(image_size, channels, z_dim, width, twice=sides_of(image_size) if twice else (), bias=True)

    def forward(self, z: Tensor) -> Tensor:  # [N, z] -> [N, C, H, W]
        out: Tensor = self.head(self.maps(pixel_norm(z))[self.sides[-1]])
        return out

    def sample(self, n: int, *, seed: int, **given: Any) -> Tensor:
        """n pictures [n, C, H, W], cut to [-1, 1] (nothing bounds what is made): the same ones every time."""
        return sample_deterministic(self, lambda z: self(z).clamp(-1, 1), n, seed, given)


class Mixing(nn.Module):
    """The random projection, which stays as it was drawn: maps mixed across channels, then across scales.

    Across channels: each map by a 1x1 convolution of its own, into `width` channels, twice as many for the next, and so
    on. Across scales: from the coarsest up, a map and what came from below are added, enlarged, and convolved, 1x1.
    """

    def __init__(self, widths: Sequence[int], width: int) -> None:
        super().__init__()
        expanded = [width * 2**i for i in range(len(widths))]
        self.out = [width, *expanded[:-1]]
        self.channels = nn.ModuleList(Fixed(f, f_next, 1) for f, f_next in zip(widths, expanded, strict=True))
        self.scales = nn.ModuleList(Fixed(f, f_next, 1) for f, f_next in zip(expanded, self.out, strict=True))

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Fine to coarse, as they came; twice their sides."""
        mixed, below = list[Tensor](), None
        for x, across, up in reversed(list(zip(maps, self.channels, self.scales, strict=True))):
            h = across(x) if below is None else across(x) + below
            below = interpolate(up(h), scale_factor=2.0, mode="bilinear", align_corners=True)  # 1x1 commutes with it
            mixed.append(below)
        return mixed[::-1]


def judge(f: int, halvings: int, left: int, width: int) -> nn.Sequential:
    """A discriminator of one map [N, f, s, s]: halved so often, to a side of `left`, then scores of its places."""
    layers = list[nn.Module]()
    for further in reversed(range(halvings)):
        f_next = 8 * width // 2**further
        layers += [nn.Conv2d(f, f_next, 4, 2, 1), nn.BatchNorm2d(f_next), nn.LeakyReLU(SLOPE)]
        f = f_next
    return nn.Sequential(*layers, nn.Conv2d(f, 1, min(4, left), bias=False))


class D(Discriminator):
    """One discriminator for each of four mixed maps of a frozen network; their scores side by side."""

    def __init__(self, features: str, side: int, width: int) -> None:
        super().__init__()
        self.side = side
        self.seen = FEATURES[features]()
        self.mixing = Mixing(self.seen.widths, width)
        halvings = range(len(self.mixing.out), 0, -1)  # all end at one side: each map has as many scores
        self.judges = nn.ModuleList(
            judge(f, n, side // COARSEST, width) for f, n in zip(self.mixing.out, halvings, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, places of all maps]
        maps = self.projected(x)
        return torch.cat([judge(h).flatten(1) for judge, h in zip(self.judges, maps, strict=True)], 1)

    def projected(self, x: Tensor) -> list[Tensor]:
        """P(x): the maps that are judged, fine to coarse.  [N, f, s, s]"""
        looked_at = interpolate(x, size=(self.side, self.side), mode="bilinear", align_corners=False)
        maps: list[Tensor] = self.mixing(self.seen(looked_at))
        return maps


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 32, 64 ... 1024"] = 256,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1), which is normalised first"] = 256,
    width: Annotated[int, "G's maps of 4x4 have 16 times as many channels"] = 128,
    blocks: Annotated[Literal["double", "single"], "convolutions at each side of G; double with noise"] = "double",
    features: Annotated[
        Literal["lite0", "random"],
        "the frozen network: EfficientNet-Lite0, which pip installs, or an untrained one",
    ] = "lite0",
    side: Annotated[int, "px: pictures are resized to it before D looks at them"] = 224,
    d_width: Annotated[int, "channels of the finest mixed map"] = 64,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    check_side(image_size)
    if side < 2 * COARSEST or side % COARSEST:
        raise GanzooError(f"side {side}: not a multiple of {COARSEST} from {2 * COARSEST} on", "The paper has 224.")
    made = normalised(G(image_size, channels, z_dim, width, blocks == "double"))
    seeing = D(features, side, d_width)
    apply_spectral_norm(seeing.judges, nn.Conv2d)
    return {"G": made, "D": seeing}

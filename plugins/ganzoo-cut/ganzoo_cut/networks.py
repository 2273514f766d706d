"""The networks of CUT (Park et al. 2020): CycleGAN's translator and PatchGAN without aliasing, heads on G's features.

Every convolution has stride 1; a blur halves the side, and bilinear interpolation doubles it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Annotated

from ganzoo_cyclegan.networks import Residual, padded
from ganzoo_pix2pix.networks import InstanceNorm
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, normalize, pad

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Image, Images

GAIN = 0.02  # of Xavier's law, in all three networks


class Halve(nn.Module):
    """A blur by [1, 2, 1] both ways, of which every other pixel is kept; beyond the border lies the mirror image."""

    def forward(self, h: Tensor) -> Tensor:  # [N, f, H, W] -> [N, f, ceil(H / 2), ceil(W / 2)]
        f = h.shape[1]
        line = h.new_tensor([0.25, 0.5, 0.25])
        kernel = (line[:, None] * line).expand(f, 1, 3, 3)
        return conv2d(pad(h, (1, 1, 1, 1), mode="reflect"), kernel, stride=2, groups=f)


class Double(nn.Module):
    """Twice the side: [1, 3, 3, 1] both ways between the pixels, which is bilinear interpolation."""

    def forward(self, h: Tensor) -> Tensor:
        return interpolate(h, scale_factor=2.0, mode="bilinear", align_corners=False)


def convolved(f: int, f_next: int) -> list[nn.Module]:
    return [nn.Conv2d(f, f_next, 3, 1, 1), InstanceNorm(f_next), nn.ReLU()]


class G(Generator):
    """c7s1-f, twice a convolution and half the side, residual blocks, twice the double side and a convolution, c7s1-3.

    `features` are what the contrast is made of: the picture, the two convolutions that widen, the first and the fifth
    residual block (or the last, where there are fewer).
    """

    def __init__(self, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.inputs = {"a": Image((channels, None, None), multiple=4)}
        self.output = Images((channels, None, None))
        f = width
        self.first = nn.Sequential(padded(channels, f, 7), InstanceNorm(f), nn.ReLU())
        self.down = nn.ModuleList(nn.Sequential(*convolved(k * f, 2 * k * f)) for k in (1, 2))
        self.halved, self.doubled = Halve(), Double()
        self.blocks = nn.Sequential(*[Residual(4 * f) for _ in range(blocks)])
        self.up = nn.ModuleList(nn.Sequential(*convolved(2 * k * f, k * f)) for k in (2, 1))
        self.last = nn.Sequential(padded(f, channels, 7), nn.Tanh())
        self.widths = (channels, 2 * f, 4 * f, 4 * f, 4 * f)  # of the features

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, C, H, W]
        h = self.first(x)
        for layers in self.down:
            h = self.halved(layers(h))
        h = self.blocks(h)
        for layers in self.up:
            h = layers(self.doubled(h))
        y: Tensor = self.last(h)
        return y

    def features(self, x: Tensor) -> list[Tensor]:
        """The five maps [N, widths[i], h_i, w_i]; those of convolutions before they are normalised."""
        maps = [pad(x, (3, 3, 3, 3), mode="reflect")]
        h = self.first(x)
        for layers in self.down:
            assert isinstance(layers, nn.Sequential)
            maps.append(layers[0](h))
            h = self.halved(layers[1:](maps[-1]))
        coarse = list(accumulate(self.blocks[:5], lambda h, block: block(h), initial=h))
        return [*maps, coarse[1], coarse[-1]]


class F(nn.Module):
    """A head of two layers on each map of G: features of chosen places, of length 1."""

    def __init__(self, widths: Sequence[int], f: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(nn.Sequential(nn.Linear(c, f), nn.ReLU(), nn.Linear(f, f)) for c in widths)

    def forward(self, maps: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        """[N, c_i, h_i, w_i] and [S_i] places in each -> [N, S_i, f]."""
        return [
            normalize(head(h.flatten(2).transpose(1, 2)[:, at]), dim=2, eps=1e-7)
            for head, h, at in zip(self.heads, maps, places, strict=True)
        ]


class D(Discriminator):
    """PatchGAN of 70 px: scores [N, 1, h, w] of overlapping patches."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 1, 1), nn.LeakyReLU(0.2), Halve()]
        for k in (1, 2):
            layers += [*judged(k * width, 2 * k * width), Halve()]
        self.main = nn.Sequential(*layers, *judged(4 * width, 8 * width), nn.Conv2d(8 * width, 1, 4, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x)


def judged(f: int, f_next: int) -> list[nn.Module]:
    return [nn.Conv2d(f, f_next, 4, 1, 1), InstanceNorm(f_next), nn.LeakyReLU(0.2)]


def xavier(layer: nn.Module) -> None:
    """Xavier's law times 0.02, no biases."""
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_normal_(layer.weight, gain=GAIN)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures that it is trained on: a multiple of 4, from 24 on"] = 256,
    channels: Annotated[int, "of both domains: 1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels of G next to the picture; the residual blocks have four times as many"] = 64,
    blocks: Annotated[int, "residual blocks of G: 9 for 256 px, 6 for 128"] = 9,
    d_width: Annotated[int, "channels of D next to the picture"] = 64,
    f_width: Annotated[int, "length of the features that are told apart"] = 256,
) -> dict[str, nn.Module]:
    """The translator G: a -> b, the heads F on its features, and D, which judges pictures of b."""
    if min(channels, width, d_width, f_width, blocks) < 1 or image_size < 24 or image_size % 4:
        raise GanzooError(
            f"image_size {image_size}: not a multiple of 4 from 24 on, or a width below 1", "Choose another."
        )
    translator = G(channels, width, blocks)
    nets = {"G": translator, "F": F(translator.widths, f_width), "D": D(channels, d_width)}
    return {name: net.apply(xavier) for name, net in nets.items()}

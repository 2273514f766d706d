"""The networks of Agustsson et al. 2019 (Sec. 4 and App.): pix2pixHD's generator, cut in its middle by a quantiser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import torch
from ganzoo_cyclegan.networks import padded
from ganzoo_pix2pix.networks import InstanceNorm
from ganzoo_pix2pixhd.maps import LabelMap
from ganzoo_pix2pixhd.networks import MultiScale
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from ganzoo_compress.agustsson.quantiser import Quantiser, around_zero
from ganzoo_compress.codec import Codec
from ganzoo_compress.coder import Reader, Writer
from ganzoo_compress.mentzer.networks import ChannelNorm
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Image, Images, Mask, initialise, sample_deterministic

Norm = Literal["instance", "channel"]
NORMS: Mapping[str, Callable[[int], nn.Module]] = {"instance": InstanceNorm, "channel": ChannelNorm}


class Shape(NamedTuple):
    """Sizes that E, G and F agree on."""

    channels: int  # of the picture
    width: int  # f, next to the picture
    halvings: int  # n: a map has 2^n-th of the picture's side
    blocks: int  # residual blocks of G
    code: int  # C, channels of w
    levels: int  # L
    norm: Norm

    @property
    def widest(self) -> int:
        return int(self.width * 2**self.halvings)

    @property
    def step(self) -> int:
        return int(2**self.halvings)


class Residual(nn.Module):
    """h + two 3x3 convolutions of it, each with its norm."""

    def __init__(self, f: int, norm: Norm) -> None:
        super().__init__()
        self.main = nn.Sequential(*normed(padded(f, f, 3), f, norm), padded(f, f, 3), NORMS[norm](f))

    def forward(self, h: Tensor) -> Tensor:
        out: Tensor = h + self.main(h)
        return out


def normed(conv: nn.Module, f: int, norm: Norm) -> list[nn.Module]:
    return [conv, NORMS[norm](f), nn.ReLU(inplace=True)]


def down(f: int, norm: Norm) -> list[nn.Module]:
    return normed(nn.Conv2d(f, 2 * f, 3, 2, 1), 2 * f, norm)


def up(f: int, norm: Norm) -> list[nn.Module]:
    return normed(nn.ConvTranspose2d(f, f // 2, 3, 2, 1, output_padding=1), f // 2, norm)


def analysis(planes: int, shape: Shape) -> list[nn.Module]:
    """c7s1-f, d2f, d4f ... : what it sees at 2^n-th of the side."""
    widths = [shape.width * 2**i for i in range(shape.halvings)]
    first = normed(padded(planes, shape.width, 7), shape.width, shape.norm)
    return [*first, *(layer for width in widths for layer in down(width, shape.norm))]


class E(nn.Sequential):
    """A picture to w, C numbers at each place: c7s1-60, d120, d240, d480, d960, c3s1-C."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(*analysis(shape.channels, shape), padded(shape.widest, shape.code, 3))


class G(nn.Sequential):
    """w^ and what else is known to a picture: c3s1-960, nine residual blocks, u480, u240, u120, u60, c7s1-3."""

    def __init__(self, planes: int, shape: Shape) -> None:
        widths = [shape.width * 2**i for i in range(shape.halvings, 0, -1)]
        super().__init__(
            *normed(padded(planes, shape.widest, 3), shape.widest, shape.norm),
            *(Residual(shape.widest, shape.norm) for _ in range(shape.blocks)),
            *(layer for width in widths for layer in up(width, shape.norm)),
            padded(shape.width, shape.channels, 7),
            nn.Tanh(),
        )


class Global(Codec):
    """The whole picture through w^ (Sec. 4.1, GC), beside which v, `noise` maps of normal numbers, may be drawn."""

    def __init__(self, shape: Shape, noise: int) -> None:
        super().__init__()
        self.inputs = {"x": Image((shape.channels, None, None), multiple=shape.step)}
        self.output = Images((shape.channels, None, None))
        self.shape, self.noise = shape, noise
        self.E, self.q = E(shape), Quantiser(around_zero(shape.levels))
        self.G = G(shape.code + noise, shape)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> the same
        return self.drawn(self.q(self.E(x)))

    def drawn(self, code: Tensor) -> Tensor:
        """z = [w^, v] (Sec. 4.1) to a picture. One v for all places would be lost in the first instance norm."""
        z = code
        if self.noise:
            v = torch.randn(len(code), self.noise, *code.shape[2:], device=code.device)
            z = torch.cat([code, v], 1)
        made: Tensor = self.G(z)
        return made

    def write(self, to: Writer, x: Tensor, *others: Tensor) -> None:
        """w^, channel by channel, by the frequencies of its centres so far."""
        to.adaptive(whole(self.q.symbols(self.E(x))[0]), self.shape.levels, neighbours=False)

    def read(self, of: Reader, height: int, width: int, seed: int) -> Tensor:
        planes = (self.shape.code, height // self.shape.step, width // self.shape.step)
        symbols = tensor_of(of.adaptive(planes, self.shape.levels, neighbours=False), self)
        code = self.q.values(symbols[None]).contiguous()
        blank = code.new_zeros(1, self.shape.channels, height, width)  # in the place of x: v is drawn as for that
        return sample_deterministic(self, lambda _: self.drawn(code), 1, seed, {"x": blank})


class Selective(Codec):
    """Where `redraw` is 1 nothing is kept but the labels, and G makes up what may stand there (Sec. 4.2, SC)."""

    def __init__(self, shape: Shape, planes: int) -> None:
        super().__init__()
        free = (None, None)
        self.inputs = {
            "x": Image((shape.channels, *free), multiple=shape.step),
            "map": LabelMap((planes, *free), multiple=shape.step),
            "redraw": Mask((1, *free), multiple=shape.step),
        }
        self.output = Images((shape.channels, *free))
        self.shape, self.planes = shape, planes
        self.E, self.q = E(shape), Quantiser(around_zero(shape.levels))
        self.F = nn.Sequential(*analysis(planes, shape))
        self.G = G(shape.code + shape.widest, shape)

    def forward(self, x: Tensor, map: Tensor, redraw: Tensor) -> Tensor:  # [N, C, H, W] -> the same
        return self.drawn(self.q(self.E(x)) * self.kept(redraw), map)

    def kept(self, redraw: Tensor) -> Tensor:
        """m, 1 at places of w^ that hold any pixel to be kept.  [N, 1, H, W] -> [N, 1, h, w]"""
        return max_pool2d(1 - redraw, self.shape.step)

    def drawn(self, code: Tensor, map: Tensor) -> Tensor:
        """m w^ beside F(s), what is seen of the labels."""
        made: Tensor = self.G(torch.cat([code, self.F(map)], 1))
        return made

    def write(self, to: Writer, x: Tensor, *others: Tensor) -> None:
        """The labels and their edges pixel by pixel, m place by place, and of w^ what m keeps."""
        map, redraw = others
        kept = self.kept(redraw)[0]
        to.adaptive(whole(map[:, :-1].argmax(1)), self.planes - 1, neighbours=True)
        to.adaptive(whole(map[0, -1:]), 2, neighbours=True)
        to.adaptive(whole(kept), 2, neighbours=True)
        symbols = self.q.symbols(self.E(x))[0][:, kept[0] > 0]  # [C, places]
        to.adaptive(whole(symbols[:, None]), self.shape.levels, neighbours=False)

    def read(self, of: Reader, height: int, width: int, seed: int) -> Tensor:
        h, w = height // self.shape.step, width // self.shape.step
        labels = tensor_of(of.adaptive((1, height, width), self.planes - 1, neighbours=True), self)
        edges = tensor_of(of.adaptive((1, height, width), 2, neighbours=True), self)
        kept = tensor_of(of.adaptive((1, h, w), 2, neighbours=True), self)
        found = of.adaptive((self.shape.code, 1, int(kept.sum())), self.shape.levels, neighbours=False)
        code = torch.zeros(1, self.shape.code, h, w, device=kept.device)
        code[0][:, kept[0] > 0] = self.q.values(tensor_of(found, self))[:, 0]
        one_hot = nn.functional.one_hot(labels, self.planes - 1).movedim(-1, 1).float()
        map = torch.cat([one_hot, edges[None].float()], 1)
        blank = code.new_zeros(1, self.shape.channels, height, width)
        given = {"x": blank, "map": map, "redraw": blank[:, :1]}
        return sample_deterministic(self, lambda _, s, m: self.drawn(code, s), 1, seed, given)


def whole(symbols: Tensor) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Planes of symbols as the coder takes them."""
    return symbols.cpu().numpy().astype(np.int32)


def tensor_of(planes: np.ndarray[Any, np.dtype[np.int32]], net: nn.Module) -> Tensor:
    """int64, on the network's device."""
    return torch.from_numpy(planes).long().to(next(net.parameters()).device)


def shape_of(image_size: int, shape: Shape) -> Shape:
    """Errors: GanzooError for sizes that no network has."""
    if min(shape[:3]) < 1 or min(shape.code, 1 + shape.blocks) < 1 or shape.levels < 2:
        raise GanzooError("a size below 1, or fewer than 2 levels", "Choose others.")
    if image_size % shape.step:
        what = f"image_size {image_size}: not a multiple of {shape.step}, which E halves {shape.halvings} times"
        raise GanzooError(what, "Choose another image_size or other halvings.")
    return shape


def global_networks(
    *,
    image_size: Annotated[int, "side of the square pictures that it is trained on"] = 256,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels of E and G next to the picture; they double with each halving"] = 60,
    halvings: Annotated[int, "how often E halves the side"] = 4,
    blocks: Annotated[int, "residual blocks of G"] = 9,
    code: Annotated[int, "C, channels of w: 2, 4, 8 and 16 were published"] = 8,
    levels: Annotated[int, "L, centres of the quantiser, around 0"] = 5,
    norm: Annotated[Norm, "over each map, as published, or over channels, which leaves small crops their colour"] = (
        "instance"
    ),
    noise: Annotated[int, "channels of v, which is drawn beside w; 0: there is none"] = 0,
    d_width: Annotated[int, "channels of D next to the picture"] = 64,
    scales: Annotated[int, "how many discriminators there are, each at half the side of the one before"] = 2,
) -> dict[str, nn.Module]:
    """G, which is E, q and the decoder, and the discriminators D(x)."""
    shape = shape_of(image_size, Shape(channels, width, halvings, blocks, code, levels, norm))
    nets = {"G": Global(shape, noise), "D": MultiScale(channels, d_width, scales)}
    return {name: net.apply(initialise) for name, net in nets.items()}


def selective_networks(
    *,
    image_size: Annotated[int, "side of the square pictures that it is trained on"] = 256,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    labels: Annotated[int, "how many labels the maps have"] = 35,
    width: Annotated[int, "channels of E, F and G next to the picture; they double with each halving"] = 60,
    halvings: Annotated[int, "how often E and F halve the side"] = 4,
    blocks: Annotated[int, "residual blocks of G"] = 9,
    code: Annotated[int, "C, channels of w: 4 and 8 were published"] = 8,
    levels: Annotated[int, "L, centres of the quantiser, around 0"] = 5,
    norm: Annotated[Norm, "over each map, as published, or over channels, which leaves small crops their colour"] = (
        "instance"
    ),
    d_width: Annotated[int, "channels of D next to the picture"] = 64,
    scales: Annotated[int, "how many discriminators there are, each at half the side of the one before"] = 2,
) -> dict[str, nn.Module]:
    """G, which is E, q, F and the decoder, and the discriminators D(x, s)."""
    shape = shape_of(image_size, Shape(channels, width, halvings, blocks, code, levels, norm))
    nets = {"G": Selective(shape, labels + 1), "D": MultiScale(labels + 1 + channels, d_width, scales)}
    return {name: net.apply(initialise) for name, net in nets.items()}

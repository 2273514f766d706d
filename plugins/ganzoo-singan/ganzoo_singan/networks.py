"""SinGAN's pyramid of small fully convolutional networks (Rott Shaham et al. 2019, Sec. 2.1, Figs. 4 and 5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import (
    Between,
    Discriminator,
    Generator,
    Images,
    Latent,
    Mirror,
    evaluation_mode,
    sample_deterministic,
)
from ganzoo_singan.applications import Wanted, drawing
from ganzoo_singan.pyramid import Size, count, resize, sizes

Noise = Callable[[int, Size], Tensor]  # (scale n, size) -> z_n [N, C, h, w]


class Scale(nn.Module):
    """G_n: x~_n = y + psi_n(z_n + y), y the picture from the scale below (Eqs. 3 and 4). Convolutions do not pad."""

    def __init__(self, channels: int, width: int, layers: int) -> None:
        super().__init__()
        self.width = width
        self.body = blocks(channels, width, layers)
        self.tail = nn.Sequential(nn.Conv2d(width, channels, 3), nn.Tanh())

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """x = z + y [N, C, h + 2p, w + 2p], padded; of y, padded or not, the inner [N, C, h, w] is added."""
        x = self.tail(self.body(x))
        border = (y.shape[2] - x.shape[2]) // 2
        return x + y[:, :, border : y.shape[2] - border, border : y.shape[3] - border]


class Patches(nn.Module):
    """D_n: a score for every overlapping patch of 11x11 pixels (with five layers).  [N, C, h, w] -> [N, 1, h', w']"""

    def __init__(self, channels: int, width: int, layers: int) -> None:
        super().__init__()
        self.body = blocks(channels, width, layers)
        self.tail = nn.Conv2d(width, 1, 3)

    def forward(self, x: Tensor) -> Tensor:
        score: Tensor = self.tail(self.body(x))
        return score


class G(Generator):
    """All scales and what sampling needs of the picture: its size, the noise amplitudes, z*. Scale 0 is the coarsest.

    Only the scales that the trained picture has, up to `depth`, are in use. Without training it stands at a square
    picture of the longest side.
    """

    sample_batch_size = 1  # pictures may be large
    size: Tensor  # int64 [2], height and width of the trained picture
    depth: Tensor  # int64, the finest scale that has been trained, or is being
    amp: Tensor  # sigma_n, [scales]
    z_star: Tensor  # the fixed noise of the coarsest scale, flat: its first h_0 w_0 values

    def __init__(self, longest_side: int, coarsest: int, factor: float, nets: Sequence[Scale], channels: int) -> None:
        super().__init__()
        self.inputs = {"z": Latent((1, None, None))}
        self.output = Images((channels, None, None))
        self.longest_side, self.coarsest, self.factor = longest_side, coarsest, factor
        self.nets = nn.ModuleList(nets)
        self.register_buffer("size", torch.tensor([longest_side, longest_side]))
        self.register_buffer("depth", torch.tensor(len(nets) - 1))
        self.mirrors = {"size": Mirror(), "depth": Mirror()}
        self.mirrors["size"].write(self.size, [longest_side, longest_side])
        self.climb_to(len(nets) - 1)
        self.register_buffer("amp", torch.ones(len(nets)))
        self.register_buffer("z_star", torch.randn(coarsest * longest_side))  # no smaller: h_0 or w_0 is `coarsest`

    def stand_at(self, size: Size) -> None:
        """The trained picture's height and width are known, and all its scales in use."""
        self.mirrors["size"].write(self.size, list(size))
        self.climb_to(self.scales - 1)

    def climb_to(self, depth: int) -> None:
        """Use the scales up to this one."""
        self.mirrors["depth"].write(self.depth, depth)

    @property
    def finest(self) -> int:
        """`depth` as a number."""
        found: int = self.mirrors["depth"].read(self.depth)
        return found

    @property
    def scales(self) -> int:
        """N + 1, how many the trained picture has."""
        return count(min(self.mirrors["size"].read(self.size)), self.coarsest, self.factor)

    def sizes(self, wanted: Size = (0, 0)) -> list[Size]:
        """Height and width at every scale, from the coarsest; 0: those of the trained picture."""
        h, w = self.mirrors["size"].read(self.size)
        return sizes((h, w), self.coarsest, self.factor, (wanted[0] or h, wanted[1] or w))

    def prior(self, n: int, rng: torch.Generator | None = None) -> Tensor:
        """The coarsest scale's noise, one map for all channels.  [n, 1, h_0, w_0]"""
        return torch.randn(n, 1, *self.sizes()[0], generator=rng, device=rng.device if rng else self.amp.device)

    def forward(self, z: Tensor) -> Tensor:
        """A sample from the coarsest scale up, in the trained size.  [N, 1, h_0, w_0] -> [N, C, H, W]"""
        return self.climb(self.empty(z.shape[0]), 0, self.sizes(), self.fresh(z)).clamp(-1, 1)

    def climb(self, y: Tensor, start: int, sizes: Sequence[Size], noise: Noise, end: int = -1) -> Tensor:
        """Through scales start ... end (-1: the depth), y the picture that the first of them is given."""
        for n in range(start, self.finest + 1 if end < 0 else end + 1):
            y = resize(y, sizes[n])
            y = self.refined(n, noise(n, sizes[n]), y)
        return y

    def refined(self, n: int, z: Tensor, y: Tensor) -> Tensor:
        """G_n(z_n, y): Eq. 2. Noise and picture are padded with zeros, so that the size stays.  [N, C, h, w]"""
        net = self.nets[n]
        assert isinstance(net, Scale)
        p = len(net.body) + 1  # a pixel for every layer
        y = pad(y, (p,) * 4)
        out: Tensor = net(self.amp[n] * pad(z, (p,) * 4) + y, y)
        return out

    def empty(self, n: int) -> Tensor:
        """What there is below the coarsest scale."""
        return self.amp.new_zeros(n, self.output.shape[0] or 1, 1, 1)

    def fresh(self, z: Tensor) -> Noise:
        """Random noise of every scale, z at the coarsest."""
        channels = self.output.shape[0] or 1
        return lambda n, size: (
            z.expand(-1, channels, -1, -1) if n == 0 else torch.randn(z.shape[0], channels, *size, device=z.device)
        )

    def star(self, n: int, size: Size) -> Tensor:
        """z*_n: fixed noise at the coarsest scale, none above it (Sec. 2.3).  [1, C, h, w]"""
        channels = self.output.shape[0] or 1
        if n > 0:
            return self.amp.new_zeros(1, channels, *size)
        return self.z_star[: size[0] * size[1]].reshape(1, 1, *size).expand(-1, channels, -1, -1)

    @torch.no_grad()
    def reconstruction(self, end: int = -1) -> Tensor:
        """The training picture at scale `end` (-1: the depth) as G makes it from z*.  [1, C, h, w]"""
        with evaluation_mode(self):
            return self.climb(self.empty(1), 0, self.sizes(), self.star, end)

    def sample(
        self,
        n: int,
        *,
        seed: int,
        height: Annotated[int, Between(0, 320)] = 0,  # of the samples; 0: as the trained picture's
        width: Annotated[int, Between(0, 320)] = 0,  # of the samples; 0: as the trained picture's
        start: Annotated[
            int, Between(0, 8)
        ] = 0,  # first scale with random noise: below it comes the training picture, or `image`; 0: the middle
        image: Tensor | None = None,  # [n or 1, C, H, W]: put in at scale `start` (paint, harmonise, edit)
        mask: Tensor | None = None,  # [n or 1, 1, H, W]: outside of it `image` stays as it is
        dilate: Annotated[int, Between(0, 30)] = 7,  # pixels by which the mask grows; 20 for editing
        upscale: Annotated[float, Between(1, 2)] = 1.0,  # enlarge by so much through the finest scale, over and over
        frames: Annotated[int, Between(0, 24)] = 0,  # an animation of so many pictures, around the training picture
        alpha: Annotated[float, Between(0, 1)] = 0.1,  # of an animation: how close to the training picture
        beta: Annotated[float, Between(0, 1)] = 0.9,  # of an animation: how smooth
        **given: Any,
    ) -> Tensor:
        """n samples [n, C, H, W] in [-1, 1], or with `frames` [n, frames, C, H, W]: the same ones every time.

        An `image` takes the place of the training picture (start 0: in the middle of the pyramid); with `upscale` and
        no `start` it is enlarged alone. Errors: GanzooError for a scale that there is not, and what does not combine.
        """
        wanted = Wanted((height, width), start, image, mask, dilate, upscale, frames, alpha, beta)
        draw = drawing(self, n, wanted)
        return sample_deterministic(self, draw, n, seed, given, partial(noise_map, self.sizes(wanted.size)[0]))


def noise_map(size: Size, n: int, rng: torch.Generator) -> dict[str, Tensor]:
    return {"z": torch.randn(n, 1, *size, generator=rng)}


class D(Discriminator):
    """The critics of all scales: D(x, n) are the scores of scale n; without n, of the finest."""

    def __init__(self, nets: Sequence[Patches]) -> None:
        super().__init__()
        self.nets = nn.ModuleList(nets)

    def forward(self, x: Tensor, n: int = -1) -> Tensor:
        score: Tensor = self.nets[n](x)
        return score


def blocks(channels: int, width: int, layers: int) -> nn.Sequential:
    """All layers but the last: 3x3 convolution, batch norm, LeakyReLU 0.2."""
    ins = [channels] + [width] * (layers - 2)
    return nn.Sequential(
        *[nn.Sequential(nn.Conv2d(f, width, 3), nn.BatchNorm2d(width), nn.LeakyReLU(0.2, inplace=True)) for f in ins]
    )


@torch.no_grad()
def initialise(layer: nn.Module) -> None:
    """N(0, 0.02) for convolutions, N(1, 0.02) for batch norms' scales; biases as torch has them (the authors' code)."""
    if isinstance(layer, nn.Conv2d):
        layer.weight.normal_(0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        layer.weight.normal_(1, 0.02)


def networks(
    *,
    longest_side: Annotated[int, "of the picture; larger ones are made smaller"] = 250,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    coarsest: Annotated[int, "shorter side at the coarsest scale"] = 25,
    factor: Annotated[float, "the ratio of one scale to the next that is aimed at"] = 0.75,
    width: Annotated[int, "channels of every layer at the coarsest scale"] = 32,
    widest: Annotated[int, "the most channels"] = 128,
    double_every: Annotated[int, "scales after which there are twice as many channels"] = 4,
    layers: Annotated[int, "convolutions of each network"] = 5,
) -> dict[str, nn.Module]:
    """The generator G and the critic D, each a network for every scale that a square picture has."""
    if min(longest_side, channels, width, widest, double_every) < 1 or layers < 2 or not 0 < factor < 1:
        raise GanzooError("a size below 1, fewer than 2 layers, or a factor not between 0 and 1")
    if coarsest <= 2 * layers:
        raise GanzooError(f"coarsest {coarsest}: {layers} layers see {2 * layers + 1} pixels", "Make it larger.")
    widths = [min(width * 2 ** (n // double_every), widest) for n in range(count(longest_side, coarsest, factor))]
    g = G(longest_side, coarsest, factor, [Scale(channels, f, layers) for f in widths], channels)
    d = D([Patches(channels, f, layers) for f in widths])
    return {"G": g.apply(initialise), "D": d.apply(initialise)}

"""The networks of HiFiC (Mentzer et al. 2020, Fig. 2): E, G, a discriminator that sees y, and the model of p(y)."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, pad

from ganzoo_compress.codec import Codec
from ganzoo_compress.coder import Reader, Writer
from ganzoo_compress.mentzer.hyperprior import Hyperprior
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Image, Images, apply_spectral_norm, initialise, sample_deterministic


class ChannelNorm(nn.Module):
    """The numbers at each place have mean 0 and variance 1 over channels, then gamma and beta (Sec. 3.4).

    Unlike instance norm it knows nothing of the picture's size, so crops teach what large pictures need.
    """

    def __init__(self, f: int) -> None:
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(1, f, 1, 1)), nn.Parameter(torch.zeros(1, f, 1, 1))

    def forward(self, x: Tensor) -> Tensor:  # [N, f, H, W]
        variance, mean = torch.var_mean(x, 1, keepdim=True)
        return (x - mean) * torch.rsqrt(variance + 1e-3) * self.gamma + self.beta


def conv(f: int, f_next: int, kernel: int) -> nn.Conv2d:
    """Keeps the side; what lies beyond the border is the picture's mirror image."""
    return nn.Conv2d(f, f_next, kernel, 1, kernel // 2, padding_mode="reflect")


class Halve(nn.Conv2d):
    """3x3 with stride 2, a mirrored row above and column on the right alone: f -> 2f, s -> s/2."""

    def __init__(self, f: int) -> None:
        super().__init__(f, 2 * f, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(pad(x, (0, 1, 1, 0), mode="reflect"))


class E(nn.Sequential):
    """A picture to y: 7x7, `halvings` times half the side and twice the channels, 3x3 to `code` channels."""

    def __init__(self, channels: int, f: int, halvings: int, code: int) -> None:
        layers: list[nn.Module] = [conv(channels, f, 7), ChannelNorm(f), nn.ReLU(inplace=True)]
        for i in range(halvings):
            layers += [Halve(f * 2**i), ChannelNorm(f * 2 ** (i + 1)), nn.ReLU(inplace=True)]
        super().__init__(*layers, conv(f * 2**halvings, code, 3))


class Residual(nn.Module):
    """h + two 3x3 convolutions of it, each with its norm."""

    def __init__(self, f: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = conv(f, f, 3), conv(f, f, 3)
        self.norm1, self.norm2 = ChannelNorm(f), ChannelNorm(f)

    def forward(self, h: Tensor) -> Tensor:
        out: Tensor = h + self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(h)))))
        return out


class G(nn.Module):
    """y^ to a picture: 3x3, residual blocks and a way around all of them, doublings, 7x7; no tanh."""

    def __init__(self, channels: int, f: int, halvings: int, code: int, blocks: int) -> None:
        super().__init__()
        widest = f * 2**halvings
        self.head = nn.Sequential(ChannelNorm(code), conv(code, widest, 3), ChannelNorm(widest))
        self.blocks = nn.Sequential(*(Residual(widest) for _ in range(blocks)))
        layers: list[nn.Module] = []
        for i in range(halvings, 0, -1):
            f_next = f * 2 ** (i - 1)
            layers.append(nn.ConvTranspose2d(2 * f_next, f_next, 3, 2, 1, output_padding=1))
            layers += [ChannelNorm(f_next), nn.ReLU(inplace=True)]
        self.tail = nn.Sequential(*layers, conv(f, channels, 7))

    def forward(self, y: Tensor) -> Tensor:  # [N, code, h, w] -> [N, C, H, W], near [-1, 1]
        h = self.head(y)
        out: Tensor = self.tail(h + self.blocks(h))
        return out


class D(Discriminator):
    """Scores of patches of a picture beside y, which is seen through a 3x3 and made as large as the picture."""

    def __init__(self, channels: int, f: int, halvings: int, code: int, seen: int = 12) -> None:
        super().__init__()
        self.y, self.scale = conv(code, seen, 3), 2**halvings
        layers: list[nn.Module] = []
        before = channels + seen
        for f_next in (f, 2 * f, 4 * f, 8 * f):
            stride = 2 if f_next < 8 * f else 1
            layers += [nn.Conv2d(before, f_next, 4, stride, 1, padding_mode="reflect"), nn.LeakyReLU(0.2, inplace=True)]
            before = f_next
        self.main = nn.Sequential(*layers)
        apply_spectral_norm(self.main, nn.Conv2d)
        self.last = nn.Conv2d(before, 1, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:  # [N, C, H, W], [N, code, h, w] -> [N, 1, h', w']
        beside = interpolate(leaky_relu(self.y(y), 0.2), scale_factor=float(self.scale), mode="nearest")
        return self.last(self.main(torch.cat([x, beside], 1)))


class HiFiC(Codec):
    """x -> y = E(x), its numbers rounded -> x' = G(y); the hyperprior says how likely each number is."""

    def __init__(self, encoder: E, decoder: G, prior: Hyperprior, halvings: int) -> None:
        super().__init__()
        channels = encoder[0].in_channels
        assert isinstance(channels, int)
        self.inputs = {"x": Image((channels, None, None), multiple=2**halvings * prior.step)}
        self.output = Images((channels, None, None))
        self.E, self.G, self.P, self.step = encoder, decoder, prior, 2**halvings

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> the same, near [-1, 1]
        made: Tensor = self.G(self.P.rounded(self.E(x)))
        return made

    def clipped(self, y: Tensor) -> Tensor:
        made: Tensor = self.G(y)
        return made.clamp(-1, 1)

    def sample(self, n: int, *, seed: int, **given: object) -> Tensor:
        """n pictures [n, C, H, W], cut to [-1, 1] (nothing bounds what is made), one for each that is given as `x`.

        Errors: GanzooError for a missing picture, and for sides that cannot be halved as often as they must.
        """
        return sample_deterministic(self, lambda x: self(x).clamp(-1, 1), n, seed, given)

    def write(self, to: Writer, x: Tensor, *others: Tensor) -> None:
        """z by tables of what is likely at all, then y by what z says of each number."""
        self.P.write(to, self.E(x))

    def read(self, of: Reader, height: int, width: int, seed: int) -> Tensor:
        y = self.P.read(of, height // self.step, width // self.step)
        return self.clipped(y)


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures that it is trained on"] = 256,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels of E and G next to the picture; they double with each halving"] = 60,
    halvings: Annotated[int, "how often E halves the side"] = 4,
    blocks: Annotated[int, "residual blocks of G"] = 9,
    code: Annotated[int, "channels of y"] = 220,
    hyper: Annotated[int, "channels of z, and of the networks around it"] = 320,
    d_width: Annotated[int, "channels of D next to the picture"] = 64,
) -> dict[str, nn.Module]:
    """G, which is E, the decoder and the hyperprior, and the discriminator D(x, y)."""
    if min(channels, width, halvings, code, hyper, d_width) < 1 or blocks < 0:
        raise GanzooError("a size below 1", "Choose others.")
    prior = Hyperprior(code, hyper)
    step = 2**halvings * prior.step
    if image_size % step:
        what = f"image_size {image_size}: not a multiple of {step}, by which E and the hyperprior divide it"
        raise GanzooError(what, "Choose another image_size or other halvings.")
    whole = HiFiC(E(channels, width, halvings, code), G(channels, width, halvings, code, blocks), prior, halvings)
    whole.apply(scaled)
    return {"G": whole, "D": D(channels, d_width, halvings, code).apply(initialise)}


def scaled(layer: nn.Module) -> None:
    """First weights as Glorot & Bengio 2010 have them: at pix2pix's 0.02, y of a small E would round to 0 alone."""
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.xavier_uniform_(layer.weight, gain=math.sqrt(2.0))
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)

"""The networks of UNIT (Liu et al. 2017): an autoencoder for each domain, crosswise, and judges of three scales."""

from __future__ import annotations

from typing import Annotated

import torch
from ganzoo_cyclegan.networks import Residual, padded
from ganzoo_pix2pix.networks import InstanceNorm
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, Image, Images, initialise, upsample
from ganzoo_couples.scales import MultiScale

MULTIPLE = 8  # of a side, which an encoder halves twice: residual blocks mirror a pixel, and need two
EPS = 1e-5  # of layer norm


def halving(f: int, f_next: int) -> nn.Conv2d:
    """Half the side; what lies beyond the border is the picture's mirror image."""
    return nn.Conv2d(f, f_next, 4, 2, 1, padding_mode="reflect")


class Encoder(nn.Module):
    """c7s1-f, d2f, d4f, residual blocks of 4f; every norm is over one picture: [N, C, H, W] -> [N, 4f, H/4, W/4]."""

    def __init__(self, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [padded(channels, width, 7), InstanceNorm(width), nn.ReLU(inplace=True)]
        for f in (width, 2 * width):
            layers += [halving(f, 2 * f), InstanceNorm(2 * f), nn.ReLU(inplace=True)]
        self.main = nn.Sequential(*layers, *(Residual(4 * width) for _ in range(blocks)))

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x)


class LayerNorm(nn.Module):
    """(h - mean) / (deviation + eps) over all numbers of a picture, then gamma and beta of each map."""

    def __init__(self, f: int) -> None:
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.rand(f)), nn.Parameter(torch.zeros(f))

    def forward(self, h: Tensor) -> Tensor:  # [N, f, H, W]
        deviation, mean = torch.std_mean(h, (1, 2, 3), keepdim=True)
        return torch.addcmul(self.beta[:, None, None], self.gamma[:, None, None], (h - mean) / (deviation + EPS))


class Enlarge(nn.Module):
    """Twice the side, half the maps."""

    def __init__(self, f: int) -> None:
        super().__init__()
        self.norm = LayerNorm(f // 2)  # the authors' tensors come in this order
        self.conv = padded(f, f // 2, 5)

    def forward(self, h: Tensor) -> Tensor:
        return relu(self.norm(self.conv(upsample(h))))


def painter(channels: int, width: int) -> list[nn.Module]:
    """The last layers of a decoder: [N, 4f, H/4, W/4] -> [N, C, H, W]."""
    return [Enlarge(4 * width), Enlarge(2 * width), padded(width, channels, 7), nn.Tanh()]


class G(Generator):
    """One way: the encoder of the domain that it takes, and the decoder of the one that it makes."""

    def __init__(self, key: str, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.inputs = {key: Image((channels, None, None), multiple=MULTIPLE)}
        self.output = Images((channels, None, None))
        self.encoder = Encoder(channels, width, blocks)
        residual = [Residual(4 * width) for _ in range(blocks)]
        self.decoder = nn.Sequential(*residual, *painter(channels, width))

    def encode(self, x: Tensor) -> Tensor:
        """mu, the mean of z ~ N(mu, I): [N, C, H, W] -> [N, 4f, H/4, W/4]."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """A picture of the other domain, or of its own where z is the other's: [N, 4f, h, w] -> [N, C, 4h, 4w]."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> the same
        return self.decode(self.encode(x))


class D(MultiScale):
    """Alike judges, each of a picture half as large as the one before; none has a norm."""

    def __init__(self, channels: int, width: int, halvings: int, scales: int) -> None:
        super().__init__()
        self.judges = nn.ModuleList(patches(channels, width, halvings) for _ in range(scales))

    def scales(self, b: Tensor) -> list[Tensor]:
        found = []
        for judge in self.judges:
            found.append(judge(b))
            b = avg_pool2d(b, 3, 2, 1, count_include_pad=False)
        return found


def patches(channels: int, width: int, halvings: int) -> nn.Sequential:
    """A score of each patch: [N, C, H, W] -> [N, 1, h, w]."""
    layers: list[nn.Module] = []
    f = channels
    for i in range(halvings):
        layers += [halving(f, width * 2**i), nn.LeakyReLU(0.2, inplace=True)]
        f = width * 2**i
    return nn.Sequential(*layers, nn.Conv2d(f, 1, 1))


def he(layer: nn.Module) -> None:
    """He's normal law for what a ReLU follows, as in the authors' code; no biases."""
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


ImageSizeArg = Annotated[int, "side of the square pictures that it is trained on: a multiple of 8"]
ChannelsArg = Annotated[int, "of both domains: 1 gray, 3 colour"]
WidthArg = Annotated[int, "channels of G and F next to the picture; the residual blocks have four times as many"]
BlocksArg = Annotated[int, "residual blocks of each encoder, and of each decoder"]
DWidthArg = Annotated[int, "channels of D_X and D_Y at half the side; they double with each halving"]
HalvingsArg = Annotated[int, "how often D_X and D_Y halve the side of each scale"]
ScalesArg = Annotated[int, "scales at which D_X and D_Y look"]


def judges(image_size: int, channels: int, d_width: int, halvings: int, scales: int) -> dict[str, nn.Module]:
    """D_X and D_Y. Errors: GanzooError for sides that cannot be halved so often."""
    least = 2 ** (halvings + scales - 1)
    if min(channels, d_width, halvings, scales) < 1 or image_size % MULTIPLE or image_size < least:
        what = f"image_size {image_size}: not a multiple of {MULTIPLE} from {least} on, or a size below 1"
        raise GanzooError(what, "Choose another image_size, fewer halvings or scales.")
    return {key: D(channels, d_width, halvings, scales).apply(initialise) for key in ("D_X", "D_Y")}


def networks(
    *,
    image_size: ImageSizeArg = 256,
    channels: ChannelsArg = 3,
    width: WidthArg = 64,
    blocks: BlocksArg = 4,
    d_width: DWidthArg = 64,
    halvings: HalvingsArg = 4,
    scales: ScalesArg = 3,
) -> dict[str, nn.Module]:
    """The translators G: a -> b and F: b -> a; D_X judges pictures of a, D_Y those of b."""
    if width < 1 or blocks < 0:
        raise GanzooError("a size below 1", "Choose others.")
    nets: dict[str, nn.Module] = {key: G(of, channels, width, blocks).apply(he) for key, of in (("G", "a"), ("F", "b"))}
    return nets | judges(image_size, channels, d_width, halvings, scales)

"""The context encoder and its discriminator (Pathak et al. 2016, Sec. 3.1 and Fig. 9), 4x4 kernels throughout."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import (
    Discriminator,
    Generator,
    Image,
    Images,
    Mask,
    doublings,
    initialise,
    sample_deterministic,
)

Draws = Literal["centre", "all"]
FILL = (117.0, 104.0, 123.0)  # the mean colour of ImageNet


class G(Generator):
    """A picture with a hole -> ... -> 4x4 -> the bottleneck -> 4x4 -> ... -> what was in the hole.

    `forward` is the published map from the masked picture to the centre, or to all of it; `sample` puts the hole's
    part of that into the picture. The hole is filled with `fill`, a colour, so that the network knows no pixel of it.
    """

    def __init__(
        self, image_size: int, channels: int, width: int, bottleneck: int, draws: Draws, fill: tuple[float, ...]
    ) -> None:
        super().__init__()
        doublings(image_size, least=16, most=128)  # refuses all others
        if len(fill) != channels:
            raise GanzooError(f"fill {fill}: not {channels} numbers, one per channel", "Give the data's mean colour.")
        self.inputs = {
            "x": Image((channels, image_size, image_size)),
            "mask": Mask((1, image_size, image_size), default=1.0),  # the centre; see sample
        }
        self.output = Images((channels, image_size, image_size))
        self.side, self.fill = image_size if draws == "all" else image_size // 2, fill  # `side` of what is drawn
        encoder = convolutions(image_size, channels, width)
        widths = stages(self.side, width)[::-1]
        encoder += [nn.Conv2d(stages(image_size, width)[-1], bottleneck, 4, 1, 0, bias=False)]  # 4x4 -> 1x1
        encoder += [nn.BatchNorm2d(bottleneck), nn.LeakyReLU(0.2, inplace=True)]
        decoder: list[nn.Module] = [nn.ConvTranspose2d(bottleneck, widths[0], 4, 1, 0, bias=False)]  # 1x1 -> 4x4
        for f, f_next in zip(widths, [*widths[1:], channels], strict=True):
            decoder += [nn.BatchNorm2d(f), nn.ReLU(inplace=True)]
            decoder += [nn.ConvTranspose2d(f, f_next, 4, 2, 1, bias=False)]  # s -> 2s
        self.main = nn.Sequential(*encoder, *decoder, nn.Tanh())
        self.apply(initialise)

    def forward(self, masked: Tensor) -> Tensor:  # [N, C, H, W] -> [N, C, side, side]
        y: Tensor = self.main(masked)
        return y

    def masked(self, x: Tensor, hole: Tensor) -> Tensor:
        """x with the mean colour where hole is 1.  [N, C, H, W], [N, 1, H, W] -> [N, C, H, W]"""
        colour = x.new_tensor(self.fill).view(1, -1, 1, 1) / 127.5 - 1
        return torch.where(hole > 0.5, colour, x)

    def window(self, x: Tensor) -> Tensor:
        """The part of x that is drawn.  [N, C, H, W] -> [N, C, side, side]"""
        edge = (x.shape[-1] - self.side) // 2
        return x[:, :, edge : edge + self.side, edge : edge + self.side]

    def filled(self, x: Tensor, mask: Tensor) -> Tensor:
        """x, and where the mask is 1 what is drawn there.  [N, C, H, W]"""
        edge = (x.shape[-1] - self.side) // 2
        return torch.where(mask > 0.5, pad(self(self.masked(x, mask)).float(), (edge,) * 4), x)

    def refuse_beyond(self, mask: Tensor) -> None:
        """Errors: GanzooError for a hole, mask [N, 1, H, W], that reaches beyond what is drawn."""
        if bool((mask > 0.5).sum() > (self.window(mask) > 0.5).sum()):
            raise GanzooError(
                f"mask: reaches beyond the central {self.side}x{self.side} pixels, which are all that this model draws",
                "Keep the hole inside, or take a model that draws all (-c draws=all in training).",
            )

    def sample(self, n: int, *, seed: int, **inputs: Any) -> Tensor:
        """The pictures x [n, C, H, W] with their holes, mask [n, 1, H, W], filled in; nothing is random.

        Without a mask the hole is the central half of each side. Errors: GanzooError where a hole reaches beyond what
        this network draws.
        """
        if inputs.get("mask") is None:
            inputs["mask"] = centre(self.inputs["x"].shape[-1] or 0)
        self.refuse_beyond(self.inputs["mask"].rows("mask", inputs["mask"], n, next(self.parameters()).device))
        return sample_deterministic(self, self.filled, n, seed, inputs)


class D(Discriminator):
    """DCGAN's: from what is drawn down to 4x4 and one score."""

    def __init__(self, side: int, channels: int, width: int) -> None:
        super().__init__()
        last = nn.Conv2d(stages(side, width)[-1], 1, 4, 1, 0, bias=False)  # 4x4 -> 1x1
        self.main = nn.Sequential(*convolutions(side, channels, width), last)
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, side, side] -> [N]
        return self.main(x).flatten()

    def features(self, x: Tensor) -> Tensor:
        return self.main[:-1](x).flatten(1)


def convolutions(side: int, channels: int, width: int) -> list[nn.Module]:
    """Down to 4x4, each halving the side; all but the first are normalised."""
    layers: list[nn.Module] = []
    for i, f in enumerate(stages(side, width)):
        layers += [nn.Conv2d(stages(side, width)[i - 1] if i else channels, f, 4, 2, 1, bias=False)]
        layers += [nn.BatchNorm2d(f)] if i else []
        layers += [nn.LeakyReLU(0.2, inplace=True)]
    return layers


def stages(side: int, width: int) -> list[int]:
    """Channels from the picture down to 4x4: they double at each stage, but at 128 px the first comes twice."""
    n = doublings(side, least=8, most=128)
    return [width * 2**i for i in range(n)] if n < 5 else [width, *stages(side // 2, width)]


def centre(image_size: int) -> Tensor:
    """[1, H, W]: 1 in the central half of each side."""
    return pad(torch.ones(1, image_size // 2, image_size // 2), (image_size // 4,) * 4)


def networks(
    *,
    image_size: Annotated[int, "side of the square picture: 16, 32, 64 or 128"] = 128,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels next to the picture; they double towards 4x4"] = 64,
    d_width: Annotated[int, "likewise D's"] = 64,
    bottleneck: Annotated[int, "numbers between encoder and decoder (the authors' code begins with 100)"] = 4000,
    draws: Annotated[Draws, "what comes out: each side's central half, or all of it, for holes anywhere"] = "centre",
    fill: Annotated[tuple[float, ...], "colour of the hole, 0 to 255; the authors', of ImageNet"] = FILL,
) -> dict[str, nn.Module]:
    """The generator G, which is the context encoder, and the discriminator D."""
    generator = G(image_size, channels, width, bottleneck, draws, fill)
    return {"G": generator, "D": D(generator.side, channels, d_width)}

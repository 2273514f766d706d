"""The networks of MUNIT (Huang et al. 2018): content and style apart, and a decoder that style modulates."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from ganzoo_cyclegan.networks import padded
from torch import Tensor, nn
from torch.nn.functional import relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, Image, Images, Latent, evaluation_mode, sample_deterministic
from ganzoo_couples.unit_networks import (
    MULTIPLE,
    BlocksArg,
    ChannelsArg,
    DWidthArg,
    Encoder,
    HalvingsArg,
    ImageSizeArg,
    ScalesArg,
    WidthArg,
    halving,
    he,
    judges,
    painter,
)

STYLE_HALVINGS = 4  # of a style encoder


class StyleEncoder(nn.Module):
    """c7s1-f, d2f, d4f, d4f, d4f, the mean over all places, linear; no norm, which would take the style away."""

    def __init__(self, channels: int, width: int, style_dim: int) -> None:
        super().__init__()
        f = [width * min(2**i, 4) for i in range(STYLE_HALVINGS + 1)]
        layers: list[nn.Module] = [padded(channels, f[0], 7), nn.ReLU(inplace=True)]
        for i in range(STYLE_HALVINGS):
            layers += [halving(f[i], f[i + 1]), nn.ReLU(inplace=True)]
        self.main = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Conv2d(f[-1], style_dim, 1), nn.Flatten())

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, style_dim]
        return self.main(x)


def adain(h: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """AdaIN: each map of each picture gets a mean and a deviation.  [N, f, H, W], [N, f], [N, f]"""
    return torch.addcmul(mean[:, :, None, None], deviation[:, :, None, None], torch.group_norm(h, h.shape[1]))


class StyledResidual(nn.Module):
    """h + two 3x3 convolutions of it, each followed by AdaIN."""

    def __init__(self, f: int) -> None:
        super().__init__()
        self.first, self.second = padded(f, f, 3), padded(f, f, 3)

    def forward(self, h: Tensor, style: list[Tensor]) -> Tensor:
        """`style`: mean and deviation after the first, and after the second, [N, f] each."""
        first = relu(adain(self.first(h), *style[:2]))
        return h + adain(self.second(first), *style[2:])


class Decoder(nn.Module):
    """Residual blocks that an MLP of the style modulates, then twice the side twice, with layer norm."""

    def __init__(self, channels: int, width: int, blocks: int, style_dim: int, units: int) -> None:
        super().__init__()
        f = 4 * width
        self.blocks = nn.ModuleList(StyledResidual(f) for _ in range(blocks))
        self.paint = nn.Sequential(*painter(channels, width))
        self.mlp = nn.Sequential(
            *(nn.Linear(style_dim, units), nn.ReLU(), nn.Linear(units, units), nn.ReLU()),
            nn.Linear(units, 4 * blocks * f),
        )

    def forward(self, c: Tensor, s: Tensor) -> Tensor:
        h, style = c, self.mlp(s).to(c.dtype).chunk(4 * len(self.blocks), 1)
        for i, block in enumerate(self.blocks):
            h = block(h, style[4 * i : 4 * i + 4])
        return self.paint(h)


class G(Generator):
    """One way: the content of the domain that it takes, in a style of the one that it makes.

    E^c is of the one domain, E^s and the decoder are of the other.
    """

    def __init__(self, key: str, channels: int, width: int, blocks: int, style_dim: int, units: int) -> None:
        super().__init__()
        self.inputs = {key: Image((channels, None, None), multiple=MULTIPLE), "s": Latent((style_dim,))}
        self.output = Images((channels, None, None))
        self.style_encoder = StyleEncoder(channels, width, style_dim)
        self.content_encoder = Encoder(channels, width, blocks)
        self.decoder = Decoder(channels, width, blocks, style_dim, units)

    def content(self, x: Tensor) -> Tensor:
        """c of pictures that it takes: [N, C, H, W] -> [N, 4f, H/4, W/4]."""
        return self.content_encoder(x)

    def style(self, x: Tensor) -> Tensor:
        """s of pictures such as it makes: [N, C, H, W] -> [N, style_dim]."""
        return self.style_encoder(x)

    def decode(self, c: Tensor, s: Tensor) -> Tensor:
        """A picture of a content in a style: [N, 4f, h, w], [N, style_dim] -> [N, C, 4h, 4w]."""
        return self.decoder(c, s)

    def forward(self, x: Tensor, s: Tensor) -> Tensor:  # [N, C, H, W], [N, style_dim] -> [N, C, H, W]
        return self.decode(self.content(x), s)

    def sample(
        self,
        n: int,
        *,
        seed: int,
        like: Tensor | None = None,  # [n or 1, C, H, W], a file or a PIL picture: an example of the other domain
        **inputs: Any,
    ) -> Tensor:
        """See Generator.sample. The style of `like` takes the place of s.

        Errors: GanzooError for a missing or a wrong picture, and for an example beside a style.
        """
        if like is not None:
            if inputs.get("s") is not None:
                raise GanzooError("like: an example of a style, and a style beside it", "Give one of them.")
            inputs["s"] = self.styles_of(like, n)
        return sample_deterministic(self, self, n, seed, inputs)

    @torch.no_grad()
    def styles_of(self, like: Tensor, n: int) -> Tensor:
        """The styles of n examples, or of one for all, each by itself.  [n, style_dim]"""
        image = Image(self.output.shape, multiple=2**STYLE_HALVINGS)
        examples = image.rows("like", like, n, next(self.parameters()).device)
        with evaluation_mode(self):
            return torch.cat([self.style(example[None]) for example in examples]).float()


def networks(
    *,
    image_size: ImageSizeArg = 256,
    channels: ChannelsArg = 3,
    width: WidthArg = 64,
    blocks: BlocksArg = 4,
    style_dim: Annotated[int, "length of a style s ~ N(0, 1)"] = 8,
    units: Annotated[int, "of the MLP that turns a style into means and deviations"] = 256,
    d_width: DWidthArg = 64,
    halvings: HalvingsArg = 4,
    scales: ScalesArg = 3,
) -> dict[str, nn.Module]:
    """The translators G: (a, style of b) -> b and F: (b, style of a) -> a; D_X judges pictures of a, D_Y those of b."""
    if min(width, blocks, style_dim, units) < 1:
        raise GanzooError("a size below 1", "Choose others.")
    if image_size < 2**STYLE_HALVINGS:
        raise GanzooError(f"image_size {image_size}: below {2**STYLE_HALVINGS}", "Choose a larger one.")
    nets: dict[str, nn.Module] = {
        key: G(of, channels, width, blocks, style_dim, units).apply(he) for key, of in (("G", "a"), ("F", "b"))
    }
    return nets | judges(image_size, channels, d_width, halvings, scales)

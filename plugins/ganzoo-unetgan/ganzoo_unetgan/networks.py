"""The networks of U-Net GAN (Schönfeld et al. 2020): BigGAN's generator, and a discriminator with a way back up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from ganzoo_biggan.networks import G, initialise
from ganzoo_sngan.attention import check_attention, critic
from ganzoo_sngan.networks import convs
from torch import Tensor, nn
from torch.nn.functional import relu

from ganzoo_core.nn import Discriminator, GBlock, Projection, apply_spectral_norm, biases_last


class UNet(Discriminator):
    """BigGAN's D down to a score of the whole picture, and from there up to a score of every pixel.

    On the way up each map stands beside the one of its side on the way down.
    """

    def __init__(self, down: Sequence[nn.Module], widths: Sequence[int], classes: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(down)
        self.head = Projection(widths[-1], classes) if classes else nn.Linear(widths[-1], 1)
        beside = [*(2 * f for f in widths[:-1]), widths[-1]]  # channels that go into each block up
        self.up = nn.ModuleList(up(f, f_next) for f, f_next in zip(beside, [widths[0], *widths[:-1]], strict=True))
        self.pixel = nn.Conv2d(widths[0], 1, 1)

    def forward(self, x: Tensor, *y: Tensor) -> Tensor:  # [N, C, H, W], and [N] where there are classes -> [N, 1 + H W]
        maps = self.maps(x)
        whole = self.head(self.summed(maps[-1]), *y)
        return torch.cat([whole, self.pixels(maps).flatten(1)], 1)

    def maps(self, x: Tensor) -> list[Tensor]:
        """What the blocks on the way down make: sides H/2, H/4 ..."""
        found: list[Tensor] = []
        for block in self.down:
            x = block(x)
            found.append(x)
        return found

    def pixels(self, maps: Sequence[Tensor]) -> Tensor:
        """The way up.  [N, 1, H, W]"""
        *before, h = maps
        *blocks, last = reversed(self.up)
        for block, beside in zip(blocks, reversed(before), strict=True):
            h = torch.cat([block(h), beside], 1)
        return self.pixel(relu(last(h)))

    def features(self, x: Tensor) -> Tensor:
        """The sum over all places of the smallest map.  [N, f]"""
        return self.summed(self.maps(x)[-1])

    def summed(self, h: Tensor) -> Tensor:
        return relu(h).sum((2, 3))


def up(f: int, f_next: int) -> GBlock:
    """A block of BigGAN's G, without norms."""
    return GBlock(**convs(f, f_next, f_next), shortcut=nn.Conv2d(f, f_next, 1), bn1=nn.Identity(), bn2=nn.Identity())


def networks(
    *,
    image_size: Annotated[int, "side of the square image"] = 128,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    classes: Annotated[int, "how many labels G and D are told; 0: they are told none"] = 0,
    z_chunk: Annotated[int, "length of each part of z ~ N(0, 1), of which G has one more than blocks"] = 20,
    y_dim: Annotated[int, "length of the classes' embedding, which all blocks of G share"] = 128,
    g_widths: Annotated[tuple[int, ...], "channels of G's maps, the smallest first"] = (1024, 1024, 512, 256, 128, 64),
    d_widths: Annotated[tuple[int, ...], "channels of D's maps on the way down, each of half the side"] = (
        64, 128, 256, 512, 1024,
    ),
    attention: Annotated[int, "side of the map that attends to itself, in both networks; 0: none does"] = 0,
) -> dict[str, nn.Module]:  # fmt: skip
    """The generator G and the discriminator D."""
    check_attention(attention, image_size, g_widths, len(d_widths))
    made = G(image_size, channels, classes, z_chunk, y_dim, g_widths, attention).apply(initialise)
    apply_spectral_norm(made, nn.Conv2d, nn.Linear)  # the shared embedding is not normalised
    down = critic(channels, d_widths, len(d_widths), image_size, attention)
    judge = UNet(down, d_widths, classes).apply(initialise)
    apply_spectral_norm(judge, nn.Conv2d, nn.Linear, nn.Embedding)
    for net in (made, judge):
        biases_last(net)
    return {"G": made, "D": judge}

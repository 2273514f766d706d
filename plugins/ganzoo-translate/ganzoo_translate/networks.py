"""The networks of the one-sided games: CycleGAN's translator and its judges of patches."""

from __future__ import annotations

from typing import Annotated

from ganzoo_cyclegan.networks import ResNet
from ganzoo_pix2pix.networks import PatchGAN
from torch import nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import initialise


def one_sided(
    *,
    image_size: Annotated[int, "side of the square pictures that it is trained on: a multiple of 4"] = 256,
    channels: Annotated[int, "of both domains: 1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels of G next to the picture; the residual blocks have four times as many"] = 64,
    blocks: Annotated[int, "residual blocks of G: 9 for 256 px, 6 for 128"] = 9,
    d_width: Annotated[int, "channels of discriminators next to the picture"] = 64,
    patch: Annotated[int, "pixels that a score sees: 1, 16, 34, 70, 142 or 286"] = 70,
) -> dict[str, nn.Module]:
    """The translator G: a -> b, and D, which judges pictures of b."""
    if min(image_size, channels, width, d_width) < 1 or blocks < 0 or image_size % 4:
        raise GanzooError(f"image_size {image_size}: not a multiple of 4, or a size below 1", "Choose another.")
    nets = {"G": ResNet("a", channels, width, blocks), "D": PatchGAN(channels, d_width, patch, "instance")}
    return {name: net.apply(initialise) for name, net in nets.items()}


def geometric(
    *,
    image_size: Annotated[int, "side of the square pictures that it is trained on: a multiple of 4"] = 256,
    channels: Annotated[int, "of both domains: 1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels of G next to the picture; the residual blocks have four times as many"] = 64,
    blocks: Annotated[int, "residual blocks of G: 9 for 256 px, 6 for 128"] = 9,
    d_width: Annotated[int, "channels of discriminators next to the picture"] = 64,
    patch: Annotated[int, "pixels that a score sees: 1, 16, 34, 70, 142 or 286"] = 70,
) -> dict[str, nn.Module]:
    """G: a -> b, D, which judges pictures of b, and D_f, which judges them turned."""
    nets = one_sided(image_size=image_size, channels=channels, width=width, blocks=blocks, d_width=d_width, patch=patch)
    turned: nn.Module = PatchGAN(channels, d_width, patch, "instance")
    return {**nets, "D_f": turned.apply(initialise)}

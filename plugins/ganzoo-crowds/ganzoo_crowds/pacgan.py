"""PacGAN: D judges m samples at a time, so that it sees when they are too much alike."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import TwoPlayerAdam, nonsaturating
from ganzoo_crowds import networks as shared


class PacGAN(TwoPlayerAdam):
    """PacGAN: The power of two samples in generative adversarial networks (Lin et al. 2018, arXiv:1712.04086).

    d = -E log D(x_1 .. x_m) - E log(1 - D(G(z_1) .. G(z_m))),  g = -E log D(G(z_1) .. G(z_m))

    It is the game of Goodfellow et al. 2014 (Eq. 1; g of its Sec. 3): packing is all in D, which other games can play
    with as well (`--networks pacgan:...`).
    """

    loss, batchwise = nonsaturating, True


class Packing(shared.D):
    """Only its first layer is wider: it sees m samples as one of m times the channels."""

    def __init__(self, form: shared.Form, m: int) -> None:
        super().__init__(form, m)
        self.m = m

    def features(self, x: Tensor) -> Tensor:
        """Of packs, each of which has one score.  [N // m, F]"""
        return self.body(packed(x, self.m))


def packed(x: Tensor, m: int) -> Tensor:
    """Samples side by side in their first dimension, m in a pack; what is left over at the end is not looked at.

    [N, C, ...] -> [N // m, m C, ...]. Errors: GanzooError for fewer than m.
    """
    packs = len(x) // m
    if not packs:
        raise GanzooError(f"m {m}: a batch of {len(x)} fills no pack", "Choose a larger batch size, or a smaller m.")
    return x[: packs * m].reshape(packs, m * x.shape[1], *x.shape[2:])


def networks(
    *,
    m: Annotated[int, "samples in a pack, 1 or more; 1: none are packed"] = 2,
    layers: shared.LayersArg = "dcgan",
    image_size: shared.SideArg = 32,
    channels: shared.ChannelsArg = 3,
    width: shared.WidthArg = 64,
    z_dim: shared.LatentArg = 100,
    norm: shared.NormArg = "batch",
    scale: shared.ScaleArg = 1.0,
) -> dict[str, nn.Module]:
    """The generator G, and the discriminator D of m samples."""
    if m < 1:
        raise GanzooError(f"m {m}: is no number of samples", "Choose 1 or more.")
    form = shared.Form(layers, image_size, channels, width, z_dim, norm, scale)
    return {"G": shared.G(form), "D": Packing(form, m)}

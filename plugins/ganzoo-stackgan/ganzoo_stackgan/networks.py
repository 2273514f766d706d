"""StackGAN whole: the text encoder and both stages in one generator (Zhang et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Between, Images, doublings, initialise
from ganzoo_stackgan.speaking import Speaking, inputs
from ganzoo_stackgan.stages import D, StageI, StageII
from ganzoo_stackgan.words import ImageEncoder, TextEncoder


class G(Speaking):
    """Words and z -> the embedding -> Stage I's sketch -> Stage II's picture."""

    default_options: ClassVar[Mapping[str, Any]] = {"stages": True}

    def __init__(self, G1: StageI, G2: StageII, T: TextEncoder, size: int, channels: int, z_dim: int) -> None:
        super().__init__()
        self.inputs, self.output = inputs(z_dim), Images((channels, size, size))
        self.G1, self.G2, self.T = G1, G2, T

    def forward(self, e: Tensor, z: Tensor) -> Tensor:  # [N, d], [N, z] -> [N, C, H, W]
        return self.drawn(e, z, 1.0, False)

    def drawn(self, e: Tensor, z: Tensor, spread: float, stages: bool) -> Tensor:
        """Stage II's picture; with `stages` Stage I's, enlarged, beside it.  [N, C, H, W or 2 W]"""
        small, _, _ = self.G1(e, z, spread)
        large, _, _ = self.G2(small, e, spread)
        return torch.cat([interpolate(small, large.shape[2:]), large], 3) if stages else large

    def sample(
        self,
        n: int,
        *,
        seed: int,
        towards: str = "",  # another text: n steps from the one to the other, with one z
        stages: bool = False,  # both stages, side by side
        spread: Annotated[float, Between(0, 2)] = 1.0,  # of the conditioning augmentation; 0: none
        embedding: Tensor | None = None,  # [n or 1, d]: of an encoder of one's own, in place of text
        **given: Any,
    ) -> Tensor:
        """n pictures [n, C, H, W] of what `text` says, in [-1, 1]: the same ones every time.

        Errors: GanzooError for words that are missing, too long, or given beside an embedding.
        """
        if not 0 <= spread <= 4:
            raise GanzooError(f"spread {spread}: not in 0..4")
        draw = partial(self.drawn, spread=spread, stages=stages)
        return self.speak(draw, n, seed, towards, embedding, given)


def networks(
    *,
    image_size: Annotated[int, "side of Stage II's pictures"] = 256,
    small: Annotated[int, "side of Stage I's pictures"] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "G's; the published for COCO, and 128 for birds and flowers"] = 192,
    d_width: Annotated[int, "D's channels next to the picture; 64 for birds and flowers"] = 96,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1)"] = 100,
    c_dim: Annotated[int, "length of the condition that is drawn around the words' mean"] = 128,
    dim: Annotated[int, "length of an embedding of words"] = 1024,
    blocks: Annotated[int, "Stage II's residual blocks; 4 for birds and flowers"] = 2,
    keep: Annotated[float, "of Stage I's picture, enlarged, under Stage II's; 0 as published"] = 0.0,
    t_width: Annotated[int, "of the text encoder"] = 128,
    v_width: Annotated[int, "of the picture encoder, with which the text encoder is trained"] = 64,
) -> dict[str, nn.Module]:
    """The generator G with G1, G2 and T; the discriminators D1 and D2; the picture encoder V."""
    sides = [image_size >> k for k in range(1, doublings(image_size))]
    if small not in sides:
        named = " or ".join(map(str, sides)) or "possible"
        raise GanzooError(f"small {small}: for image_size {image_size} not {named}", "Stage II doubles it.")
    G1 = StageI(small, channels, width, z_dim, dim, c_dim).apply(initialise)
    G2 = StageII(small, image_size, channels, width, dim, c_dim, blocks, keep).apply(initialise)
    return {
        "G": G(G1, G2, TextEncoder(t_width, dim), image_size, channels, z_dim),
        "D1": D(small, channels, d_width, c_dim, alone=False).apply(initialise),
        "D2": D(image_size, channels, d_width, c_dim, alone=True).apply(initialise),
        "V": ImageEncoder(image_size, channels, v_width, dim),
    }

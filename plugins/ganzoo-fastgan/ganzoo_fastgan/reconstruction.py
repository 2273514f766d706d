"""How far a picture that D has drawn from memory is from what it saw: the distance f of L_recons."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss, normalize

from ganzoo_fastgan.lite0 import Lite0


class Perceptual(nn.Module):
    """LPIPS (Zhang et al. 2018, Eq. 1) through EfficientNet-Lite0, all weights 1: the published ones are another
    network's."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = Lite0()

    def forward(self, a: Tensor, b: Tensor) -> Tensor:  # [N, C, H, W] in [-1, 1], twice -> a mean
        pairs = zip(self.seen(a), self.seen(b), strict=True)
        return torch.stack([(normalize(m) - normalize(n)).square().sum(1).mean() for m, n in pairs]).sum()


class Pixels(nn.Module):
    """The mean absolute difference of pixels."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return l1_loss(a.float(), b.float())


DISTANCES: Mapping[str, type[nn.Module]] = {"lite0": Perceptual, "l1": Pixels}

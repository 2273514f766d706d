"""Games whose networks grow (Karras et al. 2017, Sec. 2): at every resolution a phase to fade in, one to settle."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ganzoo_core.nn.blocks import upsample
from ganzoo_core.nn.growing import Growing
from ganzoo_core.objectives.objective import Objective, Phase, Step


class GrowingObjective(Objective):
    """Resolution by resolution, 4 * 2^depth pixels: at the first there is nothing to fade in."""

    batches: Annotated[tuple[int, ...], "sizes of batches from 4 px on; the last is that of all further resolutions"]
    fade_images: Annotated[int, "for fading in a resolution; at the first there is nothing to fade"] = 600_000
    settle_images: Annotated[int, "for each resolution after that"] = 600_000
    images: Annotated[int, "the same at the last one, which is trained longest"] = 600_000

    @property
    @abstractmethod
    def depths(self) -> range:
        """The resolutions that it goes through."""

    @abstractmethod
    def steps(self, depth: int) -> Sequence[Step]:
        """Who moves at this resolution: new players, whose optimizers start afresh."""

    @abstractmethod
    def growing(self) -> Iterable[Growing]:
        """The networks that are told how far they have grown."""

    def phases(self) -> Sequence[Phase]:
        return [phase for depth in self.depths for phase in self.resolution(depth)]

    def resolution(self, depth: int) -> list[Phase]:
        """Fading in and settling at one depth."""
        steps, side = self.steps(depth), 4 * 2**depth
        data = {"image_size": side, "batch_size": self.batches[min(depth, len(self.batches) - 1)]}
        length = self.images if depth == self.depths[-1] else self.settle_images
        settle = Phase(f"{side}px", steps, length, data, partial(self.grow, depth, 1.0))
        if depth == self.depths[0]:
            return [settle]
        fade = partial(self.grow, depth)  # alpha goes from 0 to 1 on a straight line
        return [Phase(f"{side}px fading in", steps, self.fade_images, data, partial(fade, 0.0), fade), settle]

    def grow(self, depth: int, alpha: float) -> None:
        """Tell all networks."""
        for net in self.growing():
            net.grow(depth, alpha)

    def faded(self, x: Tensor) -> Tensor:
        """Real images fade in likewise: the detail that G cannot make yet is not shown.  [N, C, H, W]"""
        _, alpha = next(iter(self.growing())).grown()
        return x if alpha == 1 else torch.lerp(upsample(avg_pool2d(x, 2)), x, alpha)

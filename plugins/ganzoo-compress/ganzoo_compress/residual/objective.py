"""The game of clips by residual frames: that of Agustsson et al. 2019, over the frames of short clips."""

from __future__ import annotations

from typing import Annotated

from ganzoo_video.windows import window
from torch import Tensor

from ganzoo_compress.agustsson.objective import Extreme
from ganzoo_compress.residual.networks import Residual, lacking
from ganzoo_core.objectives import Batch, Terms


class ResidualCompression(Extreme):
    """Eq. 5 of Agustsson et al. 2019 (arXiv:1804.02958), x being all frames of clips that are coded in turn."""

    G: Residual
    images: Annotated[int, "length in real clips"] = 280_000

    needs = frozenset({"video"})

    @property
    def codec(self) -> Residual:
        return self.G

    def made(self, batch: Batch) -> Tensor:
        """The frames that come through, clip after clip.  [N T, C, H, W]"""
        return self.codec(batch["video"]).flatten(0, 1)

    def d_loss(self, batch: Batch) -> Terms:
        return super().d_loss(self.taken(batch))

    def g_loss(self, batch: Batch) -> Terms:
        return super().g_loss(self.taken(batch))

    def taken(self, batch: Batch) -> Batch:
        """A window of each clip, and its frames as `x` [N T, C, H, W]."""
        video = window(batch["video"], self.G.frames)
        return {"video": video, "x": video.flatten(0, 1)}

    def entropy(self, batch: Batch) -> Tensor:
        """Of the codes of second frames, in bits of a number."""
        video, rest = batch["video"], self.codec.rest
        return rest.q.entropy(rest.E(lacking(self.codec.first(video[:, 0]), video[:, 1])))

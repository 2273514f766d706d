"""What a classifier makes: shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import PIL.Image
import torch
from torch import Tensor

from ganzoo_core.nn import Images, Points

HEIGHT, WIDTH = 40, 4  # px of a picture of bars, and of each bar


@dataclass(frozen=True)
class Shares(Points):
    """How sure one is of each class: [K] in [0, 1], of sum 1; shown as bars, class 0 on the left."""

    range: tuple[float, float] | None = (0.0, 1.0)
    kind: ClassVar[str] = "shares"

    @property
    def gray(self) -> Images:
        """The kind of pictures that they are shown as."""
        return Images((1, HEIGHT, None))

    def picture(self, samples: Tensor, columns: int = 0) -> PIL.Image.Image:
        return self.gray.picture(bars(samples), columns)

    def poster(self, samples: Tensor, given: Sequence[Tensor] = ()) -> bytes:
        """Each beside the picture that it was made of."""
        return self.gray.poster(bars(samples), given)

    def data_options(self) -> dict[str, Any]:
        """Pictures in the size and channels that the classifier takes: shares have none."""
        return {"image_size": None, "channels": None}


def bars(samples: Tensor) -> Tensor:
    """A bar for each class, as high as it is sure.  [n, K] in [0, 1] -> [n, 1, HEIGHT, WIDTH K] in [-1, 1]"""
    above = 1 - (torch.arange(HEIGHT) + 0.5) / HEIGHT
    dark = samples.float().cpu()[:, None, :] >= above[:, None]  # [n, HEIGHT, K]
    return 0.8 - 1.6 * dark.float().repeat_interleave(WIDTH, 2)[:, None]

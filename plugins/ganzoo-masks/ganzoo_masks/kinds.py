"""What a segmentor makes: masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import PIL.Image
from torch import Tensor

from ganzoo_core.nn import Images, Output


@dataclass(frozen=True)
class Masks(Output):
    """How sure one is that a pixel belongs to the thing: [1, H, W] in [0, 1]; in pictures white is 1."""

    shape: tuple[int | None, ...]
    range: tuple[float, float] | None = (0.0, 1.0)
    kind: ClassVar[str] = "masks"
    suffixes: ClassVar[tuple[str, ...]] = (".png", ".webp")
    batch_key: ClassVar[str] = "region"

    @property
    def gray(self) -> Images:
        """The kind of pictures that they are shown as."""
        return Images(self.shape)

    def picture(self, samples: Tensor, columns: int = 0) -> PIL.Image.Image:
        """Side by side, row by row."""
        return self.gray.picture(2 * samples.float() - 1, columns)

    def poster(self, samples: Tensor, given: Sequence[Tensor] = ()) -> bytes:
        """Each beside the picture that it was made of."""
        return self.gray.poster(2 * samples.float() - 1, given)

    def frame(self, sample: Tensor) -> PIL.Image.Image:
        return self.gray.frame(2 * sample.float() - 1)

    def save(self, samples: Tensor, path: Path) -> None:
        """One mask as it is, several as a sheet."""
        self.refuse_suffix(path)
        self.gray.save(2 * samples.float() - 1, path)

    def open(self, path: Path) -> Tensor:
        """[1, 1, H, W] in [0, 1]; a sheet is one mask. Errors: GanzooError for what is no picture."""
        return (self.gray.open(path) + 1) / 2

    def data_options(self) -> dict[str, Any]:
        """Pictures of its size, in the channels that the segmentor takes: a mask has none of its own."""
        return {"image_size": self.shape[1], "channels": None}

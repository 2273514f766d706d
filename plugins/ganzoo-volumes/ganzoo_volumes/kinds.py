"""What these generators make: volumes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import PIL.Image
import torch
from torch import Tensor

from ganzoo_core.data import read_array, write_array, write_aside
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.nn import Images, Output
from ganzoo_volumes import mesh
from ganzoo_volumes.render import HALF, rendered


@dataclass(frozen=True)
class Volumes(Output):
    """How sure one is that each cell of a cube is filled: [1, X, Y, Z] in [0, 1], z upward."""

    shape: tuple[int | None, ...]
    range: tuple[float, float] | None = (0.0, 1.0)
    kind: ClassVar[str] = "volumes"
    suffixes: ClassVar[tuple[str, ...]] = (".npy", ".ply", ".png")
    batch_key: ClassVar[str] = "voxels"

    def picture(self, samples: Tensor, columns: int = 0) -> PIL.Image.Image:
        """Each from two sides, row by row."""
        return Images((1, None, None)).picture(rendered(samples), columns)

    def frame(self, sample: Tensor) -> PIL.Image.Image:
        return Images((1, None, None)).frame(rendered(sample[None])[0])

    def save(self, samples: Tensor, path: Path) -> None:
        """NumPy's format as they are; their surfaces, side by side, in .ply; or their picture."""
        self.refuse_suffix(path)
        samples, suffix = samples.detach().float().cpu(), path.suffix.lower()
        if suffix == ".npy":
            return write_array(samples, path)
        if suffix == ".ply":
            return write_aside(path, mesh.written((samples[:, 0] >= HALF).numpy()))
        return Images((1, None, None)).save(rendered(samples), path)

    def open(self, path: Path) -> Tensor:
        """[n, 1, X, Y, Z] of an array, or of surfaces that `save` wrote. Errors: GanzooError for what is neither."""
        self.refuse_suffix(path)
        found = surfaces(path) if path.suffix.lower() == ".ply" else read_array(path, "a file of volumes")
        sizes = zip(self.shape, found.shape[1:], strict=False)
        if found.ndim != 5 or any(size not in (None, there) for size, there in sizes):
            wanted = ", ".join("any" if size is None else str(size) for size in self.shape)
            raise GanzooError(f"{escape(path)}: of shape {list(found.shape)}, not [n, {wanted}]",
                              "Give a file of volumes.")  # fmt: skip
        return found

    def data_options(self) -> dict[str, Any]:
        return {"image_size": self.shape[-1]}


def surfaces(path: Path) -> Tensor:
    """[n, 1, X, Y, Z], 1 within and 0 without."""
    try:
        return torch.from_numpy(mesh.read(path.read_bytes())).float()[:, None]
    except (OSError, ValueError) as fault:
        raise GanzooError(f"{escape(path)}: {escape(fault, 80)}", "Give a .ply that ganzoo wrote.") from None

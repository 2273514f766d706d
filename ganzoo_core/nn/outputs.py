"""What a generator makes: small classes, one for each kind, that know how samples of it are shown, saved and opened.

    Images   [C, H, W]      sheets; .png, .jpg, .webp or a folder of them
    Clips    [T, C, H, W]   sheets of their frames in a row; .gif, .mp4 or a folder of them
    Points   [D]            a scatter plot of the first two numbers; .npy, .csv

Everything else asks the kind; a plugin adds one (waveforms, token sequences, tables, voxels) with the hook
`ganzoo_kinds`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import PIL.Image
import torch
from torch import Tensor

from ganzoo_core import imaging
from ganzoo_core.data.arrays import read_array
from ganzoo_core.data.films import read_clip, save_film
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.files import write_aside

SHOWN = 9  # clips on a card


class Output(ABC):
    """What a generator makes. Concrete kinds are frozen dataclasses; `shape` is of one sample, None where free."""

    kind: ClassVar[str]  # its name in config.json
    suffixes: ClassVar[tuple[str, ...]]  # of files that hold samples: the first is that of one sample in a folder
    augmentable: ClassVar[bool] = False  # whether discriminators can be shown augmented samples (ADA, DiffAugment)
    batch_key: ClassVar[str] = "x"  # under which data hold real ones
    shape: tuple[int | None, ...]
    range: tuple[float, float] | None  # of its values; None: unbounded

    @abstractmethod
    def picture(self, samples: Tensor, columns: int = 0) -> PIL.Image.Image:
        """Samples [n, *shape] as one picture, for grids, cards, reports and TensorBoard."""

    def poster(self, samples: Tensor, given: Sequence[Tensor] = ()) -> bytes:
        """Samples [n, *shape] as the bytes of a PNG, for cards and reports; what moves, moves.

        `given` are pictures that they were made of, [n, C, H, W] each.
        """
        return imaging.encode(imaging.beside([*given, samples]) if given else self.picture(samples))

    def recording(self, samples: Tensor) -> bytes:
        """Samples [n, *shape] as the bytes of a WAV file to be played beside the poster: the first of them, within some
        seconds. Nothing of what cannot be heard.
        """
        return b""

    def frame(self, sample: Tensor) -> PIL.Image.Image:
        """One sample [*shape] as a picture, all of one size."""
        return self.picture(sample[None])

    @abstractmethod
    def save(self, samples: Tensor, path: Path) -> None:
        """Samples [n, *shape] as one file, in the format that its suffix names. Errors: GanzooError, ExternalError."""

    @abstractmethod
    def open(self, path: Path) -> Tensor:
        """Samples [n, *shape] from a file that `save` wrote. Errors: GanzooError."""

    def save_each(self, samples: Tensor, folder: Path, stem: str = "") -> None:
        """One file for each sample: 00000.png, 00001.png ..."""
        for i, sample in enumerate(samples):
            self.save(sample[None], folder / f"{stem}{i:05d}{self.suffixes[0]}")

    def data_options(self) -> dict[str, Any]:
        """What it asks of data that are to be compared with it: options of `ganzoo_core.data.open_dataset`."""
        return {}

    def to_config(self) -> dict[str, Any]:
        """As config.json has it."""
        return {"kind": self.kind, **{f.name: getattr(self, f.name) for f in fields(self)}}  # type: ignore[arg-type]

    def refuse_suffix(self, path: Path) -> None:
        """Errors: GanzooError for a file of a format that samples of this kind do not have."""
        if path.suffix.lower() not in self.suffixes:
            what = f"{escape(path)}: {self.kind} are not saved as {path.suffix or 'a file without a suffix'}"
            raise GanzooError(what, f"Give {' or '.join(self.suffixes)}, or a directory.")


@dataclass(frozen=True)
class Images(Output):
    """Pictures [C, H, W] in [-1, 1], C = 1 gray, 3 RGB, 4 RGBA."""

    shape: tuple[int | None, ...]
    range: tuple[float, float] | None = (-1.0, 1.0)
    kind: ClassVar[str] = "images"
    suffixes: ClassVar[tuple[str, ...]] = (".png", ".jpg", ".jpeg", ".webp")
    augmentable: ClassVar[bool] = True

    def picture(self, samples: Tensor, columns: int = 0) -> PIL.Image.Image:
        """Side by side, row by row."""
        return imaging.grid(samples, columns)

    def frame(self, sample: Tensor) -> PIL.Image.Image:
        return imaging.picture(sample)

    def save(self, samples: Tensor, path: Path) -> None:
        """One sample as it is, several as a sheet."""
        self.refuse_suffix(path)
        imaging.save(imaging.picture(samples[0]) if len(samples) == 1 else imaging.grid(samples), path)

    def open(self, path: Path) -> Tensor:
        """[1, C, H, W] in [-1, 1]; a sheet is one picture."""
        channels = self.shape[0] or 3
        return imaging.read(path, channels)[None]

    def data_options(self) -> dict[str, Any]:
        return {"image_size": self.shape[1], "channels": self.shape[0]}


@dataclass(frozen=True)
class Clips(Output):
    """Moving pictures [T, C, H, W] in [-1, 1]."""

    shape: tuple[int | None, ...]
    range: tuple[float, float] | None = (-1.0, 1.0)
    kind: ClassVar[str] = "clips"
    suffixes: ClassVar[tuple[str, ...]] = (".gif", ".png", ".mp4")
    batch_key: ClassVar[str] = "video"

    def picture(self, samples: Tensor, columns: int = 0) -> PIL.Image.Image:
        """A row for each clip, its frames side by side."""
        return imaging.grid(samples.flatten(0, 1), columns or samples.shape[1])

    def poster(self, samples: Tensor, given: Sequence[Tensor] = ()) -> bytes:
        """Side by side and moving, the first nine; each after the frames [n, T', C, H, W] that it was made of."""
        whole = torch.cat([*given, samples], 1)[:SHOWN]
        return imaging.encode_frames([imaging.picture(frame) for frame in imaging.tiled(whole)])

    def save(self, samples: Tensor, path: Path) -> None:
        """A GIF or a film of all clips side by side, or a sheet of their frames.

        Errors: GanzooError for a film where PyAV is not installed.
        """
        self.refuse_suffix(path)
        if path.suffix.lower() == ".png":
            return imaging.save(self.picture(samples), path)
        if path.suffix.lower() == ".mp4":
            return save_film([imaging.picture(frame) for frame in imaging.tiled(samples)], path)
        return imaging.save_clip(imaging.tiled(samples), path)

    def open(self, path: Path) -> Tensor:
        """[1, T, C, H, W] in [-1, 1]. Errors: GanzooError for what is no clip."""
        return read_clip(path, self.shape[1] or 3)[None]

    def data_options(self) -> dict[str, Any]:
        return {"image_size": self.shape[2], "channels": self.shape[1]}


@dataclass(frozen=True)
class Points(Output):
    """Points [D], unbounded unless a range is given."""

    shape: tuple[int | None, ...]
    range: tuple[float, float] | None = None
    kind: ClassVar[str] = "points"
    suffixes: ClassVar[tuple[str, ...]] = (".npy", ".csv", ".png")

    def picture(self, samples: Tensor, columns: int = 0) -> PIL.Image.Image:
        """The first two numbers of each in the plane, on white."""
        return imaging.scatter(samples)

    def save(self, samples: Tensor, path: Path) -> None:
        """A row for each point: NumPy's format, or text; or their plot."""
        self.refuse_suffix(path)
        if path.suffix.lower() == ".png":
            return imaging.save(self.picture(samples), path)
        return write_aside(path, imaging.table(samples.cpu().numpy(), path.suffix.lower()))

    def open(self, path: Path) -> Tensor:
        self.refuse_suffix(path)
        wanted = "a file of points"
        if path.suffix.lower() == ".npy":
            return read_array(path, wanted)
        try:
            return torch.from_numpy(np.loadtxt(path, np.float32, delimiter=",", ndmin=2))
        except (OSError, ValueError) as fault:
            raise GanzooError(f"{escape(path)}: {escape(fault)}", f"Give {wanted}.") from None


OUTPUTS: Mapping[str, type[Output]] = {kind.kind: kind for kind in (Images, Clips, Points)}

"""The two kinds: what the generator makes (Signals), and an input of its own (Pitch)."""

import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import PIL.Image
import PIL.ImageDraw
import torch
from torch import Tensor

from ganzoo_core.data import write_aside
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.nn import Input, Output

WIDTH, HEIGHT, MARGIN = 96, 48, 4
COLOURS = ("black", "firebrick", "navy")


@dataclass(frozen=True)
class Signals(Output):
    """C curves over L moments, [C, L] in [-1, 1]."""

    shape: tuple[int | None, ...]
    range: tuple[float, float] | None = (-1.0, 1.0)
    kind: ClassVar[str] = "signals"
    suffixes: ClassVar[tuple[str, ...]] = (".npy", ".csv", ".png")
    batch_key: ClassVar[str] = "signal"

    def picture(self, samples: Tensor, columns: int = 0) -> PIL.Image.Image:
        """A plot for each sample, row by row."""
        columns = columns or math.ceil(math.sqrt(len(samples)))
        rows = math.ceil(len(samples) / columns)
        sheet = PIL.Image.new("RGB", (columns * WIDTH, rows * HEIGHT), "white")
        pen = PIL.ImageDraw.Draw(sheet)
        for i, sample in enumerate(samples.float().cpu()):
            left, top = i % columns * WIDTH, i // columns * HEIGHT
            for curve, colour in zip(sample, COLOURS, strict=False):
                x = torch.linspace(left + MARGIN, left + WIDTH - MARGIN, len(curve))
                y = top + HEIGHT / 2 - curve.clamp(-1, 1) * (HEIGHT / 2 - MARGIN)
                pen.line(torch.stack([x, y], 1).flatten().tolist(), colour)
        return sheet

    def save(self, samples: Tensor, path: Path) -> None:
        """NumPy's format, or a line of text for each sample, or a plot."""
        self.refuse_suffix(path)
        made, rows = io.BytesIO(), samples.cpu().numpy()
        if path.suffix.lower() == ".png":
            self.picture(samples).save(made, "PNG")
        elif path.suffix.lower() == ".csv":
            np.savetxt(made, rows.reshape(len(rows), -1), delimiter=",", fmt="%.8g")
        else:
            np.save(made, rows, allow_pickle=False)
        write_aside(path, made.getvalue())

    def open(self, path: Path) -> Tensor:
        self.refuse_suffix(path)
        try:
            csv = path.suffix.lower() == ".csv"
            rows = np.loadtxt(path, delimiter=",", ndmin=2) if csv else np.load(path, allow_pickle=False)
            return torch.from_numpy(np.asarray(rows, np.float32)).reshape(len(rows), self.shape[0] or 1, -1)
        except (OSError, ValueError) as fault:
            raise GanzooError(f"{escape(path)}: {escape(fault)}", "Give a file of signals.") from None


@dataclass(frozen=True)
class Pitch(Input):
    """A number of oscillations in the window, drawn uniformly in low .. high."""

    low: float
    high: float
    default: float | None = None
    kind: ClassVar[str] = "pitch"
    drawn: ClassVar[bool] = True
    shape: ClassVar[tuple[int | None, ...]] = ()

    @property
    def wanted(self) -> str:
        return f"a pitch in {self.low:g} .. {self.high:g}"

    def draw(self, n: int, rng: torch.Generator | None, device: torch.device) -> Tensor:
        """[n]"""
        return self.low + (self.high - self.low) * torch.rand(n, generator=rng, device=device)

    def parse(self, text: str) -> float:
        return float(text)

    def tensor(self, name: str, given: Any, device: torch.device) -> Tensor:
        value = torch.as_tensor(given, device=device).float()
        if not bool(((value >= self.low) & (value <= self.high)).all()):
            raise GanzooError(f"pitch {name}: {escape(given, 60)} is out of range", f"Give {self.wanted}.")
        return value

"""Two kinds: sounds, which generators make, and log-mel spectrograms, which vocoders are given."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import PIL.Image
import torch
from torch import Tensor

from ganzoo_audio.files import SUFFIXES, read_sound, wav, write_sound
from ganzoo_audio.spectra import Mel, magnitudes, mel_named
from ganzoo_core.data import read_array, write_array, write_aside
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.nn import Input, Output

PAUSE = 0.25  # seconds between the sounds of one file
HEARD = 8.0  # seconds of a recording that stands in a page: 256 KB at 16 kHz
WIDTH, HEIGHT, GAP = 128, 64, 4  # of a spectrogram, in pixels
DECIBELS = 70.0  # that a picture shows
EXAMPLE_FRAMES = 12  # of a spectrogram whose length is free
RAMP = ((0, 0, 4), (81, 18, 124), (183, 55, 121), (252, 137, 97), (252, 253, 191))  # from silence to loudest


@dataclass(frozen=True)
class Sounds(Output):
    """Sound [1, L] in [-1, 1] at `rate` samples a second."""

    shape: tuple[int | None, ...]
    rate: int = 16000
    range: tuple[float, float] | None = (-1.0, 1.0)
    kind: ClassVar[str] = "sounds"
    suffixes: ClassVar[tuple[str, ...]] = (*SUFFIXES, ".npy", ".png")
    batch_key: ClassVar[str] = "audio"

    def picture(self, samples: Tensor, columns: int = 0) -> PIL.Image.Image:
        """Spectrograms side by side, low tones below; each is as bright as its loudest place."""
        columns = columns or math.ceil(math.sqrt(len(samples)))
        rows = math.ceil(len(samples) / columns)
        sheet = PIL.Image.new("RGB", (columns * (WIDTH + GAP) - GAP, rows * (HEIGHT + GAP) - GAP), "white")
        for i, sample in enumerate(samples):
            sheet.paste(spectrogram(sample[0]), (i % columns * (WIDTH + GAP), i // columns * (HEIGHT + GAP)))
        return sheet

    def recording(self, samples: Tensor) -> bytes:
        """The first sounds, as many as begin within HEARD seconds, one after another with a pause."""
        pause, most = round(PAUSE * self.rate), round(HEARD * self.rate)
        count = max(1, math.ceil(most / (samples.shape[2] + pause)))
        return wav(joined(samples[:count], pause)[:most], self.rate)

    def save(self, samples: Tensor, path: Path) -> None:
        """Sounds one after another with a pause, or NumPy's format [n, 1, L], or their spectrograms."""
        self.refuse_suffix(path)
        if path.suffix.lower() in SUFFIXES:
            return write_sound(joined(samples, round(PAUSE * self.rate)), self.rate, path)
        if path.suffix.lower() == ".npy":
            return write_array(samples.float(), path)
        made = io.BytesIO()
        self.picture(samples).save(made, "PNG")
        return write_aside(path, made.getvalue())

    def open(self, path: Path) -> Tensor:
        """[n, 1, L]; a sound file is one sound, pauses and all."""
        self.refuse_suffix(path)
        if path.suffix.lower() in SUFFIXES:
            return read_sound(path, self.rate)[None, None]
        rows = read_array(path, "a file of sounds")
        if rows.ndim != 3 or rows.shape[1] != 1:
            raise GanzooError(f"{escape(path)}: of shape {list(rows.shape)}, not [n, 1, L]", "Give a file of sounds.")
        return rows


def joined(samples: Tensor, pause: int) -> Tensor:
    """[n, 1, L] -> [n L + (n - 1) pause]"""
    rows = samples[:, 0].float().cpu()
    silence = rows.new_zeros(pause)
    return torch.cat([part for row in rows for part in (row, silence)][:-1])


def spectrogram(x: Tensor) -> PIL.Image.Image:
    """A sound [L] as a picture of its loudness by time and frequency."""
    x = x.float().cpu()
    n_fft = min(512, 2 ** int(math.log2(max(16, len(x) // 4))))
    loud = 20 * magnitudes(x, n_fft, n_fft // 4).log10()  # [frequencies, T], in decibels
    shade = ((loud - loud.max()) / DECIBELS + 1).clamp(0, 1).flip(0)
    ramp = torch.tensor(RAMP, dtype=torch.float32)
    place = shade * (len(RAMP) - 1)
    low = place.floor().clamp(max=len(RAMP) - 2).long()
    colours = torch.lerp(ramp[low], ramp[low + 1], (place - low)[..., None])
    return PIL.Image.fromarray(colours.round().byte().numpy()).resize((WIDTH, HEIGHT), PIL.Image.Resampling.BILINEAR)


@dataclass(frozen=True)
class Spectrogram(Input):
    """A log-mel spectrogram [bands, T]: a sound file is listened to as `mel` says."""

    shape: tuple[int | None, ...]
    mel: str = "hifigan"
    default: float | None = None
    kind: ClassVar[str] = "mel"
    control: ClassVar[str] = "file"
    accepts: ClassVar[tuple[str, ...]] = (".wav", ".npy")
    from_data: ClassVar[bool] = True

    @property
    def wanted(self) -> str:
        return "a sound, or its log-mel spectrogram"

    @property
    def definition(self) -> Mel:
        return mel_named(self.mel)

    def sizes(self, larger: int = 0) -> list[int]:
        """Where the length is free, some frames."""
        return [EXAMPLE_FRAMES + larger if size is None else size for size in self.shape]

    def parse(self, text: str) -> str:
        """The path of a sound, or of a .npy file."""
        return text

    def tensor(self, name: str, given: Any, device: torch.device) -> Tensor:
        """[bands, T] of a file; tensors as they are."""
        if isinstance(given, (str, Path)):
            given = self.read(Path(given))
        value = torch.as_tensor(given, device=device).float()
        if not bool(value.isfinite().all()):
            raise GanzooError(f"mel {name}: is not finite")
        return value

    def read(self, path: Path) -> Tensor:
        """Of a sound as it is listened to; of a .npy file as it stands."""
        if path.suffix.lower() == ".npy":
            return read_array(path, "a spectrogram [bands, T]")
        mel = self.definition
        x = read_sound(path, mel.rate)
        short = max(mel.n_fft - len(x), -len(x) % mel.hop)  # to whole hops, and to one window
        return mel(torch.nn.functional.pad(x, (0, short)))

    @classmethod
    def example(cls, name: str, declared: Mapping[str, Any]) -> tuple[str, str]:
        return f'{name}="speech.wav"', f"-c {name}=speech.wav"

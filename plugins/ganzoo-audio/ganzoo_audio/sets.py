"""Sounds by formula, digits said by a machine, and a folder of recordings."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganzoo_audio.files import SUFFIXES, read_sound, resampled
from ganzoo_core.data import Dataset, DatasetInfo, Tensors, fingerprint
from ganzoo_core.errors import GanzooError, escape

RATES = {"8k": 8000, "16k": 16000, "22k": 22050}  # variants; the first is what is meant without one
SECONDS = 1.024
COUNT = 2000
DRUMS = ("kick", "snare", "hat", "tom", "clap")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
VOICES = ("en", "en+m2", "en+m3", "en+m5", "en+f1", "en+f2", "en+f3", "en+f5")
PAUSE = 0.02  # seconds before a digit, at least


class Recordings(Tensors):
    """`audio` float32 [n, 1, L] in [-1, 1] at one rate, and labels where there are any."""

    def __init__(self, name: str, rate: int, audio: Tensor, label: Tensor | None, names: Sequence[str], licence: str):
        others = {"audio": audio} | ({"label": label} if label is not None else {})
        info = DatasetInfo(
            name=name, keys=frozenset(others), image_size=None, channels=None, classes=len(names) or None,
            class_names=tuple(names), licence=licence, fingerprint=fingerprint(name, rate, audio),
        )  # fmt: skip
        super().__init__(info, {}, others)
        self.rate = rate

    def facts(self) -> Mapping[str, Any]:
        return {**super().facts(), "rate": self.rate}


def length_of(rate: int) -> int:
    """Samples of about a second, whole hops of 256."""
    return round(SECONDS * rate / 256) * 256


# By formula


def open_tones(root: Path | None, variant: str, **options: Any) -> Dataset:
    """2,000 notes of three timbres: pitches of a piano's middle, sharp or soft attacks."""
    return by_formula("tones", variant, tone, ("flute", "string", "organ"))


def open_drums(root: Path | None, variant: str, **options: Any) -> Dataset:
    """2,000 strokes on five drums."""
    return by_formula("drums", variant, drum, DRUMS)


Formula = Callable[[int, Tensor, torch.Generator], Tensor]


@lru_cache(4)
def by_formula(name: str, variant: str, make: Formula, names: tuple[str, ...]) -> Dataset:
    """Example i is of class i mod classes, from a generator of its own."""
    rate = RATES[variant or next(iter(RATES))]
    t = torch.arange(length_of(rate)) / rate  # seconds
    label = torch.arange(COUNT) % len(names)
    rows = [make(int(kind), t, torch.Generator().manual_seed(i)) for i, kind in enumerate(label)]
    audio = torch.stack([0.9 * row / row.abs().max() for row in rows])[:, None]
    return Recordings(f"{name}:{variant}" if variant else name, rate, audio, label, names, "CC0-1.0")


def tone(timbre: int, t: Tensor, rng: torch.Generator) -> Tensor:
    """Partials of a pitch, each with its own strength, under an envelope.  [L]"""
    pitch, attack, decay, shimmer = torch.rand(4, generator=rng).tolist()
    f = 110 * 2 ** (3 * pitch)
    falls, odd = ((2.5, False), (1.0, False), (1.2, True))[timbre]
    x, nyquist = torch.zeros_like(t), 0.5 / float(t[1])
    for k in range(1, 25):
        if k * f < nyquist and not (odd and k % 2 == 0):
            phase = 2 * math.pi * float(torch.rand((), generator=rng))
            x += k**-falls * torch.sin(2 * math.pi * k * f * t + phase) * (1 + 0.2 * shimmer * torch.sin(31 * t))
    rise = (t / (0.005 + 0.1 * attack)).clamp(max=1)
    falling = torch.exp(-t * (1 + 5 * decay)) if timbre != 2 else ((0.9 - t) / 0.1).clamp(0, 1)
    made: Tensor = x * rise * falling
    return made


def drum(kind: int, t: Tensor, rng: torch.Generator) -> Tensor:
    """A sweep, a hiss, or both, that die away.  [L]"""
    a, b, c = torch.rand(3, generator=rng).tolist()
    noise = torch.randn(len(t), generator=rng)
    if kind in (0, 3):  # kick and tom: a membrane whose tone falls
        low, fall = (45 + 25 * a, 0.03 + 0.03 * b) if kind == 0 else (90 + 110 * a, 0.08 + 0.1 * b)
        phase = 2 * math.pi * (low * t + (2 + 2 * c) * low * fall * (1 - torch.exp(-t / fall)))
        return torch.sin(phase) * torch.exp(-t * (6 + 8 * b))
    if kind == 1:
        body = torch.sin(2 * math.pi * (160 + 60 * a) * t) * torch.exp(-t * 25)
        return 0.6 * body + 0.5 * noise * torch.exp(-t * (12 + 12 * b))
    if kind == 2:
        return bright(noise) * torch.exp(-t * (15 + 60 * a))
    claps = torch.zeros_like(t)
    for k in range(4):
        since = t - 0.012 * k * (1 + 0.4 * a)
        claps += torch.exp(-since.clamp(min=0) * 90) * (since >= 0)
    return bright(noise) * (claps + 0.4 * torch.exp(-t * (10 + 10 * b)))


def bright(noise: Tensor) -> Tensor:
    """Noise without its low tones: twice the difference of neighbours."""
    return torch.nn.functional.pad(noise, (2, 0)).diff(n=2)


# Said by a machine


def open_spoken_digits(root: Path | None, variant: str, **options: Any) -> Dataset:
    """The digits in English, 200 times each: eight voices, at paces and pitches of their own, through espeak-ng."""
    return said(variant)


@lru_cache(2)
def said(variant: str) -> Dataset:
    """Errors: GanzooError where espeak-ng is not installed."""
    from ganzoo_audio.speech import Utterance, speaker, spoken

    rate = RATES[variant or next(iter(RATES))]
    rng = torch.Generator().manual_seed(0)
    label = torch.arange(COUNT) % len(DIGITS)
    u = torch.rand(COUNT, 3, generator=rng).tolist()
    how = [
        Utterance(DIGITS[i % 10], VOICES[i // 10 % len(VOICES)], round(130 + 90 * pace), round(20 + 60 * pitch))
        for i, (pace, pitch, _) in enumerate(u)
    ]
    there = speaker().rate
    rows = [placed(resampled(x / 32768.0, there, rate), rate, row[2]) for x, row in zip(spoken(how), u, strict=True)]
    return Recordings(
        f"spoken_digits:{variant}" if variant else "spoken_digits",
        rate,
        torch.stack(rows)[:, None],
        label,
        DIGITS,
        "CC0-1.0",
    )


def placed(x: np.ndarray[Any, Any], rate: int, where: float) -> Tensor:
    """Somewhere in a second of silence, as loud as all others; what is longer is cut.  [L]"""
    length, sound = length_of(rate), torch.from_numpy(np.trim_zeros(x)).float()
    first = round(PAUSE * rate)
    sound = sound[: length - first]
    start = first + round(where * (length - first - len(sound)))
    made = torch.zeros(length)
    made[start : start + len(sound)] = 0.9 * sound / sound.abs().max().clamp(min=1e-3)
    return made


# Somebody's own


def open_sounds(path: str, options: Mapping[str, Any], rate: int = 16000) -> Dataset:
    """A folder of recordings, one sub-folder per class or none: mono, resampled, cut to pieces of about a second.

    What is left at the end of a recording is filled with silence where it is at least half a piece, else left out.
    Errors: GanzooError for no folder, one without sounds, or one that is none.
    """
    folder = Path(os.path.expanduser(path))
    if not folder.is_dir():
        raise GanzooError(f"sounds:{escape(path)}: is not a folder", "Give a folder of recordings.")
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in SUFFIXES and f.is_file())
    if not files:
        raise GanzooError(f"sounds:{escape(path)}: holds no {', '.join(SUFFIXES)}", "Give a folder of recordings.")
    names = sorted({f.parent.name for f in files if f.parent != folder})
    audio, label = [], []
    for file in files:
        cut = pieces(read_sound(file, rate), length_of(rate))
        audio += cut
        label += [names.index(file.parent.name) if file.parent != folder else 0] * len(cut)
    if not audio:
        raise GanzooError(f"sounds:{escape(path)}: all recordings are shorter than half a second", "Give longer ones.")
    labels = torch.tensor(label) if len(names) > 1 else None
    return Recordings(
        f"sounds:{folder.name}", rate, torch.stack(audio)[:, None], labels, names if labels is not None else (), ""
    )


def pieces(x: Tensor, length: int) -> list[Tensor]:
    n = len(x) // length
    whole, rest = [*x[: n * length].reshape(n, length)], x[n * length :]
    return [*whole, *([torch.nn.functional.pad(rest, (0, length - len(rest)))] if 2 * len(rest) >= length else [])]


open_sounds8k = partial(open_sounds, rate=8000)
open_sounds22k = partial(open_sounds, rate=22050)

"""Sound files: WAV by the standard library; FLAC, OGG and the rest through soundfile, where it is installed."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import numpy as np
import torch
from scipy.signal import resample_poly
from torch import Tensor

from ganzoo_core.data import write_aside
from ganzoo_core.errors import ExternalError, GanzooError, escape

SUFFIXES = (".wav", ".flac", ".ogg")
FULL = 32768.0  # of a 16-bit sample


def read_sound(path: Path, rate: int) -> Tensor:
    """A file as one channel at `rate` samples a second.  float32 [L] in [-1, 1]

    Errors: GanzooError for what is no sound or an empty one, ExternalError where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            samples, there = pcm(file) if path.suffix.lower() == ".wav" else decoded(file, path)
    except OSError as fault:
        raise ExternalError(f"{escape(path)}: {fault.strerror}", "Check the path.") from None
    if not len(samples):
        raise GanzooError(f"{escape(path)}: holds no sound", "Give another file.")
    mono = samples.mean(1)
    return torch.from_numpy(resampled(mono, there, rate)).float().clamp(-1, 1)


def resampled(x: np.ndarray[Any, Any], there: int, wanted: int) -> np.ndarray[Any, Any]:
    """By a polyphase filter; unchanged where the rates are the same."""
    common = int(np.gcd(there, wanted))
    return x if there == wanted else resample_poly(x, wanted // common, there // common)


def pcm(file: IO[bytes]) -> tuple[np.ndarray[Any, Any], int]:
    """Samples [L, channels] in [-1, 1] of a WAV file of whole numbers, and their rate; others through soundfile."""
    try:
        with wave.open(file) as opened:
            width, channels, rate = opened.getsampwidth(), opened.getnchannels(), opened.getframerate()
            data = opened.readframes(opened.getnframes())
    except (wave.Error, EOFError) as fault:
        if "unknown format" in str(fault):  # floats, or compressed
            file.seek(0)
            return decoded(file, Path(getattr(file, "name", "sound.wav")))
        raise GanzooError(f"{escape(getattr(file, 'name', 'sound'))}: is no WAV file: {escape(fault)}") from None
    rows = numbers(data[: len(data) // (width * channels) * width * channels], width).reshape(-1, channels)
    return rows, rate


def numbers(data: bytes, width: int) -> np.ndarray[Any, Any]:
    """Whole numbers of 1 (unsigned), 2, 3 or 4 bytes as floats in [-1, 1]."""
    if width == 1:
        return np.frombuffer(data, np.uint8).astype(np.float64) / 128 - 1
    if width == 3:
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return wide.reshape(-1).view("<i4") / 2**31
    return np.frombuffer(data, f"<i{width}") / 2.0 ** (8 * width - 1)


def decoded(file: IO[bytes], path: Path) -> tuple[np.ndarray[Any, Any], int]:
    """What soundfile makes of a file."""
    soundfile = library(path)
    try:
        samples, rate = soundfile.read(file, dtype="float64", always_2d=True)
    except (soundfile.LibsndfileError, TypeError) as fault:
        raise GanzooError(f"{escape(path)}: is no sound: {escape(fault, 80)}", "Give another file.") from None
    return samples, int(rate)


def library(path: Path) -> ModuleType:
    """Errors: GanzooError where soundfile is not installed."""
    try:
        import soundfile
    except ImportError:
        raise GanzooError(
            f"{escape(path)}: only WAV files of whole numbers are read and written without soundfile",
            "pip install 'ganzoo-audio[files]'.",
        ) from None
    found: ModuleType = soundfile
    return found


def write_sound(x: Tensor, rate: int, path: Path) -> None:
    """[L] in [-1, 1] as 16-bit numbers. Errors: GanzooError, ExternalError."""
    if path.suffix.lower() == ".wav":
        return write_aside(path, wav(x, rate))
    made = io.BytesIO()
    kind = {".flac": ("FLAC", "PCM_16"), ".ogg": ("OGG", "VORBIS")}[path.suffix.lower()]
    library(path).write(made, sixteen_bits(x), rate, format=kind[0], subtype=kind[1])
    return write_aside(path, made.getvalue())


def wav(x: Tensor, rate: int) -> bytes:
    """[L] in [-1, 1] as the bytes of a .wav file."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(sixteen_bits(x).astype("<i2").tobytes())
    return made.getvalue()


def sixteen_bits(x: Tensor) -> np.ndarray[Any, Any]:
    """[-1, 1] as whole numbers, int16."""
    whole: np.ndarray[Any, Any] = (x.clamp(-1, 1) * (FULL - 1)).round().to(torch.int16).cpu().numpy()
    return whole

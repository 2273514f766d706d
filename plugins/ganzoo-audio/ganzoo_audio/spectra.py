"""Log-mel spectrograms as the vocoders of the literature define them, and the way back without a network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from ganzoo_core.errors import UnknownNameError

LEAST = 1e-5  # magnitudes below it count as it
LINEAR_UP_TO, MEL_PER_HZ = 1000.0, 3 / 200  # Slaney's scale: linear up to 1 kHz, then
STEP = math.log(6.4) / 27  # in logs per mel


class Mel(NamedTuple):
    """A definition of log-mel spectrograms: `bands` triangles of equal area from 0 Hz to `top` Hz."""

    rate: int  # samples per second
    n_fft: int  # samples in a window (Hann), and of its transform
    hop: int  # samples from one window to the next
    bands: int
    top: float  # Hz
    decimal: bool = False  # logs to base 10; else natural ones

    def __call__(self, x: Tensor) -> Tensor:
        """[..., L] -> [..., bands, L / hop]; at both ends the sound is mirrored."""
        energies = filters(self.rate, self.n_fft, self.bands, self.top).to(x) @ magnitudes(x, self.n_fft, self.hop)
        logs = energies.clamp(min=LEAST).log()
        return logs / math.log(10) if self.decimal else logs

    def in_full(self) -> Mel:
        """The same up to half the rate: what HiFi-GAN's loss listens to."""
        return self._replace(top=self.rate / 2)


MELS: Mapping[str, Mel] = {
    "hifigan": Mel(22050, 1024, 256, 80, 8000.0),
    "melgan": Mel(22050, 1024, 256, 80, 11025.0, decimal=True),
    "phone": Mel(8000, 512, 128, 40, 4000.0),  # ours: what a telephone transmits
    "tiny": Mel(8000, 64, 16, 8, 4000.0),  # for tests
}


def mel_named(name: str) -> Mel:
    """Errors: UnknownNameError."""
    if name not in MELS:
        raise UnknownNameError("mel", name, MELS)
    return MELS[name]


def magnitudes(x: Tensor, n_fft: int, hop: int) -> Tensor:
    """|STFT|, [..., L] -> [..., n_fft / 2 + 1, L / hop], windows centred in their hops."""
    border = (n_fft - hop) // 2
    flat = pad(x.reshape(-1, 1, x.shape[-1]), (border, border), mode="reflect")[:, 0]
    window = torch.hann_window(n_fft, device=x.device)
    spectrum = torch.view_as_real(torch.stft(flat, n_fft, hop, window=window, center=False, return_complex=True))
    size = (spectrum.square().sum(-1) + 1e-9).sqrt()
    return size.reshape(*x.shape[:-1], *size.shape[1:])


@lru_cache
def filters(rate: int, n_fft: int, bands: int, top: float) -> Tensor:
    """Triangles over the frequencies of a transform, each of area 1 over Hz (times 1 / Hz).  [bands, n_fft / 2 + 1]"""
    at = torch.linspace(0, rate / 2, n_fft // 2 + 1, dtype=torch.float64)
    corners = hertz(torch.linspace(0, float(mels(torch.tensor(top, dtype=torch.float64))), bands + 2).double())
    left, peak, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    triangles = torch.minimum((at - left) / (peak - left), (right - at) / (right - peak)).clamp(min=0)
    return (triangles * 2 / (right - left)).float()


def mels(hz: Tensor) -> Tensor:
    """Slaney's mel scale."""
    linear, knee = hz * MEL_PER_HZ, LINEAR_UP_TO * MEL_PER_HZ
    return torch.where(hz < LINEAR_UP_TO, linear, knee + (hz.clamp(min=1) / LINEAR_UP_TO).log() / STEP)


def hertz(mel: Tensor) -> Tensor:
    """Its inverse."""
    knee = LINEAR_UP_TO * MEL_PER_HZ
    return torch.where(mel < knee, mel / MEL_PER_HZ, LINEAR_UP_TO * (STEP * (mel - knee)).exp())


def griffin_lim(logs: Tensor, mel: Mel, iterations: int = 32) -> Tensor:
    """A sound that has about this spectrogram, without a network (Griffin & Lim 1984): the baseline of vocoders.

    [bands, T] -> [L]. The frequencies are guessed by the pseudoinverse of the filters, phases are random at first.
    """
    energies = (logs * math.log(10) if mel.decimal else logs).exp()
    there = filters(mel.rate, mel.n_fft, mel.bands, mel.top)
    size = (torch.linalg.pinv(there) @ energies).clamp(min=0)
    length, border = logs.shape[-1] * mel.hop, (mel.n_fft - mel.hop) // 2
    rng = torch.Generator().manual_seed(0)
    angles = torch.exp(2j * math.pi * torch.rand(size.shape, generator=rng))
    window = torch.hann_window(mel.n_fft)
    for _ in range(iterations):
        x = synthesis(size * angles, mel, window)
        again = torch.stft(x, mel.n_fft, mel.hop, window=window, center=False, return_complex=True)
        angles = torch.exp(1j * again.angle())
    return synthesis(size * angles, mel, window)[border : border + length]


def synthesis(spectrum: Tensor, mel: Mel, window: Tensor) -> Tensor:
    """Windows laid over each other, each place weighted by the windows that reach it.  [n_fft / 2 + 1, T] -> [L']"""
    frames = torch.fft.irfft(spectrum, dim=0) * window[:, None]  # [n_fft, T]
    length = (frames.shape[1] - 1) * mel.hop + mel.n_fft
    over = torch.nn.functional.fold(frames[None], (1, length), (1, mel.n_fft), stride=(1, mel.hop)).flatten()
    weight = torch.nn.functional.fold(
        window.square()[:, None].expand(-1, frames.shape[1])[None], (1, length), (1, mel.n_fft), stride=(1, mel.hop)
    ).flatten()
    return over / weight.clamp(min=1e-3)

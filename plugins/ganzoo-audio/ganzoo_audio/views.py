"""Sounds with their spectrograms: what vocoders learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ganzoo_audio.spectra import MELS, mel_named
from ganzoo_core.data import Dataset, fingerprint
from ganzoo_core.errors import GanzooError, escape


class WithMel(Dataset):
    """audio, and mel [bands, L / hop], its log-mel spectrogram by a definition's name."""

    def __init__(self, source: Dataset, name: str) -> None:
        info, self.mel, rate = source.info, mel_named(name), getattr(source, "rate", None)
        if "audio" not in info.keys:
            raise GanzooError(f"data {escape(info.name)}: no sounds that could be listened to", "Choose other data.")
        if rate != self.mel.rate:
            what = f"mel:{name}: is of {self.mel.rate} samples a second, and {escape(info.name)} has {rate}"
            raise GanzooError(what, "Take the data at that rate: tones:8k, tones:22k, sounds22k:FOLDER ...")
        self.source = source
        self.info = replace(
            info, name=f"mel:{name}:{info.name}", keys=info.keys | {"mel"},
            fingerprint=fingerprint(info.fingerprint, "mel", *self.mel),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.source)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        batch = self.source.fetch(indices)
        return batch | {"mel": self.mel(batch["audio"][:, 0])}


def some_audio(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    """Noise [n, 1, L] in [-1, 1]."""
    length = facts.get("length") or facts.get("segment_size") or 1024
    return 2 * torch.rand(n, 1, length, generator=rng) - 1


def some_mel(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    """What it would be of noise, [n, bands, T]."""
    return MELS[facts.get("mel", "tiny")](some_audio(n, facts, rng)[:, 0])

"""Scores of sounds: how vocoders' come to their spectrograms, and how sounds out of nothing spread beside the data.

What listens is a log-mel spectrogram at the sounds' own rate; values compare only among themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from ganzoo_metrics.features import Moments
from ganzoo_metrics.fidelity import frechet
from torch import Tensor

from ganzoo_audio.kinds import Sounds, Spectrogram
from ganzoo_audio.spectra import Mel, griffin_lim
from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalContext

Found = Iterator[tuple[str, float, dict[str, Any]]]
BANDS, WINDOW = 40, 0.032  # of what listens, and its window in seconds
COMPARED = 64  # recordings that Griffin and Lim's way back is measured on


def listener(context: EvalContext) -> Mel:
    """By the sounds' rate."""
    made = context.net.output
    if not isinstance(made, Sounds):
        raise GanzooError("scores of sounds: this model makes none", "Choose other metrics.")
    n_fft = 2 ** round(torch.tensor(WINDOW * made.rate).log2().item())
    return Mel(made.rate, n_fft, n_fft // 4, BANDS, made.rate / 2)


def rows(mel: Mel, sounds: Iterable[Tensor]) -> Tensor:
    """Features of whole sounds: mean, deviation and mean |change| of each band over time.  [n, 3 bands]"""
    made = []
    for x in sounds:
        logs = mel(x[:, 0].float().cpu())
        made.append(torch.cat([logs.mean(-1), logs.std(-1), logs.diff(dim=-1).abs().mean(-1)], 1))
    return torch.cat(made)


def frechet_audio(context: EvalContext) -> Found:
    """Fréchet distance between features of samples and data, as FID has it (and FAD, of another network's)."""
    mel = listener(context)
    fake = rows(mel, (block["x"] for block in context.generated()))
    real = rows(mel, (block["x"] for block in context.real()))
    there, here = moments(real), moments(fake)
    distance = frechet(here.mean, here.cov, there.mean, there.cov)
    yield "fad[logmel]", distance, {"n": len(fake), "n_real": len(real), "rate": mel.rate, "bands": mel.bands}


def moments(features: Tensor) -> Moments:
    made = Moments(features.shape[1])
    made.add(features)
    return made


def mel_distance(context: EvalContext) -> Found:
    """Mean |difference| of log-mel spectrograms, of a vocoder's sounds and the recordings up to half the rate."""
    given = context.net.inputs["mel"]
    assert isinstance(given, Spectrogram)
    whole, gaps, seen = given.definition.in_full(), [], 0
    for real, block in zip(context.real(), context.generated(), strict=False):
        x, made = real["x"][: len(block["x"])].float(), block["x"].float().cpu()
        gaps.append((whole(x[:, 0]) - whole(made[:, 0])).abs().flatten(1).mean(1))
        seen += len(made)
    how = {"n": seen, "mel": given.mel}
    yield "mel_distance", float(torch.cat(gaps).mean()), how
    yield "mel_distance[griffin_lim]", baseline(context, given.definition), how | {"n": min(seen, COMPARED)}


def baseline(context: EvalContext, mel: Mel) -> float:
    """The same distance without a network: Griffin and Lim's iteration, from the same spectrograms."""
    x = next(iter(context.real()))["x"][:COMPARED, 0].float()
    made = torch.stack([griffin_lim(logs, mel) for logs in mel(x)])
    return float((mel.in_full()(x) - mel.in_full()(made)).abs().mean())


def stoi(context: EvalContext) -> Found:
    """Short-time objective intelligibility (Taal et al. 2011) of a vocoder's speech beside the recording: 1 is all.

    Errors: GanzooError where pystoi is not installed.
    """
    try:
        from pystoi import stoi as measured
    except ImportError:
        raise GanzooError("stoi: needs pystoi", "pip install 'ganzoo-audio[stoi]'.") from None
    assert isinstance(context.net.output, Sounds)
    rate, values = context.net.output.rate, []
    for real, block in zip(context.real(), context.generated(), strict=False):
        for x, made in zip(real["x"], block["x"].cpu(), strict=False):
            values.append(float(measured(x[0].double().numpy(), made[0].double().numpy(), rate)))
    yield "stoi", sum(values) / len(values), {"n": len(values)}

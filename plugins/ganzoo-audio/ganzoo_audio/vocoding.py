"""What the games of vocoders share: a stretch of a recording, and of its spectrogram."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from ganzoo_audio.kinds import Spectrogram
from ganzoo_audio.spectra import Mel
from ganzoo_audio.stretches import stretch
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator
from ganzoo_core.objectives import Batch, Objective


class Vocoding(Objective):
    """G makes a sound of its spectrogram."""

    G: Generator
    segment_size: Annotated[int, "samples of a recording that an update hears"] = 8192

    needs = frozenset({"audio", "mel"})

    def __post_init__(self) -> None:
        given = self.G.inputs.get("mel")
        if not isinstance(given, Spectrogram):
            raise GanzooError("a vocoder needs a generator that is given a spectrogram", "Take its own networks.")
        self.spec: Mel = given.definition
        if self.segment_size % self.spec.hop:
            raise GanzooError(f"-c segment_size={self.segment_size}: no multiple of the hop {self.spec.hop}")

    def segment(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The same stretch of each recording and of its spectrogram: [N, 1, segment], [N, bands, segment / hop].

        Errors: GanzooError for shorter recordings.
        """
        audio, mel = batch["audio"], batch["mel"]
        frames, hop = self.segment_size // self.spec.hop, self.spec.hop
        if mel.shape[-1] < frames:
            what = f"the data's sounds have {audio.shape[-1]} samples, and {self.segment_size} are learnt from"
            raise GanzooError(what, f"Say -c segment_size={mel.shape[-1] * hop}, or give longer ones.")
        start = torch.randint(mel.shape[-1] - frames + 1, (len(mel),), device=mel.device)
        return stretch(audio, start * hop, self.segment_size), stretch(mel, start, frames)

"""HiFi-GAN (Kong, Kim & Bae 2020): a spectrogram becomes sound; D listens to periods and to scales."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss, leaky_relu
from torch.nn.utils.parametrizations import weight_norm

from ganzoo_audio.kinds import Sounds, Spectrogram
from ganzoo_audio.listeners import Heard, Periods, Scales, feature_distance
from ganzoo_audio.spectra import mel_named
from ganzoo_audio.vocoding import Vocoding
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator
from ganzoo_core.objectives import Batch, Optim, Phase, Player, Schedule, Step, Terms, exponential

SLOPE, LAST_SLOPE = 0.1, 0.01  # of leaky ReLUs; the last has torch's, as the authors' code has it


class ResBlock(nn.Module):
    """Convolutions of growing reach, each with a way around it; of V1 each is followed by one without reach."""

    def __init__(self, width: int, k: int, dilations: Sequence[int], pairs: bool) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(conv(width, width, k, d) for d in dilations)
        self.convs2 = nn.ModuleList(conv(width, width, k) for _ in dilations if pairs)

    def forward(self, x: Tensor) -> Tensor:
        for i, layer in enumerate(self.convs1):
            h = layer(leaky_relu(x, SLOPE))
            x = x + (self.convs2[i](leaky_relu(h, SLOPE)) if self.convs2 else h)
        return x


class G(Generator):
    """mel -> [up, mean of residual blocks that reach differently far] ... -> tanh (Sec. 2.2).  [N, 1, hop T]"""

    sample_batch_size = 1  # recordings may be long

    def __init__(
        self, mel: str, width: int, ups: Sequence[int], kernels: Sequence[int], mrf: Sequence[int],
        dilations: Sequence[Sequence[int]], pairs: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        spec = mel_named(mel)
        self.inputs = {"mel": Spectrogram((spec.bands, None), mel)}
        self.output = Sounds((1, None), spec.rate)
        self.conv_pre = weight_norm(nn.Conv1d(spec.bands, width, 7, 1, 3))
        widths = [width // 2**i for i in range(len(ups) + 1)]
        self.ups = nn.ModuleList(
            weight_norm(nn.ConvTranspose1d(f, g, k, u, (k - u) // 2))
            for (f, g), u, k in zip(pairwise(widths), ups, kernels, strict=True)
        )
        self.resblocks = nn.ModuleList(
            ResBlock(f, k, d, pairs) for f in widths[1:] for k, d in zip(mrf, dilations, strict=True)
        )
        self.conv_post = weight_norm(nn.Conv1d(widths[-1], 1, 7, 1, 3))
        for layer in (*self.ups, self.conv_post, *(c for c in self.resblocks.modules() if isinstance(c, nn.Conv1d))):
            nn.init.normal_(layer.weight, 0, 0.01)

    def forward(self, mel: Tensor) -> Tensor:
        x, n = self.conv_pre(mel), len(self.resblocks) // len(self.ups)
        for i, up in enumerate(self.ups):
            x = up(leaky_relu(x, SLOPE))
            blocks = self.resblocks[i * n : (i + 1) * n]  # the multi-receptive field fusion
            x = torch.stack([block(x) for block in blocks]).mean(0)
        return torch.tanh(self.conv_post(leaky_relu(x, LAST_SLOPE)))


def conv(f: int, g: int, k: int, dilation: int = 1) -> nn.Module:
    """One that keeps the length, weight-normalised."""
    made: nn.Module = weight_norm(nn.Conv1d(f, g, k, 1, dilation * (k - 1) // 2, dilation))
    return made


class HiFiGAN(Vocoding):
    """HiFi-GAN (Kong et al. 2020, arXiv:2010.05646). s is a mel-spectrogram, x the sound that it is of.

    d = sum_k E (D_k(x) - 1)^2 + E D_k(G(s))^2;  g = sum_k E (D_k(G(s)) - 1)^2 + lambda_fm L_FM + lambda_mel L_Mel
    """

    MPD: Periods
    MSD: Scales
    lr: Annotated[float, "AdamW's step for both players"] = 2e-4
    decay: Annotated[float, "factor on it for every epoch"] = 0.999
    epoch: Annotated[int, "recordings in an epoch: LJSpeech's"] = 12_950
    lam_fm: Annotated[float, "lambda_fm, the weight of L_FM"] = 2.0
    lam_mel: Annotated[float, "lambda_mel, the weight of L_Mel"] = 45.0
    images: Annotated[int, "length in recordings: 2.5 million batches of 16"] = 40_000_000

    def optim(self) -> Optim:
        return lambda weights: torch.optim.AdamW(weights, lr=self.lr, betas=(0.8, 0.99), weight_decay=0.01)

    def phases(self) -> Sequence[Phase]:
        schedules: dict[str, Schedule] = {"lr": exponential(self.decay ** (self.images / self.epoch))}
        D = Player("D", [self.MPD, self.MSD], self.optim(), schedules)
        G = Player("G", [self.G], self.optim(), schedules)
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)]

    def heard(self, x: Tensor) -> list[Heard]:
        return [*self.MPD.heard(x), *self.MSD.heard(x)]

    def d_loss(self, batch: Batch) -> Terms:
        """Eq. 1, summed over all listeners."""
        x, s = self.segment(batch)
        with torch.no_grad():
            fake = self.G(s)
        scores = [(r[-1].float(), f[-1].float()) for r, f in zip(self.heard(x), self.heard(fake), strict=True)]
        return {
            "real": torch.stack([(r - 1).square().mean() for r, _ in scores]).sum(),
            "fake": torch.stack([f.square().mean() for _, f in scores]).sum(),
        }

    def g_loss(self, batch: Batch) -> Terms:
        """Eqs. 2, 3 and 4."""
        x, s = self.segment(batch)
        made = self.G(s)
        real, fake = self.heard(x), self.heard(made)
        whole = self.spec.in_full()
        return {
            "adv": torch.stack([(f[-1].float() - 1).square().mean() for f in fake]).sum(),
            "fm": self.lam_fm * feature_distance(real, fake),
            "mel": self.lam_mel * l1_loss(whole(made.float()), whole(x)),
        }


def networks(
    *,
    mel: Annotated[str, "the definition of the spectrograms: hifigan, melgan or phone"] = "hifigan",
    width: Annotated[int, "channels at first; each enlargement halves them"] = 512,
    ups: Annotated[tuple[int, ...], "factors of the enlargements: their product is the hop"] = (8, 8, 2, 2),
    kernels: Annotated[tuple[int, ...], "their kernels"] = (16, 16, 4, 4),
    mrf: Annotated[tuple[int, ...], "kernels of the residual blocks"] = (3, 7, 11),
    dilations: Annotated[tuple[int, ...], "of their convolutions, block after block"] = (1, 3, 5, 1, 3, 5, 1, 3, 5),
    pairs: Annotated[bool, "whether each has a second convolution behind it (V1, V2)"] = True,
    periods: Annotated[tuple[int, ...], "that D listens to"] = (2, 3, 5, 7, 11),
    mpd_widths: Annotated[tuple[int, ...], "channels of its layers"] = (32, 128, 512, 1024),
    msd_widths: Annotated[tuple[int, ...], "likewise, of D at scales"] = (128, 128, 256, 512, 1024, 1024),
    msd_groups: Annotated[tuple[int, ...], "and the groups of those"] = (4, 16, 16, 16, 16),
) -> dict[str, nn.Module]:
    """The generator G, the multi-period discriminator MPD and the multi-scale discriminator MSD."""
    if prod(ups) != mel_named(mel).hop:
        raise GanzooError(f"ups: enlarge {prod(ups)} times, and mel {mel} has a hop of {mel_named(mel).hop}")
    if len(dilations) % len(mrf):
        raise GanzooError(f"dilations: {len(dilations)} for {len(mrf)} blocks", "Give each block equally many.")
    each = len(dilations) // len(mrf)
    by_block = [dilations[i : i + each] for i in range(0, len(dilations), each)]
    return {
        "G": G(mel, width, ups, kernels, mrf, by_block, pairs),
        "MPD": Periods(periods, mpd_widths),
        "MSD": Scales(msd_widths, msd_groups),
    }

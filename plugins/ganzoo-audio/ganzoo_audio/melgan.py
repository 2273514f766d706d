"""MelGAN (Kumar et al. 2019): a spectrogram becomes sound, learnt from how three scales of D listen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, l1_loss
from torch.nn.utils.parametrizations import weight_norm

from ganzoo_audio.kinds import Sounds, Spectrogram
from ganzoo_audio.listeners import Heard, Layers, Listeners
from ganzoo_audio.spectra import mel_named
from ganzoo_audio.vocoding import Vocoding
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator
from ganzoo_core.objectives import Batch, Phase, Player, Step, Terms, adam

SLOPE = 0.2


class ResBlock(nn.Module):
    """A dilated convolution and one of a single tap, beside a way around them."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.LeakyReLU(SLOPE),
            nn.ReflectionPad1d(dilation),
            weight_norm(nn.Conv1d(width, width, 3, dilation=dilation)),
            nn.LeakyReLU(SLOPE),
            weight_norm(nn.Conv1d(width, width, 1)),
        )
        self.shortcut = weight_norm(nn.Conv1d(width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.shortcut(x) + self.block(x)
        return made


class G(Generator):
    """mel -> [up, residual blocks of reach 1, 3, 9] ... -> tanh (Sec. 2.1).  [N, 1, hop T]"""

    sample_batch_size = 1  # recordings may be long

    def __init__(self, mel: str, width: int, ups: Sequence[int], dilations: Sequence[int]) -> None:
        super().__init__()
        spec, widths = mel_named(mel), [width * 2**i for i in range(len(ups), -1, -1)]
        self.inputs = {"mel": Spectrogram((spec.bands, None), mel)}
        self.output = Sounds((1, None), spec.rate)
        layers = [nn.ReflectionPad1d(3), weight_norm(nn.Conv1d(spec.bands, widths[0], 7))]
        for (f, g), r in zip(pairwise(widths), ups, strict=True):
            up = nn.ConvTranspose1d(f, g, 2 * r, r, r // 2 + r % 2, r % 2)
            layers += [nn.LeakyReLU(SLOPE), weight_norm(up), *(ResBlock(g, d) for d in dilations)]
        last = weight_norm(nn.Conv1d(width, 1, 7))
        self.layers = nn.Sequential(*layers, nn.LeakyReLU(SLOPE), nn.ReflectionPad1d(3), last, nn.Tanh())

    def forward(self, mel: Tensor) -> Tensor:
        x: Tensor = self.layers(mel)
        return x


class D(Listeners):
    """The same network on the sound, and on it averaged once and twice (Sec. 2.2)."""

    def __init__(self, width: int, most: int, downs: int, scales: int) -> None:
        super().__init__()
        self.nets = nn.ModuleList(Layers(self.of_scale(width, most, downs), SLOPE) for _ in range(scales))

    @staticmethod
    def of_scale(width: int, most: int, downs: int) -> list[nn.Module]:
        """Windows of 41 samples, four times as many channels and a quarter of the length each."""
        made: list[nn.Module] = [nn.Sequential(nn.ReflectionPad1d(7), weight_norm(nn.Conv1d(1, width, 15)))]
        widths = [min(width * 4**i, most) for i in range(downs + 1)]
        for f, g in pairwise(widths):
            made.append(weight_norm(nn.Conv1d(f, g, 41, 4, 20, groups=f // 4)))
        last = min(widths[-1] * 2, most)
        return [*made, weight_norm(nn.Conv1d(widths[-1], last, 5, 1, 2)), weight_norm(nn.Conv1d(last, 1, 3, 1, 1))]

    def heard(self, x: Tensor) -> list[Heard]:
        made = []
        for i, net in enumerate(self.nets):
            x = avg_pool1d(x, 4, 2, 1, count_include_pad=False) if i else x
            made.append(net(x))
        return made


class MelGAN(Vocoding):
    """MelGAN (Kumar et al. 2019, arXiv:1910.06711). s is a mel-spectrogram, x the sound that it is of.

    d = sum_k E max(0, 1 - D_k(x)) + E max(0, 1 + D_k(G(s)));  g = sum_k -E D_k(G(s)) + lambda L_FM
    """

    D: D
    lr: Annotated[float, "Adam's step for both players"] = 1e-4
    lam: Annotated[float, "lambda, the weight of feature matching"] = 10.0
    images: Annotated[int, "length in recordings: 3,000 epochs of LJSpeech"] = 39_000_000

    def phases(self) -> Sequence[Phase]:
        D, G = (Player(name, [getattr(self, name)], adam(self.lr, 0.5, 0.9)) for name in ("D", "G"))
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)]

    def d_loss(self, batch: Batch) -> Terms:
        """Eq. 1, summed over scales."""
        x, s = self.segment(batch)
        with torch.no_grad():
            fake = self.G(s)
        scores = [(r[-1].float(), f[-1].float()) for r, f in zip(self.D.heard(x), self.D.heard(fake), strict=True)]
        return {
            "real": torch.stack([(1 - r).relu().mean() for r, _ in scores]).sum(),
            "fake": torch.stack([(1 + f).relu().mean() for _, f in scores]).sum(),
        }

    def g_loss(self, batch: Batch) -> Terms:
        """Eqs. 2 and 4."""
        x, s = self.segment(batch)
        with torch.no_grad():
            real = self.D.heard(x)
        fake = self.D.heard(self.G(s))
        return {"adv": -torch.stack([f[-1].float().mean() for f in fake]).sum(), "fm": self.lam * matched(real, fake)}


def matched(real: Sequence[Heard], fake: Sequence[Heard]) -> Tensor:
    """L_FM (Eq. 3) as the authors' code weighs it: 4 / (layers of stride 4 + 1) / scales; the scores stand aside."""
    strided = len(real[0]) - 3  # but for the first, the last but one, and the scores
    sums = [
        l1_loss(f, r)
        for there, here in zip(real, fake, strict=True)
        for r, f in zip(there[:-1], here[:-1], strict=True)
    ]
    return 4 / (strided + 1) / len(real) * torch.stack(sums).sum()


def networks(
    *,
    mel: Annotated[str, "the definition of the spectrograms: melgan, hifigan or phone"] = "melgan",
    width: Annotated[int, "channels of G at last; before each enlargement they were twice as many"] = 32,
    ups: Annotated[tuple[int, ...], "factors of the enlargements: their product is the hop"] = (8, 8, 2, 2),
    dilations: Annotated[tuple[int, ...], "of the residual blocks behind each"] = (1, 3, 9),
    d_width: Annotated[int, "channels of D at first"] = 16,
    d_most: Annotated[int, "and at most"] = 1024,
    downs: Annotated[int, "layers of D that shorten the sound four times each"] = 4,
    scales: Annotated[int, "at which D listens"] = 3,
) -> dict[str, nn.Module]:
    """The generator G and the discriminators D."""
    if prod(ups) != mel_named(mel).hop:
        raise GanzooError(f"ups: enlarge {prod(ups)} times, and mel {mel} has a hop of {mel_named(mel).hop}")
    return {"G": G(mel, width, ups, dilations), "D": D(d_width, d_most, downs, scales)}

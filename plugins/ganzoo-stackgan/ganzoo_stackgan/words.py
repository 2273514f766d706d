"""What a caption means: an encoder of words, learnt beside an encoder of pictures (Reed et al. 2016a).

Learning Deep Representations of Fine-Grained Visual Descriptions, arXiv:1605.05395: a caption and its picture are to be
closer than the caption and any other picture, and the other way round.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, normalize, pad, relu

from ganzoo_core.errors import GanzooError, escape, tell_user
from ganzoo_core.nn import doublings
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, linear

BYTES = 80  # of a caption; longer ones are refused
WORDS = BYTES // 2  # most words of a caption
BETWEEN = " \t\n:,()"  # what parts words
WORD = re.compile(f"[^{BETWEEN}]+")
GAP = 1  # places beside the space between words: so far apart, the convolutions do not join them
SEEN = 1 << 16  # places for words that were met, by their hashes
MARGIN = 1.0  # by which a pair must fit better than others


class TextEncoder(nn.Module):
    """phi(t): of every word its letters, convolved, the largest of each feature; then the mean of the words.

    It reads UTF-8 bytes, so that no word is impossible; which words it met in training it remembers by their hashes.
    Words do not see each other, and their order means nothing: "red" need not be learnt beside every noun.
    """

    met: Tensor  # bool [SEEN]

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.letters = nn.Embedding(256, width, padding_idx=0)
        self.conv1 = nn.Conv1d(width, 2 * width, 3, padding=1)
        self.conv2 = nn.Conv1d(2 * width, 4 * width, 5, padding=2)
        self.word, self.last = nn.Linear(4 * width, 4 * width), nn.Linear(4 * width, dim)
        self.register_buffer("met", torch.zeros(SEEN, dtype=torch.bool))

    def forward(self, text: Tensor) -> Tensor:  # uint8 [N, L] -> [N, dim], of length sqrt(dim)
        spelled = spelt(lowered(padded(text)).long())  # where the text is
        letters, word = (each.to(self.last.weight.device, non_blocking=True) for each in spelled)
        lettered = (word > 0)[:, None]
        h = relu(self.conv1(self.letters(letters).transpose(1, 2))) * lettered  # [N, 2 w, 120]
        h = relu(self.conv2(h)).transpose(1, 2)  # [N, 120, 4 w]
        words = h.new_zeros(h.shape[0], WORDS + 1, h.shape[2])
        words = words.scatter_reduce(1, word[:, :, None].expand_as(h), h, "amax")[:, 1:]  # [N, 40, 4 w]
        said = h.new_zeros(h.shape[0], WORDS + 1).scatter(1, word, 1.0)[:, 1:, None]
        mean = (relu(self.word(words)) * said).sum(1) / said.sum(1).clamp(min=1)
        return self.last.out_features**0.5 * normalize(self.last(mean).float(), dim=1)

    def meet(self, text: Tensor) -> None:
        """Remember the words of captions."""
        places = sorted({place(word) for caption in read(text) for word in WORD.findall(caption)})
        self.met.index_fill_(0, torch.tensor(places, dtype=torch.int64).to(self.met.device, non_blocking=True), True)

    def strangers(self, text: Tensor) -> list[str]:
        """Words of captions that were never met."""
        words = [word for caption in read(text) for word in WORD.findall(caption)]
        return list(dict.fromkeys(word for word in words if not self.met[place(word)]))

    def listen(self, text: Tensor) -> None:
        """Say which words are new to it: it guesses these by their letters."""
        new = self.strangers(text)
        if new and bool(self.met.any()):
            tell_user(f"never met in training: {', '.join(escape(word, 30) for word in new[:8])}")


class ImageEncoder(nn.Module):
    """theta(x): convolutions that halve the side down to 4x4, and the embedding."""

    def __init__(self, image_size: int, channels: int, width: int, dim: int) -> None:
        super().__init__()
        ins = [channels, *[width * 2**i for i in range(doublings(image_size))]]
        layers: list[nn.Module] = []
        for f, f_next in pairwise(ins):
            layers += [nn.Conv2d(f, f_next, 4, 2, 1, bias=False), nn.BatchNorm2d(f_next), nn.LeakyReLU(0.2)]
        self.main = nn.Sequential(*layers, nn.Flatten())
        self.last = nn.Linear(ins[-1] * 16, dim)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, dim]
        e: Tensor = self.last(leaky_relu(self.main(x), 0.2)).float()
        return e


class Spoken(Objective):
    """A game whose generator G holds a text encoder G.T, which is trained first, beside V, and then left alone."""

    needs = frozenset({"x", "text"})
    on_host = frozenset({"text"})  # words are read there
    exported: ClassVar[tuple[str, ...]] = ("G", "V")
    if TYPE_CHECKING:  # games declare them, in an order of their own
        G: Any
        V: Any

    def words_phase(self, lr: float, images: int) -> list[Phase]:
        """The phase in which words get their meaning; none at length 0, for embeddings of one's own.

        Steps end at 0: batch norm's running statistics in V are to be those of the weights that it ends with.
        """
        TV = Player("TV", [self.G.T, self.V], adam(lr, 0.9), {"lr": linear(1, 0)})
        return [Phase("words", [Step(TV, self.words_loss)], images)] if images else []

    def words_loss(self, batch: Batch) -> Terms:
        """The structured loss, Reed et al. 2016a, Eqs. 1 to 5."""
        T = self.G.T
        T.meet(batch["text"])
        same = (padded(batch["text"])[:, None] == padded(batch["text"])[None]).all(2)
        return joint_embedding(self.V(batch["x"]), T(batch["text"]), same.to(batch["x"].device, non_blocking=True))


def joint_embedding(v: Tensor, t: Tensor, same: Tensor) -> Terms:
    """How much better others fit: of each picture the other captions, of each caption the other pictures.

    F = theta(v) . phi(t), here of unit vectors, times 10; max(0, 1 + F(v_n, t_k) - F(v_n, t_n)) over k of another
    caption, a mean as in the authors' code (Eqs. 4 and 5 have the largest). v, t: [N, d]; same: bool [N, N].
    """
    F = 10 * normalize(v, dim=1) @ normalize(t, dim=1).T  # [N, N]
    true, others = F.diagonal(), (~same).float()
    count = others.sum().clamp(min=1)
    return {
        "picture": (relu(MARGIN + F - true[:, None]) * others).sum() / count,
        "caption": (relu(MARGIN + F - true[None, :]) * others).sum() / count,
    }


def spelt(text: Tensor) -> tuple[Tensor, Tensor]:
    """Letters with gaps between words, int64 [N, 120], and of which word each is, from 1 on; 0 where there is none."""
    n, places = text.shape[0], BYTES + GAP * WORDS
    letter = (text > 0) & (text[:, :, None] != text.new_tensor(list(BETWEEN.encode()))).all(2)
    first = letter & ~pad(letter, (1, 0))[:, :-1]
    word = first.cumsum(1)
    at = torch.arange(BYTES, device=text.device) + GAP * (word - 1).clamp(min=0)
    empty = text.new_zeros(n, places)
    return empty.scatter(1, at, text * letter), empty.scatter(1, at, word * letter)


def padded(text: Tensor) -> Tensor:
    """uint8 [N, L] to [N, 80]."""
    if text.shape[1] > BYTES and bool(text[:, BYTES:].any()):
        raise GanzooError(f"text: a caption of more than {BYTES} bytes", "Say it in fewer words.")
    return pad(text[:, :BYTES], (0, max(0, BYTES - text.shape[1])))


def lowered(text: Tensor) -> Tensor:
    """ASCII capitals as small letters."""
    return torch.where((text >= 65) & (text <= 90), text + 32, text)


def read(text: Tensor) -> list[str]:
    """Bytes as strings."""
    return [bytes(row).rstrip(b"\0").decode(errors="replace").lower() for row in text.to(torch.uint8).tolist()]


def place(word: str) -> int:
    return int.from_bytes(blake2b(word.encode(), digest_size=2).digest(), "little")


def shifted(e: Tensor) -> Tensor:
    """What the words of another picture of the batch mean: pairs that do not belong together.  [N, d]"""
    return e.roll(1, 0)

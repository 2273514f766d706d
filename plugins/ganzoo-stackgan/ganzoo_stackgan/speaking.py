"""Sampling by words, by embeddings of one's own, and on the way from one caption to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Embedding, Generator, Input, Latent, Text, encode_text, sample_deterministic
from ganzoo_stackgan.words import TextEncoder

Draw = Callable[[Tensor, Tensor], Tensor]  # (embedding [N, d], z [N, z]) -> picture


class Speaking(Generator):
    """A generator that is told in words what to draw: text encoder T, and what makes pictures of (embedding, z)."""

    T: TextEncoder

    def speak(self, draw: Draw, n: int, seed: int, towards: str, embedding: Tensor | None, given: Any) -> Tensor:
        """n samples of `draw`, by what is given: text, or an embedding, or text and another that it is to become."""
        if embedding is not None:
            return sample_deterministic(Embedded(self), draw, n, seed, {"embedding": embedding, **given})
        if towards:
            way, told = self.spoken_between(given.pop("text", None), towards, n), Embedded(self)
            # each is the first sample of the seed, told something else: z and all noise are the same
            return torch.cat([sample_deterministic(told, draw, 1, seed, {"embedding": e, **given}) for e in way])
        return sample_deterministic(self, lambda text, z: draw(self.T(text), z), n, seed, given | self.told(given, n))

    def with_latent(self, place: int, z: Tensor, *others: Tensor) -> Tensor:
        """The sample of z and of a text, as bytes."""
        (text,) = others
        return self(self.T(text), z)

    def told(self, given: Mapping[str, Any], n: int) -> dict[str, Tensor]:
        """The text that is given as bytes, and a word on words that are new."""
        text = self.inputs["text"].rows("text", given.get("text"), n, self.T.last.weight.device)
        self.T.listen(text)
        return {"text": text}

    def heard(self, text: Tensor) -> Tensor:
        """The embedding of captions, and a word on words that are new."""
        self.T.listen(text)
        return self.T(text)

    @torch.no_grad()
    def spoken_between(self, start: Any, end: str, n: int) -> Tensor:
        """Embeddings on the straight line from one caption to another.  [n, d]"""
        if not isinstance(start, str):
            raise GanzooError(
                "towards: needs one text to begin with", 'Give --text "a red heart" -c towards="a blue heart".'
            )
        device = self.T.last.weight.device
        a, b = (self.heard(encode_text([words], len(words.encode())).to(device)) for words in (start, end))
        return torch.lerp(a, b, torch.linspace(0, 1, n, device=device)[:, None])


class Embedded(Generator):
    """The same generator, told by embeddings that somebody else has made."""

    def __init__(self, whole: Speaking) -> None:
        super().__init__()
        self.whole = whole
        dim = whole.T.last.out_features
        self.inputs = {"embedding": Embedding(dim), "z": whole.inputs["z"]}
        self.output = whole.output

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.whole(*inputs)


def inputs(z_dim: int) -> dict[str, Input]:
    return {"text": Text(), "z": Latent((z_dim,))}

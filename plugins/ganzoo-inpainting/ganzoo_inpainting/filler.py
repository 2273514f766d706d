"""What generators that fill holes have alike: outside of the hole a picture comes back as it was."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from ganzoo_context_encoder.networks import centre
from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, Image, Images, Mask, sample_deterministic
from ganzoo_core.objectives import Batch, Objective


class Filler(Generator):
    """x [N, C, S, S] in [-1, 1] and mask [N, 1, S, S], 1 in the hole -> x, and in the hole what is drawn."""

    def __init__(self, image_size: int, channels: int) -> None:
        super().__init__()
        shape = (channels, image_size, image_size)
        self.inputs = {"x": Image(shape), "mask": Mask((1, image_size, image_size), default=1.0)}
        self.output = Images(shape)

    @abstractmethod
    def drawn(self, x: Tensor, mask: Tensor) -> Tensor:
        """What is drawn everywhere, in [-1, 1], of a picture whose hole is not looked at.  [N, C, S, S]"""

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return joined(self.drawn(x, mask), x, mask)

    def sample(self, n: int, *, seed: int, **inputs: Any) -> Tensor:
        """The pictures x with their holes filled in; nothing is random. Without a mask the hole is the middle half."""
        if inputs.get("mask") is None:
            inputs["mask"] = centre(self.inputs["x"].shape[-1] or 0)
        return sample_deterministic(self, self, n, seed, inputs)


class Filling(Objective):
    """A game in which G fills holes: `x` is a picture, `mask` where it is to be made up."""

    G: Filler

    needs = frozenset({"x", "mask"})

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Pictures with holes, filled in, and whole."""
        G, x, mask = self.exported_networks()["G"], batch["x"], batch["mask"]
        assert isinstance(G, Filler)
        return {"masked": joined(torch.ones_like(x), x, mask), "G": G.sample(len(x), seed=0, x=x, mask=mask), "x": x}


def joined(fill: Tensor, x: Tensor, mask: Tensor) -> Tensor:
    """`fill` where the mask is 1, else x.  [N, C, H, W]"""
    return torch.where(mask > 0.5, fill.to(x.dtype), x)


def check(image_size: int, least: int, multiple: int, others: Sequence[int]) -> None:
    """Errors: GanzooError for sides that cannot be halved, and for sizes below 1."""
    if image_size < least or image_size % multiple or min(others) < 1:
        what = f"image_size {image_size}: below {least}, not a multiple of {multiple}, or a size below 1"
        raise GanzooError(what, "Choose another.")

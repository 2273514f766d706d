"""What every codec of the zoo does: a picture becomes bits, and the bits become the very picture that it samples."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from torch import Tensor

from ganzoo_compress.coder import Reader, Writer
from ganzoo_core.nn import Generator


class Codec(Generator):
    """x, through as little as can be written down, to a picture like x.

    `sample` is the whole way; `write` and `read` are its halves, with real bits between them. Pictures are sampled one
    at a time, as they are read, for the last bit of a sum may depend on its neighbours in the batch.
    """

    sample_batch_size: ClassVar[int] = 1
    subject: ClassVar[str] = "x"  # the input that comes back
    formats: ClassVar[tuple[str, ...]] = (".png",)  # of files of what comes back: others would change a picture

    @abstractmethod
    def write(self, to: Writer, x: Tensor, *others: Tensor) -> None:
        """One picture [1, C, H, W] in [-1, 1] or clip [1, T, C, H, W], and what else `forward` takes from the user."""

    @abstractmethod
    def read(self, of: Reader, height: int, width: int, seed: int) -> Tensor:
        """The picture [1, C, height, width], or the clip: `sample` of that seed of what was written."""

    @property
    def written(self) -> list[str]:
        """The inputs that a file holds: all that is not drawn."""
        return [name for name, declared in self.inputs.items() if not declared.drawn]

    @property
    def multiple(self) -> int:
        """By what the sides of pictures are divided."""
        step: Any = getattr(self.inputs[self.subject], "multiple", 1)
        return int(step)


def straight_through(value: Tensor, like: Tensor) -> Tensor:
    """`value` to the last bit, and to gradients `like`. As it lies in a file: another layout would sum otherwise."""
    return (value.detach() + (like - like.detach())).contiguous()

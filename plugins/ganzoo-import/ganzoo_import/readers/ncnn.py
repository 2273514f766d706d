"""ncnn's pair of files: .param names the layers in a few words each, .bin has their weights one after the other.

fp16 and fp32; what is quantised is refused. A layer whose weights would have to be guessed stops the reading.
"""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError, escape

MAGIC = b"7767517"
HALF, WHOLE = 0x01306B47, 0
MAX_PARAM = 8 << 20
WEIGHTLESS = frozenset(
    [
        "Input",
        "Split",
        "Concat",
        "BinaryOp",
        "UnaryOp",
        "ReLU",
        "Interp",
        "PixelShuffle",
        "Eltwise",
        "Crop",
        "Pooling",
        "Sigmoid",
        "TanH",
        "Clip",
        "Padding",
        "Reshape",
        "Permute",
        "Slice",
        "Noop",
        "Flatten",
        "Softmax",
        "Dropout",
        "Swish",
        "HardSwish",
        "GELU",
        "ELU",
        "SELU",
        "Mish",
    ]
)
Parameters = dict[int, int]


def read(param: Path, weights: Path, limit: int) -> dict[str, Tensor]:
    """Tensors by LAYER.weight, LAYER.bias ..., in the order of the layers. Errors: GanzooError."""
    text = param.read_bytes()[:MAX_PARAM].decode("utf-8", "replace").splitlines()
    if not weights.is_file():
        raise GanzooError("its .bin, which has the weights, is not beside it", "Put both into one folder.")
    rest = Weights(weights.read_bytes()[:limit])
    made: dict[str, Tensor] = {}
    for line in text[2:]:
        words = line.split()
        if len(words) >= 4:
            layer(words[0], words[1], numbers(words), rest, made)
    if rest.left:
        raise GanzooError(f"{rest.left:,} bytes of its .bin are of no layer of its .param", "Are they of one model?")
    return made


def numbers(words: list[str]) -> Parameters:
    """The whole-numbered parameters of a layer, KEY=VALUE."""
    pairs = [word.split("=", 1) for word in words[4:] if "=" in word]
    try:
        return {int(key): int(value) for key, value in pairs if value.lstrip("-").isdecimal()}
    except ValueError:
        raise GanzooError(f"layer {escape(words[1], 60)}: its parameters are damaged", "Fetch it again.") from None


def layer(kind: str, name: str, n: Parameters, rest: Weights, made: dict[str, Tensor]) -> None:
    """The tensors of one layer."""
    out = n.get(0, 0)
    if kind in ("Convolution", "ConvolutionDepthWise", "Deconvolution"):
        sides = (n.get(11, n.get(1, 0)), n.get(1, 0))
        made[f"{name}.weight"] = rest.tagged(n.get(6, 0)).reshape(checked(name, out, n.get(6, 0), sides))
        if n.get(5, 0):
            made[f"{name}.bias"] = rest.plain(out)
    elif kind == "InnerProduct":
        made[f"{name}.weight"] = rest.tagged(n.get(2, 0)).reshape(checked(name, out, n.get(2, 0), ()))
        if n.get(1, 0):
            made[f"{name}.bias"] = rest.plain(out)
    elif kind == "PReLU":
        made[f"{name}.weight"] = rest.plain(out)
    elif kind == "BatchNorm":
        for part in ("weight", "running_mean", "running_var", "bias"):
            made[f"{name}.{part}"] = rest.plain(out)
    elif kind not in WEIGHTLESS:
        raise GanzooError(f"layer {escape(name, 60)} is a {escape(kind, 40)}, which is not known here", "")


def checked(name: str, out: int, size: int, sides: tuple[int, ...]) -> tuple[int, ...]:
    """[out, in, *sides] of so many weights."""
    each = out * prod(sides)
    if each < 1 or size < 1 or size % each:
        raise GanzooError(f"layer {escape(name, 60)}: {size} weights do not make a layer of {out}", "Fetch it again.")
    return (out, size // each, *sides)


class Weights:
    """The bytes of a .bin, taken from the front."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    @property
    def left(self) -> int:
        return len(self.data) - self.at

    def take(self, size: int) -> bytes:
        if not 0 <= size <= self.left:
            raise GanzooError("its .bin ends before the last layer", "Are .param and .bin of one model?")
        self.at += size
        return self.data[self.at - size : self.at]

    def plain(self, n: int) -> Tensor:
        """n numbers in single precision."""
        return torch.from_numpy(np.frombuffer(self.take(4 * n), "<f4").astype(np.float32))

    def tagged(self, n: int) -> Tensor:
        """n numbers behind a word that says in which precision they are."""
        tag = int.from_bytes(self.take(4), "little")
        if tag == WHOLE:
            return self.plain(n)
        if tag != HALF:
            raise GanzooError("its weights are quantised", "Take the model in fp16 or fp32.")
        data = self.take((2 * n + 3) // 4 * 4)[: 2 * n]
        return torch.from_numpy(np.frombuffer(data, "<f2").astype(np.float16))

"""Pictures and clips as files of few bits: a head of 20 bytes, then what the codec wrote.

    4  GZC1            magic and version
    4  sha256          how the hash of the weights begins: another model would read another picture
    4  height, width   of the picture, before its sides became multiples
    4  seed            of what is drawn beside the code
    4  crc32           of the picture that the bits must become

Numbers are little-endian. The picture is that of `sample`, to the last bit, on a machine that computes as the
writer's did; where it does not, the sum says so.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ganzoo_compress.codec import Codec
from ganzoo_compress.coder import Reader, Writer
from ganzoo_core.errors import GanzooError, IntegrityError
from ganzoo_core.nn import computing_in, evaluation_mode

MAGIC = b"GZC1"
HEAD = struct.Struct("<4s4sHHII")
LARGEST = 1 << 13  # px, of a side that is read
SUFFIX = ".gzc"


class Head(NamedTuple):
    """What a file says before its bits."""

    model: bytes
    height: int
    width: int
    seed: int
    crc: int


class Packed(NamedTuple):
    """A file, and the picture that comes out of it."""

    data: bytes
    picture: Tensor  # uint8 [C, H, W]; of a clip [T, C, H, W]


def identity(config: Mapping[str, Any]) -> bytes:
    """How the hash of a model's weights begins, by its config.json."""
    return bytes.fromhex(config["files"]["model.safetensors"]["sha256"])[:4]


@torch.no_grad()
def pack(net: Codec, model: bytes, seed: int = 0, **given: Tensor) -> Packed:
    """One picture [1, C, H, W] or clip [1, T, C, H, W] in [-1, 1] by the names of the codec's inputs.

    What was written is read again.

    Errors: GanzooError for sides that do not fit a file, or that the codec refuses; IntegrityError where what is read
    is another picture, which would be a bug, or a machine that does not compute the same twice.
    """
    height, width = given[net.subject].shape[-2:]
    if max(height, width) > LARGEST:
        raise GanzooError(f"{width}x{height}: larger than {LARGEST} px", "Make it smaller, or cut it.")
    wide = {name: margin(value, net.multiple) for name, value in given.items()}
    made = bits_of_colour(net.sample(1, seed=seed, **wide)[0])[..., :height, :width]
    head = Head(model, height, width, seed, zlib.crc32(made.cpu().numpy().tobytes()))
    data = HEAD.pack(MAGIC, *head) + code(net, [wide[name] for name in net.written])
    unpack(net, model, data)
    return Packed(data, made)


@torch.no_grad()
def code(net: Codec, given: list[Tensor]) -> bytes:
    """The bits alone."""
    writer, device = Writer(), next(net.parameters()).device
    with evaluation_mode(net), computing_in(torch.float32, device):
        net.write(writer, *(value.to(device) for value in given))
    return writer.data()


@torch.no_grad()
def unpack(net: Codec, model: bytes, data: bytes) -> Tensor:
    """The picture of a file, or the clip.  uint8 [C, H, W] or [T, C, H, W]

    Errors: GanzooError for another file or another model's; IntegrityError where it is not the picture that was packed.
    """
    head = head_of(data)
    if head.model != model:
        what = (
            f"the file was packed by a model whose weights hash to {head.model.hex()}..., and this is {model.hex()}..."
        )
        raise GanzooError(what, "Name the model that packed it.")
    sides = [side + -side % net.multiple for side in (head.height, head.width)]
    device = next(net.parameters()).device
    with evaluation_mode(net), computing_in(torch.float32, device), broken_code():
        made = net.read(Reader(data[HEAD.size :]), sides[0], sides[1], head.seed)
    picture = bits_of_colour(made[0])[..., : head.height, : head.width]
    if zlib.crc32(picture.cpu().numpy().tobytes()) != head.crc:
        hint = "The file is damaged, or this machine computes otherwise than the one that packed it."
        raise IntegrityError("the bits are not those of the picture that was packed", hint)
    return picture


def head_of(data: bytes) -> Head:
    """Errors: GanzooError for what no `pack` has written."""
    if len(data) < HEAD.size or not data.startswith(MAGIC):
        raise GanzooError("no file that `ganzoo pack` wrote", "Give one whose name ends in .gzc.")
    head = Head(*HEAD.unpack_from(data)[1:])
    if not (0 < head.height <= LARGEST and 0 < head.width <= LARGEST):
        raise GanzooError(f"a picture of {head.width}x{head.height} px: no `pack` has written that")
    return head


@contextmanager
def broken_code() -> Iterator[None]:
    """Bits that no coder has written end in one line. Errors: IntegrityError."""
    try:
        yield
    except (AssertionError, ValueError):
        raise IntegrityError("the bits are no code", "The file is damaged: pack the picture again.") from None


def bits_of_colour(x: Tensor) -> Tensor:
    """[-1, 1] to the 256 levels of a file.  uint8"""
    return ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def margin(x: Tensor, step: int) -> Tensor:
    """Sides that are multiples, the picture mirrored below and on the right, as in `ganzoo sample`.

    [1, C, H, W], or frames [1, T, C, H, W].
    """
    right, below = -x.shape[-1] % step, -x.shape[-2] % step
    mode = "reflect" if right < x.shape[-1] and below < x.shape[-2] else "replicate"
    if not right and not below:
        return x
    pictures = x.flatten(0, -4)  # of a clip its frames, which are padded alike
    wide = nn.functional.pad(pictures, (0, right, 0, below), mode=mode)
    return wide.reshape(*x.shape[:-2], *wide.shape[-2:])

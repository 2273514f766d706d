"""Text as tensors: UTF-8 bytes, which a model's own encoder reads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def encode_text(words: Sequence[str], length: int) -> Tensor:
    """UTF-8 bytes, uint8 [n, length], zero-padded."""
    rows = [word.encode().ljust(length, b"\0") for word in words]
    return torch.frombuffer(bytearray(b"".join(rows)), dtype=torch.uint8).view(len(rows), length)

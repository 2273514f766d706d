"""Small buffers as Python numbers: a checkpoint has them, and no step waits for a device to read them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Mirror:
    """What a buffer holds, asked of its device only where somebody else has written to it."""

    def __init__(self) -> None:
        self.buffer: Tensor | None = None
        self.version, self.value = 0, None

    def read(self, buffer: Tensor) -> Any:
        """Its number, or its numbers in a list.

        A buffer without numbers has its last ones: one that is sketched on the meta device, or stood in for while a
        program is exported.
        """
        if not self.knows(buffer):
            self.remember(buffer, buffer.tolist())
        return self.value

    def write(self, buffer: Tensor, value: Any) -> None:
        """Set the buffer, [] or [n], without waiting for it."""
        buffer.copy_(torch.tensor(value, dtype=buffer.dtype), non_blocking=True)
        self.remember(buffer, value)

    def knows(self, buffer: Tensor) -> bool:
        same = self.buffer is buffer and self.version == buffer._version
        absent = buffer.is_meta or torch.compiler.is_exporting()
        return same or (absent and self.value is not None)

    def remember(self, buffer: Tensor, value: Any) -> None:
        self.buffer, self.version, self.value = buffer, buffer._version, value

"""The history of fakes that a discriminator is shown (Shrivastava et al. 2017, Sec. 2.3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganzoo_core.nn.mirror import Mirror


class ImagePool(nn.Module):
    """The last `size` fakes, more or less: a buffer and how many of its rows are filled.

    Until it is full, every fake goes in and is shown. From then on a coin is tossed for each: it is shown itself, or it
    takes a random place in the pool and the one that was there is shown.
    """

    images: Tensor  # [size, C, H, W] once it has seen the first fakes
    count: Tensor  # int64 []

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("images", torch.zeros(0))
        self.register_buffer("count", torch.tensor(0))
        self.filled = Mirror()
        self.filled.write(self.count, 0)

    @torch.no_grad()
    def exchange(self, fakes: Tensor) -> Tensor:
        """As many pictures as `fakes`, one after the other."""
        if self.size == 0:
            return fakes
        if self.images.numel() == 0:
            self.images = fakes.new_zeros(self.size, *fakes.shape[1:], dtype=torch.float32)
        shown, filled = fakes.clone(), self.filled.read(self.count)
        coins, places = torch.rand(len(fakes)).tolist(), torch.randint(self.size, (len(fakes),)).tolist()
        for i, (coin, place) in enumerate(zip(coins, places, strict=True)):
            if filled < self.size:
                self.images[filled] = fakes[i]
                filled += 1
            elif coin < 0.5:
                shown[i], self.images[place] = self.images[place].clone(), fakes[i]
        self.filled.write(self.count, filled)
        return shown

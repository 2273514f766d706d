"""Large pictures in tiles: what a convolutional network makes of a picture, part by part, in little memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

TILE = 512  # px of a side that are kept of each


def in_tiles(network: Callable[[Tensor], Tensor], picture: Tensor, scale: int, margin: int, tile: int = TILE) -> Tensor:
    """`network` of a picture [N, C, H, W] -> [N, C', scale H, scale W], in tiles that overlap by 2 `margin`.

    Each pixel of the result may depend on no more than the `margin` pixels around its place, and on nothing that all
    of the picture has in common (the statistics of an instance norm): then tiles change nothing but the last bits.
    Pictures of up to twice a tile's area are not cut, and none by a program that is exported.
    """
    height, width = picture.shape[-2:]
    if torch.compiler.is_exporting() or height * width <= 2 * tile * tile:
        return network(picture)
    whole: Tensor | None = None
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            y, x = max(0, top - margin), max(0, left - margin)
            part = network(picture[..., y : top + tile + margin, x : left + tile + margin])
            if whole is None:
                whole = part.new_empty(*part.shape[:-2], scale * height, scale * width)
            h, w = (scale * min(tile, side - at) for side, at in ((height, top), (width, left)))
            inner = part[..., scale * (top - y) :, scale * (left - x) :][..., :h, :w]
            whole[..., scale * top : scale * top + h, scale * left : scale * left + w] = inner
    assert whole is not None
    return whole

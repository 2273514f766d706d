"""Sides of pictures that networks can make by doubling."""

from __future__ import annotations

from ganzoo_core.errors import GanzooError


def doublings(image_size: int, *, first: int = 4, least: int = 8, most: int = 1024) -> int:
    """How often `first` pixels are doubled until there are `image_size`.

    Errors: GanzooError for a side that is not first * 2^n, or not in least ... most.
    """
    sides = [first * 2**k for k in range(16) if least <= first * 2**k <= most]
    if image_size not in sides:
        known = ", ".join(map(str, sides)) if len(sides) < 5 else f"{sides[0]}, {sides[1]} ... {sides[-1]}"
        raise GanzooError(
            f"image_size {image_size}: not {' or '.join(known.rsplit(', ', 1))}", "Choose one; images are resized."
        )
    return (image_size // first).bit_length() - 1

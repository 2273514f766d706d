"""What a person is told before the first step: what was chosen, of which data, and what would suit the data better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

LARGEST = 128  # px up to which a side is advised: beyond, it is the machine that decides


def advice(args: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[str]:
    """Options of `ganzoo train` that would keep more of the data, with these `facts`, than a recipe's `args` do.

    Nothing for published data, for which presets are made.
    """
    if not facts.get("own"):
        return
    size, served = facts.get("image_size"), args.get("image_size")
    if size and served and served > size:
        yield f"its {size} px are enlarged to {served}: -c image_size={size} would suit it"
    elif size and served and served < min(size, LARGEST):
        wider = 1 << (min(size, LARGEST).bit_length() - 1)
        if wider > served:
            yield f"its {size} px are shrunk to {served}: -c image_size={wider} would keep more of them"
    if facts.get("channels") == 3 and args.get("channels") == 1:
        yield "its colours become gray: -c channels=3 would keep them"
    if facts.get("classes") and args.get("classes") == 0:
        yield f"its {facts['classes']} classes are not used: -c classes={facts['classes']} would use them"

"""All randomness is a 32-bit hash of what it is for, so no generator's state is ever saved or carried along."""

from __future__ import annotations

from hashlib import blake2b


def hash32(seed: int, purpose: str, *counts: int) -> int:
    """A 32-bit seed for one purpose at one point, e.g. hash32(seed, "order", epoch)."""
    text = "/".join([str(seed), purpose, *map(str, counts)])
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "little")

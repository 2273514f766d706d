"""All randomness is a hash of what it is for, so no generator's state is ever saved or carried along."""

from __future__ import annotations

from hashlib import blake2b, shake_256


def hash32(seed: int, purpose: str, *counts: int) -> int:
    """A 32-bit seed for one purpose at one point, e.g. hash32(seed, "order", epoch)."""
    return int.from_bytes(blake2b(named(seed, purpose, counts), digest_size=4).digest(), "little")


def hash63(seed: int, purpose: str, *counts: int) -> int:
    """A seed like hash32's for what is drawn so often that 32 bits would collide: 63 of them, as users' seeds have."""
    return int.from_bytes(hash_bytes(8, seed, purpose, *counts), "little") >> 1


def hash_bytes(length: int, seed: int, purpose: str, *counts: int) -> bytes:
    """As many bytes for one purpose at one point (SHAKE-256), where 32 bits are too few: for the samples of a seed."""
    return shake_256(named(seed, purpose, counts)).digest(length)


def named(seed: int, purpose: str, counts: tuple[int, ...]) -> bytes:
    """What randomness is for, in words."""
    return "/".join([str(seed), purpose, *map(str, counts)]).encode()

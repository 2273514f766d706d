"""Batches of noise in the form that an objective asks for: what conformance trains on, without any data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.objective import Batch
from ganzoo_core.seeds import hash32
from ganzoo_core.trainer import Feed

TEXT_LENGTH, FRAMES = 16, 4


def synthetic(needs: frozenset[str], args: Mapping[str, Any]) -> Feed:
    """A feed of the keys in `needs`, in the sizes of a recipe's `args`; a function of the image count alone."""

    def feed(*, start: int, batch_size: int, rank: int = 0, world: int = 1, **options: Any) -> Iterator[Batch]:
        facts = {"image_size": 16, "channels": 1, "classes": 3, **args, **options}
        share = batch_size // world
        while True:
            rng = torch.Generator().manual_seed(hash32(0, "synthetic", start, rank))
            yield {key: MAKERS[key](share, facts, rng) for key in sorted(needs)}
            start += batch_size

    return feed


def image(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    size = facts["image_size"]
    return 2 * torch.rand(n, facts["channels"], size, size, generator=rng) - 1


def label(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    return torch.randint(facts["classes"], (n,), generator=rng)


def low(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    return image(n, {**facts, "image_size": facts["image_size"] // 4}, rng)


def mask(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    size = facts["image_size"]
    hole = torch.zeros(n, 1, size, size)
    hole[:, :, size // 4 : 3 * size // 4, size // 4 : 3 * size // 4] = 1
    return hole


def text(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    return torch.randint(97, 123, (n, TEXT_LENGTH), generator=rng).to(torch.uint8)


def video(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    return image(n * FRAMES, facts, rng).unflatten(0, (n, FRAMES))  # type: ignore[no-untyped-call, no-any-return]


MAKERS = {
    "x": image, "x_labelled": image, "a": image, "b": image, "label": label,
    "low": low, "mask": mask, "text": text, "video": video,
}  # fmt: skip

"""Synthetic values of the core's batch keys: noise in the sizes of a recipe, to test families on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

TEXT_LENGTH, FRAMES = 16, 4


def image(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    size = facts["image_size"]
    return 2 * torch.rand(n, facts["channels"], size, size, generator=rng) - 1


def label(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    return torch.randint(facts["classes"], (n,), generator=rng)


def either(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    return torch.randint(2, (n,), generator=rng)


def low(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    return image(n, {**facts, "image_size": facts["image_size"] // 4}, rng)


def mask(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    size = facts["image_size"]
    hole = torch.zeros(n, 1, size, size)
    hole[:, :, size // 4 : 3 * size // 4, size // 4 : 3 * size // 4] = 1
    return hole


def text(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    return torch.randint(97, 123, (n, TEXT_LENGTH), generator=rng).to(torch.uint8)


def index(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    return torch.arange(n)


def video(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    """As many frames as the recipe asks for, where it asks for some."""
    frames = facts.get("frames", FRAMES)
    return image(n * frames, facts, rng).unflatten(0, (n, frames))  # type: ignore[no-untyped-call, no-any-return]


def flow(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    size = facts["image_size"]
    return torch.randn(n, facts.get("frames", FRAMES) - 1, 2, size, size, generator=rng)

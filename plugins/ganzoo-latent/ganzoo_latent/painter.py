"""A generator seen from one of its spaces: what every tool here looks through."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError, UnknownNameError
from ganzoo_core.nn import DrawFrom, Generator, Images, Space, latents, stream

AT_ONCE = 64  # pictures, where no gradient is asked for
Report = Callable[[str, int, int], None]  # (what, done, total)


def silent(what: str, done: int, total: int) -> None:
    """No progress is shown."""


class Painter:
    """Points of a space [n, *shape] to pictures [n, C, H, W], differentiable and always with the same inner noise.

    It works on a copy that nobody else sees, frozen and in evaluation mode. Of inputs besides the point, those that
    are drawn are those of the first sample of `seed`, unless they are given by name as in `sample`; they are the same
    for all points. Errors: GanzooError for a generator without a latent of real numbers, or of anything but pictures;
    UnknownNameError for a space that it has not.
    """

    def __init__(self, net: Generator, space: str = "", seed: int = 0, **given: Any) -> None:
        self.net, self.seed = copy.deepcopy(net).eval().requires_grad_(False), seed
        spaces = self.net.spaces()
        if not spaces:
            raise GanzooError("this model draws no latent", "Ask one that makes pictures out of noise: `ganzoo list`.")
        if not isinstance(net.output, Images):
            raise GanzooError(f"this model makes {net.output.kind}", "Pictures are asked for here.")
        self.name = space or ("w" if "w" in spaces else "z")
        if self.name not in spaces:
            raise UnknownNameError("space", self.name, spaces)
        self.space: Space = spaces[self.name]
        self.others = self.conditions(given)
        self.random, self.shape = self.tried()

    @property
    def device(self) -> torch.device:
        return next(self.net.parameters()).device

    def drawn(self, seed: int, which: list[int]) -> dict[str, Tensor]:
        return {name: value.to(self.device) for name, value in latents(self.net.priors, seed, which).items()}

    def conditions(self, given: dict[str, Any]) -> list[Tensor]:
        """All inputs but the point, each [1, ...]. Errors: GanzooError for what is missing or unknown."""
        for name in given.keys() - self.net.inputs.keys():
            raise UnknownNameError("input", name, self.net.inputs)
        drawn = self.drawn(self.seed, [0])
        return [
            drawn[name] if name in drawn and given.get(name) is None else i.rows(name, given.get(name), 1, self.device)
            for name, i in self.net.inputs.items()
            if name != self.space.latent
        ]

    def tried(self) -> tuple[bool, torch.Size]:
        """Whether it draws while it paints (the noise is then held still, at some cost); and (C, H, W) of what it
        paints, which a generator of free sizes does not declare.
        """
        with torch.no_grad(), self.still() as mode:
            painted: Tensor = self.space.paint(self.draw(1), *self.others)
        return bool(mode.generators), painted.shape[1:]

    def still(self) -> DrawFrom:
        return DrawFrom(lambda device: stream(device, self.seed, "noise", 0))

    @torch.no_grad()
    def draw(self, n: int, seed: int | None = None) -> Tensor:
        """Points of the first n samples of a seed, its own by default.  [n, *shape]"""
        seed = self.seed if seed is None else seed
        parts = [self.drawn(seed, list(which))[self.space.latent] for which in chunks(n)]
        return self.space.enter(torch.cat(parts))

    def __call__(self, points: Tensor) -> Tensor:
        """Pictures of points, with gradients.  [n, C, H, W], mostly in [-1, 1]"""
        others = [value.expand(len(points), *value.shape[1:]) for value in self.others]
        with self.still() if self.random else nullcontext():
            return self.space.paint(points, *others).float()

    @torch.no_grad()
    def pictures(self, points: Tensor) -> Tensor:
        """The same without gradients, some at a time, cut to [-1, 1]."""
        return torch.cat([self(part) for part in points.split(AT_ONCE)]).clamp(-1, 1)  # type: ignore[no-untyped-call]

    def within(self, points: Tensor) -> Tensor:
        """Points moved to where they may lie."""
        return points if self.space.range is None else points.clamp(*self.space.range)

    def spread(self) -> tuple[Tensor, float]:
        """The mean point [1, *shape] and the deviation of a coordinate, of 256 draws: the scale of steps."""
        points = self.draw(256)
        return points.mean(0, keepdim=True), float((points - points.mean(0)).std())


def chunks(n: int) -> list[range]:
    return [range(start, min(start + AT_ONCE, n)) for start in range(0, n, AT_ONCE)]

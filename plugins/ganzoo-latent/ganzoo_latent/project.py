"""From a picture to the point that paints it: by search, by an encoder, or by search from what the encoder says.

Zhu et al. 2016 (iGAN, arXiv:1609.03552, Sec. 3.1): all three. Abdal et al. 2019 (Image2StyleGAN, arXiv:1904.03189):
into W+; 2020 (arXiv:1911.11544): masks, and the noise too. Karras et al. 2019 (arXiv:1912.04958, App. D): the noise is
kept noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ganzoo_core.errors import GanzooError
from ganzoo_latent.encoder import Towards
from ganzoo_latent.likeness import Likeness
from ganzoo_latent.painter import Painter, Report, silent
from ganzoo_latent.search import descend, polish


@dataclass(frozen=True)
class Projected:
    """Where a picture was found, what is painted there, and how far that is from it (the likeness, pixels squared)."""

    point: Tensor  # [1, *shape]
    picture: Tensor  # [1, C, H, W]
    loss: float
    pixels: float


def project(
    painter: Painter,
    likeness: Likeness,
    *,
    encoder: Towards | None = None,
    search: bool = True,
    draws: int = 200,
    starts: int = 4,
    steps: int = 200,
    noise: bool = False,
    report: Report = silent,
) -> Projected:
    """The point whose picture is most like the target.

    The search begins at the `starts` best of `draws` samples and the mean point, or where the encoder says; without
    `search` the encoder's word is the answer. With `noise` a generator's noise maps are fitted, too: they stay in the
    painter. Errors: GanzooError for noise that a generator has not, and for an answer that nobody can give.
    """
    if not search and encoder is None:
        raise GanzooError("projection: neither search nor encoder", "Choose one.")
    found = begin(painter, likeness, draws, starts) if encoder is None else painter.within(encoder(likeness.target))
    if search:
        found = descend(painter, found, lambda p: likeness.pixels(painter(p)), steps, report=report)
        found = refined(painter, likeness, best(painter, likeness, found, 1), steps // 4, report)
    if noise:
        found = fit_noise(painter, likeness, found, steps, report)
    with torch.no_grad():
        made = painter(found)
        return Projected(found, made.clamp(-1, 1), float(likeness(made)), float(likeness.pixels(made.clamp(-1, 1))))


def refined(painter: Painter, likeness: Likeness, point: Tensor, steps: int, report: Report) -> Tensor:
    """The same for all that the likeness sees: features cost twenty times what pixels do at 32 px, so only here."""
    if likeness.seen is not None:
        point = descend(painter, point, lambda p: likeness(painter(p)), steps, 0.03, report=report)
    return polish(painter, point, lambda p: likeness(painter(p)), 10 if likeness.seen else 30)


def begin(painter: Painter, likeness: Likeness, draws: int, starts: int) -> Tensor:
    """The most alike of `draws` samples and the mean point.  [starts, *shape]"""
    drawn = painter.draw(draws)
    return best(painter, likeness, torch.cat([drawn, drawn.mean(0, keepdim=True)]), starts)


@torch.no_grad()
def best(painter: Painter, likeness: Likeness, points: Tensor, n: int) -> Tensor:
    """The n points whose pictures are most alike, in pixels."""
    distance = torch.cat([likeness.pixels(painter(part)) for part in points.split(64)])  # type: ignore[no-untyped-call]
    return points[distance.argsort()[:n]]


def fit_noise(painter: Painter, likeness: Likeness, point: Tensor, steps: int, report: Report) -> Tensor:
    """Point and noise maps together; what is painted keeps what only noise can carry."""
    details = painter.space.details
    if not details:
        raise GanzooError("noise: this model has no noise maps of its own", "Leave it out.")
    for map in details:
        map.requires_grad_()

    def loss(p: Tensor) -> Tensor:
        return likeness(painter(p)) + sum(unlike_noise(map) for map in details)

    found = descend(painter, point, loss, steps, 0.05, details, lambda: whiten(details), report)
    for map in details:
        map.requires_grad_(False)
    return found


def unlike_noise(map: Tensor, weight: float = 1e-2) -> Tensor:
    """weight * sum over scales of (E n n')^2, n' the neighbour across and below: white noise has 0 (App. D)."""
    n, total = map[None, None], map.new_zeros(())
    while True:
        for axis in (2, 3):
            total = total + (n * n.roll(1, axis)).mean().square()
        if n.shape[-1] <= 8:
            return weight * total
        n = 2 * avg_pool2d(n, 2)  # the deviation stays 1


@torch.no_grad()
def whiten(maps: tuple[Tensor, ...]) -> None:
    """Mean 0 and deviation 1."""
    for map in maps:
        map.sub_(map.mean()).div_(map.std() + 1e-8)

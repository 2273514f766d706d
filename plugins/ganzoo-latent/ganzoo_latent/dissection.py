"""GAN Dissection (Bau et al. 2018, arXiv:1811.10597): which units draw what, and what happens without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from ganzoo_latent.activations import changed, maps, watched
from ganzoo_latent.concepts import Segmenter
from ganzoo_latent.painter import Painter, Report, silent

MOST = 1 << 19  # places of a unit that its quantile is taken of


@dataclass(frozen=True)
class Dissected:
    """Of a layer of C units and K concepts: how well a unit's highest activations lie on a concept."""

    iou: Tensor  # [C, K]
    threshold: Tensor  # t_u: what only the top quantile of places exceeds  [C]
    there: Tensor  # E[r_u | s_c]: what a unit is where a concept is, which insertion sets it to  [C, K]

    def best(self, concept: int, n: int) -> list[int]:
        """The n units that lie best on a concept."""
        return [int(u) for u in self.iou[:, concept].argsort(descending=True)[:n]]


@torch.no_grad()
def dissect(
    painter: Painter, layer: str, concepts: Segmenter, n: int = 512, quantile: float = 0.05, report: Report = silent
) -> Dissected:
    """IoU(u, c) = E |r_u > t_u and s_c| / E |r_u > t_u or s_c| (Eq. 2), maps r enlarged to the masks s of n samples;
    t_u is what the top `quantile` of a unit's places exceeds.
    """
    r, s = looked_at(painter, layer, concepts, n, report)
    units = r.transpose(0, 1).flatten(1)  # [C, n h w]
    threshold = units[:, :: units.shape[1] // MOST + 1].quantile(1 - quantile, 1)
    share = adaptive_avg_pool2d(s, (r.shape[2], r.shape[3]))  # of each place of the maps
    there = torch.einsum("ncyx,nkyx->ck", r, share) / share.sum((0, 2, 3)).clamp(min=1e-6)
    both, on, shown = (torch.zeros(len(units), s.shape[1], device=r.device) for _ in range(3))
    for part, masks in zip(r.split(64), s.split(64), strict=True):  # type: ignore[no-untyped-call]
        large = interpolate(part, masks.shape[2:], mode="bilinear") > threshold.view(1, -1, 1, 1)
        both += torch.einsum("ncyx,nkyx->ck", large.float(), masks)
        on += large.sum((0, 2, 3))[:, None]
        shown += masks.sum((0, 2, 3))[None]
    return Dissected(both / (on + shown - both).clamp(min=1), threshold, there)


def looked_at(painter: Painter, layer: str, concepts: Segmenter, n: int, report: Report) -> tuple[Tensor, Tensor]:
    """A layer's maps [n, C, h, w] of n samples, and where each concept is in their pictures, 1 or 0 [n, K, H, W]."""
    made, masks = list[Tensor](), list[Tensor]()
    with watched(painter.net, [layer]) as said:
        for part in painter.draw(n).split(64):  # type: ignore[no-untyped-call]
            masks.append((concepts(painter.pictures(part)) > 0.5).float())
            made.append(said[layer])
            report("pictures", 64 * (len(made) - 1) + len(part), n)
    return torch.cat(made), torch.cat(masks)


def ablated(painter: Painter, layer: str, units: Sequence[int], points: Tensor) -> Tensor:
    """Pictures for which these units are silent everywhere.  [n, C, H, W]"""

    def silence(h: Tensor) -> Tensor:
        return h.index_fill(1, torch.tensor(units, dtype=torch.int64, device=h.device), 0)

    with changed(painter.net, layer, silence):
        return painter.pictures(points)


def silenced(painter: Painter, layer: str, units: Sequence[int], points: Tensor) -> Tensor:
    """Pictures of points [n, *shape], then the same for which these units are silent.  [2 n, C, H, W]"""
    return torch.cat([painter.pictures(points), ablated(painter, layer, units, points)])


def inserted(
    painter: Painter,
    layer: str,
    units: Sequence[int],
    levels: Tensor,
    points: Tensor,
    place: tuple[float, float],
    size: float = 0.25,
) -> Tensor:
    """Pictures for which these units are at `levels` [len(units)] in a square about a place (x, y), both in shares of
    the side.
    """

    def insert(h: Tensor) -> Tensor:
        made, (columns, rows) = h.clone(), (about(share, size, h.shape[-1]) for share in place)
        for unit, level in zip(units, levels.tolist(), strict=True):
            made[:, unit, rows, columns] = level
        return made

    with changed(painter.net, layer, insert):
        return painter.pictures(points)


def about(share: float, size: float, side: int) -> slice:
    """Places within half of `size` of a share of the side, one at least."""
    first = min(side - 1, max(0, round((share - size / 2) * side)))
    return slice(first, max(first + 1, round((share + size / 2) * side)))


@dataclass(frozen=True)
class Effects:
    """Of silencing units: the area of each concept before and after, over pictures that show it."""

    before: Tensor  # [K]
    after: Tensor  # [K]

    def lost(self) -> Tensor:
        """The share of its area that each concept loses.  [K]"""
        return 1 - self.after / self.before.clamp(min=1e-8)


@torch.no_grad()
def effects(painter: Painter, layer: str, units: Sequence[int], concepts: Segmenter, n: int = 256) -> Effects:
    """Areas with and without these units, of n fresh samples."""
    points = painter.draw(n, painter.seed + 1)
    return Effects(
        concepts.areas(painter.pictures(points)).mean(0), concepts.areas(ablated(painter, layer, units, points)).mean(0)
    )


def causal(
    painter: Painter,
    layer: str,
    concept: int,
    concepts: Segmenter,
    units: int,
    *,
    steps: int = 120,
    batch: int = 24,
    others: float = 2.0,
    sparse: float = 0.02,
    report: Report = silent,
) -> list[int]:
    """The units whose silence takes the concept away and leaves the others (Sec. 3.2): alpha in [0, 1]^C by descent.

    loss = E s_c(x without alpha) / E s_c(x) + others * what all others lose + sparse * E alpha; a unit's maps are
    multiplied by 1 - alpha_u. The answer is the `units` largest of alpha.
    """
    width = maps(painter, layer, painter.draw(1)).shape[1]
    logit = torch.zeros(width, device=painter.device, requires_grad=True)
    optimizer = torch.optim.Adam([logit], 0.2)
    for step in range(steps):
        alpha = logit.sigmoid()
        share = kept(painter, layer, alpha, concepts, painter.draw(batch, painter.seed + 2 + step))
        lost = (1 - torch.cat([share[:concept], share[concept + 1 :]])).relu()
        loss = share[concept] + others * lost.sum() + sparse * alpha.mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        report("units", step + 1, steps)
    return [int(u) for u in logit.detach().argsort(descending=True)[:units]]


def kept(painter: Painter, layer: str, alpha: Tensor, concepts: Segmenter, points: Tensor) -> Tensor:
    """What is left of the area of each concept where units are multiplied by 1 - alpha [C]; 1 of what is not there.

    [K], with gradients to alpha
    """
    with torch.no_grad():
        before = concepts.areas(painter(points)).mean(0)
    with changed(painter.net, layer, lambda h: h * (1 - alpha.view(1, -1, 1, 1))):
        after = concepts.areas(painter(points)).mean(0)
    return torch.where(before > 1e-3, after / before.clamp(min=1e-3), torch.ones_like(after))

"""Directions in which one thing changes, and how much else does.

SeFa (Shen & Zhou 2020, arXiv:2007.06600): what the first matrix turns most. GANSpace (Härkönen et al. 2020,
arXiv:2004.02546): principal components. InterFaceGAN (Shen et al. 2019, arXiv:1907.10786): the normal of a boundary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.svm import LinearSVC
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_latent.activations import layer_of, maps
from ganzoo_latent.measures import Measure
from ganzoo_latent.painter import Painter, Report, chunks, silent


def sefa(painter: Painter, k: int) -> Tensor:
    """The k directions n of unit length that maximise |A n|^2, A the matrices that a point meets first (Eq. 5).

    [k, *shape]. Errors: GanzooError where none does.
    """
    first = first_weights(painter)
    if not first:
        what = f"sefa: nothing linear is the first to see a point of {painter.name}"
        raise GanzooError(what, "Take another --space, or --how pca.")
    A = torch.cat([rows(weight) for weight in first])  # [rows, d]
    A = A / A.norm(dim=1, keepdim=True).clamp(min=1e-8)
    vectors = torch.linalg.eigh((A.T @ A).double()).eigenvectors
    found = vectors.T.flip(0)[:k].float()  # the largest first  [k, d]
    if len(painter.space.shape) > 1:  # a style for every layer: the same direction in all of them
        found = found[:, None].expand(-1, *painter.space.shape) / painter.space.shape[0] ** 0.5
    return enough(found, k)


def first_weights(painter: Painter) -> list[Tensor]:
    """Weights [out, d, ...] or, of transposed convolutions, [d, out, ...] turned: those of layers that are given the
    point itself, at any scale, or the columns for it where a class or words stand beside it. None where there are none.
    """
    point, d, found = painter.draw(1), painter.space.shape[-1], list[Tensor]()
    met = point.reshape(-1, d)

    def note(module: nn.Module, given: tuple[object, ...]) -> None:
        weight, x = getattr(module, "weight", None), given[0] if given else None
        if not isinstance(weight, Tensor) or weight.ndim < 2 or not isinstance(x, Tensor):
            return
        turned = weight.transpose(0, 1) if isinstance(module, nn.ConvTranspose2d) else weight
        if x.numel() == turned.shape[1] and (begin := where(met, x.flatten())) >= 0:
            found.append(turned[:, begin : begin + d])

    handles = [module.register_forward_pre_hook(note) for module in painter.net.modules()]
    painter.pictures(point)
    for handle in handles:
        handle.remove()
    return found


def where(met: Tensor, x: Tensor) -> int:
    """Where one of some points [m, d] stands in x [n], scaled or not; -1: nowhere."""
    if len(x) < met.shape[1]:
        return -1
    windows = x.unfold(0, met.shape[1], 1)  # [n - d + 1, d]
    likeness = torch.cosine_similarity(windows[:, None].double(), met[None].double(), dim=2).amax(1)
    return int(likeness.argmax()) if bool(likeness.max() > 1 - 1e-9) else -1


def rows(weight: Tensor) -> Tensor:
    """[out, d, ...] -> [out * ..., d]"""
    return weight.detach().movedim(1, -1).reshape(-1, weight.shape[1])


def pca(painter: Painter, k: int, layer: str = "", n: int = 2000, report: Report = silent) -> Tensor:
    """The k principal components of n points (Sec. 2.1); with a layer, of what it makes of them, carried back into the
    space by the linear map that explains them best (Sec. 2.2).  [k, *shape], of unit length
    """
    points = painter.draw(n)
    flat = points.flatten(1).double().cpu().numpy()
    if not layer:
        return enough(shaped(painter, PCA(min(k, *flat.shape), random_state=0).fit(flat).components_), k)
    told = []
    for part in chunks(n):
        with torch.no_grad():
            told.append(maps(painter, layer, points[part.start : part.stop]).flatten(1).cpu())
        report("activations", part.stop, n)
    activations = torch.cat(told).numpy()
    components = PCA(min(k, *activations.shape), random_state=0).fit_transform(activations)  # x_j  [n, k]
    scaled = components / components.std(0)
    back, *_ = np.linalg.lstsq(scaled, flat - flat.mean(0), rcond=None)  # argmin |U x - z|^2  [k, d]
    return enough(shaped(painter, back), k)


def strongest(painter: Painter, k: int) -> Tensor:
    """The k directions of sefa; where nothing linear is the first to see a point, those of pca.  [k, *shape]"""
    if first_weights(painter):
        return sefa(painter, k)
    return pca(painter, k, layer_of(painter), n=500)


def boundary(painter: Painter, points: Tensor, scores: Tensor, share: float = 0.1) -> Tensor:
    """The normal of the plane between the points of the highest and of the lowest scores (Sec. 2.2).  [1, *shape]

    A linear support vector machine on the `share` of points at either end. Errors: GanzooError for too few.
    """
    n = int(share * len(points))
    if n < 10:
        raise GanzooError(f"boundary: {n} points on either side are too few", "Draw more: --draws.")
    order = scores.argsort()
    ends = torch.cat([points[order[:n]], points[order[-n:]]]).flatten(1).double().cpu().numpy()
    machine = LinearSVC(C=0.01, dual=True, max_iter=5000, random_state=0).fit(ends, np.repeat([0, 1], n))
    return shaped(painter, machine.coef_)


def conditional(direction: Tensor, others: Sequence[Tensor]) -> Tensor:
    """A direction without what it shares with others (Sec. 2.3): n - sum over an orthonormal basis of (n . b) b."""
    n = direction.flatten().clone()
    basis, _ = torch.linalg.qr(torch.stack([other.flatten() for other in others], 1))
    return unit((n - basis @ (basis.T @ n)).view_as(direction))


def shaped(painter: Painter, vectors: NDArray[np.float64]) -> Tensor:
    """[k, d] -> [k, *shape], of unit length."""
    return unit(torch.from_numpy(vectors).float().to(painter.device).view(-1, *painter.space.shape))


def unit(directions: Tensor) -> Tensor:
    flat = directions.flatten(1)
    length: Tensor = flat.norm(dim=1, keepdim=True).clamp(min=1e-8)
    return (flat / length).view_as(directions)


def enough(found: Tensor, k: int) -> Tensor:
    if len(found) < k:
        raise GanzooError(f"{k} directions: the space has {len(found)}", "Ask for fewer: -k.")
    return found


@dataclass(frozen=True)
class Effect:
    """What a direction does: of every measure the mean change, in deviations of the measure among samples."""

    moves: Mapping[str, float]

    def entanglement(self, name: str) -> float:
        """How much the other measures move, in the mean, for each unit that this one does."""
        others = [abs(value) for other, value in self.moves.items() if other != name]
        return sum(others) / len(others) / max(abs(self.moves[name]), 1e-8)


def effect(
    painter: Painter, direction: Tensor, measures: Mapping[str, Measure], step: float = 1.5, n: int = 128
) -> Effect:
    """From `step` deviations of the space back to as many ahead, of n samples, in deviations of each measure."""
    points = painter.draw(n)
    way = along(painter, direction, step)
    ahead, behind, here = (painter.pictures(painter.within(points + s * way)) for s in (1, -1, 0))
    with torch.no_grad():
        return Effect({
            name: float((measure(ahead) - measure(behind)).mean() / measure(here).std().clamp(min=1e-8))
            for name, measure in measures.items()
        })  # fmt: skip


def strip(painter: Painter, point: Tensor, direction: Tensor, reach: float = 3.0, count: int = 7) -> Tensor:
    """Pictures from `reach` deviations behind a point [1, *shape] to as many ahead of it.  [count, C, H, W]"""
    way = along(painter, direction, reach)
    t = torch.linspace(-1, 1, count, device=point.device).view(-1, *[1] * (point.ndim - 1))
    return painter.pictures(painter.within(point + t * way))


def moved(painter: Painter, point: Tensor, ways: Tensor, steps: Sequence[tuple[int, float]]) -> Tensor:
    """A point [1, *shape] after steps (k, deviations), each along the k-th of some directions [n, *shape], counted
    from 1.  [1, *shape]
    """
    for k, deviations in steps:
        point = point + along(painter, ways[k - 1 : k], deviations)
    return painter.within(point)


def along(painter: Painter, direction: Tensor, deviations: float) -> Tensor:
    """A unit direction [*shape] or [1, *shape] times a number of deviations of the space along it."""
    flat = painter.draw(256).flatten(1)
    deviation = ((flat - flat.mean(0)) @ direction.flatten()).std()
    return deviations * deviation * direction.view(1, *painter.space.shape)

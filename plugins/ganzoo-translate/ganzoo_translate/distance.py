"""DistanceGAN: what is far apart in one domain must be as far apart in the other."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import Batch, Terms, least_squares, to_float32
from ganzoo_translate.one_sided import OneSided


class DistanceGAN(OneSided):
    """One-Sided Unsupervised Domain Mapping (Benaim & Wolf 2017, arXiv:1706.00826).

    min_G L_GAN + distance E |d_X(x_i, x_j) - d_Y(G(x_i), G(x_j))|, each d a distance of pixels, less the mean and over
    the deviation that it has in its domain; and, likewise, of the halves of one picture.
    """

    distance: Annotated[float, "weight of distances between pictures; 0: none"] = 0.05
    self_distance: Annotated[float, "weight of distances between the halves of a picture; 0: none"] = 0.0

    prepare_on: ClassVar[int] = 400  # the paper's code takes mean and deviation of as many
    batchwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.distance or self.self_distance):
            raise GanzooError("distance 0, self_distance 0: nothing ties G to what it is given", "Give one a weight.")
        for name in ("of_pairs", "of_halves"):  # of X and of Y: mean, deviation
            self.register_buffer(name, torch.tensor([[0.0, 1.0]] * 2))
        self.of_pairs: Tensor
        self.of_halves: Tensor

    @torch.no_grad()
    def prepare(self, batch: Batch) -> None:
        """mu_X, sigma_X, mu_Y, sigma_Y of both distances."""
        for row, x in enumerate((batch["a"], batch["b"])):
            for found, distances in ((self.of_pairs, pairs(x)), (self.of_halves, halves(x))):
                found[row, 0], found[row, 1] = distances.mean(), distances.std()

    def g_loss(self, batch: Batch) -> Terms:
        """E (D(G(x)) - 1)^2 + distance L_distance + self_distance L_self."""
        x = batch["a"]
        fake = self.G(x)
        terms = {"adv": 2 * least_squares.g(self.D(fake), None)}
        if self.distance:
            refuse_one(len(x))
            terms["distance"] = self.distance * unlike(pairs(x), pairs(fake), self.of_pairs)
        if self.self_distance:
            terms["self"] = self.self_distance * unlike(halves(x), halves(fake), self.of_halves)
        return terms

    def d_loss(self, batch: Batch) -> Terms:
        """1/2 E (D(y) - 1)^2 + 1/2 E D(G(x))^2."""
        return least_squares.d(self.D(batch["b"]), self.D(self.history.exchange(self.G(batch["a"]))))


def unlike(there: Tensor, here: Tensor, statistics: Tensor) -> Tensor:
    """E |(d_X - mu_X) / sigma_X - (d_Y - mu_Y) / sigma_Y|.  [P], [P], [[mu_X, sigma_X], [mu_Y, sigma_Y]] -> []"""
    (mu_x, sigma_x), (mu_y, sigma_y) = statistics
    return ((there - mu_x) / sigma_x - (here - mu_y) / sigma_y).abs().mean()


def pairs(x: Tensor) -> Tensor:
    """||x_i - x_j||_1, the mean over pixels, of all i < j.  [N, C, H, W] -> [N (N - 1) / 2]"""
    flat = to_float32(x).flatten(1)
    return torch.cat([(one - flat[i + 1 :]).abs().mean(1) for i, one in enumerate(flat)])  # a row at a time fits


def halves(x: Tensor) -> Tensor:
    """||L(x) - R(x)||_1, the mean over pixels, of the left and the right half.  [N, C, H, W] -> [N]"""
    middle = x.shape[-1] // 2
    return (to_float32(x[..., :middle]) - to_float32(x[..., -middle:])).abs().flatten(1).mean(1)


def refuse_one(n: int) -> None:
    """Errors: GanzooError for a batch of one."""
    if n < 2:
        what = "distance_gan: one picture has no distance to another"
        raise GanzooError(what, "Take --batch-size 2 or more, or -c distance=0 -c self_distance=0.05.")

"""Dragging points of a picture to where they should be (Pan et al. 2023, DragGAN, arXiv:2305.10973)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate

from ganzoo_latent.activations import maps
from ganzoo_latent.painter import Painter, Report, silent

Place = tuple[float, float]  # (x, y) in pixels
R1, R2 = 3, 6  # radii of what is moved and of where it is looked for again, of 256 pixels (Sec. 3.2, 3.3)


class Dragging:
    """One drag: handle points, their targets, and the features F that they are followed by, as large as the picture."""

    def __init__(self, painter: Painter, point: Tensor, layer: str, handles: Sequence[Place], targets: Sequence[Place]):
        self.painter, self.layer = painter, layer
        self.size = painter.shape[-1]
        self.handles = torch.tensor(handles, dtype=torch.float32, device=painter.device)  # p_i  [k, 2]
        self.targets = torch.tensor(targets, dtype=torch.float32, device=painter.device)  # t_i
        with torch.no_grad():
            self.first = self.features(point)  # F_0
            self.wanted = self.at(self.first, self.handles)  # F_0(p_i)  [k, C]

    def features(self, point: Tensor) -> Tensor:
        """F, enlarged to the picture's size.  [1, C, H, W]"""
        return interpolate(maps(self.painter, self.layer, point), (self.size, self.size), mode="bilinear")

    def at(self, F: Tensor, places: Tensor) -> Tensor:
        """F(q), bilinear, of places (x, y) [..., 2] in pixels.  [..., C]"""
        q = (2 * places + 1) / self.size - 1
        found = grid_sample(F, q.reshape(1, 1, -1, 2), padding_mode="border", align_corners=False)
        return found[0, :, 0].T.reshape(*places.shape[:-1], -1)

    def around(self, places: Tensor, r: int) -> Tensor:
        """Omega(p, r): places within r pixels of a 256th of the side.  [k, m, 2]"""
        reach = max(1, round(r * self.size / 256))
        steps = torch.arange(-reach, reach + 1, device=places.device).float()
        offsets = torch.cartesian_prod(steps, steps)
        return places[:, None] + offsets[offsets.norm(dim=1) <= reach]

    def motion(self, point: Tensor, mask: Tensor | None, weight: float = 20.0) -> Tensor:
        """sum_i sum_q |F(q) - F(q + d_i)|_1, F(q) held fast; outside of the mask F stays F_0 (Eq. 1)."""
        F = self.features(point)
        way = self.targets - self.handles
        d = way / way.norm(dim=1, keepdim=True).clamp(min=1.0)
        q = self.around(self.handles, R1)
        loss = (self.at(F.detach(), q) - self.at(F, q + d[:, None])).abs().mean((1, 2)).sum()
        return loss if mask is None else loss + weight * ((F - self.first).abs() * (1 - mask)).mean()

    @torch.no_grad()
    def track(self, point: Tensor) -> None:
        """p_i = argmin over Omega(p_i, r_2) of |F'(q) - F_0(p_i)|_1 (Eq. 2)."""
        F = self.features(point)
        q = self.around(self.handles, R2)
        nearest = (self.at(F, q) - self.wanted[:, None]).abs().sum(2).argmin(1)
        self.handles = q[torch.arange(len(q)), nearest]

    def arrived(self) -> bool:
        return bool(((self.handles - self.targets).norm(dim=1) <= max(1.0, self.size / 256)).all())


def drag(
    painter: Painter,
    point: Tensor,
    layer: str,
    handles: Sequence[Place],
    targets: Sequence[Place],
    *,
    mask: Tensor | None = None,
    steps: int = 100,
    rate: float = 0.02,
    report: Report = silent,
) -> tuple[Tensor, list[Place]]:
    """The point [1, *shape] whose picture has its handles at the targets, or as near as `steps` brought them; and where
    they are. `mask` [1, 1, H, W] is 1 where the picture may change. `rate` is in deviations of the space.
    """
    dragging = Dragging(painter, point, layer, handles, targets)
    found = point.clone().requires_grad_()
    optimizer = torch.optim.Adam([found], rate * painter.spread()[1])
    for step in range(steps):
        if dragging.arrived():
            break
        optimizer.zero_grad()
        dragging.motion(found, mask).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        with torch.no_grad():
            found.copy_(painter.within(found))
        dragging.track(found)
        report("drag", step + 1, steps)
    return found.detach(), [(float(x), float(y)) for x, y in dragging.handles]

"""Label maps as pix2pixHD sees them (Sec. 3.3): labels one-hot, and the edges of an instance map beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Image

STEP = 0.6180339887  # of the hue from one label to the next: the golden ratio's, so that none comes twice


@dataclass(frozen=True)
class LabelMap(Image):
    """A map [labels + 1, H, W] of zeros and ones, as `encoded` makes it; from Python alone."""

    kind: ClassVar[str] = "label_map"
    flag: ClassVar[str] = ""
    control: ClassVar[str] = ""

    @property
    def wanted(self) -> str:
        return "a label map"

    @classmethod
    def example(cls, name: str, declared: Mapping[str, Any]) -> tuple[str, str]:
        return f"{name}={name}", ""

    def tensor(self, name: str, given: Any, device: torch.device) -> Tensor:
        """Errors: GanzooError for a file or a picture, whose pixels are no labels."""
        if not isinstance(given, Tensor):
            raise GanzooError(
                f"{name}: is no label map", "Make one: ganzoo_pix2pixhd.maps.encoded(labels, instances, n)."
            )
        return super().tensor(name, given, device)

    def trial(self, n: int, rng: torch.Generator, larger: int = 0) -> Tensor:
        return (super().trial(n, rng, larger) > 0).float()


def encoded(labels: Tensor, instances: Tensor, n: int) -> Tensor:
    """What G and D see of a label map and an instance map: n planes one-hot, and the edges.

    Both int64 [N, H, W], labels below n; instances are any numbers that differ from thing to thing.
    -> float32 [N, n + 1, H, W]. Errors: GanzooError for a label that is not below n.
    """
    if not labels.is_meta and labels.numel() and (labels.min() < 0 or labels.max() >= n):
        raise GanzooError(f"labels from {int(labels.min())} to {int(labels.max())}: not in 0..{n - 1}")
    planes = one_hot(labels, n).movedim(-1, 1).float()
    return torch.cat([planes, edges(instances)[:, None]], 1)


def edges(instances: Tensor) -> Tensor:
    """1 where a pixel's number differs from that of any of its 4 neighbours, else 0 (Sec. 3.3).  [N, H, W]"""
    found = torch.zeros_like(instances, dtype=torch.bool)
    across = instances[:, :, 1:] != instances[:, :, :-1]
    down = instances[:, 1:] != instances[:, :-1]
    found[:, :, 1:] |= across
    found[:, :, :-1] |= across
    found[:, 1:] |= down
    found[:, :-1] |= down
    return found.float()


def painted(map: Tensor) -> Tensor:
    """A map to look at: a colour for each label, black edges.  [N, labels + 1, H, W] -> [N, 3, H, W] in [-1, 1]"""
    planes, edge = map[:, :-1], map[:, -1:]
    return torch.einsum("nlhw,lc->nchw", planes, colours(planes.shape[1]).to(map)) * (1 - edge) - edge


def colours(n: int) -> Tensor:
    """White for label 0, then hues far apart.  [n, 3] in [-1, 1]"""
    hue = (torch.arange(n) * STEP)[:, None] + torch.tensor([0.0, 1 / 3, 2 / 3])
    made = torch.cos(2 * torch.pi * hue) * 0.8
    made[0] = 1.0
    return made


def noise(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    """Maps of nothing, to try families on.  [n, labels + 1, H, W]"""
    size = facts["image_size"]
    labels = torch.randint(facts["labels"], (n, size, size), generator=rng)
    return encoded(labels, labels, facts["labels"])

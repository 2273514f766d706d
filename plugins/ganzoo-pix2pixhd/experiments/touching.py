"""What is drawn where two things of one label touch, which labels alone do not show: L1 there, and everywhere.

python plugins/ganzoo-pix2pixhd/experiments/touching.py MODEL ...
"""

from __future__ import annotations

import sys

import torch
from ganzoo_pix2pixhd.scenes import LABELS, open_scenes
from torch import Tensor

import ganzoo_core as gz


def touching(map: Tensor) -> Tensor:
    """1 at edges all of whose 3x3 have one label.  [N, labels + 1, H, W] -> [N, 1, H, W]"""
    planes, edge = map[:, :LABELS], map[:, LABELS:]
    alike = torch.nn.functional.avg_pool2d(planes, 3, 1, 1, count_include_pad=False).amax(1, keepdim=True)
    return edge * (alike > 1 - 1e-4)


def main(sources: list[str]) -> None:
    scenes = open_scenes(None, "test")
    batch = scenes.fetch(range(len(scenes)))
    where = touching(batch["map"])
    print(f"{len(scenes)} scenes, {int(where.sum()):,} pixels where two of a kind touch")
    for source in sources:
        net = gz.load(source).generator
        given = {name: batch[name] for name in net.inputs}
        away = (net.sample(len(scenes), seed=0, **given) - batch["b"]).abs().mean(1, keepdim=True)
        print(f"{source}: L1 {away.mean():.3f}, there {(away * where).sum() / where.sum():.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])

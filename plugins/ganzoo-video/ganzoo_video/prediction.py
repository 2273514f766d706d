"""What is foretold of clips beside what came, and beside what takes no model: the last frame, and the last flow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from ganzoo_metrics.pairs import each_psnr, each_ssim
from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalContext
from ganzoo_core.nn import Video
from ganzoo_video.dual_motion.warping import warp

Found = Iterator[tuple[str, float, dict[str, Any]]]
AHEAD = 5  # frames
PAST = 10  # frames that are given, at most


def next_frame(context: EvalContext) -> Found:
    """MSE of pixels in [-1, 1], PSNR and SSIM of the next frame, and of the fifth, each foretold from those before it.

    Of each example its last five frames are foretold from the ten before them, or as many as there are. Beside the
    model's: [last frame] is repeated; and where the data have flow, the last frame is moved by the [last flow] once for
    every frame.
    """
    name = next((name for name, declared in context.net.inputs.items() if isinstance(declared, Video)), None)
    if name is None:
        raise GanzooError(f"next_frame: {context.model} is given no clips", "Choose another --metric.")
    totals, n = dict[str, float](), min(context.n, len(context.source))
    for batch in context.real(range(n)):
        past, future = parted(batch["x"])
        made = {"": foretold(context, name, past), **without_model(past, batch.get("flow"))}
        for which, clips in made.items():
            for key, total in scores(clips, future).items():
                totals[key + which] = totals.get(key + which, 0.0) + total
    how = {"n": n, "n_real": n, "past": past.shape[1]}
    for key, total in totals.items():
        yield key, total / n, how


def parted(video: Tensor) -> tuple[Tensor, Tensor]:
    """What is given and what is to be foretold, [m, P, C, H, W] and [m, 5, C, H, W]."""
    if video.shape[1] <= AHEAD:
        raise GanzooError(f"next_frame: clips of {video.shape[1]} frames are too short", f"Give {AHEAD + 1} at least.")
    return video[:, :-AHEAD][:, -PAST:], video[:, -AHEAD:]


def foretold(context: EvalContext, name: str, past: Tensor) -> Tensor:
    given = {name: past.to(context.device)}
    return context.net.sample(len(past), seed=context.seed, steps=AHEAD, spread=0.0, **given).cpu()


def without_model(past: Tensor, flow: Tensor | None) -> dict[str, Tensor]:
    """Answers that take no model, [m, 5, C, H, W] each."""
    last = past[:, -1]
    answers = {"[last frame]": last[:, None].expand(-1, AHEAD, -1, -1, -1)}
    if flow is None:
        return answers
    moved, latest = [last], flow[:, -AHEAD - 1]
    for _ in range(AHEAD):
        moved.append(warp(moved[-1], latest))
    return answers | {"[last flow]": torch.stack(moved[1:], 1)}


def scores(made: Tensor, true: Tensor) -> Mapping[str, float]:
    """Sums over clips [m, 5, C, H, W]."""
    found = dict[str, float]()
    for which, t in (("next", 0), ("fifth", AHEAD - 1)):
        a, b = made[:, t], true[:, t]
        everywhere = torch.ones_like(b[:, :1])
        each = {
            "mse": (a - b).square().flatten(1).mean(1),
            "psnr": each_psnr(a, b, everywhere),
            "ssim": each_ssim(a, b, everywhere),
        }
        found |= {f"{which}_{name}": float(values.double().sum()) for name, values in each.items()}
    return found

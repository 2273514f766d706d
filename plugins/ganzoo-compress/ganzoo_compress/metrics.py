"""Bits per pixel of real files, and what JPEG and WebP make of as many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from ganzoo_metrics.extractors import load_extractor
from ganzoo_metrics.pairs import each_psnr
from ganzoo_metrics.perceptual import Perceptual
from torch import Tensor

from ganzoo_compress.codec import Codec
from ganzoo_compress.files import HEAD, code
from ganzoo_compress.ordinary import ORDINARY, decoded, nearest
from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalContext

LOOKING = "lite0"


class Tried(NamedTuple):
    """A picture through one codec."""

    bpp: float
    psnr: float
    lpips: float


def rate(context: EvalContext) -> Iterator[tuple[str, float, dict[str, Any]]]:
    """bpp, psnr and lpips[lite0] of the model's files, the head of 20 bytes included, and of those of JPEG and WebP.

    Theirs is the quality whose size is nearest to ours, picture by picture. Of `map` and `redraw` ours holds all, too.
    Errors: GanzooError for a model that is no codec, and where no entropy coder is installed.
    """
    net = context.net
    if not isinstance(net, Codec):
        raise GanzooError(f"rate: {type(net).__name__} writes no bits", "It measures families of the task compression.")
    distance = Perceptual(load_extractor(LOOKING, context.device))
    found: dict[str, list[Tried]] = defaultdict(list)
    done = 0
    for batch in context.generated():
        for i, x in enumerate(batch["target"]):
            size = HEAD.size + len(code(net, [batch[name][i : i + 1] for name in net.written]))
            found[""].append(tried(size, batch["x"][i], x, distance))
            for name, encode in ORDINARY.items():
                data = nearest(x, size, encode)
                found[name].append(tried(len(data), decoded(data, len(x)), x, distance))
            done += 1
            context.progress("coding", done, context.n)
    for who, each in found.items():
        after = f"[{who}]" if who else ""
        mean = [sum(values) / len(each) for values in zip(*each, strict=True)]
        own = {"n": len(each), "n_real": len(each)}
        yield f"bpp{after}", mean[0], own
        if who:  # the model's own are scores by themselves
            yield f"psnr{after}", mean[1], own
            yield f"lpips_target[{LOOKING}]{after}", mean[2], {**own, "extractor": LOOKING}


@torch.inference_mode()
def tried(size: int, made: Tensor, x: Tensor, distance: Perceptual) -> Tried:
    """How near what was made of a file of so many bytes is to the picture.  [C, H, W], twice"""
    a, b = made[None].cpu(), x[None].cpu()
    psnr = each_psnr(a, b, torch.ones_like(b[:, :1]))
    device = next(distance.looking.parameters()).device
    return Tried(8 * size / x[0].numel(), float(psnr), float(distance(a.to(device), b.to(device))))

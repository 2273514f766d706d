"""Bits per pixel of real files of clips, and what the first frame's codec and moving WebP make of as many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from ganzoo_metrics.pairs import each_psnr
from torch import Tensor

from ganzoo_compress.agustsson.networks import whole
from ganzoo_compress.coder import Writer
from ganzoo_compress.files import HEAD, code
from ganzoo_compress.ordinary import decoded_clip, nearest_clip
from ganzoo_compress.residual.networks import Residual
from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalContext


class Tried(NamedTuple):
    """A clip through one codec."""

    bpp: float
    psnr: float


def clip_rate(context: EvalContext) -> Iterator[tuple[str, float, dict[str, Any]]]:
    """bpp and psnr of the model's files, heads included; of its first frame's codec, frame by frame [alone]; of [webp].

    WebP's is the quality whose size is nearest to ours, clip by clip: at such sizes mostly its smallest. What repeats
    the first frame [still] costs that alone.
    Errors: GanzooError for a model of another family, and where no entropy coder is installed.
    """
    net = context.net
    if not isinstance(net, Residual):
        raise GanzooError(f"clip_rate: {type(net).__name__} writes no clips", "It measures residual_compress.")
    found: dict[str, list[Tried]] = defaultdict(list)
    done = 0
    for batch in context.generated():
        for video, made in zip(batch["target"], batch["x"], strict=True):
            for who, one in every_way(net, video, made).items():
                found[who].append(one)
            done += 1
            context.progress("coding", done, context.n)
    for who, each in found.items():
        own = {"n": len(each), "n_real": len(each)}
        bpp, psnr = (sum(values) / len(each) for values in zip(*each, strict=True))
        yield f"bpp{who}", bpp, own
        yield f"clip_psnr{who}", psnr, own


@torch.inference_mode()
def every_way(net: Residual, video: Tensor, made: Tensor) -> dict[str, Tried]:
    """The model's own file, and what stands beside it.  [T, C, H, W], twice"""
    size = HEAD.size + len(code(net, [video[None]]))
    device = next(net.parameters()).device
    alone = net.first(video.to(device)).cpu()
    webp = nearest_clip(video, size)
    return {
        "": tried(size, made, video),
        "[still]": tried(HEAD.size + bytes_of(net, video[:1]), alone[:1].expand_as(video), video),
        "[alone]": tried(HEAD.size + bytes_of(net, video), alone, video),
        "[webp]": tried(len(webp), decoded_clip(webp, *video.shape[:2]), video),
    }


def bytes_of(net: Residual, frames: Tensor) -> int:
    """Of the first frame's codec for all frames at once, the coder learning from one to the next.  [T, C, H, W]"""
    to, first = Writer(), net.first
    symbols = first.q.symbols(first.E(frames.to(next(net.parameters()).device)))  # [T, C, h, w]
    to.adaptive(whole(torch.cat(list(symbols), 1)), first.shape.levels, neighbours=False)
    return len(to.data())


def tried(size: int, made: Tensor, video: Tensor) -> Tried:
    """How near what was made of a file of so many bytes is to the clip: the mean of its frames' PSNR."""
    a, b = made.cpu(), video.cpu()
    psnr = each_psnr(a, b, torch.ones_like(b[:, :1])).mean()
    return Tried(8 * size / b[:, 0].numel(), float(psnr))

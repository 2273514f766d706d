"""What a trained pyramid can do besides random samples (Rott Shaham et al. 2019, Sec. 4), all in `G.sample`.

Every application puts a picture in somewhere: nothing at the coarsest scale (samples), the training picture at a finer
one (samples that keep its layout), a clip-art at a coarse one (paint to image), a naive composite at a fine one
(harmonisation, editing), a small picture above the finest (super-resolution), noise close to z* (animation).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle, repeat
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from ganzoo_core.errors import GanzooError
from ganzoo_singan.pyramid import Size, resize, shrunk

if TYPE_CHECKING:
    from ganzoo_singan.networks import G

BLUR = 5.0  # sigma, in pixels, of the Gaussian that softens a mask
NEAR = 0.05  # how far from z* an animation begins
LARGEST = 16_384  # side that is made


class Wanted(NamedTuple):
    """The options of `G.sample`."""

    size: Size
    start: int
    image: Tensor | None
    mask: Tensor | None
    dilate: int
    upscale: float
    frames: int
    alpha: float
    beta: float


def drawing(G: G, n: int, wanted: Wanted) -> Callable[[Tensor], Tensor]:
    """The function of z [1, 1, h_0, w_0] that makes one of n samples after the other. Errors: GanzooError."""
    refuse(G, wanted)
    sizes, start = G.sizes(wanted.size)[: G.finest + 1], wanted.start
    if wanted.frames:
        return partial(animation, G, sizes, start, wanted.frames, wanted.alpha, wanted.beta)
    images, masks = given(G, "image", wanted.image, n), given(G, "mask", wanted.mask, n)
    alone = wanted.image is not None and wanted.upscale > 1 and start == 0  # super-resolution of a picture as it is
    first = start or len(sizes) // 2 if wanted.image is not None else start

    def draw(z: Tensor) -> Tensor:
        y, m = next(images), next(masks)
        x = y if alone and y is not None else G.climb(below(G, sizes, first, y), first, sizes, G.fresh(z))
        if y is not None and m is not None:
            x = blended(x, y, m, wanted.dilate)
        return enlarged(G, x, wanted.upscale).clamp(-1, 1)

    return draw


def below(G: G, sizes: Sequence[Size], start: int, image: Tensor | None) -> Tensor:
    """What scale `start` is given: a picture in the size of the scale before it, or nothing at the coarsest."""
    if start == 0:
        return G.empty(1)
    return resize(G.reconstruction(start - 1) if image is None else image, sizes[start - 1])


def enlarged(G: G, x: Tensor, by: float) -> Tensor:
    """Super-resolution: k times larger by r and through the finest scale with fresh noise; r^k = `by`, r near 2^(1/3).

    Sec. 4, "Super-Resolution".
    """
    k = max(1, round(3 * math.log2(by))) if by > 1 else 0
    h, w = x.shape[2:]
    for j in range(1, k + 1):
        r = by ** (j / k)
        x = resize(x, (shrunk(h, r), shrunk(w, r)))
        x = G.refined(G.finest, torch.randn_like(x), x)
    return x


def blended(x: Tensor, image: Tensor, mask: Tensor, dilate: int) -> Tensor:
    """x within the mask, grown and softened; `image` outside of it (harmonisation and editing)."""
    size = (x.shape[2], x.shape[3])
    m = softened(resize(mask, size) > 0.5, dilate)
    return m * x + (1 - m) * resize(image, size)


def softened(mask: Tensor, dilate: int) -> Tensor:
    """A mask, bool [N, 1, H, W], grown by a disk, blurred, and stretched to 0 ... 1."""
    at = torch.arange(-dilate, dilate + 1, device=mask.device)
    disk = (at[:, None].square() + at.square() <= dilate**2).float()[None, None]
    m = (conv2d(mask.float(), disk, padding=dilate) > 0.5).float()
    at = torch.arange(-int(4 * BLUR), int(4 * BLUR) + 1, device=mask.device)
    bell = torch.exp(-at.square() / (2 * BLUR**2))
    bell = bell / bell.sum()
    edge = (len(at) // 2,) * 4
    m = conv2d(conv2d(pad(m, edge, mode="replicate"), bell[None, None, None]), bell[None, None, :, None])
    low, high = m.amin((1, 2, 3), keepdim=True), m.amax((1, 2, 3), keepdim=True)
    return torch.where(high > low, (m - low) / (high - low).clamp(min=1e-12), m)


def animation(G: G, sizes: Sequence[Size], start: int, frames: int, alpha: float, beta: float, z: Tensor) -> Tensor:
    """A random walk of the noise of scales from `start` on, around z*.  [1, frames, C, H, W]

    z_(t+1) = alpha z* + (1 - alpha) (z_t + d_(t+1)), d_(t+1) = beta (z_t - z_(t-1)) + (1 - beta) u_t, u_t fresh noise
    (supplementary material, Eqs. 1 and 2).
    """
    stars = [G.star(n, size) for n, size in enumerate(sizes)]
    before = stars
    now = [(1 - NEAR) * s + NEAR * fresh(n, s) for n, s in enumerate(stars)]
    shown = []
    for _ in range(frames):
        steps = [beta * (a - b) + (1 - beta) * fresh(n, a) for n, (a, b) in enumerate(zip(now, before, strict=True))]
        after = [alpha * s + (1 - alpha) * (a + d) for s, a, d in zip(stars, now, steps, strict=True)]
        before, now = now, after
        walked = [s if n < start else a for n, (s, a) in enumerate(zip(stars, now, strict=True))]
        shown.append(G.climb(G.empty(1), 0, sizes, lambda n, _, walked=walked: walked[n]).clamp(-1, 1))  # type: ignore[misc]
    return torch.stack(shown, 1)


def fresh(n: int, like: Tensor) -> Tensor:
    """Noise for scale n: one map for all channels at the coarsest."""
    return torch.randn_like(like[:, :1]).expand_as(like) if n == 0 else torch.randn_like(like)


def given(G: G, name: str, pictures: Tensor | None, n: int) -> Iterator[Tensor | None]:
    """A picture [1, C, H, W] for each of n samples, out of one for all or one for each; None where there are none."""
    if pictures is None:
        return repeat(None)
    pictures = pictures[None] if pictures.ndim == 3 else pictures
    channels = 1 if name == "mask" else G.output.shape[0]
    if pictures.ndim != 4 or pictures.shape[1] != channels or len(pictures) not in (1, n):
        raise GanzooError(
            f"{name}: of shape {list(pictures.shape)}, not [{n}, {channels}, height, width]",
            "Give one for all or one for each.",
        )
    pictures = pictures.to(G.amp.device, torch.float32)
    return cycle(pictures[:, None])


def refuse(G: G, wanted: Wanted) -> None:
    """What cannot be, or would be left out silently."""
    size, start, image, mask, dilate, upscale, frames, *_ = wanted
    if not 0 <= start <= G.finest:
        raise GanzooError(f"start {start}: there are the scales 0 to {G.finest}", "0 is the coarsest.")
    if min(size) < 0 or max(size) > LARGEST:
        raise GanzooError(f"height {size[0]}, width {size[1]}: not in 1..{LARGEST}")
    if not 1 <= upscale <= 16:
        raise GanzooError(f"upscale {upscale:g}: not in 1..16")
    if dilate < 0 or frames < 0:
        raise GanzooError(f"dilate {dilate}, frames {frames}: below 0")
    if mask is not None and image is None:
        raise GanzooError("mask: there is no image to keep outside of it", "Give an image, too.")
    if frames and (image is not None or upscale != 1 or any(size)):
        raise GanzooError("frames: an animation is of the training picture", "Leave image, size and upscale out.")

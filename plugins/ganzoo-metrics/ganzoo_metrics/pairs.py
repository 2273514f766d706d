"""What a model makes of an input beside what it should have made of it, and beside what takes no model at all.

Doing nothing (translation), filling a hole with one colour or with the pixels next to it (inpainting), and bicubic
enlargement (super-resolution) are scored too: `psnr[bicubic]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn.functional import interpolate
from torchmetrics.functional.image import structural_similarity_index_measure

from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalContext

Found = Iterator[tuple[str, float, dict[str, Any]]]
RANGE = 2.0  # of pixels in [-1, 1]
ROUNDING = (RANGE / 255) ** 2 / 12  # mean squared error of 8 bits: what is right to the bit has 58.9 dB, not infinity
STUDIO = 219.0  # levels of luma in 8 bits, of 16 to 235


class Answers(NamedTuple):
    """Pictures [m, C, H, W] in [-1, 1]: what was made and what should have been; and where that counts."""

    made: Mapping[str, Tensor]  # by the model, under "", and by what takes none, under its name
    target: Tensor
    where: Tensor  # 1 or 0  [m, 1, H, W]


def l1(context: EvalContext) -> Found:
    """Mean |y - y'| of pixels in [-1, 1], of each image, averaged over images; inside the hole where there is one."""
    yield from scores(context, "l1", each_l1)


def psnr(context: EvalContext) -> Found:
    """10 log10(peak^2 / mean squared error) in dB, of each image, averaged over images; likewise inside the hole."""
    yield from scores(context, "psnr", each_psnr)


def psnr_y(context: EvalContext) -> Found:
    """PSNR as tables of super-resolution have it: of luma that goes from 16 to 235, against a peak of 255.

    That is 20 log10(255 / 219) = 1.32 dB more than `psnr`, whose luma goes from 0 to 255 (ITU-R 601 says 16 to 235).
    """
    yield from scores(context, "psnr_y", each_psnr_y)


def ssim(context: EvalContext) -> Found:
    """Wang et al. 2004, Eq. 13, Gaussian window of 11 pixels, averaged over images; always of the whole."""
    yield from scores(context, "ssim", each_ssim)


def each_l1(made: Tensor, target: Tensor, where: Tensor) -> Tensor:  # [m]
    return inside((made - target).abs(), where)


def each_psnr(made: Tensor, target: Tensor, where: Tensor) -> Tensor:
    return 10 * torch.log10(RANGE**2 / inside((made - target).square(), where).clamp(min=ROUNDING))


def each_psnr_y(made: Tensor, target: Tensor, where: Tensor) -> Tensor:
    error = inside(((made - target) * STUDIO / RANGE).square(), where)
    return 10 * torch.log10(255**2 / error.clamp(min=ROUNDING * (STUDIO / RANGE) ** 2))


def each_ssim(made: Tensor, target: Tensor, where: Tensor) -> Tensor:
    from_0 = made + 1, target + 1  # luminance is compared by ratios, which mean nothing around 0
    result = structural_similarity_index_measure(*from_0, data_range=RANGE, reduction="none")
    assert isinstance(result, Tensor)
    return result


def inside(values: Tensor, where: Tensor) -> Tensor:
    """The mean over the places that count, of each image."""
    where = where.expand_as(values)
    return (values * where).flatten(1).sum(1) / where.flatten(1).sum(1)


def scores(context: EvalContext, name: str, each: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Found:
    """The metric `name` of the model, then of each answer that takes none."""
    totals: dict[str, float] = {}
    more: dict[str, Any] = {"n": context.n, "n_real": context.n}
    for batch in context.generated():
        if "target" not in batch:
            raise GanzooError(f"{context.model}: takes nothing from the data, so there is nothing to compare with")
        found, how = answers(batch)
        more |= how
        for who, made in found.made.items():
            total = each(made, found.target, found.where).double().sum()
            totals[who] = totals.get(who, 0.0) + float(total)
    for who, summed in totals.items():
        yield f"{name}[{who}]" if who else name, summed / context.n, more


def pictures(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What was made of a batch, by the model and by what takes none."""
    x, target = batch["x"].cpu(), batch["target"]
    if "mask" in batch:
        hole = batch["mask"]
        return {"": x, "mean colour": mean_colour(target, hole), "nearest pixel": nearest(target, hole)}
    if "low" in batch:
        large = interpolate(batch["low"], target.shape[-2:], mode="bicubic", antialias=True)
        return {"": x, "bicubic": large.clamp(-1, 1)}
    given = batch.get("a", batch.get("b"))
    return {"": x} if given is None or given.shape != target.shape else {"": x, "identity": given}


def answers(batch: Mapping[str, Tensor]) -> tuple[Answers, dict[str, Any]]:
    """All answers to a batch, and how they are compared, for the protocol."""
    made, target = pictures(batch), batch["target"]
    if "mask" in batch:
        return Answers(made, target, batch["mask"]), {"region": "hole"}
    if "low" in batch:
        factor = target.shape[-1] // batch["low"].shape[-1]
        seen = {who: border_off(luma(y), factor) for who, y in made.items()}
        y = border_off(luma(target), factor)
        return Answers(seen, y, torch.ones_like(y)), {"channel": "luma (ITU-R 601)", "border_left_out": factor}
    return Answers(made, target, torch.ones_like(target[:, :1])), {}


def luma(x: Tensor) -> Tensor:
    """[m, 1, H, W] of RGB, rounded to 8 bits first: what a picture file would hold."""
    x = ((x.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1
    if x.shape[1] == 1:
        return x
    r, g, b = x.unbind(1)
    return (0.299 * r + 0.587 * g + 0.114 * b)[:, None]


def border_off(x: Tensor, width: int) -> Tensor:
    """Without `width` pixels on every side, as is the custom."""
    return x[..., width:-width, width:-width]


def mean_colour(x: Tensor, mask: Tensor) -> Tensor:
    """The hole filled with the mean of what lies around it."""
    seen = 1 - mask
    mean = (x * seen).sum((2, 3), keepdim=True) / seen.sum((2, 3), keepdim=True)
    return torch.where(mask > 0, mean, x)


def nearest(x: Tensor, mask: Tensor) -> Tensor:
    """Every pixel of the hole as the nearest one outside."""
    filled = []
    for image, hole in zip(x, mask[:, 0], strict=True):
        i, j = distance_transform_edt(hole.numpy(), return_distances=False, return_indices=True)
        filled.append(image[:, torch.from_numpy(i).long(), torch.from_numpy(j).long()])
    return torch.stack(filled)

"""How photographs are spoilt on their way through the world: twice blurred, resized, made noisy and compressed.

Wang et al. 2021, Sec. 3 and Fig. 2. Every picture [1, C, H, W] in [0, 1] goes its own way. What is random comes from
torch's global generator of the host, so that a device is never waited for. Ranges are those of the authors' training
options; how often each kind of blur and each direction of resizing comes, and how wide blurs are, is from memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, pad

from ganzoo_esrgan.jpeg import compressed

SIZES = range(7, 22, 2)  # of kernels
KINDS = {"gaussian": 0.70, "generalised": 0.15, "plateau": 0.15}  # of blurs
ISOTROPIC = {"gaussian": 0.45 / 0.70, "generalised": 0.8, "plateau": 0.8}
SHAPES = {"gaussian": (1.0, 1.0), "generalised": (0.5, 4.0), "plateau": (1.0, 2.0)}  # beta of Sec. 3.1
SINC = 0.1  # how often a blur is a low-pass filter that rings
FINAL_SINC = 0.8
MODES = ("area", "bilinear", "bicubic")


@dataclass(frozen=True)
class Stage:
    """One of the two rounds."""

    blur: float  # how often it blurs
    widths: tuple[float, float]  # of a blur, in pixels
    resize: tuple[float, float, float]  # how often up, down, not at all
    scales: tuple[float, float]
    gaussian: tuple[float, float]  # standard deviation, in levels of 255
    poisson: tuple[float, float]  # strength
    jpeg: tuple[float, float] = (30.0, 95.0)  # quality


FIRST = Stage(1.0, (0.2, 3.0), (0.2, 0.7, 0.1), (0.15, 1.5), (1.0, 30.0), (0.05, 3.0))
SECOND = Stage(0.8, (0.2, 1.5), (0.3, 0.4, 0.3), (0.3, 1.2), (1.0, 25.0), (0.05, 2.5))


def degraded(x: Tensor, scale: int) -> Tensor:
    """Pictures [N, C, H, W] in [0, 1], spoilt and `scale` times smaller, in 256 levels."""
    return torch.cat([spoilt(picture[None], scale) for picture in x])


def spoilt(x: Tensor, scale: int) -> Tensor:
    """One picture's way, ending in its last size."""
    last = (x.shape[-2] // scale, x.shape[-1] // scale)
    y = noisy(resized(blurred(x, FIRST), x, FIRST), FIRST)
    y = compressed(y, uniform(*FIRST.jpeg))
    small = x[..., : last[0], : last[1]]
    y = noisy(resized(blurred(y, SECOND), small, SECOND), SECOND)
    quality, ringing, first = uniform(*SECOND.jpeg), chance(FINAL_SINC), chance(0.5)
    if first:
        y = compressed(rung(to_size(y, last), ringing), quality)
    else:
        y = rung(to_size(compressed(y, quality), last), ringing)
    return (y.clamp(0, 1) * 255).round() / 255


def blurred(x: Tensor, stage: Stage) -> Tensor:
    if not chance(stage.blur):
        return x
    return filtered(x, sinc(size_of_kernel()) if chance(SINC) else blur_kernel(stage.widths))


def rung(x: Tensor, ringing: bool) -> Tensor:
    """The low-pass filter at the end, which rings and overshoots."""
    return filtered(x, sinc(size_of_kernel())) if ringing else x


def resized(x: Tensor, against: Tensor, stage: Stage) -> Tensor:
    """A random factor of the size of `against`."""
    up, down, _ = stage.resize
    low, high = stage.scales
    u = uniform(0, 1)
    factor = uniform(1, high) if u < up else uniform(low, 1) if u < up + down else 1.0
    size = (max(8, round(factor * against.shape[-2])), max(8, round(factor * against.shape[-1])))
    return to_size(x, size)


def to_size(x: Tensor, size: tuple[int, int]) -> Tensor:
    return interpolate(x, size, mode=MODES[int(uniform(0, 3))]).clamp(0, 1)


def noisy(x: Tensor, stage: Stage) -> Tensor:
    """Gaussian or Poisson noise, of each channel or in gray."""
    gray = chance(0.4)
    if chance(0.5):
        noise = torch.randn_like(x[:, :1] if gray else x) * (uniform(*stage.gaussian) / 255)
    else:
        noise = uniform(*stage.poisson) * shot(x.mean(1, keepdim=True) if gray else x)
    return (x + noise).clamp(0, 1)


def shot(x: Tensor) -> Tensor:
    """Poisson noise of pictures in 256 levels: what counting photons adds to them."""
    levels = (x * 255).round()
    return torch.poisson(levels) / 255 - levels / 255


def blur_kernel(widths: tuple[float, float]) -> Tensor:
    """exp(-1/2 (r^T S^-1 r)^beta), or 1 / (1 + (r^T S^-1 r)^beta) for a plateau (Sec. 3.1), [k, k] with sum 1."""
    kind = choice(tuple(KINDS), tuple(KINDS.values()))
    a, angle, beta = uniform(*widths), uniform(-math.pi, math.pi), uniform(*SHAPES[kind])
    b = a if chance(ISOTROPIC[kind]) else uniform(*widths)
    y, x = grid(size_of_kernel())
    u, v = (math.cos(angle) * x + math.sin(angle) * y) / a, (math.cos(angle) * y - math.sin(angle) * x) / b
    r = (u.square() + v.square()).pow(beta)
    return normalised(1 / (1 + r) if kind == "plateau" else torch.exp(-r / 2))


def sinc(k: int) -> Tensor:
    """omega / (2 pi r) J_1(omega r): the round low-pass filter of cutoff omega (Sec. 3.3), [k, k] with sum 1."""
    omega = uniform(math.pi / 3 if k < 13 else math.pi / 5, math.pi)
    y, x = grid(k)
    r = (x.square() + y.square()).sqrt()
    r[k // 2, k // 2] = 1.0
    made = omega / (2 * math.pi) * torch.special.bessel_j1(omega * r) / r
    made[k // 2, k // 2] = omega**2 / (4 * math.pi)
    return normalised(made)


def size_of_kernel() -> int:
    return SIZES[int(uniform(0, len(SIZES)))]


def grid(k: int) -> tuple[Tensor, Tensor]:
    """Rows and columns from the middle, [k, k] each."""
    at = torch.arange(k, dtype=torch.float32, device="cpu") - k // 2
    y, x = torch.meshgrid(at, at, indexing="ij")
    return y, x


def normalised(kernel: Tensor) -> Tensor:
    return kernel / kernel.sum()


def filtered(x: Tensor, kernel: Tensor) -> Tensor:
    """Each channel by the kernel [k, k]; pictures are mirrored at their edges, small ones go on as they end."""
    k, c = kernel.shape[-1] // 2, x.shape[1]
    wide = pad(x, (k, k, k, k), mode="reflect" if k < min(x.shape[-2:]) else "replicate")
    return conv2d(wide, kernel.to(x).expand(c, 1, -1, -1), groups=c)


def sharpened(x: Tensor, radius: int = 50, weight: float = 0.5, threshold: float = 10 / 255) -> Tensor:
    """Unsharp masking, where there is something to sharpen: what the networks shall draw (Sec. 4.1). x in [0, 1].

    From memory: twice the radius and one is the kernel, whose width is OpenCV's choice for that.
    """
    at = torch.arange(-radius, radius + 1, dtype=torch.float32, device="cpu")[radius // 2 : -(radius // 2)]
    line = torch.exp(-at.square() / (2 * (0.3 * ((len(at) - 1) * 0.5 - 1) + 0.8) ** 2))
    kernel = normalised(line[:, None] * line[None, :])
    residual = x - filtered(x, kernel)
    mask = filtered((residual.abs() > threshold).to(x.dtype), kernel)
    return mask * (x + weight * residual).clamp(0, 1) + (1 - mask) * x


def uniform(low: float, high: float) -> float:
    return low + (high - low) * torch.rand((), device="cpu").item()


def chance(p: float) -> bool:
    return uniform(0, 1) < p


def choice(names: Sequence[str], weights: Sequence[float]) -> str:
    return names[int(torch.multinomial(torch.tensor(weights, device="cpu"), 1).item())]

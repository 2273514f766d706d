"""Which device, and which precision it is fast in."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.nn import functional as F

from ganzoo_core.errors import GanzooError, escape


def pick_device(name: str) -> torch.device:
    """ "auto" is CUDA where there is one, else Apple's GPU where it passes a test, else the CPU.

    Errors: GanzooError for a device that this machine lacks.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if apple_gpu_is_right() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise GanzooError(f"--device {escape(name)}: this machine has none", "Use --device cpu.") from None
    return device


def pick_precision(name: str, device: torch.device) -> torch.dtype:
    """ "auto" is bfloat16 where the hardware multiplies it, float32 elsewhere (docs/running.md: measured)."""
    if name == "auto":
        return torch.bfloat16 if multiplies_bf16(device) else torch.float32
    return torch.bfloat16 if name == "bf16" else torch.float32


def multiplies_bf16(device: torch.device) -> bool:
    """NVIDIA's from compute capability 8.0, CPUs with AMX or AVX512-BF16; of others nothing is known here."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and cpu_has_bf16()


def computing_in(dtype: torch.dtype, device: torch.device) -> AbstractContextManager[object]:
    """Within it, products on `device` are made in `dtype`: float32 is as the tensors are, whatever is around it.

    Where a device has no other precision (meta), there is nothing to switch.
    """
    if not torch.amp.is_autocast_available(device.type):
        return nullcontext()
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def cpu_has_bf16() -> bool:
    """AMX or AVX512-BF16."""
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()


def apple_gpu_is_right() -> bool:
    """Whether there is one that computes what the CPU does; nobody here has one to try."""
    return torch.backends.mps.is_available() and computes_as_the_cpu(torch.device("mps"))


def computes_as_the_cpu(device: torch.device, tolerance: float = 1e-3) -> bool:
    """Whether a gradient penalty's gradient, through convolutions both ways, comes out there as on the CPU."""
    try:
        ours, theirs = penalised(device), penalised(torch.device("cpu"))
        return all(
            torch.allclose(a.cpu(), b, rtol=tolerance, atol=tolerance) for a, b in zip(ours, theirs, strict=True)
        )
    except (RuntimeError, NotImplementedError):  # an operation is not there
        return False


def penalised(device: torch.device) -> tuple[Tensor, ...]:
    """Gradients [8, 3, 4, 4] and [8, 1, 4, 4] of E ||grad_x D(x)||^2 for a small D on fixed numbers."""
    down, up = ((torch.linspace(-1, 1, 128 * c) * 7).sin().reshape(8, c, 4, 4).to(device) / 4 for c in (3, 1))
    x = torch.linspace(-1, 1, 2 * 3 * 8 * 8).cos().reshape(2, 3, 8, 8).to(device).requires_grad_(True)
    down.requires_grad_(True)
    up.requires_grad_(True)
    h = F.softplus(F.conv2d(x, down, stride=2, padding=1))  # [2, 8, 4, 4]
    score = F.conv_transpose2d(h, up, stride=2, padding=1).sin().sum()
    (slope,) = torch.autograd.grad(score, x, create_graph=True)
    return torch.autograd.grad(slope.square().sum() / 2, (down, up))

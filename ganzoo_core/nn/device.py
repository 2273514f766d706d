"""Which device, and which precision it is fast in."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from ganzoo_core.errors import GanzooError, escape


def pick_device(name: str) -> torch.device:
    """ "auto" is CUDA where there is one. Errors: GanzooError for a device that this machine lacks."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise GanzooError(f"--device {escape(name)}: this machine has none", "Use --device cpu.") from None
    return device


def pick_precision(name: str, device: torch.device) -> torch.dtype:
    """ "auto" is bfloat16 where the hardware multiplies it, float32 elsewhere."""
    if name == "auto":
        fast = torch.cuda.is_bf16_supported(including_emulation=False) if device.type == "cuda" else cpu_has_bf16()
        return torch.bfloat16 if fast else torch.float32
    return torch.bfloat16 if name == "bf16" else torch.float32


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

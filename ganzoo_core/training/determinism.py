"""The same bits every time: always so on a CPU, and on a GPU where its deterministic kernels are asked for."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import torch

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"  # without it cuBLAS may choose another order of sums in every stream
NONE = "does not have a deterministic implementation"


@contextmanager
def deterministic_kernels(device: torch.device, wanted: bool) -> Iterator[None]:
    """On a GPU kernels that give the same bits every time, where there are such; afterwards the settings as they were.

    torch names operations that have none in a warning, which is shown once.
    """
    if not wanted or device.type != "cuda":
        yield
        return
    cudnn = torch.backends.cudnn
    memory: Any = import_module("torch.utils.deterministic")
    strict = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    before = cudnn.deterministic, cudnn.benchmark, memory.fill_uninitialized_memory
    os.environ.setdefault(WORKSPACE, ":4096:8")  # stays: cuBLAS reads it once
    torch.use_deterministic_algorithms(True, warn_only=True)
    cudnn.deterministic, cudnn.benchmark = True, False
    memory.fill_uninitialized_memory = False  # nobody reads it, and filling takes time
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("once", message=f".*{NONE}")
            yield
    finally:
        torch.use_deterministic_algorithms(strict, warn_only=warn_only)
        cudnn.deterministic, cudnn.benchmark, memory.fill_uninitialized_memory = before

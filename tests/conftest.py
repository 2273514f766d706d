"""One thread per process: pytest-xdist fills the cores, and results do not depend on how many there are."""

import os

import torch

torch.set_num_threads(1)
# Autograd counts devices at its first backward pass. Where torch.export came before it, stand-ins for CUDA's are there,
# each gets a thread, and no child that is forked afterwards (processes.py) can differentiate.
torch.ones(1, requires_grad=True).backward()  # type: ignore[no-untyped-call]
os.environ["HF_HUB_DISABLE_XET"] = "1"  # read when the Hub's client is imported: the loopback Hub speaks LFS
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

from hubs import ganzoo, hub  # noqa: E402, F401  the fixtures of the Hub's tests


def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are cores: a quarter of the time tests wait, for processes, sockets and locks."""
    return len(os.sched_getaffinity(0)) * 3 // 2

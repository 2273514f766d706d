"""Several processes that train one model: who they are, averaged gradients, agreement. No other module imports
torch.distributed.

Networks are never wrapped: after each backward pass the mover's gradients are averaged by hand in one all_reduce.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from ganzoo_core.errors import ExternalError, GanzooError, escape

# How gloo, NCCL and the store say that they lost somebody.
GONE = re.compile(
    r"connect|peer|gloo|nccl|socket|store|timed? ?out|broken pipe|reset|heartbeat|terminated", re.IGNORECASE
)
PATIENCE = timedelta(minutes=10)  # for a process that hangs; one that dies is noticed at once
# ... and one whose machine cannot be reached any more, after these seconds without an answer from its kernel.
SILENCE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4}
UNSENT = 30_000  # ms that what was sent may stay unconfirmed


class Processes:
    """This process among its `world` of processes; alone, everything is a matter of course."""

    rank, world = 0, 1

    def all_reduce_gradients(self, weights: Sequence[Tensor]) -> None:
        """Every weight's gradient <- its mean over all processes."""

    def gather(self, value: Any) -> list[Any]:
        """What every process holds, by rank."""
        return [value]

    def all_reduce_max(self, values: list[int]) -> list[int]:
        """The largest of all processes' numbers, place by place."""
        return values


class Group(Processes):
    """One of several processes of a torch.distributed group."""

    def __init__(self) -> None:
        self.rank, self.world = dist.get_rank(), dist.get_world_size()

    @torch.no_grad()
    def all_reduce_gradients(self, weights: Sequence[Tensor]) -> None:
        """In one all_reduce of all gradients, laid end to end, and of a flag per weight: has it one anywhere?"""
        if not weights:
            return
        has = torch.tensor([float(w.grad is not None) for w in weights], device=weights[0].device)
        flat = [w.new_zeros(w.numel()) if w.grad is None else w.grad.reshape(-1) for w in weights]
        together = torch.cat([has, *flat])
        with collective():
            dist.all_reduce(together)
        flags, *gradients = torch.split(together, [len(weights), *(w.numel() for w in weights)])
        for w, flag, gradient in zip(weights, flags.tolist(), gradients, strict=True):
            if flag:  # a weight without a gradient anywhere keeps none, so that its optimizer leaves it alone
                w.grad = torch.empty_like(w).copy_(gradient.reshape(w.shape)).div_(self.world)

    def gather(self, value: Any) -> list[Any]:
        values: list[Any] = [None] * self.world
        with collective():
            dist.all_gather_object(values, value)
        return values

    def all_reduce_max(self, values: list[int]) -> list[int]:
        numbers = torch.tensor(values)  # on the CPU, through gloo: no device is waited for
        with collective():
            dist.all_reduce(numbers, dist.ReduceOp.MAX)
        return [int(n) for n in numbers.tolist()]


@contextmanager
def collective() -> Iterator[None]:
    """A talk with the other processes; one that is gone is an outside fault. Whatever else is raised is a bug."""
    try:
        yield
    except (RuntimeError, dist.DistError) as fault:
        if not isinstance(fault, dist.DistError) and not GONE.search(str(fault)):
            raise
        raise ExternalError(
            f"another process of this run is gone: {escape(fault)}", "Look at its output; --resume goes on from here."
        ) from fault


def claim_device(name: str) -> None:
    """Before CUDA is used at all: each process of a machine has a GPU of its own, and touches no other.

    Errors: GanzooError for more processes than GPUs.
    """
    if not several() or not on_gpu(name):
        return
    rank, gpus = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if rank >= gpus:
        processes = os.environ.get("LOCAL_WORLD_SIZE", str(rank + 1))
        what = f"{processes} processes on a machine with {gpus} GPU{'s' if gpus > 1 else ''}"
        raise GanzooError(what, f"Use --nproc-per-node {gpus}, or --device cpu.")
    torch.cuda.set_device(rank)


def several() -> bool:
    """Whether torchrun started more than this process."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def on_gpu(name: str) -> bool:
    """Whether --device `name` is a GPU of this machine."""
    return torch.cuda.is_available() and (name == "auto" or name.startswith("cuda"))


@contextmanager
def process_group(device: str) -> Iterator[Processes]:
    """The processes that torchrun started, or this one alone, to train on `device`. Takes the group down at the end."""
    if not several():
        yield Processes()
        return
    # It takes the group of the moment for a default argument, and the first optimizer imports it: a group that it holds
    # outlives its end, and its threads may abort the process while Python shuts down. Imported now, it takes None.
    import_module("torch.distributed.nn.functional")
    with collective():
        dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu(device) else "gloo", timeout=PATIENCE)
        dist.all_reduce(torch.zeros(1))  # of CPUs: everybody has met everybody, all connections of gloo are there
    keep_alive()
    try:
        yield Group()
    finally:
        dist.destroy_process_group()


def keep_alive() -> None:
    """Let the kernel ask after the other end of every connection of this process; by default it waits for ever."""
    for fd in map(int, os.listdir("/proc/self/fd") if Path("/proc/self/fd").is_dir() else ()):
        try:
            connection = socket.socket(fileno=os.dup(fd))
        except OSError:  # a file, or closed meanwhile
            continue
        with connection:
            if connection.family in (socket.AF_INET, socket.AF_INET6) and connection.type == socket.SOCK_STREAM:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                for option, value in {**SILENCE, "TCP_USER_TIMEOUT": UNSENT}.items():
                    connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)

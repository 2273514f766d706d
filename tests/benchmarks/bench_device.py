"""What a device makes of our loop, beside a plain PyTorch loop over the same networks, in one process: ratios.

    python tests/benchmarks/bench_device.py --device cuda --seconds 110 --out FILE.json [--small]

For each game: images per second, seconds to the first iteration, peak memory, host synchronisations per iteration,
and the share of the device's measured rate of bf16 matrix products. Written after every row, so whatever ends it early
leaves what was measured. --small is a rehearsal on a CPU. No test asserts a time.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from ganzoo_dcgan.networks import networks as dcgan_networks
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.training.dry_run import dry_run
from ganzoo_core.training.trainer import Alternating

ENDLESS = 10**12
ROUND = 2.0  # seconds that a contestant is timed


@dataclass
class Row:
    """One contestant."""

    game: str
    batch: int
    loop: str
    images_per_second: float
    first_iteration_s: float
    peak_mib: float
    syncs_per_iteration: float
    share_of_bf16: float


class Device:
    """What differs from device to device."""

    def __init__(self, name: str) -> None:
        self.device = torch.device(name)
        self.cuda = self.device.type == "cuda"

    def wait(self) -> None:
        if self.cuda:
            torch.cuda.synchronize()

    def name(self) -> str:
        return torch.cuda.get_device_name() if self.cuda else platform.processor() or platform.machine()

    def peak(self) -> float:
        return torch.cuda.max_memory_allocated() / 2**20 if self.cuda else 0.0

    def begin(self) -> None:
        if self.cuda:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def matrix_rate(self, n: int) -> float:
        """Floating point operations a second of bf16 matrix products n x n."""
        a, b = torch.randn(2, n, n, device=self.device).bfloat16().unbind(0)
        for _ in range(2):
            a @ b
        self.wait()
        start, count = time.perf_counter(), 0
        while time.perf_counter() - start < 0.5:
            for _ in range(10):
                a @ b
            self.wait()
            count += 10
        return 2 * n**3 * count / (time.perf_counter() - start)


def plain(images: Tensor, batch: int, autocast: bool, width: int) -> Iterator[None]:
    """The loop of pytorch/examples/dcgan without its printing, with fresh fakes for G; one iteration per item."""
    device = images.device
    nets = dcgan_networks(width=width, image_size=images.shape[-1])
    G, D = nets["G"].to(device).train(), nets["D"].to(device).train()
    d_optim, g_optim = (torch.optim.Adam(n.parameters(), lr=2e-4, betas=(0.5, 0.999)) for n in (D, G))
    criterion = nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(batch, device=device), torch.zeros(batch, device=device)
    low = partial(torch.autocast, device.type, torch.bfloat16) if autocast else nullcontext
    while True:
        for real in images.split(batch):
            D.zero_grad()
            with low():
                loss = criterion(D(real).float(), ones)
                fake = G(torch.randn(batch, 100, 1, 1, device=device))
                loss = loss + criterion(D(fake.detach()).float(), zeros)
            loss.backward()
            d_optim.step()
            G.zero_grad()
            with low():
                loss = criterion(D(G(torch.randn(batch, 100, 1, 1, device=device))).float(), ones)
            loss.backward()
            g_optim.step()
            yield


def compiled(
    family: str, args: dict[str, object], images: Tensor, batch: int, precision: torch.dtype
) -> Iterator[object]:
    """Ours with --compile."""
    return ours(family, args, images, batch, precision, compile=True)


def ours(
    family: str, args: dict[str, object], images: Tensor, batch: int, precision: torch.dtype, compile: bool = False
) -> Iterator[object]:
    """`ganzoo train`'s own loop, on images that lie on the device already."""

    def loader(**_: object) -> Iterator[dict[str, Tensor]]:
        while True:
            for x in images.split(batch):
                label = torch.zeros(len(x), dtype=torch.int64, device=x.device)
                yield {"x": x, "label": label}

    game = build(recipe(family, given=args))
    which = dry_run(game, loader).first_order if compile else ()
    trainer = Alternating(batch_size=batch, images=ENDLESS, device=images.device, precision=precision, compiled=which)
    return trainer.run(game, loader)


def measured(on: Device, game: str, batch: int, loop: str, make: Callable[[], Iterator[object]], rate: float) -> Row:
    """Time one contestant for some seconds after its second iteration."""
    on.begin()
    start = time.perf_counter()
    contestant = make()
    next(contestant)
    on.wait()
    first = time.perf_counter() - start
    with FlopCounterMode(display=False) as counter:
        next(contestant)
    syncs = synchronisations(on, contestant)
    on.wait()
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < ROUND:
        for _ in range(5):
            next(contestant)
        on.wait()
        count += 5
    seconds = time.perf_counter() - start
    share = counter.get_total_flops() * count / seconds / rate
    return Row(game, batch, loop, round(count * batch / seconds, 1), round(first, 2), round(on.peak(), 1), syncs, share)


def synchronisations(on: Device, contestant: Iterator[object], n: int = 10) -> float:
    """Waits of the host for the device, an iteration."""
    if not on.cuda:
        return 0.0
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        for _ in range(n):
            next(contestant)
        torch.cuda.set_sync_debug_mode("default")
    return len([w for w in said if "synchroniz" in str(w.message)]) / n


def contestants(device: torch.device, small: bool) -> Iterator[tuple[str, int, str, Callable[[], Iterator[object]]]]:
    """Game, batch, loop, and what makes it; what matters most comes first."""
    side, width, batches = (16, 8, (8,)) if small else (64, 64, (64, 256))
    fp32, bf16 = torch.float32, torch.bfloat16
    pictures = torch.rand(4 * max(batches), 3, side, side, device=device) * 2 - 1
    given = {"image_size": side, "channels": 3, "width": width}
    for batch in batches:
        yield "dcgan", batch, "plain fp32", partial(plain, pictures, batch, False, width)
        yield "dcgan", batch, "ours fp32", partial(ours, "dcgan", given, pictures, batch, fp32)
        yield "dcgan", batch, "plain bf16", partial(plain, pictures, batch, True, width)
        yield "dcgan", batch, "ours bf16", partial(ours, "dcgan", given, pictures, batch, bf16)
    if not small:  # a minute or two to begin
        yield "dcgan", batches[0], "ours bf16 compiled", partial(compiled, "dcgan", given, pictures, batches[0], bf16)
    others: dict[str, tuple[int, int, dict[str, object]]] = {
        "wgan_gp": (64, 64, {"image_size": 64, "channels": 3}),
        "stylegan2": (256, 16, {"image_size": 256, "channels": 3, "fmap_base": 16384}),
        "biggan": (128, 32, {"image_size": 128, "channels": 3, "classes": 10}),
    }
    for family, (size, batch, args) in others.items():
        if small:  # a rehearsal has seen enough
            continue
        x = torch.rand(batch, 3, size, size, device=device) * 2 - 1
        yield family, batch, "ours fp32", partial(ours, family, args, x, batch, fp32)
        yield family, batch, "ours bf16", partial(ours, family, args, x, batch, bf16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=110.0, help="no contestant begins later")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--small", action="store_true")
    asked = parser.parse_args()
    on, end = Device(asked.device), time.monotonic() + asked.seconds
    rate = on.matrix_rate(256 if asked.small else 8192)
    about = {"device": on.name(), "torch": torch.__version__, "python": platform.python_version()}
    document = {
        **about,
        "bf16_matrix_tflops": round(rate / 1e12, 2),
        "rows": list[object](),
        "not_reached": list[str](),
    }
    for tf32 in (False,) if asked.small or not on.cuda else (False, True):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        for game, batch, loop, make in contestants(on.device, asked.small):
            name = f"{loop} + tf32" if tf32 else loop
            if tf32 and "fp32" not in loop:
                continue
            if time.monotonic() > end:
                document["not_reached"].append(f"{game} {batch} {name}")
                continue
            try:
                document["rows"].append(asdict(measured(on, game, batch, name, make, rate)))
            except Exception as fault:  # one that fails does not take the others with it
                document["rows"].append({"game": game, "batch": batch, "loop": name, "failed": repr(fault)[:300]})
            asked.out.write_text(json.dumps(document, indent=1) + "\n")
            print(document["rows"][-1], flush=True)
    asked.out.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()

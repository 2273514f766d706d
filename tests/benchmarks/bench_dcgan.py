"""DCGAN 64x64: our trainer against a plain fp32 loop as in pytorch/examples, over the same networks, side by side.

    python tests/benchmarks/bench_dcgan.py [--rounds 5] [--iterations 4] [--threads N] [--ladder] [--bf16]

Both draw fresh fakes for D and for G, where pytorch/examples uses D's fakes again for G: that is the only line of the
rival that differs. They take turns in one process; a figure is the median of its rounds. Beside images per second stand
images per second of processor time, which with --threads 1 holds on a busy machine too. --ladder also shows what each
of our choices brings, one at a time. No test asserts a time.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median

import torch
from ganzoo_dcgan.networks import networks
from torch import nn

from ganzoo_core.nn.channels_last import to_channels_last
from ganzoo_core.objectives import Objective, Phase, Player, Step, adam, nonsaturating
from ganzoo_core.training.trainer import Alternating

BATCH, ENDLESS = 64, 10**12
IMAGES = torch.rand(8 * BATCH, 3, 64, 64) * 2 - 1  # in memory: no loader is measured


def escape() -> Iterator[None]:
    """The loop of pytorch/examples/dcgan, without its printing; one iteration per item."""
    nets = networks()
    G, D = nets["G"].train(), nets["D"].train()
    optimizer_d = torch.optim.Adam(D.parameters(), lr=2e-4, betas=(0.5, 0.999))
    optimizer_g = torch.optim.Adam(G.parameters(), lr=2e-4, betas=(0.5, 0.999))
    criterion = nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(BATCH), torch.zeros(BATCH)
    while True:
        for real in IMAGES.split(BATCH):
            D.zero_grad()
            criterion(D(real), ones).backward()
            fake = G(torch.randn(BATCH, 100, 1, 1))
            criterion(D(fake.detach()), zeros).backward()
            optimizer_d.step()
            G.zero_grad()
            fake = G(torch.randn(BATCH, 100, 1, 1))  # the one line that pytorch/examples does not have
            criterion(D(fake), ones).backward()
            optimizer_g.step()
            yield


class DCGAN(Objective):
    def __init__(self, optim: Callable[..., torch.optim.Optimizer]) -> None:
        super().__init__()
        nets = networks()
        self.G, self.D, self.optim = nets["G"], nets["D"], optim

    def phases(self):
        D, G = Player("D", [self.D], self.optim), Player("G", [self.G], self.optim)
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], ENDLESS)]

    def d_loss(self, batch):
        x = batch["x"]
        return nonsaturating.d(self.D(x), self.D(self.G(self.G.prior(len(x)))))

    def g_loss(self, batch):
        return {"adv": nonsaturating.g(self.D(self.G(self.G.prior(len(batch["x"])))), None)}


def feed(**_):
    while True:
        for x in IMAGES.split(BATCH):
            yield {"x": x}


class Contiguous(Alternating):
    """Ours without channels_last, for the ladder."""

    def setup(self, objective):
        objective.train().requires_grad_(False)

    def to_device(self, batch, on_host=()):
        return batch


PLAIN_ADAM = partial(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999))


def ours(trainer=Alternating, optim=adam(2e-4), precision=torch.float32):  # noqa: B008
    return trainer(batch_size=BATCH, precision=precision).run(DCGAN(optim), feed)


def by_hand(precision: torch.dtype) -> Iterator[None]:
    """Every choice of ours written out in one loop: what is beyond it is our trainer's overhead."""
    game = DCGAN(adam(2e-4)).train().requires_grad_(False)
    to_channels_last(game)
    movers = [
        (game.D, game.d_loss, adam(2e-4)(game.D.parameters())),
        (game.G, game.g_loss, adam(2e-4)(game.G.parameters())),
    ]
    while True:
        for x in IMAGES.split(BATCH):
            real = x.contiguous(memory_format=torch.channels_last)
            for net, loss, optimizer in movers:
                optimizer.zero_grad()
                net.requires_grad_(True)
                with torch.autocast("cpu", precision, enabled=precision != torch.float32):
                    terms = loss({"x": real})
                torch.stack([v.float() for v in terms.values() if v.requires_grad]).sum().backward()
                net.requires_grad_(False)
                optimizer.step()
            yield


def flags() -> set[str]:
    """What the processor says that it can do."""
    cpuinfo = Path("/proc/cpuinfo")
    return set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=4, help="per round and contestant")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--ladder", action="store_true", help="also what each of our choices brings")
    parser.add_argument("--bf16", action="store_true", help="in bfloat16 whatever the processor has")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    amx, avx = "amx_bf16" in flags(), "avx512_bf16" in flags()
    bf16 = torch.bfloat16 if args.bf16 or amx or avx else torch.float32
    print(f"torch {torch.__version__}, {platform.machine()}, {args.threads} threads, AMX-BF16 {amx}, AVX512-BF16 {avx}")
    print(f"DCGAN 64x64, 3 channels, width 64, batch {BATCH}; {args.rounds} rounds of {args.iterations} iterations")

    contestants = {"plain fp32": escape()}
    if args.ladder:
        contestants |= {
            "ours, frozen only": ours(Contiguous, PLAIN_ADAM),
            "  + fused Adam": ours(Contiguous),
            "  + channels_last (ours in fp32)": ours(),
        }
    contestants |= {"the same by hand": by_hand(bf16)}
    contestants |= {f"ours ({str(bf16).removeprefix('torch.')})": ours(precision=bf16)}
    speeds: dict[str, list[float]] = {name: [] for name in contestants}
    frugal: dict[str, list[float]] = {name: [] for name in contestants}
    for loop in contestants.values():
        next(loop)  # warm
    for _ in range(args.rounds):
        for name, loop in contestants.items():
            start, busy = time.perf_counter(), time.process_time()
            for _ in islice(loop, args.iterations):
                pass
            speeds[name].append(args.iterations * BATCH / (time.perf_counter() - start))
            frugal[name].append(args.iterations * BATCH / (time.process_time() - busy))
    wall, cpu = ({name: median(rounds) for name, rounds in table.items()} for table in (speeds, frugal))
    for name, rounds in speeds.items():
        print(
            f"{name:32} {wall[name]:7.1f} img/s x {wall[name] / wall['plain fp32']:.2f}"
            f"   {cpu[name]:7.1f} img/cpu-s x {cpu[name] / cpu['plain fp32']:.2f}"
            f"   rounds: {' '.join(f'{r:.1f}' for r in rounds)}"
        )


if __name__ == "__main__":
    main()

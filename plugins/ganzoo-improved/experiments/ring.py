"""Does minibatch discrimination keep a GAN from dropping modes? The ring of 8 Gaussians, with and without it.

    python plugins/ganzoo-improved/experiments/ring.py [--iterations 3000] [--seeds 5]

Two perceptrons in the first GAN's game, five seeds each; only D's last layer differs.
"""

from __future__ import annotations

import argparse
import statistics

import torch
from ganzoo_improved.parts import MinibatchDiscrimination
from ganzoo_metrics.modes import Modes, modes
from torch import Tensor, nn

import ganzoo_core as gz
from ganzoo_core.data import ring_modes
from ganzoo_core.nn import Discriminator, Generator, Latent, Points

BATCH = 64


class G(Generator):
    """z -> 128 -> 128 -> a point."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((16,))}, Points((2,))
        self.main = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))

    def forward(self, z: Tensor) -> Tensor:
        return self.main(z)


class D(Discriminator):
    """A point -> 128 -> 128, perhaps beside how close it is to the others -> a score."""

    def __init__(self, kernels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2))
        self.closeness = MinibatchDiscrimination(128, kernels, 5) if kernels else nn.Identity()
        self.head = nn.Linear(128 + kernels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.closeness(self.body(x))).flatten()


def play(kernels: int, seed: int, iterations: int) -> Modes:
    torch.manual_seed(seed)
    objective = gz.create("gan", networks={"G": G(), "D": D(kernels)}, rule="adam", lr=1e-3)
    gz.fit(objective, "ring", images=iterations * BATCH, batch_size=BATCH, seed=seed, ema_images=0, precision="fp32",
           device="cpu")  # fmt: skip
    return modes(objective.exported_networks()["G"].sample(2500, seed=seed), *ring_modes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--iterations", type=int, default=3000)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    print("| D | modes of 8, mean | each seed | good samples | KL |\n|---|---:|---|---:|---:|")
    for name, kernels in (("plain", 0), ("with minibatch discrimination", 32)):
        found = [play(kernels, seed, options.iterations) for seed in range(options.seeds)]
        each = " ".join(str(m.found) for m in found)
        good, kl = (statistics.mean(getattr(m, key) for m in found) for key in ("good", "kl"))
        print(f"| {name} | {statistics.mean(m.found for m in found):.1f} | {each} | {100 * good:.0f} % | {kl:.2f} |")


if __name__ == "__main__":
    main()

"""Signs that a run goes wrong although its losses are finite, with advice. Looked for rarely: under 1 % of the time."""

from __future__ import annotations

from collections import deque

import torch
from torch import Tensor

from ganzoo_core.errors import say
from ganzoo_core.observers import Run, Watcher, due, preview
from ganzoo_core.trainer import Report

LOOKS = 20  # in a run
MEMORY = 50  # iterations over which D's losses are looked at
WON = 0.01  # both halves of D's loss on average below this
POOR = 0.05  # samples differ from each other less than this, as a share of how real ones do
STILL = 1e-7  # the generator's relative change between two looks


class Health(Watcher):
    """Warns once of each: a discriminator that has won, samples that are all alike, a generator that stands still."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.warned: set[str] = set()
        self.recent: deque[dict[str, Tensor]] = deque(maxlen=MEMORY)
        self.weights: list[Tensor] = []
        self.alike = 0  # looks in a row

    def see(self, report: Report) -> None:
        self.recent.append(report.losses)
        if due(report, LOOKS) and len(self.recent) == MEMORY:
            self.look(report)

    def look(self, report: Report) -> None:
        self.alike = self.alike + 1 if self.poor() else 0
        if won(self.recent):
            self.warn(
                f"discriminator {won(self.recent)[0]} has won: it tells every sample from the data, and the generator "
                "learns nothing from it. Lower its learning rate, or use a gradient penalty."
            )
        if self.unmoved():
            self.warn("the generator no longer moves. Raise its learning rate, or look at its gradients.")
        if self.alike >= 2 and report.position.images > 0.25 * report.total:
            self.warn(
                "the samples are nearly all alike: the generator has collapsed. Lower the learning rates, or train "
                "anew from another seed."
            )

    def warn(self, text: str) -> None:
        if text not in self.warned:
            self.warned.add(text)
            say(f"warning: {text}")

    def unmoved(self) -> bool:
        """Whether what is published has stood still since the last look."""
        nets = [getattr(self.run.objective, name) for name in self.run.objective.published]
        now = [w.detach().clone() for net in nets for w in net.parameters()]
        before, self.weights = self.weights, now
        if not before or len(before) != len(now):
            return False
        moved = sum(float((a - b).square().sum()) for a, b in zip(now, before, strict=True))
        return moved <= STILL**2 * sum(float(a.square().sum()) for a in now)

    def poor(self) -> bool:
        """Whether the samples of any generator differ from each other far less than real examples do."""
        real = max((spread(x) for x in self.run.preview.values() if x.is_floating_point()), default=0.0)
        made = [spread(x) for x in preview(self.run).values()]
        return bool(made) and min(made) < POOR * real


def won(recent: deque[dict[str, Tensor]]) -> list[str]:
    """Players both halves of whose loss, "real" and "fake", are nearly zero on average."""
    players = {name.partition("/")[0] for name in recent[-1] if name.endswith("/real")}
    means = {
        player: [torch.stack([r[f"{player}/{half}"].float() for r in recent if f"{player}/{half}" in r]).mean()
                 for half in ("real", "fake")]
        for player in players
    }  # fmt: skip
    return [player for player, halves in means.items() if all(0 <= float(h) < WON for h in halves)]


def spread(x: Tensor) -> float:
    """Mean distance between two examples. [N, ...]"""
    return float(torch.pdist(x[:64].float().flatten(1)).mean()) if len(x) > 1 else 0.0

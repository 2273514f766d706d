"""Signs that a run goes wrong although its losses are finite, with advice. Looked for rarely: under 1 % of the time.

Every look is a line of health.jsonl, from which a resumed run remembers all the earlier ones.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import torch
from torch import Tensor

from ganzoo_core.errors import tell_user
from ganzoo_core.training.callbacks.base import Callback, Run, due, logged, preview
from ganzoo_core.training.trainer import Report

LOOKS = 20  # in a run
MEMORY = 25  # logged losses that a look takes together: a twentieth of a run, or 25 iterations of a short one
BEATEN = 0.05, 4.0  # both halves of D's loss on average below this, and -log D of what G makes above that
WON = 0.01  # both halves of D's loss on average below this
POOR = 0.05  # samples differ from each other less than this, as a share of how real ones do
YOUNG = 0.25  # of the run, in which all samples may be alike
LATE = 5_000  # iterations by which samples that were alike from the start should no longer be

Look = dict[str, Any]  # images, phase, variety, weights, warnings
HAS_WON = (
    "discriminator {} has won: it tells every sample from the data, and the generator learns nothing from it. "
    "Lower its learning rate, or use a gradient penalty."
)
IS_AHEAD = (
    "discriminator {} is far ahead: it is hardly ever wrong, and the generator is beaten. Should this go on, lower its "
    "learning rate, make it smaller, or augment what it sees: -c augment=diffaugment."
)
STILL = "the generator no longer moves. Raise its learning rate, or look at its gradients."
ALIKE = (
    "the samples are nearly all alike: the generator has collapsed. Lower the learning rates, or train anew from "
    "another seed."
)


class HealthCallback(Callback):
    """Warns once of each: a discriminator that has won, samples that are all alike, a generator that stands still."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.looks: list[Look] = []
        self.recent: deque[tuple[str, Mapping[str, Tensor | float]]] = deque(maxlen=MEMORY)  # phase, losses
        self.file: TextIO | None = None
        if run.folder is not None:
            self.looks = lines_of(run.folder / "health.jsonl")
            self.looks = [line for line in self.looks if {"variety", "weights", "warnings", "phase"} <= line.keys()]
            lines = lines_of(run.folder / "log.jsonl")
            self.recent.extend((line["phase"], line["losses"]) for line in lines if {"phase", "losses"} <= line.keys())
            self.file = open(run.folder / "health.jsonl", "a", encoding="utf-8")  # noqa: SIM115 (closed in close)

    def on_report(self, report: Report) -> None:
        if logged(report):
            self.recent.append((report.phase, report.losses))
        if due(report, LOOKS) and len(self.recent) == MEMORY:
            self.look(report)

    def look(self, report: Report) -> None:
        look: Look = {
            "images": report.position.images,
            "phase": report.phase,
            "variety": self.variety(),
            "weights": fingerprint(self.weights()),
        }
        self.looks.append(look)
        warned = {text for past in self.looks[:-1] for text in past["warnings"]}
        look["warnings"] = [text for text in self.signs(report) if text not in warned]
        for text in look["warnings"]:
            tell_user(f"warning: {text}")
        if self.file is not None:
            print(json.dumps(look), file=self.file, flush=True)

    def signs(self, report: Report) -> list[str]:
        """What this look and the ones before it say of the run."""
        losses = [losses for phase, losses in self.recent if phase == report.phase]
        signs = []
        if len(losses) == MEMORY:
            winners = won(losses)
            signs += [HAS_WON.format(player) for player in winners]
            signs += [IS_AHEAD.format(player) for player in ahead(losses) if player not in winners]
        moving = any(w.grad is not None for w in self.weights())  # or nobody plays it in this phase
        if moving and len({look["weights"] for look in self.looks[-3:]}) == 1 and len(self.looks) >= 3:
            signs.append(STILL)
        if self.poor(late=report.position.images >= LATE * report.drawn, young=YOUNG * report.total):
            signs.append(ALIKE)
        return signs

    def poor(self, *, late: bool, young: float) -> bool:
        """Whether the samples have lost their variety, or are late to find any, at this look and the one before."""
        known = [(look["images"], look["variety"]) for look in self.looks if look["variety"] is not None]
        if len(known) < 2 or known[-1][0] <= young or max(variety for _, variety in known[-2:]) >= POOR:
            return False
        return late or max(variety for _, variety in known) > 2 * POOR

    def weights(self) -> list[Tensor]:
        """Of all that is published, as it is trained: not the averages."""
        return [w for name in self.run.objective.exported for w in getattr(self.run.objective, name).parameters()]

    def variety(self) -> float | None:
        """How much the samples of the poorest generator differ from each other, as a share of how real ones do."""
        real = max((spread(x) for x in self.run.preview.values() if x.is_floating_point()), default=0.0)
        made = [spread(x) for x in preview(self.run).values()]
        return float(f"{min(made) / real:.3g}") if made and real > 0 else None

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


def lines_of(path: Path) -> list[dict[str, Any]]:
    """What an earlier part of this run has written: nothing where it begins."""
    lines = path.read_text("utf-8", errors="replace").splitlines() if path.exists() else []
    return [line for line in map(json.loads, lines) if isinstance(line, dict)]


def won(losses: Sequence[Mapping[str, Tensor | float]]) -> list[str]:
    """Players both halves of whose loss, "real" and "fake", are nearly zero on average."""
    players = sorted({name.removesuffix("/real") for name in itertools.chain(*losses) if name.endswith("/real")})
    return [p for p in players if all(0 <= mean(losses, f"{p}/{half}") < WON for half in ("real", "fake"))]


def ahead(losses: Sequence[Mapping[str, Tensor | float]]) -> list[str]:
    """Players who are nearly always right while what is made is far from being taken for real: -log D(G(z)) is high."""
    below, above = BEATEN
    players = sorted({name.removesuffix("/real") for name in itertools.chain(*losses) if name.endswith("/real")})
    makers = sorted({name for name in itertools.chain(*losses) if name.endswith("/adv")})
    beaten = any(mean(losses, name) > above for name in makers)
    return [p for p in players if beaten and all(0 <= mean(losses, f"{p}/{half}") < below for half in ("real", "fake"))]


def mean(losses: Sequence[Mapping[str, Tensor | float]], name: str) -> float:
    """As the log has it, to 6 digits. NaN where no such loss is known."""
    values = [float(f"{float(known[name]):.6g}") for known in losses if name in known]
    return sum(values) / len(values) if values else float("nan")


def fingerprint(weights: Sequence[Tensor]) -> str:
    """Equal for weights that are equal bit for bit."""
    digest = hashlib.blake2b(digest_size=8)
    for w in weights:
        digest.update(w.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def spread(x: Tensor) -> float:
    """Mean distance between two examples. [N, ...]"""
    return float(torch.pdist(x[:64].float().flatten(1)).mean()) if len(x) > 1 else 0.0

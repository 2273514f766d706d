"""--compile: losses through torch.compile, but for those that differentiate a gradient, which it cannot do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import torch

from ganzoo_core.errors import GanzooError, tell_user
from ganzoo_core.objectives.objective import Move, Phase, Step

BACKEND = "inductor"


def compile_steps(phases: Sequence[Phase], which: Collection[tuple[int, int]], backend: str = BACKEND) -> list[Phase]:
    """The phases, the losses of the steps `which` [(phase, step)] compiled when they are first needed."""

    def made(p: int, s: int, step: Step) -> Step:
        if (p, s) not in which or isinstance(step, Move):
            return step
        return replace(step, loss=torch.compile(step.loss, dynamic=False, backend=backend))

    return [
        replace(phase, steps=[made(p, s, step) for s, step in enumerate(phase.steps)]) for p, phase in enumerate(phases)
    ]


def tell_of_compiling(phases: Sequence[Phase], which: Collection[tuple[int, int]]) -> None:
    """Who is left as it is, and why."""
    every = [
        (phase.name, step.player.name, (p, s)) for p, phase in enumerate(phases) for s, step in enumerate(phase.steps)
    ]
    left = sorted({f"{phase}/{player}" for phase, player, at in every if at not in which})
    if left:
        tell_user(
            f"--compile: {', '.join(left)} differentiates a gradient, which torch.compile cannot: it runs as it is"
        )


def require_compiler(device: torch.device) -> None:
    """Errors: GanzooError where there is nothing to compile with."""
    if device.type != "cpu":
        return
    builder: Any = import_module("torch._inductor.cpp_builder")
    try:
        builder.get_cpp_compiler()
    except Exception:
        raise GanzooError(
            "--compile: this machine has no C++ compiler", "Install g++, or leave --compile out."
        ) from None

"""Does a program make what the model makes? Its samples beside ours, of the same latents, conditions and noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_core.models.programs.program import Program, Values, first

MOST = 1e-3  # a quarter of half a level of gray, for each unit of the largest number in a sample


@torch.no_grad()
def largest_difference(program: Program, run: Callable[[Mapping[str, Tensor]], Tensor]) -> float:
    """Over the samples of two seeds: many at once, and one alone in another size where sizes are free.

    Errors: GanzooError for a program that makes something else.
    """
    worst = 0.0
    for values, samples in cases(program):
        made = run(values)
        if made.shape != samples.shape or not torch.equal(made.isfinite(), samples.isfinite()):
            raise GanzooError(
                f"the program makes {list(made.shape)}, the model {list(samples.shape)}", "Nothing is kept."
            )
        made, samples = made.nan_to_num(), samples.nan_to_num()  # what a table leaves out is NaN in both
        found = float((made - samples).abs().max())
        if found > MOST * max(1.0, float(samples.abs().max())):
            raise GanzooError(f"the program differs from the model by {found:.3g}", "Nothing is kept.")
        worst = max(worst, found)
    return worst


def cases(program: Program) -> Iterator[tuple[Values, Tensor]]:
    """What a program is given, and the model's own samples of it."""
    many, alone = program.trials
    for trial, free in ((many, len(many.samples)), (alone, 1)):
        rows = program.rows or free
        yield first(program.wrapped.values(trial), rows), trial.samples[:rows]


def count(program: Program) -> int:
    """How many samples are compared."""
    return sum(len(samples) for _, samples in cases(program))

"""Pictures of a walk as a file: sheets, what was beside what was made, ways through a space as strips or clips."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ganzoo_core.errors import GanzooError, escape

if TYPE_CHECKING:
    from torch import Tensor

    from ganzoo_core.nn import Output

CLIPS = (".gif", ".mp4")


def is_clip(target: Path) -> bool:
    """Whether a file is to be a clip (.gif, .mp4) and not a picture, by its suffix. Errors: GanzooError for neither."""
    from ganzoo_core import imaging

    suffix = target.suffix.lower()
    if suffix not in (*CLIPS, *imaging.FORMATS):
        hint = f"Give {', '.join(imaging.FORMATS)}, or {' or '.join(CLIPS)} for a clip."
        raise GanzooError(f"{escape(target)}: is no picture and no clip", hint)
    return suffix in CLIPS


def save_way(output: Output, legs: Sequence[Tensor], target: Path) -> None:
    """Legs [steps + 1, *shape] of a walk, each of which begins where the one before ends, as a file: a sheet with a row
    for each leg, or a .gif or .mp4 of all frames, in which only the last is left out: it goes round.

    Errors: GanzooError for another suffix, and for a film where PyAV is not installed; ExternalError for a disk that
    refuses.
    """
    import torch

    from ganzoo_core import imaging
    from ganzoo_core.data.films import save_film

    if not is_clip(target):
        return imaging.save(output.picture(torch.cat(list(legs)), len(legs[0])), target)
    frames = [output.frame(x) for leg in legs for x in leg[:-1]]
    return (imaging.save_frames if target.suffix.lower() == ".gif" else save_film)(frames, target)


def save_sheet(images: Tensor, columns: int, target: Path) -> None:
    """Images [N, C, H, W] in [-1, 1] as one picture, row by row, `columns` in a row; whole or not at all.

    Errors: ExternalError for a disk that refuses.
    """
    from ganzoo_core import imaging

    imaging.save(imaging.grid(images, columns), target)


def save_beside(stacks: Sequence[Tensor], target: Path) -> None:
    """Stacks [N, C, H, W] in [-1, 1] as one picture, N rows of one of each: before, and after. Whole or not at all.

    Errors: ExternalError for a disk that refuses.
    """
    from ganzoo_core import imaging

    imaging.save(imaging.beside(stacks), target)

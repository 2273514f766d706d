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
    """Whether it is one, by its suffix. Errors: GanzooError for what is no picture either."""
    from ganzoo_core import imaging

    suffix = target.suffix.lower()
    if suffix not in (*CLIPS, *imaging.FORMATS):
        hint = f"Give {', '.join(imaging.FORMATS)}, or {' or '.join(CLIPS)} for a clip."
        raise GanzooError(f"{escape(target)}: is no picture and no clip", hint)
    return suffix in CLIPS


def save_way(output: Output, legs: Sequence[Tensor], target: Path) -> None:
    """Legs [steps + 1, *shape], of which each begins where the one before ends.

    Errors: GanzooError for a film where PyAV is not installed.
    """
    import torch

    from ganzoo_core import imaging
    from ganzoo_core.data.films import save_film

    if not is_clip(target):
        return imaging.save(output.picture(torch.cat(list(legs)), len(legs[0])), target)
    frames = [output.frame(x) for leg in legs for x in leg[:-1]]
    return (imaging.save_frames if target.suffix.lower() == ".gif" else save_film)(frames, target)


def save_sheet(images: Tensor, columns: int, target: Path) -> None:
    """Images [N, C, H, W] in [-1, 1] row by row, whole or not at all. Errors: ExternalError for a disk that refuses."""
    from ganzoo_core import imaging

    imaging.save(imaging.grid(images, columns), target)


def save_beside(stacks: Sequence[Tensor], target: Path) -> None:
    """Stacks [N, C, H, W] in [-1, 1] side by side: before, and after. Errors: ExternalError for a disk that refuses."""
    from ganzoo_core import imaging

    imaging.save(imaging.beside(stacks), target)

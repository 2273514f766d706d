"""Points on disk: a safetensors file that says in which space it lies and whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ganzoo_core.cli import write_aside
from ganzoo_core.errors import ExternalError, GanzooError, escape
from ganzoo_latent.painter import Painter


@dataclass(frozen=True)
class Point:
    """Where something lies: points [n, *shape] of a space of a model, and noise maps that were fitted to it."""

    points: Tensor
    space: str
    source: str
    noise: tuple[Tensor, ...] = ()


def write(point: Point, path: Path) -> None:
    """Whole or not at all. Errors: ExternalError for a disk that refuses."""
    tensors = {"points": point.points} | {f"noise.{i}": map for i, map in enumerate(point.noise)}
    metadata = {"space": point.space, "source": point.source}
    write_aside(path, save({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, metadata))


def read(path: Path) -> Point:
    """Errors: GanzooError for what is no such file, ExternalError where it cannot be read."""
    try:
        with safe_open(path, "pt") as file:
            names, metadata = sorted(file.keys()), file.metadata() or {}
            points = file.get_tensor("points").float()
            noise = tuple(file.get_tensor(f"noise.{i}").float() for i in range(len(names) - 1))
            return Point(points, metadata["space"], metadata["source"], noise)
    except (SafetensorError, KeyError) as fault:
        what = f"{escape(path)}: holds no point ({escape(fault, 80)})"
        raise GanzooError(what, "Give what `ganzoo latent project` has written.") from None
    except FileNotFoundError:
        raise GanzooError(f"{escape(path)}: no such file", "`ganzoo latent project` writes one.") from None
    except OSError as fault:
        raise ExternalError(f"{escape(path)}: {fault.strerror}") from None


def placed(point: Point, painter: Painter, path: Path) -> Tensor:
    """Its points for a painter, whose noise becomes that of the file.  [n, *shape]

    Errors: GanzooError for those of another space or another model.
    """
    shape, details = painter.space.shape, painter.space.details
    fits = [map.shape for map in point.noise] in ([], [map.shape for map in details])
    if point.space != painter.name or point.points.shape[1:] != shape or not fits:
        where = f"{escape(point.space, 20)} of {escape(point.source, 60)}"
        what = f"{escape(path)}: lies in {where}, not in {painter.name} {list(shape)}"
        raise GanzooError(what, "Give the model that it was found with, and its --space.")
    for own, fitted in zip(details, point.noise, strict=False):
        own.copy_(fitted)
    return point.points.to(painter.device)

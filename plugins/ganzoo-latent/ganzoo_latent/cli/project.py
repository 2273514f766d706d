"""ganzoo latent project: the point that paints a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganzoo_core.errors import GanzooError, tell_user
from ganzoo_latent.cli.shared import Asked, extractor_of, fitting, of_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch.nn import Module

    from ganzoo_latent.encoder import Towards
    from ganzoo_latent.painter import Painter, Report


@click.command("project")
@of_model
@click.argument("picture", type=click.Path(path_type=Path))
@click.option("--how", type=click.Choice(["search", "encoder", "hybrid"]), default="search", show_default=True)
@click.option(
    "--encoder", type=click.Path(path_type=Path), help="File of one, taught where it is missing; default: the model's."
)
@click.option("--extractor", default="auto", show_default=True, help="Whose features are compared; or none.")
@click.option("--mask", type=click.Path(path_type=Path), help="White: what need not be alike.")
@click.option("--steps", type=click.IntRange(1, 10_000), default=200, show_default=True)
@click.option("--noise", is_flag=True, help="Fit the model's noise maps, too.")
@click.option("--tune", is_flag=True, help="Then bend the generator until the point paints the picture.")
def command(
    asked: Asked, picture: Path, how: str, encoder: Path | None, extractor: str, mask: Path | None, steps: int,
    noise: bool, tune: bool,
) -> None:  # fmt: skip
    """Find PICTURE in SOURCE: OUT has it beside what was found, and OUT.safetensors the point."""
    target = asked.writable()
    beside = asked.writable(".safetensors")
    from ganzoo_core.cli import Meter, save_beside
    from ganzoo_latent import files, tuning
    from ganzoo_latent.likeness import Likeness
    from ganzoo_latent.project import project

    networks, painter = asked.loaded()
    wanted = fitting(painter, picture)
    hole = None if mask is None else 1 - (fitting(painter, mask)[:, :1] > 0).float()
    likeness = Likeness(wanted, extractor_of(painter, extractor), mask=hole)
    with Meter() as meter:
        taught = None if how == "search" else encoder_of(networks, painter, encoder, meter)
        found = project(
            painter, likeness, encoder=taught, search=how != "encoder", steps=steps, noise=noise, report=meter
        )
        shown = [wanted, found.picture]
        if tune:
            tuning.tune(painter, found.point, likeness, report=meter)
            shown.append(painter.pictures(found.point))
    save_beside(shown, target)
    files.write(files.Point(found.point, painter.name, asked.source, painter.space.details if noise else ()), beside)
    tell_user(f"mean squared error {found.pixels:.4f} in {painter.name}; {beside} has the point")
    print(target)


def encoder_of(networks: Mapping[str, Module], painter: Painter, path: Path | None, report: Report) -> Towards:
    """The encoder that is kept there, or one that is taught now, and kept; without a file the model's own, where it
    publishes one. Errors: GanzooError for another's.
    """
    from safetensors.torch import load_file, save

    from ganzoo_core.cli import write_aside
    from ganzoo_core.errors import escape
    from ganzoo_latent.encoder import empty, published, teach

    own = published(networks, painter) if path is None else None
    if own is not None:
        return own
    if path is None or not path.exists():
        taught = teach(painter, seed=painter.seed, report=report)
        if path is not None:
            write_aside(path, save({name: t.contiguous() for name, t in taught.state_dict().items()}))
        return taught
    known = empty(painter)
    try:
        known.load_state_dict(load_file(path))
    except Exception as fault:
        first = escape(str(fault).splitlines()[0], 80)
        raise GanzooError(f"{escape(path)}: no encoder of this model ({first})", "Give another --encoder.") from None
    return known.eval().requires_grad_(False)

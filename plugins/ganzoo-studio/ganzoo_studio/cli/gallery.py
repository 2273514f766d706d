"""ganzoo gallery: everything that is installed, on one page."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo_core.cli import writable, write_aside
from ganzoo_core.errors import tell_user


@click.command("gallery")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, metavar="DIR")
@click.option("--force", is_flag=True, help="Overwrite what is in DIR.")
def gallery(out: Path, force: bool) -> None:
    """Write DIR/index.html: a card with samples for every installed model, and one for every other family.

    The page needs nothing but itself, and can be put anywhere.
    """
    from ganzoo_studio.gallery.collect import cards
    from ganzoo_studio.gallery.page import page

    writable(out, force).mkdir(parents=True, exist_ok=True)
    found = cards()
    write_aside(out / "index.html", page(found).encode())
    tell_user(f"{sum(bool(card.id) for card in found)} models, {sum(not card.id for card in found)} more families")
    print(out / "index.html")

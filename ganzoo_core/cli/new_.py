"""ganzoo new: a plugin to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo_core.errors import tell_user


@click.command("new")
@click.argument("name")
@click.option("--in", "parent", type=click.Path(path_type=Path), default=Path(), help="Default: here.")
def new_(name: str, parent: Path) -> None:
    """Write ./ganzoo-NAME, a complete plugin: networks, objective, presets, tests, README. Its tests pass at once."""
    from ganzoo_core.plugin.scaffold import scaffold

    folder = scaffold(name, parent)
    family = folder.name.removeprefix("ganzoo-").replace("-", "_")
    tell_user(f"next: ganzoo install --editable --yes {folder} && pytest {folder} && ganzoo train {family}")
    print(folder)

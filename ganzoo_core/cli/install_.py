"""ganzoo install: plugins by name."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo_core.errors import GanzooError, tell_user


@click.command("install")
@click.argument("names", nargs=-1)
@click.option("-r", "file", type=click.Path(path_type=Path), help="A file that `ganzoo plugins --freeze` wrote.")
@click.option("-e", "--editable", is_flag=True, help="Folders are linked, not copied.")
@click.option("--no-build-isolation", is_flag=True, help="Build with what is installed: works without a network.")
@click.option("--yes", is_flag=True, help="Also what the register does not know: a requirement or a folder.")
def install_(names: tuple[str, ...], file: Path | None, editable: bool, no_build_isolation: bool, yes: bool) -> None:
    """Install plugins by NAME: a plugin's or a family's of the zoo (`ganzoo plugins`, `ganzoo search`)."""
    from ganzoo_core.registry import pip

    if not names and file is None:
        raise GanzooError("nothing to install", "Name a plugin, or a file with -r.")
    wanted = [pip.requirement(name, yes) for name in names]
    arguments = ["--no-build-isolation"] if no_build_isolation else []
    for item in wanted:
        arguments += ["-e", item] if editable and Path(item).is_dir() else [item]
    for item in pip.from_file(file) if file is not None else ():
        arguments.append(pip.pinned(item, yes))
    pip.run("install", arguments)
    tell_user("installed; `ganzoo plugins` shows what is there")

"""python -m zoo start | work | status | adopt ID: what the Makefile calls."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ganzoo_core.errors import GanzooError, tell_user
from zoo import manifest
from zoo.places import Places, home


@click.group()
@click.option("--manifest", "path", type=click.Path(path_type=Path), default=manifest.MANIFEST, help="zoo.toml")
@click.pass_context
def main(context: click.Context, path: Path) -> None:
    """Train what should ship, as zoo.toml says it."""
    context.obj = path


@main.command()
@click.option("--commit", default="HEAD", show_default=True, help="What is cloned and trained with.")
def start(commit: str) -> None:
    """Start the worker in the background, in a clone and an environment of its own."""
    from zoo.start import start as begin

    begin(Places(home()), commit)


@main.command()
@click.option("--device", "devices", multiple=True, default=("cpu",), help="Which entries: cpu, cuda. Repeatable.")
@click.pass_obj
def work(path: Path, devices: tuple[str, ...]) -> None:
    """Train what is missing, here and now."""
    from zoo.worker import work as go

    go(manifest.read(path), Places(home()), frozenset(devices))


@main.command()
@click.pass_obj
def status(path: Path) -> None:
    """Queue, times and scores."""
    from zoo.status import show

    show(manifest.read(path), Places(home()))


@main.command()
@click.argument("id")
@click.pass_obj
def adopt(path: Path, id: str) -> None:
    """Copy a finished model into its package. Look at its sheet first."""
    from zoo.adopt import adopt as take

    take(manifest.find(id, path), Places(home()), manifest.ROOT)


@main.command()
@click.option("--minutes", type=float, default=9.0, show_default=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where results go.")
@click.option("--device", default="cuda", show_default=True)
@click.option("--dry", is_flag=True, help="A rehearsal of a minute, on the CPU.")
@click.pass_obj
def gpu(path: Path, minutes: float, out: Path, device: str, dry: bool) -> None:
    """Visit a card: measure, test, train; all within the minutes."""
    from zoo.visit import visit

    visit(manifest.read(path), out.resolve(), min(minutes, 3.0) if dry else minutes, "cpu" if dry else device, dry)


if __name__ == "__main__":
    try:
        main(prog_name="python -m zoo")
    except GanzooError as fault:
        tell_user(f"error: {fault}")
        sys.exit(fault.exit_code)

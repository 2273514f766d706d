"""ganzoo export: a model directory elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo_core.cli._shared import writable
from ganzoo_core.cli.completion import sources


@click.command("export")
@click.argument("source", shell_complete=sources)
@click.argument("folder", metavar="DIR")
@click.option("--force", is_flag=True, help="Overwrite the model in DIR.")
def export_(source: str, folder: str, force: bool) -> None:
    """Write the model directory of SOURCE to DIR: config, weights, samples, metrics and model card.

    What push publishes, and what every command takes as a SOURCE.
    """
    target = writable(Path(folder), force)
    from ganzoo_core.models.export import export

    export(source, target)
    print(target)

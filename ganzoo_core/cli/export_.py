"""ganzoo export: a model directory elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo_core.cli._shared import writable
from ganzoo_core.cli.completion import sources
from ganzoo_core.errors import GanzooError, escape

OF_FILES = (".bin", ".ckpt", ".gz", ".h5", ".pkl", ".pt", ".pth", ".safetensors", ".tar", ".tgz", ".zip")


@click.command("export")
@click.argument("source", shell_complete=sources)
@click.argument("folder", metavar="DIR")
@click.option("--force", is_flag=True, help="Overwrite the model in DIR.")
def export_(source: str, folder: str, force: bool) -> None:
    """Write the model directory of SOURCE to DIR: config, weights, samples, metrics and model card.

    What push publishes, and what every command takes as a SOURCE.
    """
    refuse_file(Path(folder))
    target = writable(Path(folder), force)
    from ganzoo_core.models.export import export

    export(source, target)
    print(target)


def refuse_file(target: Path) -> None:
    """A directory is written. Errors: GanzooError for a name that only a file has, in a format of others."""
    suffix = target.suffix.lower()
    if suffix == ".onnx":
        hint = f"ONNX is to come; from Python: torch.onnx.export(gz.load(SOURCE).generator, z, {target.name!r})."
        raise GanzooError(f"{escape(target)}: a model directory is written, not ONNX", hint)
    if suffix in OF_FILES:
        raise GanzooError(f"{escape(target)}: a model directory is written, not a {suffix} file", "Name a directory.")

"""ganzoo verify: is a model what it should be?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ganzoo_core.cli.completion import sources
from ganzoo_core.cli.output import document, table


@click.command("verify")
@click.argument("names", nargs=-1, required=True, metavar="SOURCE...", shell_complete=sources)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def verify_(names: tuple[str, ...], as_json: bool) -> None:
    """Check models: every file's hash, and that the weights fit the networks they are for.

    SOURCE is an id, hf:owner/repo, or a model or run directory; of a run, its checkpoints too.
    """
    found = [verified(name) for name in names]
    if as_json:
        document({"models": found})
        return
    for model in found:
        rows = [[f["name"], f["bytes"], f["sha256"], f["pinned"]] for f in model["files"]]
        table(f"{model['source']}: as it should be", ["file", "bytes", "sha256", "pinned by"], rows)


def verified(name: str) -> dict[str, Any]:
    """One SOURCE, looked at whole."""
    from ganzoo_core.integrity import examine
    from ganzoo_core.sources import locate, pinned
    from ganzoo_core.weights import read_model

    located = locate(name)
    files = [file._asdict() for file in examine(located)]
    read_model(*located)
    return {"source": pinned(name, located.folder), "files": files + checkpoints(Path(name))}


def checkpoints(run: Path) -> list[dict[str, Any]]:
    """Those of a run directory. Errors: IntegrityError for one that is damaged."""
    from ganzoo_core import checkpoint

    rows = []
    for folder in sorted((run / "checkpoints").glob("[0-9]*")):
        checkpoint.read(folder)
        size = sum(file.stat().st_size for file in folder.iterdir())
        rows.append({"name": f"checkpoints/{folder.name}", "bytes": size, "sha256": "", "pinned": "its manifest"})
    return rows

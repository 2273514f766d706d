"""ganzoo verify: is a model what it should be?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ganzoo_core.cli.completion import sources
from ganzoo_core.cli.meter import Meter
from ganzoo_core.cli.output import document, table
from ganzoo_core.errors import IntegrityError

RESUMES = "Remove it: --resume goes on from the one before."


@click.command("verify")
@click.argument("names", nargs=-1, required=True, metavar="SOURCE...", shell_complete=sources)
@click.option("--metrics", is_flag=True, help="Also measure every published score again, by its own protocol.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where data sets lie; default: $GANZOO_DATA.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def verify_(names: tuple[str, ...], metrics: bool, data_root: Path | None, as_json: bool) -> None:
    """Check models: every file's hash, and that the weights fit the networks they are for.

    SOURCE is an id, hf:owner/repo, or a model or run directory; of a run, its checkpoints too.
    """
    found = [verified(name) for name in names]
    for model, name in zip(found, names, strict=True):
        model["metrics"] = remeasured(name, data_root) if metrics else []
    if as_json:
        document({"models": found})
    else:
        for model in found:
            show(model)
    refuse_unequal(found)


def show(model: dict[str, Any]) -> None:
    rows = [[f["name"], f["bytes"], f["sha256"], f["pinned"]] for f in model["files"]]
    table(f"{model['source']}: as it should be", ["file", "bytes", "sha256", "pinned by"], rows)
    if model["metrics"]:
        scores = [[m["name"], f"{m['published']:.6g}", f"{m['found']:.6g}", m["verdict"]] for m in model["metrics"]]
        table(f"{model['source']}: published scores", ["metric", "published", "found", ""], scores)


def remeasured(name: str, root: Path | None) -> list[dict[str, Any]]:
    """Every published score of a SOURCE, measured again."""
    from ganzoo_core.metrics import remeasure
    from ganzoo_core.models import model

    with Meter() as meter:
        results = remeasure(model.load(name), root, meter)
    return [
        {"name": r.name, "published": r.published, "found": r.found, "equal": r.equal, "verdict": r.verdict}
        for r in results
    ]


def refuse_unequal(found: list[dict[str, Any]]) -> None:
    """Exit 5 where a published score is not what is measured."""
    wrong = [f"{m['name']} of {model['source']}" for model in found for m in model["metrics"] if not m["equal"]]
    if wrong:
        raise IntegrityError(f"published, and not what is measured: {', '.join(wrong)}", "Measure and publish anew.")


def verified(name: str) -> dict[str, Any]:
    """One SOURCE, looked at whole."""
    from ganzoo_core.models.resolve import locate, pinned
    from ganzoo_core.models.store import read_model
    from ganzoo_core.models.verify import examine

    located = locate(name)
    files = [file._asdict() for file in examine(located)]
    read_model(*located)
    return {"source": pinned(name, located.folder), "files": files + checkpoints(Path(name))}


def checkpoints(run: Path) -> list[dict[str, Any]]:
    """Those of a run directory. Errors: IntegrityError for one that is damaged."""
    from ganzoo_core.training import checkpoint

    rows = []
    for folder in sorted((run / "checkpoints").glob("[0-9]*")):
        try:
            checkpoint.read(folder)
        except OSError as fault:
            missing = Path(str(fault.filename)).name
            raise IntegrityError(f"{folder}: {missing}: {fault.strerror}", RESUMES) from None
        except IntegrityError as fault:
            raise IntegrityError(f"{folder}: {fault.what}", RESUMES) from None
        size = sum(file.stat().st_size for file in folder.iterdir())
        rows.append({"name": f"checkpoints/{folder.name}", "bytes": size, "sha256": "", "pinned": "its manifest"})
    return rows

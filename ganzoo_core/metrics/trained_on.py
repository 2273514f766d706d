"""What a model was trained on, as `--data` takes it: the data of its scores unless others are named."""

from __future__ import annotations

from ganzoo_core.models.model import Model
from ganzoo_core.training import run_dir


def trained_on(model: Model) -> str:
    """A data set's name[:variant]; of a run, what its run.json names, which may be a folder."""
    run = model.folder.parent
    source = run_dir.read(run)["source"] if (run / "run.json").exists() else None
    return str(source or model.config["dataset"]["name"])

"""ganzoo train: a family on your data."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import click

from ganzoo_core.cli._shared import pair
from ganzoo_core.cli.completion import families
from ganzoo_core.errors import GanzooError, escape, tell_user

RECIPE = {"preset", "networks", "args"}  # options that say what to build
SETTINGS = {
    "images", "batch_size", "micro_batch", "ema_images", "seed", "device", "precision", "workers", "data_root", "init",
    "checkpoint_every", "ema_rampup", "standing_batches",
}  # fmt: skip
KEPT = (  # that a resumed run takes from its run.json
    "images", "seed", "batch_size", "ema_images", "ema_rampup", "standing_batches", "micro_batch",
)  # fmt: skip


@click.command("train")
@click.argument("family", shell_complete=families)
@click.option("--data", default="digits", show_default=True, help="A data set's name[:variant], a folder or an image.")
@click.option("--preset", default="", help="A configuration of the family; default: the data set's, else its first.")
@click.option("--networks", default="", metavar="FAMILY[:PRESET]", help="Another family's networks.")
@click.option("-c", "args", multiple=True, metavar="KEY=VALUE", help="An argument of the recipe; `ganzoo info FAMILY`.")
@click.option("--images", type=click.IntRange(1, 10**12), help="Length, in real images.")
@click.option("--batch-size", type=click.IntRange(1, 10**6), help="Over all processes.")
@click.option("--micro-batch", type=click.IntRange(1, 10**6), help="Held in memory at once.")
@click.option("--ema-rampup", type=click.FloatRange(0, 10), help="Half-life at most this share of the images so far.")
@click.option("--standing-batches", type=click.IntRange(0, 10**6), help="For the batch-norm statistics of the model.")
@click.option("--ema-images", type=click.FloatRange(0, 1e12), help="Half-life of the moving average; 0: none.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Default: 0.")
@click.option("--device", help="Default: auto, which is CUDA where there is one.")
@click.option("--precision", type=click.Choice(["auto", "fp32", "bf16"]), help="Default: auto.")
@click.option("--workers", type=click.IntRange(0, 256), help="Processes that load data. Default: 0.")
@click.option("--data-root", type=click.Path(), help="Where data sets lie; default: $GANZOO_DATA.")
@click.option("--init", metavar="SOURCE", help="Start from trained weights.")
@click.option("--out", type=click.Path(path_type=Path), help="The run directory; default: runs/FAMILY-DATA.")
@click.option("--resume", is_flag=True, help="Go on with the run in --out, as it was begun; --images extends it.")
@click.option("--checkpoint-every", type=click.IntRange(1, 10**12), metavar="IMAGES", help="Default: 20 in a run.")
@click.option("--on-bad-image", type=click.Choice(["refuse", "skip"]), help="Default: refuse.")
@click.option("--follow-links", is_flag=True, default=None, help="Read images that links out of the folder lead to.")
@click.option("--tensorboard", is_flag=True, help="Write losses and pictures for TensorBoard, too.")
@click.option("--force", is_flag=True, help="Replace the run in --out.")
@click.pass_context
def train_(
    ctx: click.Context, /, family: str, out: Path | None, resume: bool, tensorboard: bool, force: bool, **options: Any
) -> None:
    """Train FAMILY on your data. Writes a run directory with its log, pictures over time, checkpoints and the model.

    SIGTERM and Ctrl-C finish the step, save and end; SIGUSR1 saves and goes on.
    """
    from ganzoo_core.cli.announce import advice
    from ganzoo_core.data.dataset import WARNING
    from ganzoo_core.training import run
    from ganzoo_core.training.callbacks.base import Callback, Run
    from ganzoo_core.training.callbacks.console import progress
    from ganzoo_core.training.callbacks.tensorboard import TensorBoardCallback, require

    if tensorboard:
        require()
    if resume and out is None:
        raise GanzooError("--resume: of which run?", "Name its directory with --out.")
    explicit = {k for k in options if ctx.get_parameter_source(k) == click.core.ParameterSource.COMMANDLINE}
    folder = out if out is not None else fresh(Path("runs"), f"{family}-{name_of(options['data'])}")
    begun = started(folder, family) if resume else {}
    data = options["data"] if "data" in explicit or not begun else begun["source"]
    data_options = {k: options[k] for k in ("on_bad_image", "follow_links") if options[k] is not None}
    data_options = {**begun.get("data_options", {}), **data_options}
    objective = made_of(family, data, options, data_options, begun if not explicit & RECIPE else {})
    chosen = {k: v for k, v in options.items() if k in SETTINGS and v is not None}
    kept = {k: begun[k] for k in KEPT if begun.get(k) is not None}

    def announced(view: Run) -> Callback:
        """Progress, once nothing stands in the way any more."""
        tell_user(f"{family}, preset {objective.recipe.preset}, on {data}: {count(objective)} weights, in {folder}")
        hints = [] if resume else advice(objective.recipe.args, facts_of(data, options["data_root"], data_options))
        for line in (*view.about_data, *hints):
            if not line.startswith(WARNING):  # those are told by the run
                tell_user(f"data: {line}")
        return progress(view)

    settings = run.Settings(
        **{**kept, **chosen}, out=folder, resume=resume, force=force, signals=True,
        callbacks=(announced, TensorBoardCallback) if tensorboard else (announced,), data_options=data_options,
    )  # fmt: skip
    if run.fit(objective, data, settings) is None:
        return  # it was finished before
    tell_user(f"done: pictures over time in {folder / 'samples'}, the model in {folder / 'model'}")
    tell_user(f"next: ganzoo sample {folder} -n 64 -o grid.png")
    print(folder)


def started(folder: Path, family: str) -> dict[str, Any]:
    """run.json of the run that is to go on."""
    from ganzoo_core.training import run_dir

    begun = run_dir.read(folder)
    if begun["recipe"] is None or begun["recipe"]["family"] != family or begun["source"] is None:
        raise GanzooError(f"--resume {folder}: is no run of {escape(family)} on named data", "See its run.json.")
    return begun


def made_of(
    family: str, data: str, options: dict[str, Any], data_options: dict[str, Any], begun: dict[str, Any]
) -> Any:
    """The objective: as the options say, or as the run that goes on was begun."""
    from ganzoo_core.registry.plugins import registry
    from ganzoo_core.registry.recipes import Recipe, build, recipe

    if begun:
        stored = {k: tuple(v) if isinstance(v, list) else v for k, v in begun["recipe"]["args"].items()}
        return build(Recipe(**{**begun["recipe"], "args": stored}), seed=begun["seed"])
    spec = registry().families[family]
    preset = options["preset"] or (name if (name := data.partition(":")[0]) in spec.presets else "")
    given = dict(pair(text) for text in options["args"])
    info = facts_of(data, options["data_root"], data_options)
    made = recipe(family, preset=preset, networks=options["networks"], given=given, facts=info)
    return build(made, seed=options["seed"] or 0)


@cache
def _facts(data: str, root: str | None, options: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    from ganzoo_core.training.loaders import DatasetLoader

    info = DatasetLoader(data, root=root, **dict(options)).info
    own = not info.licence  # a user's files
    return {"image_size": info.image_size, "channels": info.channels, "classes": info.classes, "own": own}


def facts_of(data: str, root: str | None, options: dict[str, Any]) -> dict[str, Any]:
    """What the data set says of its size, where it says anything."""
    return _facts(data, root, tuple(sorted(options.items())))


def name_of(data: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in Path(data).name)[:40] or "data"


def fresh(parent: Path, name: str) -> Path:
    """A directory that is not there yet: name, name-2, name-3 ..."""
    path, number = parent / name, 2
    while path.exists():
        path, number = parent / f"{name}-{number}", number + 1
    return path


def count(objective: Any) -> str:
    return f"{sum(w.numel() for w in objective.parameters()):,}"

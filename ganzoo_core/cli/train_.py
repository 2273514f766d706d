"""ganzoo train: a family on your data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganzoo_core.cli._shared import pair
from ganzoo_core.cli.completion import families
from ganzoo_core.errors import GanzooError, UnknownNameError, escape, tell_user

if TYPE_CHECKING:
    from ganzoo_core.plugin.records import Preset

RECIPE = {"preset", "networks", "args"}  # options that say what to build
SETTINGS = {
    "images", "batch_size", "micro_batch", "ema_images", "seed", "device", "precision", "workers", "data_root", "init",
    "checkpoint_every", "ema_rampup", "standing_batches", "minutes", "publish_at", "eval_every", "fast",
    "compile",
}  # fmt: skip
KEPT = (  # that a resumed run takes from its run.json
    "images", "seed", "batch_size", "ema_images", "ema_rampup", "standing_batches", "micro_batch", "compile",
)  # fmt: skip


IMAGES = click.IntRange(1, 10**12)


@click.command("train")
@click.argument("family", shell_complete=families)
@click.option(
    "--data", default="digits", show_default=True, help="A data set's name[:variant], a folder, an archive or an image."
)
@click.option("--preset", default="", help="A configuration of the family; default: the data set's, else its first.")
@click.option("--networks", default="", metavar="FAMILY[:PRESET]", help="Another family's networks.")
@click.option("-c", "args", multiple=True, metavar="KEY=VALUE", help="An argument of the recipe; `ganzoo info FAMILY`.")
@click.option("--images", type=IMAGES, help="Length, in real images.")
@click.option("--minutes", type=click.FloatRange(0.01, 10**6), help="Length, in time: about as many images as fit.")
@click.option("--batch-size", type=click.IntRange(1, 10**6), help="Over all processes.")
@click.option("--micro-batch", type=click.IntRange(1, 10**6), help="Held in memory at once.")
@click.option(
    "--ema-rampup", type=click.FloatRange(0, 10), help="Half-life at most this share of the run so far; 0.05."
)
@click.option("--standing-batches", type=click.IntRange(0, 10**6), help="For the batch-norm statistics of the model.")
@click.option("--ema-images", type=click.FloatRange(0, 1e12), help="Half-life of the moving average; 0: none.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Default: 0.")
@click.option("--device", help="Default: auto: CUDA, else Apple's GPU, else the CPU.")
@click.option("--precision", type=click.Choice(["auto", "fp32", "bf16"]), help="Default: auto.")
@click.option("--workers", type=click.IntRange(0, 256), help="Processes that load data. Default: 0.")
@click.option("--data-root", type=click.Path(), help="Where data sets lie; default: $GANZOO_DATA.")
@click.option("--init", metavar="SOURCE", help="Start from trained weights.")
@click.option("--out", type=click.Path(path_type=Path), help="The run directory; default: runs/FAMILY-DATA.")
@click.option("--resume", is_flag=True, help="Go on with the run in --out, as it was begun; --images extends it.")
@click.option("--checkpoint-every", type=IMAGES, metavar="IMAGES", help="Default: 20 in a run, and every 10 minutes.")
@click.option("--publish-at", type=IMAGES, multiple=True, metavar="IMAGES", help="Keep the model then; repeatable.")
@click.option("--eval-every", type=IMAGES, metavar="IMAGES", help="Score the model then, and keep the best.")
@click.option("--metric", metavar="NAME", help="What --eval-every scores by: fid, psnr ...")
@click.option("--fast", is_flag=True, default=None, help="On a GPU the fastest kernels: not the same bits every time.")
@click.option(
    "--compile", is_flag=True, default=None, help="Losses through torch.compile: minutes to begin, for a GPU."
)
@click.option("--on-bad-image", type=click.Choice(["refuse", "skip"]), help="Default: refuse.")
@click.option("--follow-links", is_flag=True, default=None, help="Read images that links out of the folder lead to.")
@click.option("--tensorboard", is_flag=True, help="Write losses and pictures for TensorBoard, too.")
@click.option("--force", is_flag=True, help="Replace the run in --out.")
@click.pass_context
def train_(
    ctx: click.Context, /, family: str, out: Path | None, resume: bool, tensorboard: bool, force: bool, **options: Any
) -> None:
    """Train FAMILY on your data. Writes a run directory with its log, pictures over time, checkpoints and the model.

    SIGTERM and Ctrl-C finish the step, save and end; SIGUSR1 saves and goes on. The model of a run that was stopped is
    that of its last checkpoint.
    """
    from ganzoo_core.cli.announce import advice
    from ganzoo_core.data.dataset import WARNING
    from ganzoo_core.models.usage import usage_of
    from ganzoo_core.training import run
    from ganzoo_core.training.callbacks.base import Callback, Run
    from ganzoo_core.training.callbacks.console import progress
    from ganzoo_core.training.callbacks.tensorboard import TensorBoardCallback, require
    from ganzoo_core.weights.config import read_config

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
    if begun:
        objective = begun_again(folder, begun, {k: options[k] for k in RECIPE & explicit})
    else:
        objective = made_of(family, data, options, data_options)
    chosen = {k: v for k, v in options.items() if k in SETTINGS and v is not None}
    kept = kept_of(begun)

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
        score=scorer_of(options, data),
    )  # fmt: skip
    if run.fit(objective, data, settings) is None:
        return  # it was finished before
    tell_user(f"done: pictures over time in {folder / 'samples'}, the model in {folder / 'model'}")
    tell_user(f"next: {usage_of(read_config(folder / 'model')).line(folder, 'grid')}")
    print(folder)


def started(folder: Path, family: str) -> dict[str, Any]:
    """run.json of the run that is to go on."""
    from ganzoo_core.training import run_dir

    begun = run_dir.read(folder)
    if begun["recipe"] is None or begun["recipe"]["family"] != family or begun["source"] is None:
        raise GanzooError(f"--resume {folder}: is no run of {escape(family)} on named data", "See its run.json.")
    return begun


def kept_of(begun: dict[str, Any]) -> dict[str, Any]:
    """The settings of a run that goes on; an older one knows some of them not, and has nothing of the kind."""
    if not begun:
        return {}
    precision = {"bfloat16": "bf16", "float32": "fp32"}.get(begun["precision"], "auto")
    numbers = {k: begun.get(k, 0) for k in KEPT if begun.get(k, 0) is not None}
    return {**numbers, "device": begun["device"], "precision": precision}


def begun_again(folder: Path, begun: dict[str, Any], said: dict[str, Any]) -> Any:
    """The objective of a run that goes on, with what is said of it on the command line: that must be the same.

    Errors: GanzooError for another preset, and for arguments that the installed plugins know no more.
    """
    from ganzoo_core.registry.plugins import registry
    from ganzoo_core.registry.recipes import Recipe, arguments, build, family_of_networks, parse

    old = begun["recipe"]
    families = registry().families
    networks = families[old["networks"] or family_of_networks(families[old["family"]])]
    known = arguments(networks, families[old["family"]])
    for name in sorted(old["args"].keys() - known.keys()):
        what = f"--resume {folder}: the versions here know no argument {escape(name)}, which it was begun with"
        raise GanzooError(what, "Install those that its run.json names.")
    for key in ("preset", "networks"):
        wanted = said.get(key, "")
        if wanted and wanted.partition(":")[0] != old[key]:
            what = f"--resume {folder}: {key} was {escape(old[key], 80)}, and is {escape(wanted, 80)} now"
            raise GanzooError(what, "Resume it as it was begun.")
    args = {k: tuple(v) if isinstance(v, list) else v for k, v in old["args"].items()}
    for name, text in map(pair, said.get("args", ())):
        if name not in known:
            raise UnknownNameError(f"argument of {old['family']}", name, known)
        args[name] = parse(known[name], text)
    return build(Recipe(**{**old, "args": args}), seed=begun["seed"])


def made_of(family: str, data: str, options: dict[str, Any], data_options: dict[str, Any]) -> Any:
    """The objective as the options say."""
    from ganzoo_core.registry.plugins import registry
    from ganzoo_core.registry.recipes import build, presets_of, recipe

    presets = presets_of(registry().families[family])
    preset = options["preset"] or (name if (name := data.partition(":")[0]) in presets else suited(presets, data))
    given = dict(pair(text) for text in options["args"])
    info = facts_of(data, options["data_root"], data_options)
    made = recipe(family, preset=preset, networks=options["networks"], given=given, facts=info)
    return build(made, seed=options["seed"] or 0)


def suited(presets: Mapping[str, Preset], data: str) -> str:
    """The preset for one's own pictures, where the data are such and the family has one; else ""."""
    from ganzoo_core.data.folder.folder import are_many

    own = are_many(str(Path(data).expanduser()))
    return next((name for name, preset in presets.items() if own and preset.suits == "folder"), "")


def scorer_of(options: dict[str, Any], data: str) -> Any:
    """What --eval-every scores by. Errors: UnknownNameError for a metric that is not installed."""
    if options["metric"] is None:
        return None
    from ganzoo_core.metrics import scorer
    from ganzoo_core.nn.device import pick_device

    root = Path(options["data_root"]) if options["data_root"] else None
    return scorer(options["metric"], data, device=str(pick_device(options["device"] or "auto")), root=root)


@cache
def _facts(data: str, root: str | None, options: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    from ganzoo_core.training.loaders import DatasetLoader

    loader = DatasetLoader(data, root=root, **dict(options))
    own = not loader.info.licence  # a user's files
    return {**loader.open(**loader.options).facts(), "own": own}


def facts_of(data: str, root: str | None, options: dict[str, Any]) -> dict[str, Any]:
    """What the data set says of itself, where it says anything."""
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

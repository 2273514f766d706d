"""One run, from a recipe to a model directory: what gz.train and the command line both call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from ganzoo_core import checkpoint, pictures, runs
from ganzoo_core.data import how_to_have
from ganzoo_core.distributed import Processes, processes
from ganzoo_core.errors import GanzooError, OutsideFault, UnknownName, plain, say
from ganzoo_core.feeds import Feed, feed_of
from ganzoo_core.hardware import pick_device, pick_precision
from ganzoo_core.health import Health
from ganzoo_core.keeper import Keeper
from ganzoo_core.networks import Generator, cycled, fed, name_classes, needs_data
from ganzoo_core.objective import Objective
from ganzoo_core.observers import Grids, JsonLog, Run, Watcher
from ganzoo_core.recipes import Recipe
from ganzoo_core.registry import registry
from ganzoo_core.rehearsal import rehearse
from ganzoo_core.signals import Signals, signals
from ganzoo_core.sources import locate
from ganzoo_core.specs import resolve
from ganzoo_core.trainer import Alternating, Checkpoint, Report, Trainer
from ganzoo_core.weights import Origin, read_model, write_model

PREVIEW = 64  # pictures in a progress grid


@dataclass(frozen=True)
class Settings:
    """How to train: the options of `ganzoo train` beyond the recipe. 0 and None leave a choice to the recipe."""

    images: int = 0  # length in real images; scales all phases in proportion
    batch_size: int = 0  # over all processes
    seed: int = 0
    device: str = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    ema_images: float | None = None  # half-life of the moving average, in images; 0: none is kept
    micro_batch: int = 0
    workers: int = 0  # processes that load data ahead
    data_root: str | Path | None = None
    init: str = ""  # a SOURCE whose weights to start from
    out: str | Path | None = None  # the run directory; None: nothing is written
    force: bool = False  # replace a run that is there
    resume: bool = False  # go on with the run that is there
    checkpoint_every: int = 0  # in images; 0: a twentieth of the run
    signals: bool = False  # SIGTERM, SIGINT, SIGHUP: save and end; SIGUSR1: save
    watchers: tuple[Callable[[Run], Watcher], ...] = ()
    data_options: Mapping[str, Any] = field(default_factory=dict)


def train(objective: Objective, data: Any, settings: Settings) -> Iterator[Report]:
    """Train `objective` on `data`, one report per iteration; nothing happens until the result is iterated.

    With `settings.out` a run directory is written: run.json, log.jsonl, samples/, checkpoints/ and, at the end, model/.
    Errors: GanzooError for what does not fit, Diverged for losses that are no longer finite, OutsideFault, Stopped.
    """
    folder = Path(settings.out) if settings.out is not None else None
    pick_device(settings.device)  # before anything is written
    feed = open_feed(objective, data, settings)
    if settings.init:
        initialise(objective, settings.init)
    length = rehearse(objective, feed)
    settings = replace(settings, images=settings.images or length)
    with processes() as ours, signals(settings.signals) as heard:
        first = ours.rank == 0
        with runs.occupied(folder) if folder is not None and first else nullcontext():
            yield from run(objective, data, feed, settings, folder, ours, heard)


def run(
    objective: Objective,
    data: Any,
    feed: Feed,
    settings: Settings,
    folder: Path | None,
    ours: Processes,
    heard: Signals,
) -> Iterator[Report]:
    """The run itself, in a directory that is ours."""
    trainer = trainer_of(objective, settings, ours)
    start = prepare_folder(folder, description(objective, data, feed, settings, trainer), settings, ours)
    preview = trainer.bring(next(feed(start=0, batch_size=PREVIEW)))
    title = objective.recipe.family if objective.recipe else type(objective).__name__
    view = Run(objective, preview, folder, title)
    watchers = [make(view) for make in watchers_of(folder, settings)] if ours.rank == 0 else []
    keeper = Keeper(folder, objective, settings.checkpoint_every, ours, heard)
    last = None
    try:
        for last in watched(trainer.run(objective, feed, start), watchers, keeper):
            yield last
    except torch.OutOfMemoryError as fault:
        raise OutsideFault("out of memory on the device", "Set a smaller --micro-batch or --batch-size.") from fault
    finally:
        for watcher in watchers:
            watcher.close()
    images = last.total if last else start.position.images if start else 0
    if last is None:
        say(f"{folder}: is finished at {images:,} images; --images MORE extends it")
    if folder is not None and ours.rank == 0 and objective.recipe is not None and objective.recipe.networks:
        publish(folder / "model", objective, feed, settings.seed, images)


def prepare_folder(
    folder: Path | None, about: Mapping[str, Any], settings: Settings, ours: Processes
) -> Checkpoint | None:
    """A run directory to write, and where to go on in it."""
    if folder is None:
        return None
    if not settings.resume:
        if ours.rank == 0:
            runs.begin(folder, about, settings.force)
        ours.gather("begun")
        return None
    if ours.rank == 0:
        runs.resume(folder, about)
        checkpoint.sweep(folder / "checkpoints")
    ours.gather("swept")
    start, skipped = checkpoint.newest(folder / "checkpoints", ours.rank)
    images = start.position.images if start else 0
    if ours.rank == 0:
        for damage in skipped:
            say(f"warning: skipped a damaged checkpoint: {damage}")
        say(f"going on at {images:,} images" if start else "there is no checkpoint yet: starting at the beginning")
        runs.rewind(folder, images)
    return start


def watched(reports: Iterable[Report], watchers: list[Watcher], keeper: Keeper) -> Iterator[Report]:
    """Reports on their way to the caller, seen by everyone."""
    for report in reports:
        for watcher in watchers:
            watcher.see(report)
        keeper.see(report)
        yield report


def watchers_of(folder: Path | None, settings: Settings) -> Iterator[Callable[[Run], Watcher]]:
    """Health, the log and the grids of a run directory, what plugins contribute, and what the caller asks for."""
    yield Health
    if folder is not None:
        yield lambda view: JsonLog(folder)
        yield lambda view: Grids(view, folder)
        for _, observer in registry().observers.items():
            yield resolve(observer.make)
    yield from settings.watchers


def open_feed(objective: Objective, data: Any, settings: Settings) -> Feed:
    """The data in the size that the objective's networks want; it must have all that the objective needs."""
    args: Mapping[str, Any] = objective.recipe.args if objective.recipe else {}
    wanted = {k: args[k] for k in ("image_size", "channels", "classes", "longest_side") if k in args}
    options = {**wanted, **settings.data_options}
    feed = feed_of(data, seed=settings.seed, workers=settings.workers, root=settings.data_root, **options)
    missing = objective.needs - feed.facts.keys
    if feed.facts.keys and missing:
        keys, game = ", ".join(sorted(missing)), type(objective).__name__
        raise GanzooError(f"data {plain(feed.facts.name)}: has no {keys}, which {game} needs", how_to_have(missing))
    return feed


def trainer_of(objective: Objective, settings: Settings, ours: Processes) -> Trainer:
    """The trainer that recipe and settings ask for."""
    device = pick_device(settings.device)
    train: Mapping[str, Any] = objective.recipe.train if objective.recipe else {}
    ema = train.get("ema_images", 0) if settings.ema_images is None else settings.ema_images
    return Alternating(
        seed=settings.seed,
        batch_size=settings.batch_size or train.get("batch_size", 0),
        images=settings.images,
        ema_images=ema,
        device=device,
        precision=pick_precision(settings.precision, device),
        micro_batch=settings.micro_batch or train.get("micro_batch", 0),
        ours=ours,
    )


def initialise(objective: Objective, source: str) -> None:
    """Start the published networks from trained weights; they must be of the same shape."""
    _, trained = read_model(*locate(source))
    for name in objective.published:
        own, given = getattr(objective, name).state_dict(), getattr(trained, name, nn.Module()).state_dict()
        if {k: v.shape for k, v in own.items()} != {k: v.shape for k, v in given.items()}:
            raise GanzooError(
                f"--init {plain(source)}: its {name} is of another shape", "Give the arguments of its making."
            )
        getattr(objective, name).load_state_dict(given)


def description(objective: Objective, data: Any, feed: Feed, settings: Settings, trainer: Trainer) -> dict[str, Any]:
    """run.json: all that a reader needs to know, and to repeat or resume the run."""
    made: Recipe | None = objective.recipe
    facts = feed.facts
    return {
        "format": runs.FORMAT,
        "recipe": asdict(made) if made else None,
        "data": {"name": facts.name, "licence": facts.licence, "fingerprint": facts.fingerprint},
        "source": str(data) if isinstance(data, (str, Path)) else None,
        "seed": settings.seed,
        "images": settings.images,
        "batch_size": trainer.batch_size,
        "ema_images": trainer.ema_images,
        "micro_batch": trainer.micro_batch,
        "device": str(trainer.device),
        "precision": str(trainer.precision).removeprefix("torch."),
        "processes": trainer.ours.world,
        "data_options": dict(settings.data_options),
        **runs.environment(),
    }


def publish(folder: Path, objective: Objective, feed: Feed, seed: int, images: int) -> None:
    """The model directory at the end of a run, with a sheet of samples where they are pictures."""
    tag = "".join(c if c.isalnum() else "_" for c in feed.facts.name.lower()).strip("_") or "own"
    origin = Origin(
        f"{objective.recipe.family}.{tag}", "NOASSERTION", feed.facts.name, feed.facts.licence or "NOASSERTION",
        images, seed, runs.read(folder.parent)["command"], runs.versions(),
    )  # fmt: skip
    for net in objective.modules():
        name_classes(net, feed.facts.class_names)
    write_model(folder, objective, origin)
    write_samples(folder / "samples.png", objective, feed)


def write_samples(path: Path, objective: Objective, feed: Feed) -> None:
    """samples.png: a sheet of what the first generator draws, or of pictures that it is given and what it makes."""
    for net in objective.shipped().values():
        if isinstance(net, Generator):
            batch = next(iter(feed(start=0, batch_size=PREVIEW // 4))) if needs_data(net) else {}
            given = fed(net, batch)
            n = PREVIEW // 4 if given else PREVIEW
            images = net.sample(n, seed=0, **cycled(net, n), **given)
            if pictures.is_picture(images):
                shown = [value for key, value in given.items() if net.inputs[key].kind == "image"]
                sheet = pictures.beside([*shown, images]) if shown else pictures.grid(images)
                pictures.save(sheet, path)
            return


def fit(objective: Objective, data: Any, settings: Settings) -> Report | None:
    """Run the training to its end; the last report."""
    last = None
    for last in train(objective, data, settings):  # noqa: B007
        pass
    return last


def settings_of(given: Mapping[str, Any]) -> Settings:
    """Settings from keywords. Errors: UnknownName with the nearest."""
    known = [f.name for f in fields(Settings)]
    for name in given:
        if name not in known:
            raise UnknownName("training option", name, known)
    return Settings(**given)

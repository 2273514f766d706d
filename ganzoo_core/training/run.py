"""One run, from a recipe to a model directory: what gz.train and the command line both call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganzoo_core.data import how_to_have
from ganzoo_core.data.dataset import WARNING
from ganzoo_core.errors import ExternalError, GanzooError, Stopped, UnknownNameError, escape, tell_user
from ganzoo_core.files import write_aside
from ganzoo_core.models.export import files_of
from ganzoo_core.models.model import load
from ganzoo_core.models.store import Origin, refuse_unstorable, unwrapped, write_model
from ganzoo_core.nn.device import pick_device, pick_precision
from ganzoo_core.nn.generator import Generator
from ganzoo_core.nn.inputs import cycled, from_batch, name_classes, needs_data
from ganzoo_core.nn.standing import with_standing_statistics
from ganzoo_core.objectives.objective import Objective
from ganzoo_core.plugin.records import resolve
from ganzoo_core.registry.plugins import registry
from ganzoo_core.registry.recipes import Recipe, args_of
from ganzoo_core.training import checkpoint, publishing, run_dir
from ganzoo_core.training.callbacks.base import Callback, Run
from ganzoo_core.training.callbacks.checkpoints import CheckpointCallback
from ganzoo_core.training.callbacks.health import HealthCallback
from ganzoo_core.training.callbacks.log import LogCallback
from ganzoo_core.training.callbacks.samples import SamplesCallback
from ganzoo_core.training.compiling import require_compiler, tell_of_compiling
from ganzoo_core.training.determinism import deterministic_kernels
from ganzoo_core.training.distributed import Processes, claim_device, process_group
from ganzoo_core.training.dry_run import Sketch, dry_run
from ganzoo_core.training.examples import check_batch
from ganzoo_core.training.length import Trial, images_in
from ganzoo_core.training.loaders import BatchLoader, loader_of
from ganzoo_core.training.publishing import Grade, ModelPublisher, Publisher
from ganzoo_core.training.signals import Signals, deferred_interrupt, signals
from ganzoo_core.training.trainer import Alternating, Checkpoint, Report, Trainer
from ganzoo_core.weights.config import read_config

T = TypeVar("T", bound=Trainer)
PREVIEW = 64  # pictures in a progress grid
RAMPUP = 0.05  # of the moving average, where nothing else is said: a short run does not publish its first weights


@dataclass(frozen=True)
class Settings:
    """How to train: the options of `ganzoo train` beyond the recipe. 0 and None leave a choice to the recipe."""

    images: int = 0  # length in real images; scales all phases in proportion
    batch_size: int = 0  # over all processes
    seed: int = 0
    device: str = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    ema_images: float | None = None  # half-life of the moving average, in images; 0: none is kept
    ema_rampup: float | None = None  # its half-life is at most this share of the images so far; 0: from the start
    standing_batches: int | None = None  # of samples, for the batch-norm statistics of what is exported; 0: as trained
    micro_batch: int = 0
    workers: int = 0  # processes that load data ahead
    data_root: str | Path | None = None
    init: str = ""  # a SOURCE whose weights to start from
    out: str | Path | None = None  # the run directory; None: nothing is written
    force: bool = False  # replace a run that is there
    resume: bool = False  # go on with the run that is there
    minutes: float = 0  # length in time, in place of `images`: measured before the first step
    checkpoint_every: int = 0  # in images; 0: a twentieth of the run. At least every ten minutes in any case
    publish_at: tuple[int, ...] = ()  # image counts at which the model is kept, in models/IMAGES
    eval_every: int = 0  # in images: how often the model is scored, and kept as `model` where it is the best so far
    score: Callable[[Path], Grade] | None = None  # of a model directory: ganzoo_core.metrics.scorer makes one
    fast: bool = False  # on a GPU, whatever kernels are fastest: not the same bits every time
    compile: bool = False  # losses through torch.compile, where it can
    signals: bool = False  # SIGTERM, SIGINT, SIGHUP: save and end; SIGUSR1: save
    callbacks: tuple[Callable[[Run], Callback], ...] = ()
    data_options: Mapping[str, Any] = field(default_factory=dict)


def train(objective: Objective, data: Any, settings: Settings) -> Iterator[Report]:
    """Train `objective` on `data`, one report per iteration; nothing happens until the result is iterated.

    With `settings.out` a run directory is written: run.json, log.jsonl, samples/, checkpoints/ and model/, which is
    that of the newest checkpoint. A caller who iterates no further leaves a checkpoint of what has been reached. On a
    GPU torch is asked for deterministic kernels until then, unless the settings are `fast`.
    Errors: GanzooError for what does not fit, DivergenceError for losses that are not finite, ExternalError, Stopped;
    KeyboardInterrupt once the step is whole and saved.
    """
    refuse_contradictions(settings)
    folder = Path(settings.out) if settings.out is not None else None
    claim_device(settings.device)
    device = pick_device(settings.device)  # before anything is written
    loader = open_loader(objective, data, settings)
    moments = initialise(objective, settings.init) if settings.init else {}
    if not loader.info.keys:  # nobody has looked at it before
        check_batch(next(loader(start=0, batch_size=PREVIEW)), objective)
    if folder is not None:
        refuse_unstorable(objective.state_dict())
    seen = dry_run(objective, loader)
    if settings.compile:
        require_compiler(device)
    with process_group(settings.device) as processes, signals(settings.signals) as heard:
        first = processes.rank == 0
        with (
            run_dir.occupied(folder) if folder is not None and first else nullcontext(),
            deterministic_kernels(device, not settings.fast),
        ):
            length = settings.images or seen.images
            if settings.minutes:
                length = images_in(
                    settings.minutes, objective, loader, trainer_of(objective, settings, processes, seen, Trial)
                )
            settings = replace(settings, images=length)
            trainer = trainer_of(objective, settings, processes, seen, Alternating)
            trainer.moments = moments
            yield from run(objective, data, loader, trainer, settings, folder, heard)


def refuse_contradictions(settings: Settings) -> None:
    """Options that cannot be meant together."""
    if settings.minutes and (settings.images or settings.resume):
        other = "--images" if settings.images else "--resume"
        raise GanzooError(f"--minutes and {other}: two lengths", "Give one; --resume --images MORE makes a run longer.")
    if settings.init and settings.resume:
        raise GanzooError("--init and --resume: two beginnings", "Give one.")
    if bool(settings.eval_every) != (settings.score is not None):
        raise GanzooError("--eval-every IMAGES and --metric NAME go together", "Give both.")


def run(
    objective: Objective,
    data: Any,
    loader: BatchLoader,
    trainer: Trainer,
    settings: Settings,
    folder: Path | None,
    heard: Signals,
) -> Iterator[Report]:
    """The run itself, in a directory that is ours."""
    processes, first = trainer.processes, trainer.processes.rank == 0
    if folder is not None and settings.resume:
        trainer.begun = run_dir.begun(run_dir.read(folder))
    start = prepare_folder(folder, description(objective, data, loader, settings, trainer), settings, processes)
    warn_of_parts(objective, trainer)
    if settings.compile and first:
        tell_of_compiling(objective.phases(), trainer.compiled)
    preview = trainer.to_device(next(loader(start=0, batch_size=PREVIEW)), objective.on_host)
    title = objective.recipe.family if objective.recipe else type(objective).__name__
    view = Run(objective, preview, folder, title, tuple(loader.about()))
    for note in view.about_data if first else ():
        if note.startswith(WARNING):
            tell_user(note)
    callbacks = [make(view) for make in callbacks_of(folder, settings)] if first else []
    publisher = publisher_of(folder, objective, loader, settings, start.position.images if start else 0)
    keeper = CheckpointCallback(
        folder, objective, settings.checkpoint_every, processes, heard, publisher, settings.eval_every,
        settings.publish_at,
    )  # fmt: skip
    last = None
    try:
        for last in with_callbacks(trainer.run(objective, loader, start), callbacks, keeper):
            yield last
    except Stopped as fault:
        if settings.signals:
            raise
        raise KeyboardInterrupt(str(fault)) from None  # as a program expects it that leaves signals to Python
    except torch.OutOfMemoryError as fault:
        raise ExternalError("out of memory on the device", "Set a smaller --micro-batch or --batch-size.") from fault
    except RuntimeError as fault:
        if not settings.compile:
            raise
        what = f"--compile: torch.compile cannot compile this game after all: {escape(fault)}"
        raise GanzooError(what, "Leave it out.") from fault
    finally:
        for watcher in callbacks:
            watcher.close()
    if last is None:
        tell_user(f"{folder}: is finished at {settings.images:,} images; --images MORE extends it")
        if folder is not None and start is not None and first and stale(folder, start.position.images, settings):
            publisher(start.position.images)


def stale(folder: Path, images: int, settings: Settings) -> bool:
    """Whether the model is not that of the last checkpoint, after which the run was killed."""
    try:
        found: int = read_config(folder / "model")["training"]["images"]
    except GanzooError:
        return True
    return found < images and settings.score is None and not (folder / publishing.EVALS).exists()


def warn_of_parts(objective: Objective, trainer: Trainer) -> None:
    """Micro-batches change a game that looks at a batch as a whole, and networks that do."""
    size = trainer.batch_size // trainer.processes.world
    norms = any(isinstance(m, _BatchNorm) for m in objective.modules())
    parts = trainer.micro_batch and (not size or trainer.micro_batch < size)  # 0: a size of each phase's own
    if parts and trainer.processes.rank == 0 and (norms or objective.batchwise):
        what = "its batch norm" if norms else f"{type(objective).__name__}"
        tell_user(
            f"warning: --micro-batch {trainer.micro_batch}: {what} looks at a batch as a whole and now sees parts of "
            "it, so the result is another one"
        )


def prepare_folder(
    folder: Path | None, about: Mapping[str, Any], settings: Settings, processes: Processes
) -> Checkpoint | None:
    """A run directory to write, and where to go on in it."""
    if folder is None:
        return None
    if not settings.resume:
        if processes.rank == 0:
            run_dir.begin(folder, about, settings.force)
        processes.gather("begun")
        return None
    if processes.rank == 0:
        run_dir.resume(folder, about)
        checkpoint.sweep(folder / "checkpoints")
        publishing.sweep(folder)
    processes.gather("swept")
    start, skipped = checkpoint.newest(folder / "checkpoints", processes.rank)
    images = start.position.images if start else 0
    if processes.rank == 0:
        for damage in skipped:
            tell_user(f"warning: skipped a damaged checkpoint: {damage}")
        tell_user(
            f"going on at {images:,} images" if start else "there is no checkpoint yet: starting at the beginning"
        )
        run_dir.rewind(folder, images)
    return start


def with_callbacks(
    reports: Iterator[Report], callbacks: list[Callback], keeper: CheckpointCallback
) -> Iterator[Report]:
    """Reports on their way to the caller, seen by everyone. A step is never interrupted, and a caller who stops here
    loses nothing."""
    while True:
        with deferred_interrupt(keeper.heard):
            report = next(reports, None)
            if report is None:
                return
            for watcher in callbacks:
                watcher.on_report(report)
            keeper.on_report(report)
        try:
            yield report
        except GeneratorExit:
            keeper.abandon(report)
            raise


def callbacks_of(folder: Path | None, settings: Settings) -> Iterator[Callable[[Run], Callback]]:
    """Health, the log and the grids of a run directory, what plugins contribute, and what the caller asks for."""
    yield HealthCallback
    if folder is not None:
        yield lambda view: LogCallback(folder)
        yield lambda view: SamplesCallback(view, folder)
        for _, observer in registry().callbacks.items():
            yield resolve(observer.make)
    yield from settings.callbacks


def open_loader(objective: Objective, data: Any, settings: Settings) -> BatchLoader:
    """The data in the size that the objective's networks want; it must have all that the objective needs."""
    args: Mapping[str, Any] = objective.recipe.args if objective.recipe else {}
    wanted = {k: args[k] for k in ("image_size", "channels", "classes", "longest_side") if k in args}
    options = {**wanted, **settings.data_options, "with_index": "index" in objective.needs}
    loader = loader_of(data, seed=settings.seed, workers=settings.workers, root=settings.data_root, **options)
    missing = objective.needs - loader.info.keys - {"index"}
    if loader.info.keys and missing:
        keys, game = ", ".join(sorted(missing)), type(objective).__name__
        advice = how_to_have(missing, registry().views)
        raise GanzooError(f"data {escape(loader.info.name)}: has no {keys}, which {game} needs", advice)
    return loader


def trainer_of(objective: Objective, settings: Settings, processes: Processes, seen: Sketch, kind: type[T]) -> T:
    """The trainer that recipe and settings ask for."""
    device = pick_device(settings.device)
    train: Mapping[str, Any] = objective.recipe.train if objective.recipe else {}
    ema = train.get("ema_images", 0) if settings.ema_images is None else settings.ema_images
    rampup = train.get("ema_rampup", RAMPUP) if settings.ema_rampup is None else settings.ema_rampup
    return kind(
        seed=settings.seed,
        batch_size=settings.batch_size or train.get("batch_size", 0),
        images=settings.images,
        ema_images=ema,
        ema_rampup=rampup if ema else 0,
        device=device,
        precision=pick_precision(settings.precision, device),
        micro_batch=settings.micro_batch or train.get("micro_batch", 0),
        processes=processes,
        compiled=seen.first_order if settings.compile else frozenset(),
    )


def initialise(objective: Objective, source: str) -> dict[str, Tensor]:
    """Start from trained weights: what is exported, and the discriminators where the source has them.

    Returns Adam's moments by the names of the weights, where the source has those. A run gives the networks of its
    newest checkpoint. Errors: GanzooError for networks of another shape.
    """
    given = load(source)
    nets = {name: net.state_dict() for name, net in given.networks.items()}
    judges = {name: net.state_dict() for name, net in given.discriminators.items()}
    begun = list[str]()
    for name, net in {**objective.exported_modules(), **unwrapped(objective.discriminators())}.items():
        state = nets.get(name, judges.get(name))
        if state is None:
            if name in objective.exported:
                raise GanzooError(f"--init {escape(source)}: has no {name}", "Choose a model of this family.")
            continue
        if {k: v.shape for k, v in net.state_dict().items()} != {k: v.shape for k, v in state.items()}:
            what = f"--init {escape(source)}: its {name} is of another shape"
            raise GanzooError(what, f"Give {differing(given.recipe, objective.recipe) or 'what it was made with'}.")
        net.load_state_dict(state)
        begun.append(name)
    anew = "" if judges else "; it was published without its discriminator, which starts anew"
    tell_user(f"--init {escape(source)}: {', '.join(begun)} begin with its weights{anew}")
    return given.moments


def differing(theirs: Recipe, ours: Recipe) -> str:
    """The arguments of their networks that ours have otherwise, as options of `ganzoo train`."""
    known = args_of(registry().families[theirs.networks]) if theirs.networks else {}
    return " ".join(f"-c {k}={escape(v)}" for k, v in theirs.args.items() if k in known and ours.args.get(k) != v)


def description(
    objective: Objective, data: Any, loader: BatchLoader, settings: Settings, trainer: Trainer
) -> dict[str, Any]:
    """run.json: all that a reader needs to know, and to repeat or resume the run."""
    made: Recipe | None = objective.recipe
    info = loader.info
    return {
        "format": run_dir.FORMAT,
        "recipe": asdict(made) if made else None,
        "data": {"name": info.name, "licence": info.licence, "fingerprint": info.fingerprint},
        "source": str(data) if isinstance(data, (str, Path)) else None,
        "seed": settings.seed,
        "images": settings.images,
        "begun": trainer.begun or settings.images,
        "batch_size": trainer.batch_size,
        "ema_images": trainer.ema_images,
        "micro_batch": trainer.micro_batch,
        "device": str(trainer.device),
        "precision": str(trainer.precision).removeprefix("torch."),
        "ema_rampup": trainer.ema_rampup,
        "standing_batches": settings.standing_batches,
        **({"compile": True} if settings.compile else {}),
        "deterministic": trainer.device.type == "cpu" or not settings.fast,
        "processes": trainer.processes.world,
        "data_options": dict(settings.data_options),
        **run_dir.environment(dists_of(made)),
    }


def publisher_of(
    folder: Path | None, objective: Objective, loader: BatchLoader, settings: Settings, begins: int
) -> Publisher:
    """What writes the model of a run; networks that are the user's own are in its checkpoints alone."""
    made: Recipe | None = objective.recipe
    if folder is None or made is None or not made.networks:
        return Publisher()
    write = partial(publish, objective=objective, loader=loader, settings=settings, run=folder)
    return ModelPublisher(folder, write, settings.publish_at, settings.eval_every, settings.score, begins)


def publish(
    folder: Path, images: int, *, objective: Objective, loader: BatchLoader, settings: Settings, run: Path
) -> None:
    """A model directory of the game as it stands, with its discriminators and a picture of samples."""
    made: Recipe = objective.recipe
    tag = "".join(c if c.isalnum() else "_" for c in loader.info.name.lower()).strip("_") or "own"
    origin = Origin(
        f"{made.family}.{tag}", "NOASSERTION", loader.info.name, loader.info.licence or "NOASSERTION",
        images, settings.seed, run_dir.public(run_dir.read(run)["command"]), run_dir.versions(dists_of(made)),
    )  # fmt: skip
    for net in objective.modules():
        name_classes(net, loader.info.class_names)
    nets = standing(objective, settings)
    write_model(folder, objective, origin, networks=nets)
    write_samples(folder, nets, loader)


def standing(objective: Objective, settings: Settings) -> dict[str, nn.Module]:
    """What is exported, its batch norms with standing statistics where these are asked for."""
    batches = settings.standing_batches
    if batches is None:
        batches = objective.recipe.train.get("standing_batches", 0)
    nets = objective.exported_networks()
    return {k: with_standing_statistics(v, batches) if isinstance(v, Generator) else v for k, v in nets.items()}


def dists_of(made: Recipe | None) -> list[str]:
    """The distributions that have the families of a recipe."""
    families = registry().families
    return sorted({families.owner(name) for name in (made.family, made.networks) if name}) if made else []


def write_samples(folder: Path, nets: Mapping[str, nn.Module], loader: BatchLoader) -> None:
    """What the first generator draws, or pictures that it is given beside what it makes of them: samples.png, and
    samples.wav of what can be heard.
    """
    for net in nets.values():
        if isinstance(net, Generator):
            batch = next(iter(loader(start=0, batch_size=PREVIEW // 4))) if needs_data(net) else {}
            given = from_batch(net, batch)
            n = PREVIEW // 4 if given else PREVIEW
            samples = net.sample(n, seed=0, **cycled(net, n), **given)
            shown = [value for key, value in given.items() if net.inputs[key].flag == "--input"]
            for name, data in files_of(net.output, samples, shown).items():
                write_aside(folder / name, data)
            return


def fit(objective: Objective, data: Any, settings: Settings) -> Report | None:
    """Run the training to its end; the last report."""
    last = None
    for last in train(objective, data, settings):  # noqa: B007
        pass
    return last


def settings_of(given: Mapping[str, Any]) -> Settings:
    """Settings from keywords. Errors: UnknownNameError with the nearest."""
    known = [f.name for f in fields(Settings)]
    for name in given:
        if name not in known:
            raise UnknownNameError("training option", name, known)
    return Settings(**given)

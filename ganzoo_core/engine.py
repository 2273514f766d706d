"""One run, from a recipe to a model directory: what gz.train and the command line both call."""

from __future__ import annotations

import copy
import json
import platform
import shlex
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from ganzoo_core import pictures
from ganzoo_core.errors import Diverged, GanzooError, OutsideFault, UnknownName, plain
from ganzoo_core.feeds import Feed, feed_of
from ganzoo_core.model import find
from ganzoo_core.networks import Generator, evaluating
from ganzoo_core.objective import Batch, Objective
from ganzoo_core.observers import Grids, JsonLog, Run, Watcher
from ganzoo_core.recipes import Recipe
from ganzoo_core.registry import registry
from ganzoo_core.specs import resolve
from ganzoo_core.trainer import Alternating, Report, Trainer
from ganzoo_core.weights import Origin, read_model, write_aside, write_model

PREVIEW = 64  # pictures in a progress grid
CHECK_EVERY = 50  # iterations between looks at whether the losses are finite: each look waits for the device


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
    force: bool = False  # write into a directory that holds something else
    watchers: tuple[Callable[[Run], Watcher], ...] = ()
    data_options: Mapping[str, Any] = field(default_factory=dict)


def train(objective: Objective, data: Any, settings: Settings) -> Iterator[Report]:
    """Train `objective` on `data`, one report per iteration; nothing happens until the result is iterated.

    With `settings.out` a run directory is written: run.json, log.jsonl, samples/ and, at the end, model/.
    Errors: GanzooError for what does not fit, Diverged for losses that are no longer finite, OutsideFault.
    """
    device = pick_device(settings.device)
    feed = open_feed(objective, data, settings)
    if settings.init:
        initialise(objective, settings.init)
    rehearse(objective, feed)
    trainer = trainer_of(objective, settings, device)
    folder = open_folder(Path(settings.out), settings.force) if settings.out is not None else None
    if folder is not None:
        write_json(folder / "run.json", description(objective, feed, settings, trainer))
    preview = trainer.bring(next(feed(start=0, batch_size=PREVIEW)))
    run = Run(objective, preview, folder, objective.recipe.family if objective.recipe else type(objective).__name__)
    watchers = [make(run) for make in (*standard_watchers(folder), *settings.watchers)]
    total = 0
    try:
        for report in watched(trainer.run(objective, feed), watchers):
            total = report.total
            yield report
    except torch.OutOfMemoryError as fault:
        raise OutsideFault("out of memory on the device", "Set a smaller --micro-batch or --batch-size.") from fault
    finally:
        for watcher in watchers:
            watcher.close()
    if folder is not None and objective.recipe is not None and objective.recipe.networks is not None:
        publish(folder / "model", objective, feed, settings.seed, total)


def watched(reports: Iterable[Report], watchers: list[Watcher]) -> Iterator[Report]:
    """Reports on their way to the caller, seen by everyone; a loss that is not finite ends them."""
    recent: list[Report] = []
    for report in reports:
        recent.append(report)
        if len(recent) == CHECK_EVERY or report.position.images >= report.total:
            refuse_infinite(recent)
            recent = []
        for watcher in watchers:
            watcher.see(report)
        yield report


def refuse_infinite(reports: list[Report]) -> None:
    """The first term of the reports that is not finite stops the run by name; one transfer for all of them."""
    names = [(report, name) for report in reports for name in report.losses]
    finite = torch.stack([report.losses[name].float() for report, name in names]).isfinite().tolist()
    for (report, name), good in zip(names, finite, strict=True):
        if not good:
            raise Diverged(
                f"training diverged: loss {name} is not finite in iteration {report.iteration} "
                f"of phase {report.phase}, after {report.position.images:,} images",
                "Lower the learning rate, or try --precision fp32.",
            )


def standard_watchers(folder: Path | None) -> Iterator[Callable[[Run], Watcher]]:
    """The log and the grids of a run directory, and what plugins contribute."""
    if folder is not None:
        yield lambda run: JsonLog(folder)
        yield lambda run: Grids(run, folder)
        for _, observer in registry().observers.items():
            yield resolve(observer.make)


def open_feed(objective: Objective, data: Any, settings: Settings) -> Feed:
    """The data in the size that the objective's networks want; it must have all that the objective needs."""
    args: Mapping[str, Any] = objective.recipe.args if objective.recipe else {}
    wanted = {k: args[k] for k in ("image_size", "channels", "classes") if k in args}
    options = {**wanted, **settings.data_options}
    feed = feed_of(data, seed=settings.seed, workers=settings.workers, root=settings.data_root, **options)
    missing = objective.needs - feed.facts.keys
    if feed.facts.keys and missing:
        keys, game = ", ".join(sorted(missing)), type(objective).__name__
        raise GanzooError(
            f"data {plain(feed.facts.name)}: has no {keys}, which {game} needs", "Choose another data set or family."
        )
    return feed


def trainer_of(objective: Objective, settings: Settings, device: torch.device) -> Trainer:
    """The trainer that recipe and settings ask for."""
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
    )


def pick_device(name: str) -> torch.device:
    """ "auto" is CUDA where there is one. Errors: GanzooError for a device that this machine lacks."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise GanzooError(f"--device {plain(name)}: this machine has none", "Use --device cpu.") from None
    return device


def pick_precision(name: str, device: torch.device) -> torch.dtype:
    """ "auto" is bfloat16 where the hardware multiplies it, float32 elsewhere."""
    if name == "auto":
        fast = torch.cuda.is_bf16_supported(including_emulation=False) if device.type == "cuda" else cpu_has_bf16()
        return torch.bfloat16 if fast else torch.float32
    return torch.bfloat16 if name == "bf16" else torch.float32


def cpu_has_bf16() -> bool:
    """AMX or AVX512-BF16."""
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()


def initialise(objective: Objective, source: str) -> None:
    """Start the published networks from trained weights; they must be of the same shape."""
    _, trained = read_model(find(source))
    for name in objective.published:
        own, given = getattr(objective, name).state_dict(), getattr(trained, name, nn.Module()).state_dict()
        if {k: v.shape for k, v in own.items()} != {k: v.shape for k, v in given.items()}:
            raise GanzooError(
                f"--init {plain(source)}: its {name} is of another shape", "Give the arguments of its making."
            )
        getattr(objective, name).load_state_dict(given)


def rehearse(objective: Objective, feed: Feed) -> None:
    """Every loss of every phase once, on two samples and on a copy: a misfit shows before the first step."""
    stage = copy.deepcopy(objective).train()
    with torch.random.fork_rng():
        if stage.prepare_on:
            stage.prepare(next(feed(start=0, batch_size=stage.prepare_on)))
        for phase in stage.phases():
            phase.enter()
            batch = next(feed(start=0, batch_size=2, **{k: v for k, v in phase.data.items() if k != "batch_size"}))
            for step in phase.steps:
                rehearse_step(stage, step.loss, batch)


def rehearse_step(stage: Objective, loss: Callable[[Batch], Any], batch: Batch) -> None:
    try:
        loss(batch)
    except GanzooError:
        raise
    except (RuntimeError, TypeError, ValueError, KeyError, IndexError) as fault:
        shapes = ", ".join(f"{k} {list(v.shape)}" for k, v in batch.items())
        raise GanzooError(
            f"{type(stage).__name__}.{getattr(loss, '__name__', 'loss')}: {culprit(stage, fault)} does not fit "
            f"a batch of {shapes}: {plain(fault)}",
            "Check image_size, channels and the networks.",
        ) from fault


def culprit(stage: Objective, fault: BaseException) -> str:
    """The network in which the fault happened."""
    names = {id(child): name for name, child in stage.named_children()}
    for frame, _ in traceback.walk_tb(fault.__traceback__):
        if id(frame.f_locals.get("self")) in names:
            return f"network {names[id(frame.f_locals['self'])]}"
    return "the loss"


def open_folder(folder: Path, force: bool) -> Path:
    """A run directory that is ours to write. Errors: GanzooError where it is not."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not force:
            raise GanzooError(f"{folder}: exists and is not empty", "Choose another --out, or --force.")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "log.jsonl").unlink(missing_ok=True)
        write_aside(folder / "run.json", b"{}\n")
    except OSError as fault:
        raise GanzooError(f"{folder}: {fault.strerror}", "Choose another --out.") from None
    return folder


def description(objective: Objective, feed: Feed, settings: Settings, trainer: Trainer) -> dict[str, Any]:
    """run.json: all that a reader needs to know, and to repeat the run."""
    made: Recipe | None = objective.recipe
    return {
        "format": 1,
        "recipe": asdict(made) if made else None,
        "data": {"name": feed.facts.name, "licence": feed.facts.licence, "fingerprint": feed.facts.fingerprint},
        "seed": settings.seed,
        "images": settings.images or (made.args.get("images") if made else None),
        "batch_size": trainer.batch_size,
        "ema_images": trainer.ema_images,
        "device": str(trainer.device),
        "precision": str(trainer.precision).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "command": command(),
        "versions": versions(),
    }


def command() -> str:
    """The command line of this process, as one would type it."""
    program = Path(sys.argv[0]).name if sys.argv[0] else "python"
    return shlex.join([program, *sys.argv[1:]])


def versions() -> dict[str, str]:
    return {"python": platform.python_version(), "ganzoo-core": version("ganzoo-core"), "torch": torch.__version__}


def write_json(path: Path, document: Any) -> None:
    write_aside(path, (json.dumps(document, indent=2, default=str) + "\n").encode())


def publish(folder: Path, objective: Objective, feed: Feed, seed: int, images: int) -> None:
    """The model directory at the end of a run, with a sheet of samples where they are pictures."""
    tag = "".join(c if c.isalnum() else "_" for c in feed.facts.name.lower()).strip("_") or "own"
    origin = Origin(
        f"{objective.recipe.family}.{tag}", "NOASSERTION", feed.facts.name, feed.facts.licence or "NOASSERTION",
        images, seed, command(), versions(),
    )  # fmt: skip
    write_model(folder, objective, origin)
    write_samples(folder / "samples.png", objective)


def write_samples(path: Path, objective: Objective) -> None:
    for net in objective.shipped().values():
        if isinstance(net, Generator) and all(i.kind == "latent" for i in net.inputs.values()):
            with evaluating(net):
                images = net.sample(PREVIEW, seed=0)
            if pictures.is_picture(images):
                pictures.save(pictures.grid(images), path)
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

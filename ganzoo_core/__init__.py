"""ganzoo: a plugin-based model zoo of generative adversarial networks for PyTorch.

    import ganzoo_core as gz

    gz.list_models("dcgan*")                    # trained weights; gz.list_families() for the GANs themselves
    model = gz.load("dcgan.mnist")              # verified, in evaluation mode
    images = model.sample(16, seed=0)           # [16, C, H, W] in [-1, 1]
    objective = gz.create("dcgan", preset="tiny")
    for report in gz.train(objective, data="digits"): ...

Importing it imports no torch; the functions do, when they are called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from torch import nn

    from ganzoo_core.hub.search import HubModel
    from ganzoo_core.metrics.scores import Score
    from ganzoo_core.models.model import Model
    from ganzoo_core.objectives.objective import Objective
    from ganzoo_core.plugin.infos import FamilyInfo, ModelInfo
    from ganzoo_core.training.trainer import Report

__version__ = "0.2.0"
__all__ = ["create", "evaluate", "fit", "list_families", "list_models", "load", "model_info", "train"]


@overload
def list_models(
    *patterns: str,
    task: str = "",
    family: str = "",
    dataset: str = "",
    licence: str = "",
    license: str = "",
    hub: Literal[False] = False,
) -> list[ModelInfo]: ...


@overload
def list_models(
    *patterns: str,
    task: str = "",
    family: str = "",
    dataset: str = "",
    licence: str = "",
    license: str = "",
    hub: Literal[True],
) -> list[HubModel]: ...


def list_models(
    *patterns: str,
    task: str = "",
    family: str = "",
    dataset: str = "",
    licence: str = "",
    license: str = "",
    hub: bool = False,
) -> list[ModelInfo] | list[HubModel]:
    """Trained weights whose id matches any of the shell patterns (all without one), filtered by exact facts.

    With `hub`, those on the Hub that carry our tag, as their cards describe them; their `source` is what load takes.
    Errors: ExternalError where the Hub cannot be asked.
    """
    from ganzoo_core.errors import one_licence
    from ganzoo_core.registry import listing

    licence = one_licence(licence, license)
    facts = {"task": task, "family": family, "dataset": dataset, "licence": licence}
    if hub:
        from ganzoo_core.hub import search

        there = search.search()
        return [model for model in there if listing.matching(model.id, patterns) and listing.having(model, **facts)]
    found = listing.models().items()
    return [info for name, info in found if listing.matching(name, patterns) and listing.having(info, **facts)]


def list_families(*patterns: str, task: str = "") -> list[FamilyInfo]:
    """GAN families of the zoo, installed or not."""
    from ganzoo_core.registry import listing

    found = listing.families().items()
    return [i for name, i in found if listing.matching(name, patterns) and task in ("", i.task)]


def model_info(id: str) -> ModelInfo:
    """What is known of one id. Errors: UnknownNameError."""
    from ganzoo_core.registry import listing

    return listing.model_info(id)


def load(source: str | Path, *, device: str = "cpu") -> Model:
    """The trained model of a SOURCE: an id, hf:owner/repo[@revision], or a model or run directory; verified, in
    evaluation mode."""
    from ganzoo_core.models import model

    return model.load(source, device=device)


def evaluate(
    model: Model | str | Path,
    *metrics: str,
    data: str = "",
    n: int = 10_000,
    seeds: Sequence[int] = (0,),
    extractor: str = "",
    net: str = "",
    data_root: str | Path | None = None,
) -> list[Score]:
    """Scores of a model (or a SOURCE) with their protocol, as `ganzoo eval` measures them.

    `metrics` by name; none: those that suit it. `data` as `--data` takes it; "": what it was trained on. Several
    `seeds` give mean and spread. Errors: GanzooError for a metric or data that do not suit it.
    """
    from pathlib import Path

    from ganzoo_core.metrics import EvalConfig
    from ganzoo_core.metrics import evaluate as measure
    from ganzoo_core.metrics.trained_on import trained_on

    trained = load(model) if isinstance(model, (str, Path)) else model
    root = Path(data_root) if data_root is not None else None
    config = EvalConfig(data or trained_on(trained), metrics, n, tuple(seeds), extractor, net, root=root)
    return measure(trained, config)


def create(
    family: str,
    *,
    preset: str = "",
    networks: str | Mapping[str, nn.Module] = "",
    seed: int = 0,
    **args: Any,
) -> Objective:
    """The objective of a family: its first preset unless one is named, `args` overriding its recipe.

    `networks` is FAMILY[:PRESET] of another family's networks, or your own modules by name. `seed` draws the initial
    weights. Errors: GanzooError for an unknown name or networks that do not fit.
    """
    from ganzoo_core.registry import recipes

    if isinstance(networks, str):
        return recipes.build(recipes.recipe(family, preset=preset, networks=networks, given=args), seed=seed)
    return recipes.build(recipes.objective_only(family, preset=preset, given=args), seed=seed, modules=networks)


def train(objective: Objective, data: Any = "digits", **settings: Any) -> Iterator[Report]:
    """Train: an iterator of one report per iteration; nothing happens until it is iterated.

    `data` is a data set's name, a path, a torch Dataset, examples, an iterable of batches, or a function that returns
    one: docs/data.md has them all.
    Keywords are those of `ganzoo train` (images, batch_size, seed, device, precision, out ...): see run.Settings.
    """
    from ganzoo_core.training import run

    return run.train(objective, data, run.settings_of(settings))


def fit(objective: Objective, data: Any = "digits", **settings: Any) -> Report | None:
    """Train to the end; the last report."""
    from ganzoo_core.training import run

    return run.fit(objective, data, run.settings_of(settings))

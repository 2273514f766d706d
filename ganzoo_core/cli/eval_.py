"""ganzoo eval: scores of a model, with their protocol."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganzoo_core.cli._shared import pair
from ganzoo_core.cli.completion import sources
from ganzoo_core.cli.meter import Meter
from ganzoo_core.cli.output import document, table
from ganzoo_core.errors import GanzooError, escape, tell_user

if TYPE_CHECKING:
    from ganzoo_core.metrics import EvalConfig, Score

SEED = click.IntRange(0, 2**63 - 1)


@click.command("eval")
@click.argument("source", shell_complete=sources)
@click.option("--data", default="", metavar="DATA", help="What to measure against; default: what it was trained on.")
@click.option("--metric", "names", multiple=True, metavar="NAME", help="Repeatable; default: those that suit it.")
@click.option("-n", "count", type=click.IntRange(1, 10**7), default=10_000, show_default=True, help="Samples.")
@click.option("--seed", "seeds", multiple=True, type=SEED, default=(0,), help="Repeatable, for mean and spread.")
@click.option("--extractor", default="", metavar="NAME", help="What metrics look through; default: the data set's own.")
@click.option("--net", default="", metavar="NAME", help="Another published network: F for CycleGAN's way back.")
@click.option("-c", "options", multiple=True, metavar="OPTION=VALUE", help="An option of the model's sampling.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where data sets lie; default: $GANZOO_DATA.")
@click.option("--device", default="auto", show_default=True)
@click.option(
    "--size", type=click.IntRange(1, 4096), metavar="SIDE", help="Of pictures that are measured; default: theirs."
)
@click.option("--publish", is_flag=True, help="Write the scores into the model directory's metrics.json.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def eval_(
    source: str, data: str, names: tuple[str, ...], count: int, seeds: tuple[int, ...], extractor: str,
    net: str, options: tuple[str, ...], data_root: Path | None, device: str, size: int | None, publish: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Measure SOURCE: an id (dcgan.mnist), the path of a model or run directory, or pictures: a folder, mnist:test.

    A score carries the extractor that it looked through, fid[mnist-cnn], and all else that it depends on. The same
    command prints the same digits every time on one machine.
    """
    from ganzoo_core.metrics import EvalConfig
    from ganzoo_core.metrics.pictures import names_data

    config = EvalConfig(
        data, names, count, tuple(dict.fromkeys(seeds)), extractor, net, size or 0, data_root,
        tuple(sorted(pair(text) for text in options)),
    )  # fmt: skip
    scores = of_pictures(source, config, publish) if names_data(source) else of_model(source, config, device, publish)
    if as_json:
        document({"source": source, "metrics": [score.row() for score in scores]})
        return
    show(scores)


def of_model(source: str, config: EvalConfig, device: str, publish: bool) -> list[Score]:
    """Scores of a model, on what it was trained on unless other data are named."""
    from ganzoo_core.metrics import evaluate
    from ganzoo_core.metrics.scores import publish as publish_scores
    from ganzoo_core.metrics.trained_on import trained_on
    from ganzoo_core.models import model
    from ganzoo_core.nn.device import pick_device

    if config.image_size:
        raise GanzooError(f"--size {config.image_size}: samples of a model have a size of their own", "Leave it out.")
    trained = model.load(source, device=str(pick_device(device)))
    if publish:
        trained.refuse_pinned()
    with Meter() as meter:
        scores = evaluate(trained, replace(config, data=config.data or trained_on(trained)), meter)
    if publish:
        tell_user(f"published in {publish_scores(trained.folder, scores)}")
    return scores


def of_pictures(source: str, config: EvalConfig, publish: bool) -> list[Score]:
    """Scores of pictures that exist, beside others."""
    from ganzoo_core.metrics import evaluate
    from ganzoo_core.metrics.pictures import open_pictures

    if not config.data:
        raise GanzooError(f"{escape(source)}: pictures are compared with others", "Name these: --data FOLDER.")
    if publish:
        raise GanzooError(f"{escape(source)}: pictures have no metrics.json", "Leave out --publish.")
    pictures = open_pictures(source, config)
    with Meter() as meter:
        return evaluate(pictures, config, meter)


def show(scores: Any) -> None:
    """A table of the values, and below it what they were measured with, once where it is the same for all."""
    rows = [[s.name, f"{s.value:.6g}" + ("" if s.spread is None else f" ± {s.spread:.2g}")] for s in scores]
    table("Scores", ["metric", "value"], rows)
    common = {k: v for k, v in scores[0].protocol.items() if all(s.protocol.get(k) == v for s in scores)}
    print("\nProtocol")
    for key, value in common.items():
        print(f"  {key:18}{spelled(value)}")
    for score in scores:
        own = [f"{k} {spelled(v)}" for k, v in score.protocol.items() if k not in common and k != "metric"]
        if own:
            print(f"  {score.name}: {', '.join(own)}")


def spelled(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

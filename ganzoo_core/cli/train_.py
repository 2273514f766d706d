"""ganzoo train: a family on your data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ganzoo_core.cli import say
from ganzoo_core.errors import GanzooError, plain


@click.command("train")
@click.argument("family")
@click.option("--data", default="digits", show_default=True, help="A data set's name[:variant], a folder or an image.")
@click.option("--preset", default="", help="A configuration of the family; default: the data set's, else its first.")
@click.option("--networks", default="", metavar="FAMILY[:PRESET]", help="Another family's networks.")
@click.option("-c", "args", multiple=True, metavar="KEY=VALUE", help="An argument of the recipe; `ganzoo info FAMILY`.")
@click.option("--images", type=click.IntRange(1, 10**12), default=None, help="Length, in real images.")
@click.option("--batch-size", type=click.IntRange(1, 10**6), default=None, help="Over all processes.")
@click.option("--micro-batch", type=click.IntRange(1, 10**6), default=None, help="Held in memory at once.")
@click.option("--ema-images", type=click.FloatRange(0, 1e12), default=None, help="Half-life of the average; 0: none.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True)
@click.option("--device", default="auto", show_default=True)
@click.option("--precision", type=click.Choice(["auto", "fp32", "bf16"]), default="auto", show_default=True)
@click.option("--workers", type=click.IntRange(0, 256), default=0, show_default=True, help="Processes that load data.")
@click.option("--data-root", type=click.Path(), default=None, help="Where data sets lie; default: $GANZOO_DATA.")
@click.option("--init", default="", metavar="SOURCE", help="Start from trained weights.")
@click.option("--out", type=click.Path(), default=None, help="The run directory; default: runs/FAMILY-DATA.")
@click.option("--on-bad-image", type=click.Choice(["refuse", "skip"]), default="refuse", show_default=True)
@click.option("--follow-links", is_flag=True, help="Read images that links outside the folder lead to.")
@click.option("--force", is_flag=True, help="Write into a directory that is not empty.")
def train_(
    family: str, data: str, preset: str, networks: str, args: tuple[str, ...], out: str | None, **options: Any
) -> None:
    """Train FAMILY on your data. Writes a run directory with its log, pictures over time and the model."""
    given = dict(pair(text) for text in args)
    from ganzoo_core import engine
    from ganzoo_core.observers import progress
    from ganzoo_core.recipes import build, recipe
    from ganzoo_core.registry import registry

    spec = registry().families[family]
    preset = preset or next((p for p in (data.partition(":")[0],) if p in spec.presets), "")
    data_options = {k: options.pop(k) for k in ("on_bad_image", "follow_links")}
    facts = facts_of(data, options["data_root"], data_options)
    made = recipe(family, preset=preset, networks=networks, given=given, facts=facts)
    objective = build(made, seed=options["seed"])
    folder = Path(out) if out is not None else fresh(Path("runs"), f"{family}-{name_of(data)}")
    settings = engine.Settings(
        out=folder,
        watchers=(progress,),
        data_options=data_options,
        **{k: v for k, v in options.items() if v is not None},
    )
    say(f"{family}, preset {made.preset}, on {data}: {count(objective)} weights, into {folder}")
    engine.fit(objective, data, settings)
    say(f"done: pictures over time in {folder / 'samples'}, the model in {folder / 'model'}")
    say(f"next: ganzoo sample {folder} -n 64 -o grid.png")
    print(folder)


def pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise GanzooError(f"-c {plain(text)}: is not of the form key=value", "For example -c width=32.")
    return key, value


def facts_of(data: str, root: str | None, options: dict[str, Any]) -> dict[str, Any]:
    """What the data set says of its size, where it says anything."""
    from ganzoo_core.feeds import NamedFeed

    facts = NamedFeed(data, root=root, **options).facts
    return {"image_size": facts.image_size, "channels": facts.channels, "classes": facts.classes}


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

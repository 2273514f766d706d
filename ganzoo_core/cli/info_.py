"""ganzoo info: all that is known of a family or a model."""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import Any

import click

from ganzoo_core.cli.completion import names
from ganzoo_core.cli.output import document, table
from ganzoo_core.errors import UnknownNameError, escape
from ganzoo_core.registry import index, listing

LONGEST = 60  # letters of a default that are shown; --json has it whole


@click.command("info")
@click.argument("name", metavar="ID", shell_complete=names)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def info_(name: str, as_json: bool) -> None:
    """Show all that is known of a family (dcgan), of a trained model (dcgan.mnist), or of a model or run directory."""
    families, models = listing.families(), listing.models()
    arguments: list[dict[str, Any]] = []
    if name in models:
        facts: dict[str, Any] = {**models[name]._asdict(), **index.load_index().weights.get(name, {})}
    elif name in families:
        facts = families[name]._asdict()
        arguments = recipe_rows(name) if families[name].installed else []
        facts["presets"] = preset_rows(name) if families[name].installed else {}
        facts["install"] = index.install_hint(name)
        facts["others"] = namesakes(name)
    elif name.startswith("hf:") or os.path.isdir(name):
        facts = {**run_facts(Path(name)), **model_facts(name)}
    else:
        named_elsewhere(name, [*families, *models], as_json)
        return
    if as_json:
        document({**facts, "arguments": arguments})
        return
    show(facts)
    if arguments:
        print()
        rows = [[row["name"], row["type"], escape(row["default"], LONGEST), row["meaning"]] for row in arguments]
        table("Arguments (-c name=value)", ["name", "type", "default", "meaning"], rows)


def show(facts: dict[str, Any]) -> None:
    """A line for each fact, in two columns."""
    lines: list[tuple[str, str]] = []
    for key, value in facts.items():
        if key == "metrics":
            lines += [(escape(score["name"], 60), f"{score['value']:.6g}") for score in value]
        elif key == "presets":
            lines += [(f"preset {preset}", escape(text, 400)) for preset, text in value.items()]
        elif key == "files":
            lines += [(f"file {escape(name, 60)}", size_and_hash(promised)) for name, promised in value.items()]
        elif key != "others" and value not in ("", (), [], {}):
            words = isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
            lines.append((key, escape(", ".join(value) if words else value, 400)))
    width = max(len(name) for name, _ in lines) + 2
    for name, text in lines:
        print(f"{name:{width}}{text}")
    show_strangers(facts.get("others", []))


def size_and_hash(promised: dict[str, Any]) -> str:
    return f"{promised['bytes']:,} bytes, sha256 {promised['sha256']}"


def run_facts(folder: Path) -> dict[str, Any]:
    """What run.json says; nothing of a directory that is no run's."""
    if not (folder / "run.json").exists():
        return {}
    from ganzoo_core.training import checkpoint, run_dir

    about = run_dir.read(folder)
    recipe = about["recipe"] or {}
    saved = [int(path.name) for path in checkpoint.published(folder / "checkpoints")]
    return {
        "run": str(folder), "family": recipe.get("family", ""), "preset": recipe.get("preset", ""),
        "data": about["source"], "images": about["images"], "checkpoints": saved, "seed": about["seed"],
        "batch_size": about["batch_size"], "device": about["device"], "command": about["command"],
        "arguments of the recipe": recipe.get("args", {}), "versions": about["versions"],
    }  # fmt: skip


def model_facts(source: str) -> dict[str, Any]:
    """What a model directory says of itself; nothing of a run that has no model yet."""
    from ganzoo_core.models.resolve import locate
    from ganzoo_core.weights.config import model_info, read_config

    if (Path(source) / "run.json").exists() and not (Path(source) / "model" / "config.json").exists():
        return {}
    located = locate(source)
    config = read_config(*located)
    known = listing.families().get(config["objective"]["family"])
    about = model_info(located.folder, known.task if known else "")._replace(installed=bool(known and known.installed))
    return {
        **about._asdict(), "where": str(located.folder), **config["training"], "inputs": config["inputs"],
        "output": config["output"], "labels": config["labels"], "dtype": config["dtype"], "files": config["files"],
    }  # fmt: skip


def namesakes(family: str) -> list[dict[str, object]]:
    """GANs of other papers that go by the same name."""
    from ganzoo_core.registry import gan_names

    return [row.about() for row in gan_names.called(family) if family not in row.family.split(",")]


def named_elsewhere(name: str, known: list[str], as_json: bool) -> None:
    """A GAN that has a name but no family here: say so, and which paper it is."""
    from ganzoo_core.registry import gan_names

    found = gan_names.called(name)
    if not found:
        raise UnknownNameError("family or model", name, known, "`ganzoo list` and `ganzoo search` know more.")
    rows = [row.about() for row in found]
    if as_json:
        document({"named": rows})
        return
    show_strangers(rows)


def show_strangers(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        ours = f"here it is the family {row['family']}" if row["family"] else "the zoo does not have it"
        print(f"{escape(row['name'])} ({row['year']}): {escape(row['title'])}, {escape(row['arxiv'])}: {ours}")


def recipe_rows(family: str) -> list[dict[str, Any]]:
    """Every key of the family's recipe; those of augmentation only where what it makes can be augmented."""
    from ganzoo_core.registry.plugins import registry
    from ganzoo_core.registry.recipes import AUGMENT, AUGMENT_PACE, arguments, spelled, unaugmentable

    spec = registry().families[family]
    hidden = (AUGMENT, AUGMENT_PACE) if unaugmentable(without_memory(family, "tiny").children()) else ()
    return [
        {
            "name": a.name,
            "type": spelled(a.type),
            "default": "(must be given)" if a.default is inspect.Parameter.empty else a.default,
            "meaning": a.meaning,
        }
        for a in arguments(spec, spec).values()
        if a.name not in hidden
    ]


def without_memory(family: str, preset: str) -> Any:
    """The objective of a preset, its networks on the meta device."""
    import torch

    from ganzoo_core.registry.recipes import build, recipe

    with torch.device("meta"):
        return build(recipe(family, preset=preset))


def preset_rows(family: str) -> dict[str, str]:
    """Presets with their arguments and the sizes of their networks, which are built without memory."""
    from ganzoo_core.registry.plugins import registry

    rows = {}
    for name, preset in registry().families[family].presets.items():
        objective = without_memory(family, name)
        sizes = ", ".join(
            f"{child} {sum(w.numel() for w in net.parameters()):,}"
            for child, net in objective.named_children()
            if child != "ema"
        )
        given = " ".join(f"{k}={v}" for k, v in {**preset.args, **preset.train}.items())
        rows[name] = f"{sizes} weights; {given}"
    return rows

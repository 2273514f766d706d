"""ganzoo info: all that is known of a family or a model."""

from __future__ import annotations

import inspect
from typing import Any

import click

from ganzoo_core.cli.completion import names
from ganzoo_core.cli.output import document, table
from ganzoo_core.errors import UnknownNameError, escape
from ganzoo_core.registry import index, listing


@click.command("info")
@click.argument("name", metavar="ID", shell_complete=names)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def info_(name: str, as_json: bool) -> None:
    """Show all that is known of a family (dcgan) or of a trained model (dcgan.mnist)."""
    families, models = listing.families(), listing.models()
    if name in models:
        facts: dict[str, Any] = {**models[name]._asdict(), **index.load_index().weights.get(name, {})}
        arguments: list[dict[str, Any]] = []
    elif name in families:
        facts = families[name]._asdict()
        arguments = recipe_rows(name) if families[name].installed else []
        facts["presets"] = preset_rows(name) if families[name].installed else {}
        facts["install"] = index.install_hint(name)
        facts["others"] = namesakes(name)
    else:
        named_elsewhere(name, [*families, *models], as_json)
        return
    if as_json:
        document({**facts, "arguments": arguments})
        return
    for key, value in facts.items():
        if key == "others":
            show_strangers(value)
        elif key == "metrics":
            for score in value:
                print(f"{escape(score['name'], 60):28}{score['value']:.6g}")
        elif key == "presets":
            for preset, text in value.items():
                print(f"{'preset ' + preset:18}{escape(text, 400)}")
        elif value not in ("", (), [], {}):
            print(f"{key:18}{escape(value, 400)}")
    if arguments:
        print()
        rows = [[row["name"], row["type"], row["default"], row["meaning"]] for row in arguments]
        table("Arguments (-c name=value)", ["name", "type", "default", "meaning"], rows)


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
            if child != "averages"
        )
        given = " ".join(f"{k}={v}" for k, v in {**preset.args, **preset.train}.items())
        rows[name] = f"{sizes} weights; {given}"
    return rows

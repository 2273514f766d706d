"""A recipe: which networks, which objective, and one flat set of keyword arguments that both are made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import torch
from torch import nn

from ganzoo_core.errors import GanzooError, UnknownNameError, escape
from ganzoo_core.nn.generator import Discriminator, Generator
from ganzoo_core.nn.inputs import Input
from ganzoo_core.nn.options import options_of
from ganzoo_core.nn.streams import DrawFrom
from ganzoo_core.objectives.arguments import (
    REQUIRED,
    Argument,
    declared_arguments,
    function_arguments,
    network_names,
)
from ganzoo_core.objectives.augment import ADAPTIVE, PACE, augmented, follow
from ganzoo_core.objectives.objective import Objective
from ganzoo_core.objectives.regularise import REGULARISERS, regularise
from ganzoo_core.plugin.records import Family, Preset, resolve
from ganzoo_core.registry.plugins import registry
from ganzoo_core.seeds import hash32

AUGMENT = "augment"  # of what discriminators see; not of the networks, nor of the objective
CLASSES = "classes"  # that the data has: no preset knows better
AUGMENT_PACE = "ada_images"  # how fast an adaptive one may grow
REGULARISE = "regularise"  # what discriminators pay beyond the loss of their game


@dataclass(frozen=True)
class Recipe:
    """All that an objective is built from. `networks` is a family's name, or None where the user brought modules."""

    family: str
    networks: str | None
    preset: str
    args: Mapping[str, Any] = field(default_factory=dict)  # every argument, defaults included
    train: Mapping[str, Any] = field(default_factory=dict)  # batch_size, ema_images ...


def recipe(
    family: str,
    *,
    preset: str = "",
    networks: str = "",
    given: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Recipe:
    """The recipe of `family`: what the data says (`facts`), then the preset, then what the user says (`given`).

    Only the number of classes is the data's before it is the preset's, where there is one at all.

    `networks` is FAMILY[:PRESET], whose preset then sets the arguments of the networks. Errors: GanzooError for an
    unknown family, preset or argument.
    """
    spec = registry().families[family]
    other, _, other_preset = (networks or family_of_networks(spec)).partition(":")
    net_spec = registry().families[other]
    presets = presets_of(spec)
    preset = preset or next(iter(presets))
    chosen = preset_of(spec, preset)
    known = arguments(net_spec, spec)
    args = {name: a.default for name, a in known.items()}
    # A default of 0 stays: networks that can do without labels get them only where they are asked for.
    args |= {k: v for k, v in (facts or {}).items() if k in known and v is not None and known[k].default != 0}
    if other_preset:
        args |= {k: v for k, v in preset_of(net_spec, other_preset).args.items() if k in known}
    args |= {k: v for k, v in chosen.args.items() if k in known and (not other_preset or k not in args_of(net_spec))}
    if (facts or {}).get(CLASSES) and args.get(CLASSES):  # another number than the data's can never fit
        args[CLASSES] = (facts or {})[CLASSES]
    for name, value in (given or {}).items():
        if name not in known:
            raise UnknownNameError(f"argument of {family}", name, known)
        args[name] = parse(known[name], value) if isinstance(value, str) else value
    for name, value in args.items():
        if value is REQUIRED:
            raise GanzooError(f"argument {name} of {family}: has no default", f"Give one: -c {name}=...")
    if args.get(AUGMENT) == "none":
        del args[AUGMENT]
    if args.get(AUGMENT) not in ADAPTIVE:
        args.pop(AUGMENT_PACE, None)
    if not args.get(REGULARISE):
        args.pop(REGULARISE, None)
    return Recipe(family, other, preset, args, dict(chosen.train))


def objective_only(family: str, *, preset: str, given: Mapping[str, Any]) -> Recipe:
    """The recipe of `family` for networks that the user brings: only the objective's own arguments are left of it."""
    made = recipe(family, preset=preset, given=given)
    own = args_of(registry().families[family], "objective")
    return replace(made, networks=None, args={k: v for k, v in made.args.items() if k in own})


def family_of_networks(family: Family) -> str:
    """The family whose networks it plays with: its own, or that which its record names."""
    return family.name if ":" in family.networks else family.networks


def presets_of(family: Family) -> Mapping[str, Preset]:
    """Its presets, or those of the family that its networks come from."""
    borrowed = {} if family.presets else registry().families[family_of_networks(family)].presets
    return family.presets or borrowed


def preset_of(family: Family, name: str) -> Preset:
    """Errors: UnknownNameError."""
    presets = presets_of(family)
    if name not in presets:
        raise UnknownNameError(f"preset of {family.name}", name, presets)
    return presets[name]


def build(made: Recipe, *, seed: int = 0, modules: Mapping[str, nn.Module] | None = None) -> Objective:
    """The objective of a recipe, its weights initialised from `seed`; `modules` replaces networks by the user's own.

    Errors: GanzooError for networks that the objective does not take, and whatever they say of their arguments.
    """
    game = resolve(registry().families[made.family].objective)
    with DrawFrom(lambda device: torch.Generator(device).manual_seed(hash32(seed, "init"))):
        nets: Mapping[str, nn.Module] = modules or {}
        if made.networks is not None and modules is None:
            nets = build_networks(made.networks, made.args)
        how = made.args.get(AUGMENT, "none")
        if how != "none":
            refuse_unaugmentable(made, nets)
            pace = made.args.get(AUGMENT_PACE, PACE)
            shape = next((net.output.shape for net in nets.values() if isinstance(net, Generator)), (None,))
            nets = {
                k: augmented(net, how, pace, shape[0]) if isinstance(net, Discriminator) else net
                for k, net in nets.items()
            }
        refuse_misfit(made, nets, game)
        declared = declared_arguments(game)
        objective: Objective = game(**nets, **{k: v for k, v in made.args.items() if k in declared})
    objective.recipe = made
    if how != "none":
        follow(objective, how)
    if REGULARISE in made.args:
        regularise(objective, made.args[REGULARISE])
    return objective


def build_networks(family: str, args: Mapping[str, Any]) -> dict[str, nn.Module]:
    """The networks of a family by name, from those of `args` that they take."""
    maker = resolve(registry().families[family].networks)
    made: dict[str, nn.Module] = maker(**{k: v for k, v in args.items() if k in function_arguments(maker)})
    return made


def refuse_misfit(made: Recipe, nets: Mapping[str, nn.Module], game: type[Objective]) -> None:
    """Networks that the objective does not take, or lacks."""
    needs = set(network_names(game))
    if nets.keys() != needs:
        raise GanzooError(
            f"networks of {made.networks or 'your own'} for {made.family}: {', '.join(sorted(nets)) or 'none'} given, "
            f"{', '.join(sorted(needs))} needed",
            "Choose networks that have them.",
        )


def refuse_unaugmentable(made: Recipe, nets: Mapping[str, nn.Module]) -> None:
    """Only pictures are augmented."""
    if kinds := unaugmentable(nets.values()):
        raise GanzooError(f"augment: {made.family} makes {' and '.join(kinds)}, not images", "Leave it out.")


def unaugmentable(nets: Iterable[nn.Module]) -> list[str]:
    """The kinds of what these networks make that no discriminator can be shown augmented."""
    outputs = [net.output for net in nets if isinstance(net, Generator)]
    return sorted({output.kind for output in outputs if not output.augmentable})


def arguments(networks: Family, objective: Family) -> dict[str, Argument]:
    """Every key of a recipe. A name in both is one argument, and their defaults must agree."""
    merged = dict(args_of(networks, "networks"))
    for name, theirs in args_of(objective, "objective").items():
        if name not in merged:
            merged[name] = theirs
            continue
        defaults = {merged[name].default, theirs.default} - {REQUIRED}
        if len(defaults) > 1:
            raise GanzooError(
                f"argument {name}: networks of {networks.name} and {objective.name} differ in its default"
            )
        merged[name] = replace(merged[name], owners=("networks", "objective"))
    meaning = "what discriminators see of pictures, real and made: adaptive or DiffAugment"
    merged[AUGMENT] = Argument(AUGMENT, Literal["none", "ada", "diffaugment"], "none", meaning, ("training",))
    meaning = "real images in which the p of augment=ada may go from 0 to 1"
    merged[AUGMENT_PACE] = Argument(AUGMENT_PACE, int, PACE, meaning, ("training",))
    meaning = f"what discriminators pay beyond their loss, NAME or NAME:WEIGHT: {', '.join(REGULARISERS)}"
    merged[REGULARISE] = Argument(REGULARISE, tuple[str, ...], (), meaning, ("training",))
    return merged


def args_of(family: Family, part: Literal["networks", "objective"] = "networks") -> Mapping[str, Argument]:
    """The keyword arguments of a networks function, or those that an objective's class declares."""
    if part == "objective":
        found = declared_arguments(resolve(family.objective))
    else:
        found = function_arguments(resolve(registry().families[family_of_networks(family)].networks))
    return {name: replace(a, owners=(part,)) for name, a in found.items()}


def parse(argument: Argument, text: str) -> Any:
    """A value from the command line, by the argument's annotation. Errors: GanzooError naming key, value and type."""
    try:
        return value_of(argument.type, text)
    except (ValueError, GanzooError) as fault:
        why = str(fault).rstrip(".")
        raise GanzooError(f"-c {argument.name}={escape(text)}: {why}", f"Expected {spelled(argument.type)}.") from None


def value_of(kind: Any, text: str) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if text.lower() == "none" and type(None) in parts:
            return None
        return value_of(next(p for p in parts if p is not type(None)), text)
    if origin is Literal:
        if text not in map(str, parts):
            raise UnknownNameError("choice", text, map(str, parts))
        return next(p for p in parts if str(p) == text)
    if origin is tuple:
        words = [word for word in text.strip("()").split(",") if word.strip()]
        return tuple(value_of(parts[0], word.strip()) for word in words)
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError("neither true nor false")
        return text.lower() == "true"
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{escape(text)!r} is no {spelled(kind)}") from None


def fits(kind: Any, value: Any) -> bool:
    """Whether a value is of an annotation's type, exactly: true is no int, "64" is none either."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(fits(part, value) for part in parts)
    if origin is Literal:
        return any(type(value) is type(part) and value == part for part in parts)
    if origin is tuple:
        return isinstance(value, tuple) and all(fits(parts[0], item) for item in value)
    if kind is type(None):
        return value is None
    return type(value) is kind or (kind is float and type(value) is int) or kind is Any


def spelled(kind: Any) -> str:
    """A type as a person writes it."""
    if get_origin(kind) is Literal:
        return " | ".join(map(str, get_args(kind)))
    return getattr(kind, "__name__", str(kind)) if not get_args(kind) else str(kind)


def sampling_options(generator: Generator, given: Mapping[str, str]) -> dict[str, Any]:
    """Texts as values, by the declared inputs and by the signature of the generator's own `sample`.

    Errors: UnknownNameError for what is neither, GanzooError for a text that is no value of it.
    """
    options = options_of(generator)
    inputs = {name: i for name, i in generator.inputs.items() if type(i).parse is not Input.parse}
    parsed: dict[str, Any] = {}
    for name, text in given.items():
        if name in options:
            parsed[name] = parse(Argument(name, options[name].type, None, ""), text)
        elif name in inputs:
            parsed[name] = parse_input(name, inputs[name], text)
        else:
            raise UnknownNameError("sampling option", name, [*options, *inputs])
    return parsed


def parse_input(name: str, declared: Input, text: str) -> Any:
    """A value of an input from the command line. Errors: GanzooError naming it."""
    try:
        return declared.parse(text)
    except ValueError as fault:
        why = str(fault).rstrip(".")
        raise GanzooError(f"-c {name}={escape(text)}: {why}", f"This model takes {declared.wanted}.") from None

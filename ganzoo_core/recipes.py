"""A recipe: which networks, which objective, and one flat set of keyword arguments that both are made from."""

from __future__ import annotations

import inspect
import io
import textwrap
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import torch
from torch import Tensor, nn

from ganzoo_core.augment import ADAPTIVE, PACE, augmented, follow
from ganzoo_core.errors import GanzooError, UnknownName, plain
from ganzoo_core.networks import Discriminator, Generator, forked
from ganzoo_core.objective import Objective
from ganzoo_core.registry import registry
from ganzoo_core.seeds import hash32
from ganzoo_core.specs import Family, Preset, resolve

AUGMENT = "augment"  # of what discriminators see; not of the networks, nor of the objective
AUGMENT_PACE = "ada_images"  # how fast an adaptive one may grow
KINDS = {"label": tuple[int, ...], "category": tuple[int, ...], "code": tuple[float, ...]}  # inputs that texts can give
FROM_DATA = ("image_size", "channels", "classes")  # what the data set says where neither preset nor user do


@dataclass(frozen=True)
class Argument:
    """One key of a recipe."""

    name: str
    type: Any
    default: Any  # inspect.Parameter.empty: must be given
    meaning: str  # the comment behind it in the source
    owners: tuple[str, ...]  # "networks", "objective"


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
    """The recipe of `family`: preset, then what the data says (`facts`), then what the user says (`given`).

    `networks` is FAMILY[:PRESET], whose preset then sets the arguments of the networks. Errors: GanzooError for an
    unknown family, preset or argument.
    """
    spec = registry().families[family]
    preset = preset or next(iter(spec.presets))
    chosen = preset_of(spec, preset)
    other, _, other_preset = (networks or family).partition(":")
    net_spec = registry().families[other]
    known = arguments(net_spec, spec)
    args = {name: a.default for name, a in known.items()}
    # A default of 0 stays: networks that can do without labels get them only where they are asked for.
    args |= {k: v for k, v in (facts or {}).items() if k in known and v is not None and known[k].default != 0}
    if other_preset:
        args |= {k: v for k, v in preset_of(net_spec, other_preset).args.items() if k in known}
    args |= {k: v for k, v in chosen.args.items() if k in known and (not other_preset or k not in args_of(net_spec))}
    for name, value in (given or {}).items():
        if name not in known:
            raise UnknownName(f"argument of {family}", name, known)
        args[name] = parse(known[name], value) if isinstance(value, str) else value
    for name, value in args.items():
        if value is inspect.Parameter.empty:
            raise GanzooError(f"argument {name} of {family}: has no default", f"Give one: -c {name}=...")
    if args.get(AUGMENT) == "none":
        del args[AUGMENT]
    if args.get(AUGMENT) not in ADAPTIVE:
        args.pop(AUGMENT_PACE, None)
    return Recipe(family, other, preset, args, dict(chosen.train))


def without_networks(family: str, *, preset: str, given: Mapping[str, Any]) -> Recipe:
    """The recipe of `family` for networks that the user brings: only the objective's own arguments are left of it."""
    made = recipe(family, preset=preset, given=given)
    own = args_of(registry().families[family], "objective")
    return replace(made, networks=None, args={k: v for k, v in made.args.items() if k in own})


def preset_of(family: Family, name: str) -> Preset:
    if name not in family.presets:
        raise UnknownName(f"preset of {family.name}", name, family.presets)
    return family.presets[name]


def build(made: Recipe, *, seed: int = 0, modules: Mapping[str, nn.Module] | None = None) -> Objective:
    """The objective of a recipe, its weights initialised from `seed`; `modules` replaces networks by the user's own."""
    spec = registry().families[made.family]
    with forked():
        torch.manual_seed(hash32(seed, "init"))
        nets: Mapping[str, nn.Module] = modules or {}
        if made.networks is not None and modules is None:
            maker = resolve(registry().families[made.networks].networks)
            nets = maker(**{k: v for k, v in made.args.items() if k in inspect.signature(maker).parameters})
        game = resolve(spec.objective)
        wanted = inspect.signature(game).parameters
        how = made.args.get(AUGMENT, "none")
        if how != "none":
            pace = made.args.get(AUGMENT_PACE, PACE)
            nets = {k: augmented(net, how, pace) if isinstance(net, Discriminator) else net for k, net in nets.items()}
        refuse_misfit(made, nets, wanted)
        objective: Objective = game(**nets, **{k: v for k, v in made.args.items() if k in wanted})
    objective.recipe = made
    if how != "none":
        follow(objective, how)
    return objective


def refuse_misfit(made: Recipe, nets: Mapping[str, nn.Module], wanted: Mapping[str, inspect.Parameter]) -> None:
    """Networks that the objective does not take, or lacks."""
    needs = {k for k, p in wanted.items() if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty}
    if nets.keys() != needs:
        raise GanzooError(
            f"networks of {made.networks or 'your own'} for {made.family}: {', '.join(sorted(nets)) or 'none'} given, "
            f"{', '.join(sorted(needs))} needed",
            "Choose networks that have them.",
        )


def arguments(networks: Family, objective: Family) -> dict[str, Argument]:
    """Every key of a recipe. A name in both is one argument, and their defaults must agree."""
    merged = dict(args_of(networks, "networks"))
    for name, theirs in args_of(objective, "objective").items():
        if name not in merged:
            merged[name] = theirs
            continue
        defaults = {merged[name].default, theirs.default} - {inspect.Parameter.empty}
        if len(defaults) > 1:
            raise GanzooError(
                f"argument {name}: networks of {networks.name} and {objective.name} differ in its default"
            )
        merged[name] = replace(merged[name], owners=("networks", "objective"))
    if {"image_size", "channels"} & merged.keys():
        meaning = "what discriminators see of pictures, real and made: adaptive or DiffAugment"
        merged[AUGMENT] = Argument(AUGMENT, Literal["none", "ada", "diffaugment"], "none", meaning, ("training",))
        meaning = "real images in which the p of augment=ada may go from 0 to 1"
        merged[AUGMENT_PACE] = Argument(AUGMENT_PACE, int, PACE, meaning, ("training",))
    return merged


def args_of(family: Family, part: Literal["networks", "objective"] = "networks") -> dict[str, Argument]:
    """The keyword arguments of a networks function, or of an objective's class (its networks left out)."""
    made_by = resolve(getattr(family, part))
    function = made_by if part == "networks" else made_by.__init__
    hints, comments = get_type_hints(function), comments_of(function)
    parameters = inspect.signature(made_by).parameters.values()
    return {
        p.name: Argument(p.name, hints.get(p.name, str), p.default, comments.get(p.name, ""), (part,))
        for p in parameters
        if part == "networks" or p.kind is p.KEYWORD_ONLY
    }


def comments_of(function: Callable[..., Any]) -> dict[str, str]:
    """Parameter -> the comment that ends its line in the source."""
    source = textwrap.dedent(inspect.getsource(function))
    lines: dict[int, list[str]] = {}
    comments: dict[str, str] = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        row = token.start[0]
        if token.type == tokenize.NAME:
            lines.setdefault(row, []).append(token.string)
        elif token.type == tokenize.COMMENT and row in lines:
            comments.setdefault(lines[row][0], token.string.lstrip("# "))
        elif token.type == tokenize.INDENT:
            break
    return comments


def parse(argument: Argument, text: str) -> Any:
    """A value from the command line, by the argument's annotation. Errors: GanzooError naming key, value and type."""
    try:
        return value_of(argument.type, text)
    except (ValueError, GanzooError) as fault:
        why = str(fault).rstrip(".")
        raise GanzooError(f"-c {argument.name}={plain(text)}: {why}", f"Expected {spelled(argument.type)}.") from None


def value_of(kind: Any, text: str) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if text.lower() == "none" and type(None) in parts:
            return None
        return value_of(next(p for p in parts if p is not type(None)), text)
    if origin is Literal:
        if text not in map(str, parts):
            raise UnknownName("choice", text, map(str, parts))
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
        raise ValueError(f"{plain(text)!r} is no {spelled(kind)}") from None


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
    """Texts as values, by the declared inputs and by the signature of the generator's own `sample`."""
    hints = get_type_hints(type(generator).sample)
    parameters = inspect.signature(generator.sample).parameters.values()
    own = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "seed"]
    kinds = {name: hints[name] for name in own if hints[name] != Tensor | None}  # which are given as files
    kinds |= {name: KINDS[i.kind] for name, i in generator.inputs.items() if i.kind in KINDS}
    parsed = {}
    for name, text in given.items():
        if name not in kinds:
            raise UnknownName("sampling option", name, kinds)
        parsed[name] = parse(Argument(name, kinds[name], None, "", ()), text)
    return parsed

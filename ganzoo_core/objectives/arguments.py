"""What a recipe can set: arguments that are declared with their type, meaning and default.

    lr: Annotated[float, "Adam's step for both players"] = 2e-4

in the body of an Objective, or among the keyword arguments of a function that makes networks. No source file is read.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, get_args, get_origin, get_type_hints

from torch import nn

REQUIRED = inspect.Parameter.empty  # the default of an argument that must be given


@dataclass(frozen=True)
class Argument:
    """One key of a recipe."""

    name: str
    type: Any
    default: Any  # REQUIRED: must be given
    meaning: str
    owners: tuple[str, ...] = ()  # "networks", "objective", "training"


@cache
def declared_arguments(cls: type) -> Mapping[str, Argument]:
    """The annotated fields of a class and of those that it inherits from, the most basic first."""
    hints = get_type_hints(cls, include_extras=True)
    found = {}
    for base in reversed(cls.__mro__):
        for name in inspect.get_annotations(base):
            if get_origin(hints[name]) is Annotated:
                found[name] = argument(name, hints[name], getattr(cls, name, REQUIRED))
    return MappingProxyType(found)


@cache
def network_names(cls: type) -> tuple[str, ...]:
    """The networks that a class declares, `G: Generator`, in the order in which they are given."""
    hints = get_type_hints(cls, include_extras=True)
    names: dict[str, None] = {}
    for base in reversed(cls.__mro__):
        if base is not nn.Module and issubclass(base, nn.Module):
            for name in inspect.get_annotations(base):
                kind = get_origin(hints[name]) or hints[name]
                if kind is not ClassVar and isinstance(kind, type) and issubclass(kind, nn.Module):
                    names[name] = None
    return tuple(name for name in names if name != "ema")


@cache
def function_arguments(function: Callable[..., Any]) -> Mapping[str, Argument]:
    """The keyword arguments of a function that makes networks."""
    hints = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    return MappingProxyType({p.name: argument(p.name, hints.get(p.name, str), p.default) for p in parameters})


def argument(name: str, hint: Any, default: Any) -> Argument:
    """An argument from Annotated[type, meaning]; the meaning of a plain type is not known."""
    if get_origin(hint) is not Annotated:
        return Argument(name, hint, default, "")
    kind, *said = get_args(hint)
    return Argument(name, kind, default, next((text for text in said if isinstance(text, str)), ""))

"""Kinds by their name, as config.json has them: the core's own, and those of plugins."""

from __future__ import annotations

from ganzoo_core.nn.inputs import INPUTS, Input
from ganzoo_core.nn.outputs import OUTPUTS, Output
from ganzoo_core.plugin.records import resolve
from ganzoo_core.registry.plugins import registry


def input_kind(name: str) -> type[Input] | None:
    """The class of a kind of input; None for one that nobody here knows."""
    kind = INPUTS.get(name) or of_plugins(name)
    return kind if kind is not None and issubclass(kind, Input) else None


def output_kind(name: str) -> type[Output] | None:
    """The class of a kind of output; None for one that nobody here knows."""
    kind = OUTPUTS.get(name) or of_plugins(name)
    return kind if kind is not None and issubclass(kind, Output) else None


def of_plugins(name: str) -> type | None:
    """What the hook ganzoo_kinds has under a name."""
    kinds = registry().kinds
    found: type | None = resolve(kinds[name].kind) if name in kinds else None
    return found

"""From the networks of a file to the networks of a model: each once, with one set of arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_core.models import Foreign, lending_families
from ganzoo_import.match import IN_ORDER, SAME_NAMES, Fit, by_declared, called, fits
from ganzoo_import.unwrap import Group


class Assembled(NamedTuple):
    """All that a model of one family is made from, or what keeps it from being one."""

    family: Foreign
    args: dict[str, Any]
    chosen: dict[str, Fit]  # by network
    faults: list[str]
    agree: float

    @property
    def tensors(self) -> dict[str, Tensor]:
        return {f"{net}.{name}": value for net, fit in self.chosen.items() for name, value in fit.tensors.items()}

    @property
    def moments(self) -> dict[str, Tensor]:
        return {f"{net}.{name}": value for net, fit in self.chosen.items() for name, value in fit.moments.items()}

    @property
    def mapping(self) -> dict[str, str]:
        return {f"{net}.{ours}": theirs for net, fit in self.chosen.items() for ours, theirs in fit.mapping.items()}

    @property
    def layout(self) -> str:
        return ", ".join(dict.fromkeys(fit.layout for fit in self.chosen.values()))

    @property
    def guessed(self) -> bool:
        """Whether a person should look at the mapping."""
        return any(fit.layout == IN_ORDER for fit in self.chosen.values())


Attempts = Callable[[Foreign, Group], Iterable[Fit]]


def assemble(
    family: Foreign, groups: Sequence[Group], given: Mapping[str, Any], attempts: Attempts = fits
) -> Assembled:
    """The best of a family that these groups can be: its generators must be among them, discriminators may be."""
    tried = [fit for group in groups for fit in attempts(family, group)]
    layouts = {layout.name: layout for layout in family.layouts}
    whole = sorted((f for f in tried if not f.faults), key=lambda f: not called(layouts.get(f.layout), f.group))
    chosen: dict[str, Fit] = {}
    args: dict[str, Any] = {}
    for name in dict.fromkeys([*family.exported, *(fit.network for fit in whole)]):
        for fit in whole:
            free = fit.network == name and name not in chosen and fit.group not in {c.group for c in chosen.values()}
            if free and together(family, {**args, **fit.args}, [*chosen.values(), fit]):
                chosen[name], args = fit, {**args, **fit.args}
    missing = [name for name in family.exported if name not in chosen]
    near = max((fit for fit in tried if fit.network in missing), key=lambda fit: fit.agree, default=None)
    faults = [f"nothing in it is the network {name}" for name in missing] if chosen else []
    if near is not None:
        faults += near.faults
        args = args or dict(near.args)
    share = 1.0 if not missing else (near.agree if near else 0.0)
    return Assembled(family, {**args, **given}, chosen, faults if missing else [], share)


def together(family: Foreign, args: Mapping[str, Any], chosen: Sequence[Fit]) -> bool:
    """Whether one set of arguments makes all of these networks."""
    try:
        nets = family.sketch(args)
    except GanzooError:
        return False
    return all(
        (state := nets[fit.network].state_dict()).keys() >= fit.tensors.keys()
        and all(state[name].shape == value.shape for name, value in fit.tensors.items())
        for fit in chosen
    )


def all_families(groups: Sequence[Group]) -> list[Assembled]:
    """What installed families make of a file, the nearest first; of those with the same networks one is asked.

    Where a layout that is declared fits, nothing else is tried.
    """
    families = lending_families()
    declared = [assemble(family, groups, {}, by_declared) for family in families]
    made = [one for one in declared if fitting(one)] or [assemble(family, groups, {}) for family in families]
    return sorted(made, key=lambda one: (not fitting(one), SAME_NAMES in one.layout, -one.agree, one.family.name))


def fitting(one: Assembled) -> bool:
    return bool(one.chosen) and not one.faults


def of_family(name: str, groups: Sequence[Group], given: Mapping[str, Any]) -> Assembled:
    """Errors: GanzooError for a family that does not fit, with why."""
    made = assemble(Foreign(name), groups, given)
    if made.faults or not made.chosen:
        why = "; ".join(made.faults[:3]) or "none of its networks comes near"
        more = f" and {len(made.faults) - 3} more" if len(made.faults) > 3 else ""
        raise GanzooError(f"it does not fit {name}: {why}{more}", "Without --family it is said which fit.")
    return made

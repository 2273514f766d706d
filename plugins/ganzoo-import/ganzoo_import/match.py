"""Which family fits, with which arguments; and why the nearest one does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.models import Foreign
from ganzoo_core.nn import Discriminator
from ganzoo_core.plugin import Layout, resolve
from ganzoo_import.operations import OPERATIONS
from ganzoo_import.unwrap import Group, fused, spectral

NO_FIT = (StopIteration, KeyError, ValueError, IndexError, TypeError, AttributeError, ZeroDivisionError, GanzooError)
IN_ORDER = "equal order and shapes"
SAME_NAMES = "names of this zoo"
TRIALS = 60  # settings that are tried of a family without a layout
SIDES = (16, 32, 64, 128, 256, 512, 1024)


@dataclass(frozen=True)
class Fit:
    """One network of a family in one group of a file: what fits, and what does not."""

    family: str
    network: str
    layout: str
    args: Mapping[str, Any]
    group: str
    tensors: Mapping[str, Tensor] = field(default_factory=dict)  # by our names, whole where there are no faults
    mapping: Mapping[str, str] = field(default_factory=dict)  # our name -> theirs
    faults: tuple[str, ...] = ()
    agree: float = 0.0  # the share of tensors that do


def fits(family: Foreign, group: Group) -> list[Fit]:
    """Every attempt at one group, the best first."""
    tried = [*by_layouts(family, group)]
    if not any(not fit.faults for fit in tried):
        tried += by_presets(family, group)
    return sorted(tried, key=lambda fit: (len(fit.faults) > 0, -fit.agree))


def by_layouts(family: Foreign, group: Group) -> Iterator[Fit]:
    """Through the layouts that the family declares."""
    shapes = {name: tuple(value.shape) for name, value in group.tensors.items()}
    for layout in family.layouts:
        try:
            args = resolve(layout.args)(shapes)
            sketch = family.sketch(args)[layout.network]
            args = {name: value for name, value in args.items() if name in family.arguments}
            pairs = [*resolve(layout.names)(args)]
        except NO_FIT as fault:
            missing = f"has no {escape(fault.args[0], 80)}" if isinstance(fault, KeyError) else escape(fault, 120)
            yield Fit(family.name, layout.network, layout.name, {}, group.name, faults=(missing,))
            continue
        yield named(family, layout.network, layout.name, args, group, sketch, renamed(with_beside(group), pairs))


def by_presets(family: Foreign, group: Group) -> Iterator[Fit]:
    """By our own names, and where the family declares no layout by order and shapes, from the nearest preset on."""
    declared = {layout.network for layout in family.layouts}
    for args in dict.fromkeys(tuple(sorted(args.items())) for args in family.presets.values()):
        try:
            nets = family.sketch(dict(args))
        except NO_FIT:
            continue
        for name, net in nets.items():
            if set(spectral(net.state_dict())) == group.tensors.keys():
                best = nearest(family, name, dict(args), group)
                same = {key: (key, "") for key in group.tensors}
                yield named(family, name, SAME_NAMES, best, group, family.sketch(best)[name], same)
            elif name not in declared and len(spectral(net.state_dict())) == len(group.tensors):
                best = nearest(family, name, dict(args), group)
                ours = spectral(family.sketch(best)[name].state_dict())
                order = {o: (t, "") for o, t in zip(ours, group.tensors, strict=False)}
                yield named(family, name, IN_ORDER, best, group, family.sketch(best)[name], order)


def nearest(family: Foreign, name: str, args: dict[str, Any], group: Group) -> dict[str, Any]:
    """Arguments from which the network's shapes differ least: one is changed at a time, while that helps."""
    theirs = Counter(tuple(value.shape) for value in group.tensors.values())
    sides = sorted({side for shape in theirs for side in shape})
    best, distance = args, misfit(family, name, args, theirs)
    for _ in range(3):
        before = distance
        for argument in family.arguments.values():
            values = SIDES if argument.name == "image_size" else sides
            if argument.type is not int or not distance:
                continue
            for value in values[:TRIALS]:
                found = misfit(family, name, {**best, argument.name: value}, theirs)
                if found < distance:
                    best, distance = {**best, argument.name: value}, found
        if distance == before or not distance:
            break
    return best


def misfit(family: Foreign, name: str, args: Mapping[str, Any], theirs: Counter[tuple[int, ...]]) -> int:
    """How many shapes one has and the other has not."""
    try:
        state = spectral(family.sketch(args)[name].state_dict())
    except NO_FIT:
        return 1 << 30
    ours = Counter(tuple(value.shape) for value in state.values())
    return (ours - theirs).total() + (theirs - ours).total()


def renamed(tensors: Mapping[str, Tensor], pairs: Iterable[tuple[str, ...]]) -> dict[str, tuple[str, str]]:
    """Our name -> (their name, operation), of layers and of single tensors, in the order of the pairs."""
    made: dict[str, tuple[str, str]] = {}
    for theirs, ours, *more in pairs:
        operation = more[0] if more else ""
        if not theirs or theirs in tensors:
            made[ours] = theirs, operation
            continue
        for name in tensors:
            if name.startswith(f"{theirs}."):
                made[ours + name[len(theirs) :]] = name, operation
    return made


def with_beside(group: Group) -> dict[str, Tensor]:
    """A group's tensors, and as ../NAME those that lie beside it."""
    return {**group.tensors, **{f"../{name}": value.float() for name, value in group.beside.items()}}


def named(
    family: Foreign, network: str, layout: str, args: Mapping[str, Any], group: Group, sketch: nn.Module,
    names: Mapping[str, tuple[str, str]],
) -> Fit:  # fmt: skip
    """What comes of a table of names: the network's tensors by our names, or what keeps them from fitting."""
    made: dict[str, Tensor] = {}
    faults: list[str] = []
    wanted = sketch.state_dict()
    plain = plain_of(with_beside(group), names)
    for name, value in wanted.items():
        found = taken(name, value, plain)
        if found is None and name in names:
            continue  # what ours begins with stays
        if found is None:
            faults.append(f"has nothing for {name} {list(value.shape)}")
        elif found.shape != value.shape:
            theirs = names.get(name, (name, ""))[0]
            faults.append(f"{escape(theirs, 80)} is {list(found.shape)}, and {name} is {list(value.shape)}")
        else:
            made[name] = found.to(value.dtype)
    used = {theirs for theirs, _ in names.values()}
    extra = [name for name in group.tensors if name not in used and name.rpartition(".")[2] not in DROPPED]
    faults += [
        f"has {escape(name, 80)} {list(group.tensors[name].shape)}, for which there is no place" for name in extra
    ]
    share = len(made) / max(1, len(wanted) + len(extra))
    mapping = {ours: theirs for ours, (theirs, _) in names.items() if theirs}
    return Fit(family.name, network, layout, dict(args), group.name, made, mapping, tuple(faults), share)


DROPPED = ("num_batches_tracked", "weight_u", "weight_v", "kernel")  # counts, norms that are fused, fixed filters


def plain_of(tensors: Mapping[str, Tensor], names: Mapping[str, tuple[str, str]]) -> dict[str, Tensor]:
    """Their tensors by our names, after the operations."""
    return {
        ours: OPERATIONS[operation](tensors[theirs]) if operation else tensors[theirs]
        for ours, (theirs, operation) in names.items()
        if theirs
    }


def taken(name: str, wanted: Tensor, plain: Mapping[str, Tensor]) -> Tensor | None:
    """The tensor for one of our names: spectral norms where ours has them, fused where it has none."""
    neutral = next(iter(spectral({name: wanted})))
    if neutral not in plain:
        return torch.zeros((), dtype=torch.int64) if name.endswith("num_batches_tracked") else None
    stem = neutral.removesuffix(".weight")
    if neutral == name and f"{stem}.weight_u" in plain and name.endswith(".weight"):
        return fused(plain[name], plain[f"{stem}.weight_u"], plain[f"{stem}.weight_v"])
    return plain[neutral].reshape(wanted.shape) if name.endswith(("._u", "._v")) else plain[neutral]


def is_judge(net: nn.Module) -> bool:
    return isinstance(net, Discriminator)


def called(layout: Layout | None, group: str) -> bool:
    """Whether a group has a name that others give to this network."""
    return layout is not None and any(word in group for word in layout.called)

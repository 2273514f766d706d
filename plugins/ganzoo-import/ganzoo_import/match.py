"""Which family fits, with which arguments; and why the nearest one does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.models import Foreign
from ganzoo_core.nn import Discriminator
from ganzoo_core.plugin import JoinedLayout, Layout, resolve
from ganzoo_import.moments import moved
from ganzoo_import.operations import CONSTANTS, OPERATIONS
from ganzoo_import.unwrap import Group, fused, neutral, spectral

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
    moments: Mapping[str, Tensor] = field(default_factory=dict)  # of Adam: our name.exp_avg, exp_avg_sq, step


def fits(family: Foreign, group: Group) -> list[Fit]:
    """Every attempt at one group, the best first."""
    tried = [*by_declared(family, group)]
    if not group.joined and not any(not fit.faults for fit in tried):
        tried += by_presets(family, group)
    return sorted(tried, key=lambda fit: (len(fit.faults) > 0, -fit.agree))


def by_declared(family: Foreign, group: Group) -> Iterator[Fit]:
    """Through all that the family declares, of one file and of several."""
    return by_joined_layouts(family, group) if group.joined else by_layouts(family, group)


def by_layouts(family: Foreign, group: Group) -> Iterator[Fit]:
    """Through the layouts that the family declares."""
    shapes = {name: tuple(value.shape) for name, value in group.tensors.items()}
    for layout in family.layouts:
        if isinstance(layout, JoinedLayout):
            continue
        try:
            args = resolve(layout.args)(shapes)
            sketch = family.sketch(args)[layout.network]
            args = {name: value for name, value in args.items() if name in family.arguments}
            pairs = [*resolve(layout.names)(args)]
        except NO_FIT as fault:
            yield Fit(family.name, layout.network, layout.name, {}, group.name, faults=(reason(fault),))
            continue
        yield named(family, layout.network, layout.name, args, group, sketch, renamed(with_beside(group), pairs))


def by_joined_layouts(family: Foreign, group: Group) -> Iterator[Fit]:
    """Through the layouts of networks that lie in several files."""
    for layout in family.layouts:
        if isinstance(layout, JoinedLayout):
            try:
                args = resolve(layout.args)(group.tensors)
                sketch = family.sketch(args)[layout.network]
                found = [*resolve(layout.names)(args, group.tensors)]
            except NO_FIT as fault:
                yield Fit(family.name, layout.network, layout.name, {}, group.name, faults=(reason(fault),))
                continue
            name = f"{group.name}/{layout.network}"  # one group is several networks
            table = group._replace(name=name, tensors={ours: tensor for _, ours, tensor in found})
            fit = named(family, layout.network, layout.name, args, table, sketch, {o: (o, "") for o in table.tensors})
            yield replace(fit, mapping={ours: theirs for theirs, ours, _ in found if theirs})


def reason(fault: Exception) -> str:
    """Why a layout's function came to no end."""
    return f"has no {escape(fault.args[0], 80)}" if isinstance(fault, KeyError) else escape(fault, 120)


def by_presets(family: Foreign, group: Group) -> Iterator[Fit]:
    """By our own names, and where the family declares no layout by order and shapes, from the nearest preset on."""
    declared = {layout.network for layout in family.layouts}
    for args in dict.fromkeys(tuple(sorted(args.items())) for args in family.presets.values()):
        try:
            nets = family.sketch(dict(args))
        except NO_FIT:
            continue
        for name, net in nets.items():
            if set(neutral(net.state_dict())) == group.tensors.keys():
                best = nearest(family, name, dict(args), group)
                same = {key: (key, "") for key in group.tensors}
                yield named(family, name, SAME_NAMES, best, group, family.sketch(best)[name], same)
            elif name not in declared and len(neutral(net.state_dict())) == len(group.tensors):
                best = nearest(family, name, dict(args), group)
                ours = neutral(family.sketch(best)[name].state_dict())
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
        state = neutral(family.sketch(args)[name].state_dict())
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
            made[name] = CONSTANTS[names[name][1]](value.shape, dtype=value.dtype)
        elif found is None:
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
    known = carried(made, group, names)
    return Fit(family.name, network, layout, dict(args), group.name, made, mapping, tuple(faults), share, known)


WEIGHT_NORM = ("parametrizations.weight.original0", "parametrizations.weight.original1")  # g, v
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
    if name.endswith(WEIGHT_NORM):
        return parted_again(name, wanted, plain)
    plainly = next(iter(spectral({name: wanted})))
    if plainly not in plain:
        return torch.zeros((), dtype=torch.int64) if name.endswith("num_batches_tracked") else None
    stem = plainly.removesuffix(".weight")
    if plainly == name and f"{stem}.weight_u" in plain and name.endswith(".weight"):
        return fused(plain[name], plain[f"{stem}.weight_u"], plain[f"{stem}.weight_v"])
    return plain[plainly].reshape(wanted.shape) if name.endswith(("._u", "._v")) else plain[plainly]


def parted_again(name: str, wanted: Tensor, plain: Mapping[str, Tensor]) -> Tensor | None:
    """g = |w|, or v = w, where our layer is weight-normalised: a file's own g and v were fused before."""
    weight = plain.get(name.partition("parametrizations.")[0] + "weight")
    if weight is None or name.endswith(WEIGHT_NORM[1]):
        return weight
    normed = [i for i, side in enumerate(wanted.shape) if side == 1]  # all but the layer's own
    return torch.linalg.vector_norm(weight, dim=normed, keepdim=True) if weight.ndim == wanted.ndim else None


def carried(made: Mapping[str, Tensor], group: Group, names: Mapping[str, tuple[str, str]]) -> dict[str, Tensor]:
    """The moments of weights that are here what they were there, but for their names and places."""
    known: dict[str, Tensor] = {}
    for name, weight in made.items():
        plainly = next(iter(spectral({name: weight})))
        theirs, operation = names.get(plainly, ("", ""))
        is_fused = plainly == name and f"{theirs.removesuffix('weight')}weight_u" in group.tensors
        if theirs in group.moments and not is_fused:
            found = moved(group.moments[theirs], operation)
            known |= {f"{name}.{key}": v for key, v in found.items() if key == "step" or v.shape == weight.shape}
    return known


def is_judge(net: nn.Module) -> bool:
    return isinstance(net, Discriminator)


def called(layout: Layout | None, group: str) -> bool:
    """Whether a group has a name that others give to this network."""
    return layout is not None and any(word in group for word in layout.called)

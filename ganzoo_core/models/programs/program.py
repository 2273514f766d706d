"""A generator as a program of torch.export: what must be given or drawn goes in, samples come out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter, Signature
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.fx import Node

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.models.programs.capture import Captured, capture, is_free
from ganzoo_core.models.programs.randomness import FIXED, Drawn, Law
from ganzoo_core.nn.generator import Generator
from ganzoo_core.nn.inputs import Input, Pictures
from ganzoo_core.nn.state import evaluation_mode

Values = dict[str, Tensor]
Dims = Mapping[str, Mapping[int, Any]]  # of inputs: what torch.export calls those dimensions that are free


class Wrapped(nn.Module):
    """What was captured, called by names: latents, what else must be given, and noise0, noise1 ... for its draws."""

    def __init__(self, captured: Captured, frozen: frozenset[str]) -> None:
        super().__init__()
        self.net, self.call, self.laws = captured.net, captured.forward, captured.laws
        free = {name: i for name, i in captured.inputs.items() if is_free(i) and name not in frozen}
        self.order = sorted(free, key=lambda name: not free[name].drawn)  # stable: latents first
        self.names = list(captured.inputs)
        for name in self.names:
            if name not in free:
                self.register_buffer(f"frozen_{name}", captured.arguments[name][:1].clone(), persistent=False)
        for i, (law, value) in enumerate(zip(captured.laws, captured.draws, strict=True)):
            if law == FIXED:
                self.register_buffer(f"fixed_{i}", value.clone(), persistent=False)
        self.forward = by_name(self.called, [*self.order, *self.noise])

    def values(self, captured: Captured) -> Values:
        """What the samples that were captured are made of, by the names of this program's inputs."""
        given = {name: captured.arguments[name] for name in self.order}
        return {**given, **{f"noise{k}": captured.draws[i] for k, i in enumerate(self.drawn)}}

    @property
    def drawn(self) -> list[int]:
        """Which draws are inputs."""
        return [i for i, law in enumerate(self.laws) if law != FIXED]

    @property
    def noise(self) -> dict[str, Law]:
        return {f"noise{k}": self.laws[i] for k, i in enumerate(self.drawn)}

    def called(self, given: Mapping[str, Tensor]) -> Tensor:
        """The samples of what is given by name."""
        n = next(iter(given.values())).shape[0]
        arguments = [given[name] if name in given else self.repeated(name, n) for name in self.names]
        handed = self.handed(given)
        with Drawn(lambda law, make: next(handed)):
            return self.call(*arguments).float()

    def repeated(self, name: str, n: int) -> Tensor:
        """A frozen input, the same for all n samples."""
        value: Tensor = getattr(self, f"frozen_{name}")
        return value.expand(n, *value.shape[1:])

    def handed(self, given: Mapping[str, Tensor]) -> Iterator[Tensor]:
        """All draws in their order."""
        noise = iter(self.noise)
        for i, law in enumerate(self.laws):
            yield getattr(self, f"fixed_{i}") if law == FIXED else given[next(noise)]


def by_name(call: Callable[[Mapping[str, Tensor]], Tensor], names: Sequence[str]) -> Callable[..., Tensor]:
    """A function of keywords with a signature that tells them: torch.export calls a program's inputs so."""

    def forward(**given: Tensor) -> Tensor:
        return call(given)

    parameters = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    forward.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return forward


@dataclass(frozen=True)
class Program:
    """A generator that was exported, what it was tried on, and whether it takes any number of samples at a time."""

    exported: ExportedProgram
    wrapped: Wrapped
    trials: tuple[Captured, Captured]  # of two seeds; free sides of the second are larger
    batch_free: bool
    values: Values  # that it was exported with
    dims: Dims

    @cached_property
    def module(self) -> nn.Module:
        """What runs it."""
        return self.exported.module()

    def run(self, values: Mapping[str, Tensor]) -> Tensor:
        """The samples of what is given by name."""
        made: Tensor = self.module(**values)
        return made

    @property
    def rows(self) -> int | None:
        """How many samples it makes at a time; None where that is free."""
        return None if self.batch_free else len(next(iter(self.values.values())))

    def shape(self, name: str) -> list[int | str]:
        """Of an input, by what is free: ["batch", 3, "height", "width"]."""
        free = self.dims[name]
        return [
            getattr(free[place], "__name__", f"{name}_{place}") if place in free else size
            for place, size in enumerate(self.values[name].shape)
        ]


def program(net: Generator, options: Mapping[str, Any] | None = None) -> Program:
    """`net` as it samples with `options` (which are frozen), as a program.

    Errors: GanzooError, in one line, for a network that cannot be one: for what it does with Python numbers, or draws
    in ways that no input can stand for.
    """
    with evaluation_mode(net):
        return evaluated(net, options or {})


def evaluated(net: Generator, options: Mapping[str, Any]) -> Program:
    trial, larger = (capture(net, options, seed, larger=seed) for seed in (0, 1))
    wrapped = Wrapped(trial, frozenset(options))
    values = wrapped.values(trial)
    if not values:
        raise GanzooError("every input is frozen, and nothing is drawn", "Sample it instead.")
    rows = net.sample_batch_size
    batch_free = is_batch_free(wrapped, values, trial.samples, rows)
    values = values if batch_free else first(values, rows)
    dims = free_dims(wrapped, values, wrapped.values(larger), batch_free)
    exported = traced(wrapped, values, dims)
    refuse_draws(exported)
    return Program(exported, wrapped, (trial, larger), batch_free, values, dims)


@torch.no_grad()
def is_batch_free(wrapped: Wrapped, values: Values, samples: Tensor, rows: int) -> bool:
    """Whether a sample is the same among any others and alone, and not only among `rows`, as it was made.

    Errors: GanzooError where it is none of these: more is done to it than the forward pass does.
    """

    def same(rows: int) -> bool:
        made = wrapped(**first(values, rows))
        return made.shape == samples[:rows].shape and torch.allclose(made, samples[:rows], atol=1e-3)

    if not same(rows):
        raise GanzooError("its samples are made of more than one forward pass", "Leave the options out.")
    return same(1) and same(len(samples))


def first(values: Mapping[str, Tensor], rows: int) -> Values:
    """Of every input the first rows; draws that are one for all stay whole."""
    return {name: value[:rows].contiguous() for name, value in values.items()}


def free_dims(wrapped: Wrapped, values: Values, larger: Values, batch_free: bool) -> Dims:
    """Which dimensions of the inputs are free, as torch.export names them: the batch, and what changes with a size."""
    batch = {0: Dim("batch")} if batch_free else {}
    bases = [base for name in wrapped.order for base in sides(wrapped.net.inputs[name], values[name], larger[name])]
    dims = dict[str, dict[int, Any]]()
    for name, value in values.items():
        grown = {k: larger[name].shape[k] - size for k, size in enumerate(value.shape) if k}
        found = {k: derived(bases, k - value.ndim, value.shape[k], more) for k, more in grown.items() if more}
        dims[name] = batch | found
    return dims


class Side(NamedTuple):
    """A free height or width of a picture, in steps by which the network divides it; or the length of a clip."""

    place: int  # -2, -1; -4 of a clip
    steps: int  # in the first trial
    more: int  # in the second
    dim: Any  # of torch.export


def sides(declared: Input, value: Tensor, larger: Tensor) -> Iterator[Side]:
    """The free sides of a picture, and the length of a clip where that is free."""
    if isinstance(declared, Pictures):
        for place, name in ((-4, "frames"), (-2, "height"), (-1, "width")):
            if -place <= len(declared.shape) and declared.shape[place] is None:
                step = 1 if name == "frames" else declared.multiple
                dim = Dim(name if step == 1 else f"{name}_by_{step}")
                yield Side(place, value.shape[place] // step, (larger.shape[place] - value.shape[place]) // step, dim)


def derived(bases: Sequence[Side], place: int, size: int, more: int) -> Any:
    """A dimension that is `size` in the first trial and `more` larger in the second: so and so many steps of a side.

    What follows from no side is left to torch.export.
    """
    for base in bases:
        if base.place == place and more % base.more == 0:
            slope, rest = more // base.more, size - more // base.more * base.steps
            scaled = base.dim if slope == 1 else slope * base.dim
            return scaled + rest if rest else scaled
    return Dim.AUTO


def traced(wrapped: Wrapped, values: Values, dims: Dims) -> ExportedProgram:
    """Errors: GanzooError for whatever torch.export says."""
    shapes = {name: {k: dims[name].get(k, Dim.STATIC) for k in range(value.ndim)} for name, value in values.items()}
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            return torch.export.export(wrapped, (), kwargs=values, dynamic_shapes=shapes)
    except Exception as fault:
        raise GanzooError(
            f"torch.export: {reason(fault)}", "Say x.shape[0], not len(x); branch on no tensor's values."
        ) from None


def reason(fault: Exception) -> str:
    """The first line of what a library says that has words in it."""
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    return escape(lines[0] if lines else type(fault).__name__)


def drops_nothing(node: Node) -> bool:
    """Attention or recurrent layers, which are tagged as drawing for the sake of their dropout, without any."""
    schema = getattr(node.target, "_schema", None)
    declared = schema.arguments if schema is not None else ()
    given = {a.name: a.default_value for a in declared} | dict(zip((a.name for a in declared), node.args, strict=False))
    given |= node.kwargs
    return any(given.get(name, 1) == 0 for name in ("dropout", "dropout_p"))


def refuse_draws(exported: ExportedProgram) -> None:
    """Errors: GanzooError for a program that would draw by itself."""
    for node in exported.graph.nodes:
        if torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()) and not drops_nothing(node):
            raise GanzooError(
                f"it draws with {escape(node.target)}, which no input can stand for",
                "Draw with torch.randn, rand, their _like, or dropout.",
            )

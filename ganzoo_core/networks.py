"""The two kinds of network that a GAN is made of, and how one is sampled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from ganzoo_core import paths
from ganzoo_core.errors import GanzooError, UnknownName, plain
from ganzoo_core.seeds import hash32

Kind = Literal["latent", "label", "category", "code", "text", "image", "mask", "video"]
Priors = Callable[[int, torch.Generator], dict[str, Tensor]]  # (n, rng) -> what is drawn, by name
DRAWN = ("latent", "category", "code")  # from a prior, where the user gives none; the others must be given


@dataclass(frozen=True)
class Input:
    """What a generator takes. A latent with a range is uniform in it; without one it is standard normal.

    A `code` is a latent that has a meaning, and so is a `category`, a whole number that is drawn uniformly.
    """

    kind: Kind
    shape: tuple[int | None, ...] = ()  # of one sample; () for a label
    range: tuple[float, float] | None = None  # a label's or a category's is (0, classes - 1)
    default: float | None = None  # where the user says nothing; None: it must be said
    names: tuple[str, ...] = ()  # of the classes of a label
    multiple: int = 1  # sides of a picture that are free must be multiples of it


@dataclass(frozen=True)
class Output:
    """What a generator makes: `shape` of one sample, None where it is free, and the range of its values."""

    shape: tuple[int | None, ...]
    range: tuple[float, float] | None = (-1.0, 1.0)


class Generator(nn.Module, ABC):
    """Latents and conditions in, samples out: images are [N, C, H, W] in [-1, 1].

    It is complete: all that sampling needs (mapping, average w, text encoder, class names) is inside it.
    """

    inputs: Mapping[str, Input]  # in the order of forward's arguments
    output: Output
    ways: ClassVar[tuple[str, ...]] = ("spherical", "linear")  # how `between` can go
    shown: ClassVar[Mapping[str, Any]] = {}  # options of `sample` that `ganzoo sample` sets unless it is told otherwise
    chunk: ClassVar[int] = 16  # samples are always made this many at a time: a float's last bit depends on it

    @abstractmethod
    def forward(self, *inputs: Tensor) -> Tensor: ...

    def prior(self, n: int, rng: torch.Generator | None = None) -> Tensor:
        """z for n samples, [n, *shape], from the global generator on the module's device, or from `rng` on its own."""
        for latent in self.inputs.values():
            if latent.kind == "latent":
                return draw(latent, n, rng, rng.device if rng else next(self.parameters()).device)
        raise GanzooError(f"{type(self).__name__}: takes no latent", "Give it its inputs instead.")

    def priors(self, n: int, rng: torch.Generator | None = None) -> dict[str, Tensor]:
        """All that is drawn (latents, codes, categories) by name, for those that take several; `prior` is the first."""
        latents = {name: latent for name, latent in self.inputs.items() if latent.kind in DRAWN}
        if len(latents) == 1:
            return {name: self.prior(n, rng) for name in latents}
        device = rng.device if rng else next(self.parameters()).device
        return {name: draw(latent, n, rng, device) for name, latent in latents.items()}

    def sample(self, n: int, *, seed: int, **inputs: Any) -> Tensor:
        """n samples [n, *output.shape], float32, on the module's device: the same ones every time.

        Conditions are given by name, one for all or one for each; so may latents and codes be, which else are drawn.
        Sample i of a seed draws from a stream of its own, so 2 samples are the first 2 of 8. Errors: GanzooError for
        a missing or a wrong condition.
        """
        return sample_exactly(self, self, n, seed, inputs)

    def between(self, a: Mapping[str, Tensor], b: Mapping[str, Tensor], t: float, how: str) -> dict[str, Tensor]:
        """What is drawn, on the way from `a` (t = 0) to `b` (t = 1), by name: inputs that `sample` takes.

        Normal latents go along arcs where `how` is spherical; uniform ones, codes and all that is linear go straight;
        of categories the nearer is taken. Networks with a space of their own (W) have their own way, too.
        """
        steps = {}
        for name, start in a.items():
            declared = self.inputs[name]
            if declared.kind == "category":
                steps[name] = start if t < 0.5 else b[name]
            else:
                curved = how == "spherical" and declared.kind == "latent" and declared.range is None
                steps[name] = (paths.spherical if curved else paths.linear)(start, b[name], t)
        return steps


class Discriminator(nn.Module, ABC):
    """Samples and conditions in, unnormalised scores out, higher = more real: never a probability, never a tuple."""

    @abstractmethod
    def forward(self, x: Tensor, *conditions: Tensor) -> Tensor: ...

    def features(self, x: Tensor) -> Tensor:
        """What other heads (classes, codes, feature matching) read: the activations before the score."""
        raise GanzooError(f"{type(self).__name__}: has no features", "This objective needs networks that have them.")

    def judged(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(scores, features): for games that want both; networks that can make them in one pass say how."""
        return self(x), self.features(x)


def draw(latent: Input, n: int, rng: torch.Generator | None, device: torch.device) -> Tensor:
    shape = (n, *(size or 1 for size in latent.shape))
    if latent.kind == "category":
        low, high = latent.range or (0, 1)
        return torch.randint(int(low), int(high) + 1, shape, generator=rng, device=device)
    if latent.range is None:
        return torch.randn(shape, generator=rng, device=device)
    low, high = latent.range
    return low + (high - low) * torch.rand(shape, generator=rng, device=device)


@torch.no_grad()
def sample_exactly(
    net: Generator,
    forward: Callable[..., Tensor],
    n: int,
    seed: int,
    given: Mapping[str, Any],
    priors: Priors | None = None,
) -> Tensor:
    """n samples of `forward`, which is `net` or `net` with options; see Generator.sample.

    `priors` draws the latents where that is an option too (truncation); else `net.priors` does. Every chunk is full,
    the last one too: how many samples are asked for then changes neither the inner noise nor the order in which a
    matrix product sums.
    """
    if n < 1:
        raise GanzooError(f"{n} samples: asked for none", "Ask for one at least.")
    device = next(net.parameters()).device
    for name in given.keys() - net.inputs.keys():
        raise UnknownName("sampling option", name, net.inputs)
    free = {k for k, v in net.inputs.items() if v.kind in DRAWN and given.get(k) is None and v.default is None}
    conditions = {k: condition(k, v, given.get(k), n, device) for k, v in net.inputs.items() if k not in free}
    chunks = []
    with evaluating(net), forked(), torch.autocast(device.type, enabled=False):
        for start in range(0, n, net.chunk):
            which = range(start, start + net.chunk)
            drawn = latents(priors or net.priors, seed, which)
            arguments = [drawn[k].to(device) if k in free else conditions[k][rows(which, n)] for k in net.inputs]
            torch.manual_seed(hash32(seed, "noise", start))
            chunks.append(forward(*arguments).float())
    return torch.cat(chunks)[:n]


def latents(priors: Priors, seed: int, which: Sequence[int]) -> dict[str, Tensor]:
    """The latents of samples `which` of a seed, each from its own stream on the CPU, so on any device the same."""
    rng = torch.Generator()
    each = [priors(1, rng.manual_seed(hash32(seed, "sample", i))) for i in which]
    return {name: torch.cat([one[name] for one in each]) for name in each[0]}


def name_classes(net: nn.Module, names: Sequence[str]) -> None:
    """Give the label that `net` takes the names of its classes, where there are as many."""
    for key, label in getattr(net, "inputs", {}).items():
        if label.kind == "label" and label.range and len(names) == label.range[1] + 1:
            net.inputs = {**net.inputs, key: replace(label, names=tuple(names))}  # type: ignore[dict-item, assignment]


def cycled(net: nn.Module, n: int) -> dict[str, list[int]]:
    """Labels 0, 1, 2 ... over and over, n of them, for every label that `net` takes: a sheet that shows all classes."""
    labels = {name: i for name, i in getattr(net, "inputs", {}).items() if i.kind == "label"}
    return {name: [k % int((i.range or (0, 0))[1] + 1) for k in range(n)] for name, i in labels.items()}


def needs_data(net: nn.Module) -> bool:
    """Whether it must be given pictures or words: what is neither drawn nor a label, and has no default."""
    inputs = getattr(net, "inputs", {}).values()
    return any(i.kind not in (*DRAWN, "label") and i.default is None for i in inputs)


def fed(net: nn.Module, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those inputs of `net` that are neither drawn nor labels, out of a batch of data."""
    names = [name for name, i in getattr(net, "inputs", {}).items() if i.kind not in (*DRAWN, "label")]
    return {name: batch[name] for name in names if name in batch}


def rows(which: Sequence[int], n: int) -> list[int]:
    """Rows of the conditions for samples `which`; beyond the n that were asked for, the last one again."""
    return [min(i, n - 1) for i in which]


def condition(name: str, declared: Input, given: Any, n: int, device: torch.device) -> Tensor:
    """What the user gave for one input as a tensor of n rows: one for all, or one for each."""
    given = declared.default if given is None else given
    if given is None:
        raise GanzooError(f"{name}: is missing", f"This model needs {wanted(declared)}: give {name}.")
    try:
        given = spelled(name, declared, given) if declared.kind == "text" else numbers(declared, given)
        value = torch.as_tensor(given, device=device)
    except (TypeError, ValueError, RuntimeError):
        raise GanzooError(f"{declared.kind} {name}: {plain(given, 60)} is no number") from None
    if declared.kind in ("label", "category"):
        value = classes(name, declared, value)
    elif declared.kind != "text":
        value = value.float()
        if not bool(value.isfinite().all()):
            raise GanzooError(f"{declared.kind} {name}: is not finite")
    if value.ndim == 0 and declared.shape:
        value = value.expand([size or 1 for size in declared.shape])
    if value.ndim == len(declared.shape):
        value = value.expand(n, *value.shape)
    sizes = zip(declared.shape, value.shape[1:], strict=False)
    if value.ndim != len(declared.shape) + 1 or any(size not in (None, found) for size, found in sizes):
        expected = ["n", *declared.shape]
        raise GanzooError(f"{declared.kind} {name}: of shape {list(value.shape)}, not {expected}")
    refuse_sides(name, declared, value)
    if len(value) == 1:
        value = value.expand(n, *value.shape[1:])
    if len(value) != n:
        raise GanzooError(f"{name}: {len(value)} given for {n} samples", "Give one for all or one for each.")
    return value


def refuse_sides(name: str, declared: Input, value: Tensor) -> None:
    """Free sides must be multiples of what the network divides them by."""
    free = [found for size, found in zip(declared.shape, value.shape[1:], strict=True) if size is None]
    step = declared.multiple
    if any(side % step or not side for side in free):
        near = "x".join(str(max(step, round(side / step) * step)) for side in reversed(free))
        found = "x".join(str(side) for side in reversed(free))
        raise GanzooError(f"{declared.kind} {name}: {found}, not multiples of {step}", f"Resize it, to {near} say.")


def spelled(name: str, declared: Input, given: Any) -> Any:
    """Words that were given as strings as the bytes that an encoder reads; tensors as they are."""
    words = [given] if isinstance(given, str) else given
    if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):
        return given
    length = declared.shape[0] or max(len(word.encode()) for word in words)
    longest = max(words, key=lambda word: len(word.encode()))
    if len(longest.encode()) > length or not all(word.strip() for word in words):
        raise GanzooError(f"text {name}: {plain(longest, 60)!r}: not 1 to {length} bytes", "Say it in other words.")
    return encoded(words, length)


def encoded(words: Sequence[str], length: int) -> Tensor:
    """UTF-8 bytes, uint8 [n, length], zero-padded."""
    rows = [word.encode().ljust(length, b"\0") for word in words]
    return torch.frombuffer(bytearray(b"".join(rows)), dtype=torch.uint8).view(len(rows), length)


def wanted(declared: Input) -> str:
    """What is asked for where an input is missing."""
    if declared.names:
        return f"one of {', '.join(declared.names)}"
    low, high = declared.range or (0, 0)
    article = "an" if declared.kind == "image" else "a"
    span = f" from {low:.0f} to {high:.0f}" if declared.kind == "label" and high else ""
    return f"{article} {declared.kind}{span}"


def numbers(declared: Input, given: Any) -> Any:
    """Classes that were given by their names as the numbers that they have; all else as it is."""
    if isinstance(given, (list, tuple)):
        return [numbers(declared, item) for item in given]
    if not isinstance(given, str) or declared.kind not in ("label", "category"):
        return given
    known = {name.casefold(): i for i, name in enumerate(declared.names)}
    if given.casefold() in known:
        return known[given.casefold()]
    if given.lstrip("-").isdecimal():
        return int(given)
    raise UnknownName(declared.kind, given, declared.names, "Classes are whole numbers from 0.")


def classes(name: str, declared: Input, value: Tensor) -> Tensor:
    """Labels or categories, int64, each one of the classes."""
    if value.dtype == torch.bool or not torch.equal(value, value.round()):
        raise GanzooError(f"label {name}: {plain(value.tolist(), 60)} is no class", "Classes are whole numbers from 0.")
    low, high = declared.range or (0, torch.iinfo(torch.int64).max)
    if value.numel() and (value.min() < low or value.max() > high):
        raise GanzooError(f"label {plain(value.tolist(), 60)}: out of range", f"It must lie in {low:.0f}..{high:.0f}.")
    return value.long()


def forked() -> AbstractContextManager[None]:
    """Leaves the global generators as they were; those of GPUs only where some are in use."""
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()  # type: ignore[no-untyped-call]
    return torch.random.fork_rng(gpus)


@contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """`net` in evaluation mode; afterwards every module is in the mode that it was in."""
    modes = {module: module.training for module in net.modules()}
    net.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training

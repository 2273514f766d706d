"""The two kinds of network that a GAN is made of."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Mapping
from contextlib import nullcontext
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn.inputs import Continuous, Input
from ganzoo_core.nn.outputs import Output
from ganzoo_core.nn.sampling import sample_deterministic
from ganzoo_core.nn.spaces import Space, unchanged

unneeded: ContextVar[tuple[type, ...]] = ContextVar("unneeded", default=())  # networks that are built without memory


class NetworkType(ABCMeta):
    """Builds networks that nobody needs on the meta device: a model that only samples has no use for its D."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        with torch.device("meta") if issubclass(cls, unneeded.get()) else nullcontext():
            return super().__call__(*args, **kwargs)


class Network(nn.Module, metaclass=NetworkType):
    """A module that maps tensors to one tensor."""

    @abstractmethod
    def forward(self, *inputs: Any, **options: Any) -> Tensor: ...

    if TYPE_CHECKING:

        def __call__(self, *inputs: Any, **options: Any) -> Tensor: ...


class Generator(Network):
    """Latents and conditions in, samples out, in the order of `inputs`: images are [N, C, H, W] in [-1, 1].

    It is complete: all that sampling needs (mapping, average w, text encoder, class names) is inside it.
    """

    inputs: Mapping[str, Input]  # in the order of forward's arguments
    output: Output
    interpolation_modes: ClassVar[tuple[str, ...]] = ("spherical", "linear")  # that `interpolate` knows
    default_options: ClassVar[Mapping[str, Any]] = {}  # of `sample`, which `ganzoo sample` sets unless told otherwise
    program_options: ClassVar[Mapping[str, Any]] = {}  # the same of `ganzoo export`: a program searches for nothing
    sample_batch_size: ClassVar[int] = (
        16  # samples are always made this many at a time: a float's last bit depends on it
    )

    def prior(self, n: int, rng: torch.Generator | None = None) -> Tensor:
        """z for n samples, [n, *shape], from the global generator on the module's device, or from `rng` on its own:
        the first input that is drawn.

        Errors: GanzooError for a generator that draws none.
        """
        for declared in self.inputs.values():
            if declared.drawn:
                return declared.draw(n, rng, rng.device if rng else next(self.parameters()).device)
        raise GanzooError(f"{type(self).__name__}: takes no latent", "Give it its inputs instead.")

    def priors(self, n: int, rng: torch.Generator | None = None) -> dict[str, Tensor]:
        """All that is drawn (latents, codes, categories) by name, for those that take several; `prior` is the first."""
        drawn = {name: declared for name, declared in self.inputs.items() if declared.drawn}
        if len(drawn) == 1:
            return {name: self.prior(n, rng) for name in drawn}
        device = rng.device if rng else next(self.parameters()).device
        return {name: declared.draw(n, rng, device) for name, declared in drawn.items()}

    def sample(self, n: int, *, seed: int, **inputs: Any) -> Tensor:
        """n samples [n, *output.shape], float32, on the module's device, without gradients: the same ones every time.

        Conditions are given by name, one for all or one for each; so may latents and codes be, which else are drawn.
        Sample i of a seed draws from a stream of its own, so 2 samples are the first 2 of 8. Errors: GanzooError for
        a missing or a wrong condition.
        """
        return sample_deterministic(self, self, n, seed, inputs)

    def interpolate(self, a: Mapping[str, Tensor], b: Mapping[str, Tensor], t: float, mode: str) -> dict[str, Tensor]:
        """What is drawn, on the way from `a` (t = 0) to `b` (t = 1), by name: inputs that `sample` takes.

        Each input goes as its kind does; networks with a space of their own (W) have a mode of their own, too.
        """
        return {name: self.inputs[name].interpolate(start, b[name], t, mode) for name, start in a.items()}

    def spaces(self) -> dict[str, Space]:
        """Where it can be searched, by name: Z, its first latent of real numbers; networks with a W add it.

        Nothing for a generator that draws no such latent.
        """
        for place, (name, declared) in enumerate(self.inputs.items()):
            if isinstance(declared, Continuous):
                shape = tuple(self.priors(1, torch.Generator())[name].shape[1:])  # free sizes as the prior has them
                return {"z": Space(name, shape, unchanged, partial(self.with_latent, place), declared.range)}
        return {}

    def with_latent(self, place: int, z: Tensor, *others: Tensor) -> Tensor:
        """The sample of z and, in their order, all other inputs; `place` is where z stands among them."""
        return self(*others[:place], z, *others[place:])


class Discriminator(Network):
    """Samples and conditions in, unnormalised scores out, higher = more real: never a probability, never a tuple."""

    def features(self, x: Tensor) -> Tensor:
        """What other heads (classes, codes, feature matching) read: the activations before the score.

        Errors: GanzooError for a network that has none to offer.
        """
        raise GanzooError(f"{type(self).__name__}: has no features", "This objective needs networks that have them.")

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(scores, features): for games that want both; networks that can make them in one pass say how."""
        return self(x), self.features(x)

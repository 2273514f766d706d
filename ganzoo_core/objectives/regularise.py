"""What discriminators may pay beyond the loss of their game, whichever that is: `-c regularise=lecam`, or several.

R1 and R2 (Mescheder et al. 2018, arXiv:1801.04406), consistency regularisation (Zhang et al. 2019, arXiv:1910.12027),
balanced and latent consistency (Zhao et al. 2020, arXiv:2002.04724), LeCam (Tseng et al. 2021, arXiv:2104.03310);
of D's weights spectral norms (Yoshida & Miyato 2017, arXiv:1705.10941), orthogonality (Brock et al. 2018,
arXiv:1809.11096) and squares.

A game knows nothing of it: while one of its losses runs, what its networks are shown and say is noted, and terms are
added. Of each discriminator that moves the first batch of real samples counts, and the first of made ones.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError, UnknownNameError, escape
from ganzoo_core.nn.generator import Discriminator, Generator
from ganzoo_core.nn.inputs import Latent
from ganzoo_core.objectives import penalties
from ganzoo_core.objectives.augment import Made, moved, scaled, warp
from ganzoo_core.objectives.losses import Terms, to_float32
from ganzoo_core.objectives.objective import Batch, Objective, Phase


@dataclass(frozen=True)
class Look:
    """What a network was given, and what it said: of D scores of samples, of G samples of latents."""

    net: nn.Module
    x: Tensor
    conditions: tuple[Any, ...]
    said: Tensor

    def again(self, x: Tensor) -> Tensor:
        """What it says of x, under the same conditions."""
        said: Tensor = self.net(x, *self.conditions)
        return said


@dataclass(frozen=True)
class Heard:
    """All that a regulariser may look at while one discriminator moves."""

    real: Look
    fake: Look
    drawn: Look | None = None  # what made the fake ones


class Regulariser(nn.Module, ABC):
    """A term of D's loss, and perhaps one of G's, times `weight`; what it remembers is a buffer."""

    weight: ClassVar[float]  # the paper's, unless the user gives another
    batch_norm: ClassVar[bool] = True  # whether D may have it

    def __init__(self, strength: float) -> None:
        super().__init__()
        self.strength = strength

    @abstractmethod
    def d(self, heard: Heard) -> Tensor:
        """What D pays, without the weight."""

    def g(self, drawn: Look) -> Tensor | None:
        """What G pays, without the weight; most regularisers leave it alone."""
        return None


class R1(Regulariser):
    """1/2 E ||grad D(x)||^2 (Mescheder et al. 2018, Eq. 9); the weight is gamma."""

    weight, batch_norm = 10.0, False

    def d(self, heard: Heard) -> Tensor:
        return penalties.r1(heard.real.again, heard.real.x) / 2


class R2(Regulariser):
    """1/2 E ||grad D(G(z))||^2 (Mescheder et al. 2018, Eq. 10); the weight is gamma."""

    weight, batch_norm = 10.0, False

    def d(self, heard: Heard) -> Tensor:
        return penalties.r2(heard.fake.again, heard.fake.x) / 2


class CR(Regulariser):
    """E (D(x) - D(T(x)))^2, T a flip and a shift (Zhang et al. 2019): what D says of the data is not to depend on T."""

    weight = 10.0

    def d(self, heard: Heard) -> Tensor:
        return inconsistency(heard.real, flipped_and_shifted(picture_of(heard.real)))


class BCR(CR):
    """CR on samples, too: E (D(x) - D(T(x)))^2 + E (D(G(z)) - D(T(G(z))))^2 (Zhao et al. 2020, bCR)."""

    def d(self, heard: Heard) -> Tensor:
        return super().d(heard) + inconsistency(heard.fake, flipped_and_shifted(picture_of(heard.fake)))


class ZCR(Regulariser):
    """D is not to tell z from z + dz, and G is to (Zhao et al. 2020, zCR), dz ~ N(0, 0.03^2).

    d = E (D(G(z)) - D(G(z + dz)))^2, g = -1/10 E (G(z) - G(z + dz))^2: the paper's weights are 5 and 0.5
    """

    weight = 5.0
    sigma: ClassVar[float] = 0.03
    share: ClassVar[float] = 0.1  # of G

    def d(self, heard: Heard) -> Tensor:
        if heard.drawn is None:
            raise GanzooError("regularise=zcr: this game makes no samples of G(z) itself", "Choose another.")
        return inconsistency(heard.fake, self.near(heard.drawn))

    def g(self, drawn: Look) -> Tensor | None:
        return -self.share * (to_float32(drawn.said) - to_float32(self.near(drawn))).square().mean()

    def near(self, drawn: Look) -> Tensor:
        return drawn.again(drawn.x + self.sigma * torch.randn_like(drawn.x))


class LeCam(Regulariser):
    """E (D(x) - a_F)^2 + E (D(G(z)) - a_R)^2 (Tseng et al. 2021), a_R and a_F moving averages of both mean scores.

    Scores are held together, so that D knows the few pictures that there are less well. It begins once the averages
    are those of more than the first thousand steps.
    """

    weight = 0.01
    decay: ClassVar[float] = 0.99
    start: ClassVar[int] = 1000
    real: Tensor
    fake: Tensor
    steps: Tensor

    def __init__(self, strength: float) -> None:
        super().__init__(strength)
        for name in ("real", "fake", "steps"):
            self.register_buffer(name, torch.zeros(()))

    def d(self, heard: Heard) -> Tensor:
        real, fake = to_float32(heard.real.said), to_float32(heard.fake.said)
        begun = (self.steps >= self.start).float()
        for anchor, scores in ((self.real, real), (self.fake, fake)):
            anchor.lerp_(scores.detach().mean(), 1 - self.decay * begun)
        self.steps.add_(1)
        return begun * ((real - self.fake.clone()).square().mean() + (fake - self.real.clone()).square().mean())


class OfWeights(Regulariser, ABC):
    """What D's weights cost, whatever it says: a sum over its layers."""

    def d(self, heard: Heard) -> Tensor:
        layers = [to_float32(w).flatten(1) for w in heard.real.net.parameters() if w.ndim > 1]
        return torch.stack([self.of(W) for W in layers]).sum() if layers else heard.real.said.new_zeros(())

    @abstractmethod
    def of(self, W: Tensor) -> Tensor:
        """Of one layer, a row for each unit.  [units, inputs]"""


class Spectral(OfWeights):
    """1/2 sum of sigma(W)^2, sigma the greatest singular value (Yoshida & Miyato 2017)."""

    weight = 0.01

    def of(self, W: Tensor) -> Tensor:
        squares: Tensor = torch.linalg.eigvalsh(gram(W))  # of the singular values, rising
        return squares[-1] / 2


class Orthogonal(OfWeights):
    """sum of ||W W^T (1 - I)||_F^2: rows at right angles, however long (Brock et al. 2018, Eq. 3)."""

    weight = 1e-4

    def of(self, W: Tensor) -> Tensor:
        return penalties.off_diagonal(W)


class Decay(OfWeights):
    """1/2 sum of ||W||_F^2, weight decay that no Adam rescales."""

    weight = 1e-4

    def of(self, W: Tensor) -> Tensor:
        return W.square().sum() / 2


def gram(W: Tensor) -> Tensor:
    """The smaller of W W^T and W^T W, which share their greatest eigenvalue.  [n, n]"""
    return W @ W.T if W.shape[0] <= W.shape[1] else W.T @ W


REGULARISERS: dict[str, type[Regulariser]] = {
    "r1": R1, "r2": R2, "cr": CR, "bcr": BCR, "zcr": ZCR, "lecam": LeCam,
    "spectral": Spectral, "orthogonal": Orthogonal, "decay": Decay,
}  # fmt: skip


def inconsistency(look: Look, other: Tensor) -> Tensor:
    """E (D(x) - D(x'))^2 of two views, on scores before any loss."""
    return (to_float32(look.said) - to_float32(look.again(other))).square().mean()


def picture_of(look: Look) -> Tensor:
    """Errors: GanzooError for samples that are no pictures, and pictures beside others, which would have to move."""
    if any(isinstance(part, Tensor) and (part.ndim == 4) != (part is look.x) for part in (look.x, *look.conditions)):
        what = f"regularise: {type(look.net).__name__} is shown no pictures, or pictures beside others"
        raise GanzooError(what, "Consistency moves pictures: choose r1, r2 or lecam.")
    return look.x


def flipped_and_shifted(x: Tensor) -> Tensor:
    """Half of the pictures mirrored, each moved by up to an eighth of its side (4 of 32 px); borders are mirrors."""
    n, height, width = len(x), *x.shape[2:]
    flip = 1 - 2 * (torch.rand(n, device=x.device) < 0.5).float()
    across, down = (
        torch.randint(-(side // 8), side // 8 + 1, (n,), device=x.device) * (2 / side) for side in (width, height)
    )
    return warp(x, scaled(flip, torch.ones_like(flip)) @ moved(across, down))


def parsed(word: str) -> Regulariser:
    """NAME or NAME:WEIGHT. Errors: GanzooError, UnknownNameError."""
    name, _, weight = word.partition(":")
    if name not in REGULARISERS:
        raise UnknownNameError("regulariser", name, REGULARISERS)
    kind = REGULARISERS[name]
    try:
        strength = float(weight) if weight else kind.weight
    except ValueError:
        strength = math.nan
    if not 0 <= strength < math.inf:
        raise GanzooError(f"regularise={escape(word, 60)}: is no weight", f"Say {name}:{kind.weight:g}, say.")
    return kind(strength)


class Ledger(nn.ModuleDict):
    """The regularisers of every discriminator by its name, and whether anything has been paid for yet."""

    paid = False

    def of(self, name: str) -> Iterator[tuple[str, Regulariser]]:
        for kind, regulariser in cast(nn.ModuleDict, self[name]).items():
            yield kind, cast(Regulariser, regulariser)


def regularise(objective: Objective, words: Sequence[str]) -> None:
    """Let every discriminator of a game pay for what `words` name. Errors: GanzooError where it does not suit them."""
    judges = objective.discriminators()
    if not judges:
        raise GanzooError(f"regularise: {type(objective).__name__} has no discriminator", "Leave it out.")
    ledger = Ledger({D: nn.ModuleDict({word.partition(":")[0]: parsed(word) for word in words}) for D in judges})
    for name, D in judges.items():
        if not all(regulariser.batch_norm for _, regulariser in ledger.of(name)):
            penalties.require_no_batch_norm(D)
    objective.add_module("regularisers", ledger)
    objective.phases = partial(regularised_phases, objective, objective.phases)  # type: ignore[method-assign]


def regularised_phases(objective: Objective, phases: Callable[[], Sequence[Phase]]) -> list[Phase]:
    return [
        replace(
            phase,
            steps=[replace(step, loss=partial(regularised, objective, step.loss)) for step in phase.steps],
            on_step_end=partial(settled, objective, phase),
        )
        for phase in phases()
    ]


def settled(objective: Objective, phase: Phase, u: float) -> None:
    """Errors: GanzooError after the first iteration of a game in which discriminators move and nothing was heard."""
    phase.on_step_end(u)
    played = {id(w) for player in phase.players for w in player.parameters()}
    judging = any(id(w) in played for D in objective.discriminators().values() for w in D.parameters())
    if judging and not cast(Ledger, objective.regularisers).paid:
        what = f"regularise: {type(objective).__name__} does not ask D(x) about real samples and about made ones"
        raise GanzooError(what, "Leave it out.")


def regularised(objective: Objective, loss: Callable[[Batch], Terms], batch: Batch) -> Terms:
    """The loss, and what the networks that move pay besides."""
    with listening(objective) as notes:
        terms = dict(loss(batch))
    moving = [name for name, D in objective.discriminators().items() if moves(D)]
    ledger = cast(Ledger, objective.regularisers)
    owed = d_owes(ledger, notes, moving) if moving else g_owes(ledger, notes)
    for kind, value in owed:
        terms[kind] = terms[kind] + value if kind in terms else value
    return terms


def d_owes(ledger: Ledger, notes: Notes, moving: Sequence[str]) -> Iterator[tuple[str, Tensor]]:
    """A step in which D is not shown both kinds of samples (lazy regularisation, say) costs nothing more."""
    for name in moving:
        if name in notes.real and name in notes.fake:
            heard = Heard(notes.real[name], notes.fake[name], notes.drawn)
            for kind, regulariser in ledger.of(name):
                yield kind, regulariser.strength * regulariser.d(heard)
            ledger.paid = True


def g_owes(ledger: Ledger, notes: Notes) -> Iterator[tuple[str, Tensor]]:
    """Once, however many discriminators there are."""
    if notes.drawn is None or not moves(notes.drawn.net):
        return
    for kind, regulariser in ledger.of(next(iter(ledger))):
        value = regulariser.g(notes.drawn)
        if value is not None:
            yield kind, regulariser.strength * value


def moves(net: nn.Module) -> bool:
    return any(w.requires_grad for w in net.parameters())


class Notes:
    """What discriminators are shown and say while a loss runs, the first of each kind, and what was made of latents."""

    def __init__(self) -> None:
        self.real: dict[str, Look] = {}
        self.fake: dict[str, Look] = {}
        self.drawn: Look | None = None

    def judged(self, made: Made, name: str, D: nn.Module, given: tuple[Any, ...], said: Tensor) -> None:
        kind = self.fake if made.is_made(given[0]) else self.real
        kind.setdefault(name, Look(D, given[0], given[1:], said))

    def made(self, G: nn.Module, given: tuple[Any, ...], said: Tensor) -> None:
        self.drawn = self.drawn or Look(G, given[0], given[1:], said)


@contextmanager
def listening(objective: Objective) -> Iterator[Notes]:
    """Within it, what the discriminators and those generators say that begin with a latent is noted."""
    notes = Notes()
    with Made() as made, ExitStack() as until:
        for name, D in objective.discriminators().items():
            told = partial(notes.judged, made, name)
            until.callback(D.register_forward_hook(told).remove)
            until.enter_context(features_told(cast(Discriminator, D), told))
        for G in objective.children():
            if begins_with_latent(G):
                until.callback(G.register_forward_hook(notes.made).remove)
        yield notes


@contextmanager
def features_told(D: Discriminator, told: Callable[[nn.Module, tuple[Any, ...], Tensor], None]) -> Iterator[None]:
    """Scores that are asked for together with features are noted, too."""
    ask = D.score_and_features

    def asked(x: Tensor) -> tuple[Tensor, Tensor]:
        scores, features = ask(x)
        told(D, (x,), scores)
        return scores, features

    D.score_and_features = asked  # type: ignore[method-assign]
    try:
        yield
    finally:
        del D.score_and_features


def begins_with_latent(net: nn.Module) -> bool:
    return isinstance(net, Generator) and isinstance(next(iter(net.inputs.values())), Latent)

"""The game of a student: what its teacher draws and sees, and the teacher's own discriminator (Li et al. 2020)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss

from ganzoo_compress.distil.pruning import taps
from ganzoo_core.nn import Discriminator, Generator
from ganzoo_core.objectives import (
    Batch,
    Objective,
    Phase,
    Player,
    Step,
    Terms,
    adam,
    halfway_to_zero,
    least_squares,
    nonsaturating,
)


class Lesson(nn.Module):
    """One teacher G', its student G, and f_t, 1x1 convolutions from what the student has to what the teacher has.

    The student is no child of it: it is the game's. The teacher stands still, in evaluation mode.
    """

    def __init__(self, student: Generator, teacher: Generator) -> None:
        super().__init__()
        self.names = taps(teacher)
        self.teacher = teacher.requires_grad_(False).eval()
        with torch.no_grad():
            trial = next(iter(teacher.inputs.values())).trial(1, torch.Generator().manual_seed(0))
            (_, wide), (_, narrow) = (looking(net, trial, self.names) for net in (teacher, student))
        self.f = nn.ModuleList(nn.Conv2d(n.shape[1], w.shape[1], 1) for w, n in zip(wide, narrow, strict=True))

    def train(self, mode: bool = True) -> Lesson:
        super().train(mode)
        self.teacher.eval()
        return self

    def forward(self, student: nn.Module, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """G(x), G'(x), and L_distill = sum_t |f_t(G_t(x)) - G'_t(x)|^2, means over maps (Eq. 2)."""
        with torch.no_grad():
            drawn, wide = looking(self.teacher, x, self.names)
        made, narrow = looking(student, x, self.names)
        each = [mse_loss(f(n).float(), w.float()) for f, n, w in zip(self.f, narrow, wide, strict=True)]
        return made, drawn, torch.stack(each).sum()


def looking(net: nn.Module, x: Tensor, names: Sequence[str]) -> tuple[Tensor, list[Tensor]]:
    """What a network makes of x, and what modules within it have made on the way, by their names."""
    seen: dict[str, Tensor] = {}

    def note(name: str) -> Any:
        return lambda module, given, made: seen.__setitem__(name, made)

    handles = [net.get_submodule(name).register_forward_hook(note(name)) for name in names]
    try:
        made: Tensor = net(x)
    finally:
        for handle in handles:
            handle.remove()
    return made, [seen[name] for name in names]


class Distillation(Objective):
    """GAN Compression: Efficient Architectures for Interactive Conditional GANs (Li et al. 2020, arXiv:2003.08936).

    L = L_cGAN + lambda_recon L_recon + lambda_distill L_distill (Eq. 4)
    """

    recon: Annotated[float, "lambda_recon"] = 100.0
    distill: Annotated[float, "lambda_distill, the weight of what is seen at four layers"] = 1.0
    lr: Annotated[float, "Adam's step for both players; from half the course on it falls to 0"] = 2e-4
    images: Annotated[int, "length"] = 20_000

    needs = frozenset({"a", "b"})

    def learn_from(self, teachers: Mapping[str, Generator]) -> None:
        """The teachers of what is exported, by name. Once, before `phases`."""
        students = self.exported_modules()
        pairs = {name: (net, teachers[name]) for name, net in students.items() if isinstance(net, Generator)}
        self.lessons = nn.ModuleDict({name: Lesson(*pair) for name, pair in pairs.items()})

    def phases(self) -> Sequence[Phase]:
        ways = [lesson.f for lesson in self.lessons.values() if isinstance(lesson, Lesson)]
        G = self.player("G", [*self.exported_modules().values(), *ways])
        D = self.player("D", list(self.discriminators().values()))
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)]

    def player(self, name: str, nets: Sequence[nn.Module]) -> Player:
        return Player(name, nets, adam(self.lr, 0.5), {"lr": halfway_to_zero})

    @abstractmethod
    def d_loss(self, batch: Batch) -> Terms: ...

    @abstractmethod
    def g_loss(self, batch: Batch) -> Terms: ...


class Paired(Distillation):
    """A student of pix2pix: the truth is known (Eq. 1, above)."""

    G: Generator
    D: Discriminator

    def d_loss(self, batch: Batch) -> Terms:
        """pix2pix's: half of -E log D(a, b) - E log(1 - D(a, G(a)))."""
        a, b = batch["a"], batch["b"]
        return {name: term / 2 for name, term in nonsaturating.d(self.D(b, a), self.D(self.G(a), a)).items()}

    def g_loss(self, batch: Batch) -> Terms:
        """-E log D(a, G(a)) + lambda_recon E |G(a) - b| + lambda_distill L_distill."""
        a, b = batch["a"], batch["b"]
        made, _, seen = self.lessons["G"](self.G, a)
        return {
            "adv": nonsaturating.g(self.D(made, a), None),
            "recon": self.recon * l1_loss(made.float(), b),
            "distill": self.distill * seen,
        }


class Unpaired(Distillation):
    """Students of CycleGAN, one each way: in place of the truth they have what their teachers draw (Eq. 1, below)."""

    G: Generator
    F: Generator
    D_X: Discriminator
    D_Y: Discriminator

    exported = ("G", "F")

    def d_loss(self, batch: Batch) -> Terms:
        """CycleGAN's: 1/2 E (D(y) - 1)^2 + 1/2 E D(G(x))^2 at both ends."""
        x, y = batch["a"], batch["b"]
        ends = {"x": (self.D_X, x, self.F(y)), "y": (self.D_Y, y, self.G(x))}
        found = {end: least_squares.d(D(real), D(fake)) for end, (D, real, fake) in ends.items()}
        return {f"{end}_{name}": term for end, terms in found.items() for name, term in terms.items()}

    def g_loss(self, batch: Batch) -> Terms:
        """E (D(G(x)) - 1)^2 + lambda_recon E |G(x) - G'(x)| + lambda_distill L_distill, at both ends."""
        ends = {"g": ("G", self.G, self.D_Y, batch["a"]), "f": ("F", self.F, self.D_X, batch["b"])}
        terms: Terms = {}
        for end, (name, net, judge, given) in ends.items():
            made, drawn, seen = self.lessons[name](net, given)
            terms |= {
                f"adv_{end}": 2 * least_squares.g(judge(made), None),
                f"recon_{end}": self.recon * l1_loss(made.float(), drawn.float()),
                f"distill_{end}": self.distill * seen,
            }
        return terms

"""AAE (Makhzani et al. 2015): the codes of an autoencoder are made to look like draws from the prior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot, softmax

from ganzoo_autoencoders import networks as made
from ganzoo_autoencoders.game import Encoded
from ganzoo_autoencoders.networks import CodeD, Shape, autoencoder, body_of, narrow, refuse_empty
from ganzoo_core.nn import Category, Discriminator, Generator, Images, Latent
from ganzoo_core.objectives import Batch, Optim, Phase, Player, Schedule, Step, Terms, adam, nonsaturating, sgd


class LabelledE(made.E):
    """x -> z and the logits of a class y: q(z|x) and q(y|x), both of one network."""

    def codes(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z [N, Z], logits of y [N, K]"""
        z, logits = self.main(x).float().tensor_split([self.z_dim], 1)
        return z, logits

    def code(self, x: Tensor) -> tuple[Tensor, ...]:
        z, logits = self.codes(x)
        return z, logits.argmax(1)


class LabelledG(Generator):
    """z and a class y -> the picture: the style, and what it is."""

    def __init__(self, shape: Shape, z_dim: int, classes: int, main: nn.Module) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((z_dim,)), "y": Category(classes)}, Images(shape)
        self.classes, self.main = classes, main

    def forward(self, z: Tensor, y: Tensor) -> Tensor:  # [N, Z], int64 [N] -> [N, C, H, W]
        return self.decode(z, one_hot(y, self.classes).to(z.dtype))

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        """Of a y that need not be sure.  [N, Z], [N, K] -> [N, C, H, W]"""
        return self.main(torch.cat([z, y], 1))


class AAE(Encoded):
    """Adversarial Autoencoders (Makhzani et al. 2015, arXiv:1511.05644).

    D:    -E log D(z) - E log(1 - D(E(x))),  z ~ p(z)
    E, G: E |x - G(E(x))|^2 / 2 - adv E log D(E(x))

    With classes E says y, too, and Dy judges it against draws of a class; a hundred labels say which class is which.
    """

    D: Discriminator
    Dy: nn.Module
    rec: Annotated[Literal["sum", "mean"], "squares of a picture's differences, in [0, 1], are summed or averaged"] = (
        "mean"
    )
    adv: Annotated[float, "weight of the codes' adversarial term: the paper's step for it is ten times as large"] = 10.0
    noise: Annotated[float, "sigma of the noise that E sees pictures through, in training; pixels in [0, 1]"] = 0.3
    optimizer: Annotated[Literal["sgd", "adam"], "of all players: SGD with momentum 0.9, or Adam with b1 = 0.5"] = "sgd"
    lr: Annotated[float, "step for E and G"] = 0.01
    d_lr: Annotated[float, "step for the discriminators"] = 0.1
    drops: Annotated[tuple[float, ...], "fractions of the run after each of which steps are a tenth"] = (0.01, 0.2)
    images: Annotated[int, "length in real images: 5,000 epochs of MNIST"] = 300_000_000

    def __post_init__(self) -> None:
        labelled = isinstance(self.G, LabelledG)
        self.needs = frozenset({"x", "x_labelled", "label"} if labelled else {"x"})

    def phases(self) -> Sequence[Phase]:
        schedules: dict[str, Schedule] = {"lr": self.drop}
        both = Player("EG", [self.E, self.G], self.optim(self.lr), schedules)
        judges = Player("D", [self.D, self.Dy], self.optim(self.d_lr), schedules)
        return [Phase("main", [Step(both, self.eg_loss), Step(judges, self.d_loss)], self.images)]

    def optim(self, lr: float) -> Optim:
        return sgd(lr, 0.9) if self.optimizer == "sgd" else adam(lr)

    def drop(self, u: float) -> float:
        """A tenth after each of `drops`."""
        factor: float = 0.1 ** sum(u >= at for at in self.drops)
        return factor

    def seen(self, x: Tensor) -> Tensor:
        """Pictures with noise; pixels in [-1, 1] are twice as far apart."""
        return x + 2 * self.noise * torch.randn_like(x)

    def eg_loss(self, batch: Batch) -> Terms:
        """The reconstruction phase and E's half of the regularisation phase, in one step."""
        x = batch["x"]
        z, *y = self.codes(self.seen(x))
        terms = {"rec": self.squares(self.drawn(z, *y), x), "adv": self.adv * nonsaturating.g(self.D(z), None)}
        for logits in y:
            terms["adv_y"] = self.adv * nonsaturating.g(self.Dy(softmax(logits, 1)), None)
            terms["label"] = cross_entropy(self.codes(self.seen(batch["x_labelled"]))[1], batch["label"])
        return terms

    def d_loss(self, batch: Batch) -> Terms:
        """D tells draws of the prior from codes; Dy draws of a class from what E says of it."""
        z, *y = self.codes(self.seen(batch["x"]))
        terms = nonsaturating.d(self.D(torch.randn_like(z)), self.D(z))
        for logits in y:
            n, k = logits.shape
            draws = one_hot(torch.randint(k, (n,), device=z.device), k).float()
            of_y = nonsaturating.d(self.Dy(draws), self.Dy(softmax(logits, 1)))
            terms |= {f"{name}_y": term for name, term in of_y.items()}
        return terms

    def codes(self, x: Tensor) -> tuple[Tensor, ...]:
        """z, and the logits of y where there are classes; a draw where E is stochastic."""
        return self.E.codes(x) if isinstance(self.E, LabelledE) else (self.E.draw(x),)

    def drawn(self, z: Tensor, *logits: Tensor) -> Tensor:
        """The picture of z, and of a y that need not be sure.  [N, C, H, W]"""
        return self.G.decode(z, softmax(logits[0], 1)) if isinstance(self.G, LabelledG) else self.G(z)

    def squares(self, again: Tensor, x: Tensor) -> Tensor:
        """1/2 |x - x'|^2, pixels in [0, 1]."""
        square = (again.float() - x).square().flatten(1) / 8
        return (square.sum(1) if self.rec == "sum" else square.mean(1)).mean()


def networks(
    *,
    image_size: Annotated[int, "side of the square image; dcgan: 8, 16, 32, 64 ..."] = 28,
    channels: Annotated[int, "1 gray, 3 colour"] = 1,
    classes: Annotated[int, "values of y, which E says and G is told; 0: there is no y"] = 0,
    body: Annotated[Literal["dense", "dcgan"], "what E and G are made of"] = "dense",
    units: Annotated[tuple[int, ...], "dense: of the hidden layers of E, and turned round of G"] = (1000, 1000),
    width: Annotated[int, "dcgan: channels at half the side; they double at each stage towards 4x4"] = 64,
    d_units: Annotated[tuple[int, ...], "of the hidden layers of D, and of Dy"] = (1000, 1000),
    z_dim: Annotated[int, "length of z ~ N(0, 1)"] = 8,
    stochastic: Annotated[bool, "whether E makes q(z|x), a normal distribution; without classes"] = False,
) -> dict[str, nn.Module]:
    """G, E, the discriminator D of z, and Dy of y where there are classes (else it is nothing)."""
    refuse_empty(*d_units)
    shape = (channels, image_size, image_size)
    parts = body_of(body, shape, units, width)
    if not classes:
        judges = {"D": CodeD(z_dim, d_units).apply(narrow), "Dy": nn.Identity()}
        return autoencoder(parts, z_dim, stochastic) | judges
    refuse_empty(z_dim)
    return {
        "G": LabelledG(shape, z_dim, classes, parts.decoder(z_dim + classes)),
        "E": LabelledE(shape, z_dim, parts.encoder(z_dim + classes)),
        "D": CodeD(z_dim, d_units).apply(narrow),
        "Dy": CodeD(classes, d_units).apply(narrow),
    }

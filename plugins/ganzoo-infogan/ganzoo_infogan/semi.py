"""Semi-supervised InfoGAN: a few labels say what one of the codes is to mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss, one_hot

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Code, Discriminator, Generator, Images, Label, Latent, initialise
from ganzoo_core.objectives import Batch, Optim, Terms, TwoPlayer, adam, nonsaturating

SLOPE = 0.01  # of the leaky rectifiers
Shape = tuple[int, int, int]  # C, H, W


class SSInfoGAN(TwoPlayer):
    """Guiding InfoGAN with Semi-Supervision (Spurr et al. 2017, arXiv:1707.04487).

    c = (c_ss, c_us): Q_ss reads c_ss, a class, and learns from labelled pictures alone, Q_us reads what has no labels.
    D, Q: -V(D, G) - lam_ss E log Q_ss(y | x_l) - lam_us E log Q_us(c_us | G(z, c))
    G:    -E log D(G(z, c)) - lam_ss E log Q_ss(c_ss | G(z, c)) - lam_us E log Q_us(c_us | G(z, c))

    So the code is guided to the classes, and the bound on I(c; G(z, c)), InfoGAN's Eq. 5, does the rest.
    """

    needs = frozenset({"x", "x_labelled", "label"})
    exported = ("G", "D")  # D says the class, too

    G: G
    D: D
    Q: nn.Module
    lam_ss: Annotated[float, "lambda of the code that labels guide"] = 2.0
    lam_us: Annotated[float, "lambda of the codes without labels"] = 0.8
    lr_d: Annotated[float, "Adam's, of D and Q"] = 1e-4
    lr_g: Annotated[float, "Adam's, of G"] = 1e-3
    images: Annotated[int, "length in real images: 5,000 updates at a batch of 128"] = 640_000

    def optim(self, player: str) -> Optim:
        return adam(self.lr_d if player == "D" else self.lr_g)

    def nets(self, player: str) -> Sequence[nn.Module]:
        return [self.D, self.Q] if player == "D" else [self.G]

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        z, label, u = self.drawn(len(x))
        s, h = self.D.score_and_features(self.G(z, label, u))
        named = cross_entropy(self.D.logits(batch["x_labelled"]), batch["label"])
        return nonsaturating.d(self.D(x), s) | {"label": self.lam_ss * named, "u": self.lam_us * self.distance(h, u)}

    def g_loss(self, batch: Batch) -> Terms:
        z, label, u = self.drawn(len(batch["x"]))
        s, h = self.D.score_and_features(self.G(z, label, u))
        return {
            "adv": nonsaturating.g(s, None),
            "c": self.lam_ss * cross_entropy(self.D.named(h), label),
            "u": self.lam_us * self.distance(h, u),
        }

    def drawn(self, n: int) -> tuple[Tensor, Tensor, Tensor]:
        """z, c_ss, each class equally often, and c_us."""
        z, u = self.G.priors(n).values()
        return z, torch.randint(self.G.classes, (n,), device=z.device), u

    def distance(self, h: Tensor, u: Tensor) -> Tensor:
        """-log Q_us up to a constant: a normal distribution of fixed width has squares."""
        return mse_loss(self.Q(h).float(), u)


class G(Generator):
    """(z, c_ss, c_us) -> a layer of units -> a quarter of the side -> a half -> the picture in [0, 1]."""

    def __init__(self, shape: Shape, width: int, units: int, z_dim: int, classes: int, codes: int) -> None:
        super().__init__()
        self.inputs = {"z": Latent((z_dim,)), "label": Label(classes), "u": Code((codes,), (-1.0, 1.0))}
        self.output, self.classes = Images(shape), classes
        side, f = shape[1] // 4, 2 * width
        self.main = nn.Sequential(
            nn.Linear(z_dim + classes + codes, units), nn.BatchNorm1d(units), nn.ReLU(),
            nn.Linear(units, f * side * side), nn.BatchNorm1d(f * side * side), nn.ReLU(),
            nn.Unflatten(1, (f, side, side)),
            nn.ConvTranspose2d(f, width, 4, 2, 1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.ConvTranspose2d(width, shape[0], 4, 2, 1), nn.Sigmoid(),
        )  # fmt: skip
        self.apply(initialise)

    def forward(self, z: Tensor, label: Tensor, u: Tensor) -> Tensor:
        latent = torch.cat([z, one_hot(label, self.classes).to(z.dtype), u], 1)  # [N, z_dim + K + U]
        return 2 * self.main(latent) - 1


class D(Discriminator):
    """x -> a half of the side -> a quarter -> a layer of units, from which score, class and codes are read."""

    def __init__(self, shape: Shape, width: int, units: int, classes: int) -> None:
        super().__init__()
        f = 2 * width
        self.main = nn.Sequential(
            nn.Conv2d(shape[0], width, 4, 2, 1), nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, f, 4, 2, 1), nn.BatchNorm2d(f), nn.LeakyReLU(SLOPE), nn.Flatten(),
            nn.Linear(f * (shape[1] // 4) ** 2, units), nn.BatchNorm1d(units), nn.LeakyReLU(SLOPE),
        )  # fmt: skip
        self.score, self.Q_ss = nn.Linear(units, 1), nn.Linear(units, classes)
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        return self.score_and_features(x)[0]

    def features(self, x: Tensor) -> Tensor:
        """[N, units]"""
        return self.main((x + 1) / 2)  # the authors' images lie in [0, 1]

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.features(x)
        return self.score(h).flatten(), h

    def named(self, h: Tensor) -> Tensor:
        """Q_ss: features -> logits of the classes.  [N, units] -> [N, K]"""
        return self.Q_ss(h).float()

    def logits(self, x: Tensor) -> Tensor:
        """Q_ss of pictures: the classifier that few labels have made.  [N, C, H, W] -> [N, K]"""
        return self.named(self.features(x))


def networks(
    *,
    image_size: Annotated[int, "side of the square image, a multiple of 4"] = 28,
    channels: Annotated[int, "1 gray, 3 colour"] = 1,
    classes: Annotated[int, "K, values of the code c_ss that labels guide"] = 10,
    width: Annotated[int, "channels at half the side, in both"] = 64,
    units: Annotated[int, "of the fully connected layers"] = 1024,
    z_dim: Annotated[int, "length of the incompressible noise z ~ N(0, 1)"] = 62,
    codes: Annotated[int, "continuous codes c_us without labels, each uniform in [-1, 1]"] = 2,
) -> dict[str, nn.Module]:
    """The generator G(z, c_ss, c_us), the discriminator D with Q_ss, and Q, which is Q_us, on D's features."""
    if image_size < 8 or image_size % 4:
        raise GanzooError(f"image_size {image_size}: not a multiple of 4 from 8", "Choose one; images are resized.")
    if classes < 2:
        raise GanzooError(f"classes {classes}: this game tells classes apart", "Choose data with two or more.")
    shape, hidden = (channels, image_size, image_size), 2 * width
    layers = [nn.Linear(units, hidden), nn.BatchNorm1d(hidden), nn.LeakyReLU(SLOPE), nn.Linear(hidden, codes)]
    return {
        "G": G(shape, width, units, z_dim, classes, codes),
        "D": D(shape, width, units, classes),
        "Q": nn.Sequential(*layers).apply(initialise),
    }

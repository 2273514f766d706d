"""ClusterGAN: an encoder finds noise and category of a sample again, so that pictures fall into clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss, one_hot

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Category, Discriminator, Generator, Image, Images, Latent, Points, initialise
from ganzoo_core.objectives import Batch, Optim, Terms, TwoPlayer, adam, gradient_penalty, wasserstein

Shape = tuple[int, int, int]  # C, H, W


class ClusterGAN(TwoPlayer):
    """ClusterGAN: Latent Space Clustering in Generative Adversarial Networks (Mukherjee et al. 2019, 1809.03627).

    min_{G,E} max_D E q(D(x)) + E q(1 - D(G(z))) + beta_n E ||z_n - E(G(z))_n||^2 + beta_c E H(z_c, E(G(z))_c),
    z = (z_n, z_c), z_n ~ N(0, sigma^2), z_c one of K unit vectors

    q is the identity, and D WGAN-GP's critic, as in the authors' code: d = -E D(x) + E D(G(z)) + lambda GP. z_n is
    small beside z_c, so the prior has K islands with nothing between them, and E sends a picture to one of them.
    """

    loss, slopes = wasserstein, True
    exported = ("G", "E")

    G: G
    E: E
    beta_n: Annotated[float, "weight of the noise that is to be found again"] = 10.0
    beta_c: Annotated[float, "weight of the category that is to be found again"] = 10.0
    lam: Annotated[float, "lambda, the weight of the gradient penalty"] = 10.0
    n_critic: Annotated[int, "updates of the critic for each of G and E"] = 5
    lr: Annotated[float, "Adam's step for both players"] = 1e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.5
    b2: Annotated[float, "Adam's beta_2"] = 0.9
    images: Annotated[int, "length in real images: 500,000 updates of G at 5 batches of 64"] = 160_000_000

    def optim(self, player: str) -> Optim:
        return adam(self.lr, self.b1, self.b2)

    def nets(self, player: str) -> Sequence[nn.Module]:
        return [self.D] if player == "D" else [self.G, self.E]

    def d_updates(self) -> int:
        return self.n_critic

    def penalty(self, x: Tensor, fake: Tensor) -> Terms:
        return {"gp": self.lam * gradient_penalty(self.D, x, fake)}

    def g_loss(self, batch: Batch) -> Terms:
        z, c = self.G.priors(len(batch["x"])).values()
        fake = self.G(z, c)
        noise, logits = self.E.found(fake)
        return {
            "adv": wasserstein.g(self.D(fake), None),
            "noise": self.beta_n * mse_loss(noise, self.G.noise(z).float()),
            "category": self.beta_c * cross_entropy(logits, c),
        }


class G(Generator):
    """(z_n, z_c) -> a layer of units -> a quarter of the side -> a half -> the picture in [0, 1]. z ~ N(0, 1) is z_n /
    sigma.
    """

    def __init__(self, shape: Shape, width: int, units: int, z_dim: int, categories: int, sigma: float) -> None:
        super().__init__()
        self.inputs = {"z": Latent((z_dim,)), "c": Category(categories)}
        self.output, self.categories, self.sigma = Images(shape), categories, sigma
        side = shape[1] // 4
        self.main = nn.Sequential(
            nn.Linear(z_dim + categories, units), nn.BatchNorm1d(units), nn.ReLU(),
            nn.Linear(units, 2 * width * side * side), nn.Unflatten(1, (2 * width, side, side)),
            nn.BatchNorm2d(2 * width), nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1), nn.BatchNorm2d(width), nn.ReLU(),
            nn.ConvTranspose2d(width, shape[0], 4, 2, 1), nn.Sigmoid(),
        )  # fmt: skip
        self.apply(initialise)

    def noise(self, z: Tensor) -> Tensor:
        """z_n, of standard deviation sigma.  [N, z_dim]"""
        return self.sigma * z

    def forward(self, z: Tensor, c: Tensor) -> Tensor:  # [N, z_dim], int64 [N] -> [N, C, H, W]
        latent = torch.cat([self.noise(z), one_hot(c, self.categories).to(z.dtype)], 1)
        return 2 * self.main(latent) - 1


class D(Discriminator):
    """The critic."""

    def __init__(self, shape: Shape, width: int, units: int) -> None:
        super().__init__()
        self.main = reading(shape, width, units, 1)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        return self.main((x + 1) / 2).flatten()


class E(Generator):
    """A picture -> where it lies among the islands of the prior: z_n, and a share for each category."""

    def __init__(self, shape: Shape, width: int, units: int, z_dim: int, categories: int) -> None:
        super().__init__()
        self.inputs, self.output = {"x": Image(shape)}, Points((z_dim + categories,))
        self.z_dim, self.categories = z_dim, categories
        self.main = reading(shape, width, units, z_dim + categories)

    def found(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z_n [N, z_dim], and the logits of the categories [N, K]."""
        noise, logits = self.main((x + 1) / 2).float().tensor_split([self.z_dim], 1)
        return noise, logits

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, z_dim + K]
        noise, logits = self.found(x)
        return torch.cat([noise, logits.softmax(1)], 1)


def reading(shape: Shape, width: int, units: int, outputs: int) -> nn.Sequential:
    """A picture in [0, 1] -> a half of the side -> a quarter -> a layer of units -> outputs; nothing is normalised."""
    flat, last = 2 * width * (shape[1] // 4) ** 2, nn.Linear(units, outputs)
    body = nn.Sequential(
        nn.Conv2d(shape[0], width, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(),
        nn.Linear(flat, units), nn.LeakyReLU(0.2),
    ).apply(initialise)  # fmt: skip
    nn.init.xavier_uniform_(last.weight)
    nn.init.zeros_(last.bias)
    return body.append(last)


def networks(
    *,
    image_size: Annotated[int, "side of the square image, a multiple of 4"] = 28,
    channels: Annotated[int, "1 gray, 3 colour"] = 1,
    width: Annotated[int, "channels at half the side, in all three"] = 64,
    units: Annotated[int, "of the fully connected layer of each"] = 1024,
    z_dim: Annotated[int, "length of the noise z_n"] = 30,
    categories: Annotated[int, "K, how many clusters there are to be, 2 or more"] = 10,
    sigma: Annotated[float, "standard deviation of z_n; the categories are sqrt 2 apart"] = 0.1,
) -> dict[str, nn.Module]:
    """The generator G(z_n, z_c), the critic D and the encoder E."""
    if image_size < 8 or image_size % 4:
        raise GanzooError(f"image_size {image_size}: not a multiple of 4 from 8", "Choose one; images are resized.")
    if categories < 2:
        raise GanzooError(f"categories {categories}: are no clusters", "Choose 2 or more.")
    shape = (channels, image_size, image_size)
    return {
        "G": G(shape, width, units, z_dim, categories, sigma),
        "D": D(shape, width, units),
        "E": E(shape, width, units, z_dim, categories),
    }

"""BAGAN (Mariani et al. 2018): an autoencoder of all classes is what a balanced GAN begins from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss, one_hot

from ganzoo_autoencoders.networks import DCGAN, E, Shape, refuse_empty
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Images, Label, Latent
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, to_float32

KEPT = 0.99  # of the moments of codes, from one batch to the next
JITTER = 1e-4  # on the diagonal of covariances, so that they have a root


class BAGAN(Objective):
    """BAGAN: Data Augmentation with Balancing GAN (Mariani et al. 2018, arXiv:1803.09655).

    First E |x - G(E(x))|^2 over all classes. Then D begins as E, G goes on, and z_c ~ N(mu_c, Sigma_c), the moments of
    the codes of a class c:
    D: -E log D(c|x) - E log D(fake|G(z_c)), as many fakes as the data have of a class
    G: -E log D(c|G(z_c)), c uniform whatever the data's shares are

    So a class of few pictures begins with what all others have taught, and is asked for as often as they are.
    """

    needs = frozenset({"x", "label"})

    G: G
    E: E
    D: D
    lr: Annotated[float, "Adam's step for all players"] = 5e-5
    b1: Annotated[float, "Adam's beta_1"] = 0.5
    auto_images: Annotated[int, "length of the autoencoder's phase in real images"] = 1_000_000
    images: Annotated[int, "length of the game in real images"] = 5_000_000

    count: Tensor  # of pictures, running  [K]
    sum: Tensor  # of their codes  [K, Z]
    outer: Tensor  # of these with themselves  [K, Z, Z]

    def __post_init__(self) -> None:
        K, Z = self.G.mean.shape
        for name, shape in (("count", (K,)), ("sum", (K, Z)), ("outer", (K, Z, Z))):
            self.register_buffer(name, torch.zeros(shape))

    def phases(self) -> Sequence[Phase]:
        both, D, G = (Player(name, nets, adam(self.lr, self.b1)) for name, nets in (
            ("EG", [self.E, self.G]), ("D", [self.D]), ("G", [self.G]),
        ))  # fmt: skip
        game = [Step(D, self.d_loss), Step(G, self.g_loss)]
        return [
            Phase("autoencoder", [Step(both, self.eg_loss)], self.auto_images),
            Phase("game", game, self.images, on_start=self.begin),
        ]

    def eg_loss(self, batch: Batch) -> Terms:
        z = self.E(batch["x"])
        self.look(z.detach().float(), batch["label"])
        return {"rec": mse_loss(self.G.main(z).float(), batch["x"])}

    @torch.no_grad()
    def look(self, z: Tensor, c: Tensor) -> None:
        """Take codes into the running moments of their classes."""
        member = one_hot(c, len(self.count)).float()  # [N, K]
        news = member.sum(0), member.T @ z, torch.einsum("nk,ni,nj->kij", member, z, z)
        for kept, new in zip((self.count, self.sum, self.outer), news, strict=True):
            kept.mul_(KEPT).add_(new)

    @torch.no_grad()
    def begin(self) -> None:
        """G's latent gets the classes' moments, and D what E has learnt to see."""
        n = self.count.clamp(min=1e-6)
        mean = self.sum / n[:, None]
        covariance = self.outer / n[:, None, None] - mean[:, :, None] * mean[:, None]
        self.G.mean.copy_(mean)
        self.G.root.copy_(root(covariance))
        self.D.body.load_state_dict(self.E.main[:-2].state_dict())  # type: ignore[index]

    def d_loss(self, batch: Batch) -> Terms:
        """Of one batch of both: cross-entropy of K + 1 classes, the last of which is fake."""
        x, c = batch["x"], batch["label"]
        fake = self.G(*self.drawn(self.of_a_class(len(x))))
        n = len(x) + len(fake)
        of_fakes = torch.full((len(fake),), self.D.classes, device=c.device)
        real, false = (cross_entropy(to_float32(self.D.logits(v)), y, reduction="sum") for v, y in (
            (x, c), (fake, of_fakes),
        ))  # fmt: skip
        return {"class": real / n, "fake": false / n}

    def g_loss(self, batch: Batch) -> Terms:
        n = len(batch["x"])
        e, c = self.drawn(n + self.of_a_class(n))
        return {"class": cross_entropy(to_float32(self.D.logits(self.G(e, c))), c)}

    def drawn(self, n: int) -> tuple[Tensor, Tensor]:
        """e and classes, each equally often whatever the data have."""
        e = self.G.prior(n)
        return e, torch.randint(self.D.classes, (n,), device=e.device)

    def of_a_class(self, n: int) -> int:
        """How many of n pictures one class would have."""
        return math.ceil(n / self.D.classes)


class G(Generator):
    """e and a class c -> z = mu_c + Sigma_c^1/2 e -> the picture."""

    mean: Tensor  # mu  [K, Z]
    root: Tensor  # of Sigma  [K, Z, Z]

    def __init__(self, shape: Shape, z_dim: int, classes: int, main: nn.Module) -> None:
        super().__init__()
        self.inputs, self.output = {"e": Latent((z_dim,)), "label": Label(classes)}, Images(shape)
        self.main = main
        self.register_buffer("mean", torch.zeros(classes, z_dim))
        self.register_buffer("root", torch.eye(z_dim).repeat(classes, 1, 1))

    def latent(self, e: Tensor, label: Tensor) -> Tensor:
        """z.  [N, Z]"""
        return self.mean[label] + (self.root[label] @ e[:, :, None])[:, :, 0]

    def forward(self, e: Tensor, label: Tensor) -> Tensor:  # [N, Z], int64 [N] -> [N, C, H, W]
        return self.main(self.latent(e, label))


class D(Discriminator):
    """What E is made of, and logits of K classes and of fakes."""

    def __init__(self, body: nn.Sequential, classes: int) -> None:
        super().__init__()
        self.classes, self.body, self.head = classes, body[:-2], body[-2:]

    def logits(self, x: Tensor) -> Tensor:
        """Of the classes and, last, of fakes.  [N, K + 1]"""
        made: Tensor = self.head(self.body(x))
        return made

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        """log p(any class | x) - log p(fake | x)."""
        logits = to_float32(self.logits(x))
        return logits[:, :-1].logsumexp(1) - logits[:, -1]


def root(covariance: Tensor) -> Tensor:
    """A lower triangular root of each.  [K, Z, Z]"""
    eye = torch.eye(covariance.shape[1], device=covariance.device)
    found: Tensor = torch.linalg.cholesky_ex(covariance + JITTER * eye)[0]
    return found


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 8, 16, 32, 64 ..."] = 32,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    classes: Annotated[int, "labels 0 ... classes - 1"] = 10,
    width: Annotated[int, "channels at half the side; they double at each stage towards 4x4"] = 64,
    z_dim: Annotated[int, "length of z"] = 100,
) -> dict[str, nn.Module]:
    """G(e, c), the encoder E, and D, which is E with another last layer; neither of these has norms."""
    refuse_empty(width, z_dim)
    if classes < 2:
        raise GanzooError(f"classes {classes}: this game balances classes", "Choose data with two or more.")
    shape = (channels, image_size, image_size)
    body = DCGAN(shape, width, normed=False)
    return {
        "G": G(shape, z_dim, classes, body.decoder(z_dim)),
        "E": E(shape, z_dim, body.encoder(z_dim)),
        "D": D(body.encoder(classes + 1), classes),
    }

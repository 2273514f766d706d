"""CVAE-GAN (Bao et al. 2017): an autoencoder that is told the class, and is compared in what two judges see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from ganzoo_autoencoders.networks import DCGAN, Posterior, Shape, leaky, refuse_empty
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Image, Images, Label, Latent, Points, initialise
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, nonsaturating, to_float32


class CVAEGAN(Objective):
    """CVAE-GAN: Fine-Grained Image Generation through Asymmetric Training (Bao et al. 2017, arXiv:1703.10155).

    z ~ q(z|x, c), x' = G(z, c), x_p = G(z_p, c); f_D, f_C are the last hidden layers of D and of the classifier C

    D: -E log D(x) - E log(1 - D(x_p));  C: -E log C(c|x)
    E: lam_1 KL(q(z|x, c) || N(0, 1)) + lam_2 L_G,  L_G = 1/2 (|x - x'|^2 + |f_D(x) - f_D(x')|^2 + |f_C(x) - f_C(x')|^2)
    G: lam_2 L_G + lam_3 1/2 |E f_D(x) - E f_D(x_p)|^2 + lam_4 1/2 sum_c |E_c f_C(x) - E_c f_C(x_p)|^2

    G matches means of features where a GAN's would be paid for D's verdict: D may win, and still teach it.
    """

    needs = frozenset({"x", "label"})
    exported = ("G", "E")
    batchwise = True  # means over the batch

    G: G
    E: E
    D: Seeing
    C: Naming
    lam_1: Annotated[float, "weight of the divergence"] = 3.0
    lam_2: Annotated[float, "weight of what comes back"] = 1.0
    lam_3: Annotated[float, "weight of the mean of D's features"] = 1e-3
    lam_4: Annotated[float, "weight of the mean of C's features, class by class"] = 1e-3
    lr: Annotated[float, "Adam's step for all players"] = 2e-4
    images: Annotated[int, "length in real images"] = 6_000_000

    def phases(self) -> Sequence[Phase]:
        """Four players, each with a loss of its own."""
        losses = {"C": self.c_loss, "D": self.d_loss, "E": self.e_loss, "G": self.g_loss}
        steps = [Step(Player(name, [getattr(self, name)], adam(self.lr)), loss) for name, loss in losses.items()]
        return [Phase("main", steps, self.images)]

    def c_loss(self, batch: Batch) -> Terms:
        return {"class": cross_entropy(self.C(batch["x"]).float(), batch["label"])}

    def d_loss(self, batch: Batch) -> Terms:
        x, c = batch["x"], batch["label"]
        return nonsaturating.d(self.D(x), self.D(self.G(self.G.prior(len(x)), c)))

    def e_loss(self, batch: Batch) -> Terms:
        x, c = batch["x"], batch["label"]
        q = self.E.posterior(x, c)
        return {"kl": self.lam_1 * q.kl().mean()} | self.likeness(x, self.G(q.draw(), c))

    def g_loss(self, batch: Batch) -> Terms:
        x, c = batch["x"], batch["label"]
        again, drawn = self.G(self.E.posterior(x, c).draw(), c), self.G(self.G.prior(len(x)), c)
        of_d, of_c = self.D.features(x) - self.D.features(drawn), self.C.features(x) - self.C.features(drawn)
        matched = {
            "match_d": self.lam_3 * mean_apart(of_d),
            "match_c": self.lam_4 * means_apart(of_c, c, self.G.classes),
        }
        return self.likeness(x, again) | matched

    def likeness(self, x: Tensor, again: Tensor) -> Terms:
        """L_G, in its three terms, means over the batch."""
        pairs = {"pixels": (x, again)} | {
            name: (judge.features(x), judge.features(again)) for name, judge in (("d", self.D), ("c", self.C))
        }
        return {
            f"rec_{name}": self.lam_2 / 2 * to_float32(a - b).square().flatten(1).sum(1).mean()
            for name, (a, b) in pairs.items()
        }

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Samples of all classes in turn, and pictures beside the same drawn again."""
        nets, x, c = self.exported_networks(), batch["x"][:16], batch["label"][:16]
        G, E = nets["G"], nets["E"]
        assert isinstance(G, Generator) and isinstance(E, Generator)
        turns = torch.arange(len(batch["x"]), device=x.device) % self.G.classes
        again = G.sample(len(x), seed=0, z=E.sample(len(x), seed=0, x=x, label=c), label=c)
        return {"G": G.sample(len(turns), seed=0, label=turns), "x": x, "again": again}


def mean_apart(difference: Tensor) -> Tensor:
    """1/2 |E f(x) - E f(x_p)|^2 of features' differences.  [N, F] -> []"""
    return 0.5 * to_float32(difference).mean(0).square().sum()


def means_apart(difference: Tensor, c: Tensor, classes: int) -> Tensor:
    """The same for each class that the batch has, summed.  [N, F], int64 [N] -> []"""
    member = one_hot(c, classes).float()  # [N, K]
    sums, counts = member.T @ to_float32(difference), member.sum(0).clamp(min=1)
    return 0.5 * (sums / counts[:, None]).square().sum()


class G(Generator):
    """(z, c) -> the picture, in [-1, 1]."""

    def __init__(self, shape: Shape, z_dim: int, classes: int, main: nn.Module) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((z_dim,)), "label": Label(classes)}, Images(shape)
        self.classes, self.main = classes, main

    def forward(self, z: Tensor, label: Tensor) -> Tensor:  # [N, Z], int64 [N] -> [N, C, H, W]
        return self.main(torch.cat([z, one_hot(label, self.classes).to(z.dtype)], 1))


class E(Generator):
    """(x, c) -> the mean of q(z|x, c). The class is so many more channels, one of them 1 and the others 0."""

    def __init__(self, shape: Shape, z_dim: int, classes: int, main: nn.Module) -> None:
        super().__init__()
        self.inputs, self.output = {"x": Image(shape), "label": Label(classes)}, Points((z_dim,))
        self.z_dim, self.classes, self.main = z_dim, classes, main

    def posterior(self, x: Tensor, label: Tensor) -> Posterior:
        """q(z|x, c)."""
        maps = one_hot(label, self.classes).to(x.dtype)[:, :, None, None].expand(-1, -1, *x.shape[2:])
        return Posterior(*self.main(torch.cat([x, maps], 1)).float().split(self.z_dim, 1))

    def forward(self, x: Tensor, label: Tensor) -> Tensor:  # [N, C, H, W], int64 [N] -> [N, Z]
        return self.posterior(x, label).mean


class Seeing(Discriminator):
    """D: a picture -> features -> its score."""

    def __init__(self, body: DCGAN, units: int) -> None:
        super().__init__()
        self.body, self.head = nn.Sequential(body.encoder(units), leaky()), nn.Linear(units, 1)
        self.head.apply(initialise)

    def features(self, x: Tensor) -> Tensor:
        """f_D.  [N, units]"""
        return self.body(x)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        return self.head(self.features(x)).flatten()


class Naming(nn.Module):
    """C: a picture -> features -> logits of the classes."""

    def __init__(self, body: DCGAN, units: int, classes: int) -> None:
        super().__init__()
        self.body, self.head = nn.Sequential(body.encoder(units), leaky()), nn.Linear(units, classes)
        self.head.apply(initialise)

    def features(self, x: Tensor) -> Tensor:
        """f_C.  [N, units]"""
        h: Tensor = self.body(x)
        return h

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, K]
        logits: Tensor = self.head(self.features(x))
        return logits


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 8, 16, 32, 64 ..."] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    classes: Annotated[int, "labels 0 ... classes - 1"] = 10,
    width: Annotated[int, "channels at half the side; they double at each stage towards 4x4"] = 64,
    units: Annotated[int, "of f_D and f_C, the layers in which pictures are compared"] = 512,
    z_dim: Annotated[int, "length of z ~ N(0, 1)"] = 128,
) -> dict[str, nn.Module]:
    """G(z, c), E of q(z|x, c), the discriminator D and the classifier C."""
    refuse_empty(width, units, z_dim)
    if classes < 2:
        raise GanzooError(f"classes {classes}: this game tells classes apart", "Choose data with two or more.")
    shape = (channels, image_size, image_size)
    body, told = DCGAN(shape, width), DCGAN((channels + classes, image_size, image_size), width)
    return {
        "G": G(shape, z_dim, classes, body.decoder(z_dim + classes)),
        "E": E(shape, z_dim, classes, told.encoder(2 * z_dim)),
        "D": Seeing(body, units),
        "C": Naming(body, units, classes),
    }

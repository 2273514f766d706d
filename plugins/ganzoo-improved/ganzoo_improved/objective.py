"""Learning to classify from few labels (Sec. 5), and DCGAN's game with the other techniques (Sec. 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from torch.nn.functional import cross_entropy, softplus

from ganzoo_core.objectives import Batch, Optim, Schedule, Terms, TwoPlayer, adam, nonsaturating
from ganzoo_improved import networks
from ganzoo_improved.parts import History, feature_matching, smoothed_d


class Improved(TwoPlayer):
    """Improved Techniques for Training GANs (Salimans et al. 2016, arXiv:1606.03498), Sec. 5: semi-supervised learning.

    L_supervised = -E log p(y | x, y < K + 1), L_unsupervised = -E log D(x) - E log(1 - D(G(z))), D(x) = Z / (Z + 1),
    Z(x) = sum_k exp l_k(x). G matches D's features (Sec. 3.1).
    """

    batchwise = True
    needs = frozenset({"x", "x_labelled", "label"})
    exported = ("G", "D")  # D is the classifier
    prepare_on = 500

    D: networks.D
    lr: Annotated[float, "Adam's, of both players; it falls to 0 in the last third"] = 3e-4
    images: Annotated[int, "length in real images: 1,200 epochs of CIFAR-10"] = 60_000_000

    def prepare(self, batch: Batch) -> None:
        """Gains and biases of D's layers are set by the first data."""
        self.D.begin(batch["x"])

    def optim(self, player: str) -> Optim:
        return adam(self.lr, eps=1e-4)  # the authors' code adds 1e-8 under the root

    def schedules(self, player: str) -> Mapping[str, Schedule]:
        return {"lr": lambda u: min(1.0, 3 - 3 * u)}

    def d_loss(self, batch: Batch) -> Terms:
        """L_supervised + L_unsupervised, the latter halved as in the authors' code."""
        x = batch["x"]
        log_z, log_z_fake = self.D(x), self.D(self.fake(len(x)))
        return {
            "label": cross_entropy(self.D.logits(batch["x_labelled"]), batch["label"]),
            "real": (softplus(log_z) - log_z).mean() / 2,  # -log Z / (Z + 1)
            "fake": softplus(log_z_fake).mean() / 2,  # -log 1 / (Z + 1)
        }

    def g_loss(self, batch: Batch) -> Terms:
        """||E f(x) - E f(G(z))||^2."""
        x = batch["x"]
        fake = self.fake(len(x))
        return {"matching": feature_matching(self.D.features(x), self.D.features(fake))}


class ImprovedDCGAN(TwoPlayer):
    """DCGAN's game with one-sided label smoothing and historical averaging (Salimans et al. 2016, Secs. 3.3 and 3.4).

    Minibatch discrimination and virtual batch normalisation are in its networks.
    """

    batchwise = True
    alpha: Annotated[float, "D's target for real images"] = 0.9
    history: Annotated[float, "weight of both networks' distance from their past"] = 1e-4
    lr: Annotated[float, "Adam's, of both players"] = 2e-4
    images: Annotated[int, "length in real images"] = 5_000_000

    def __post_init__(self) -> None:
        super().__post_init__()
        self.past_G = History(self.G)
        self.past_D = History(self.D)

    def optim(self, player: str) -> Optim:
        return adam(self.lr)

    def on_step_end(self, u: float) -> None:
        self.past_G.update(self.G)
        self.past_D.update(self.D)

    def d_loss(self, batch: Batch) -> Terms:
        """Real images aim at alpha, fakes at 0; D stays near its past."""
        x = batch["x"]
        real, fake = self.D(x), self.D(self.fake(len(x)))
        return smoothed_d(real, fake, self.alpha) | {"history": self.history * self.past_D(self.D)}

    def g_loss(self, batch: Batch) -> Terms:
        """-E log D(G(z)); G stays near its past."""
        fake = self.D(self.fake(len(batch["x"])))
        return {"adv": nonsaturating.g(fake, None), "history": self.history * self.past_G(self.G)}

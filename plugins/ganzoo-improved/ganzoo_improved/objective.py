"""Learning to classify from few labels (Sec. 5), and DCGAN's game with the other techniques (Sec. 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from ganzoo_core.losses import Terms, nonsaturating
from ganzoo_core.networks import Discriminator, Generator
from ganzoo_core.objective import Batch, Objective, Phase, Player, Step, adam
from ganzoo_improved.parts import History, feature_matching, smoothed_d


class Improved(Objective):
    """Improved Techniques for Training GANs (Salimans et al. 2016, arXiv:1606.03498), Sec. 5: semi-supervised learning.

    L_supervised = -E log p(y | x, y < K + 1), L_unsupervised = -E log D(x) - E log(1 - D(G(z))), D(x) = Z / (Z + 1),
    Z(x) = sum_k exp l_k(x). G matches D's features (Sec. 3.1).
    """

    needs = frozenset({"x", "x_labelled", "label"})
    published = ("G", "D")  # D is the classifier
    prepare_on = 500

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        *,
        lr: float = 3e-4,  # Adam's, of both players; it falls to 0 in the last third
        images: int = 60_000_000,  # length in real images: 1,200 epochs of CIFAR-10
    ) -> None:
        super().__init__()
        self.G, self.D, self.lr, self.images = G, D, lr, images

    def prepare(self, batch: Batch) -> None:
        """Gains and biases of D's layers are set by the first data."""
        self.D.begin(batch["x"])  # type: ignore[operator]

    def phases(self) -> Sequence[Phase]:
        falling = {"lr": lambda u: min(1.0, 3 - 3 * u)}
        optim = adam(self.lr, eps=1e-4)  # the authors' code adds 1e-8 under the root
        D, G = (Player(name, [net], optim, falling) for name, net in (("D", self.D), ("G", self.G)))
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)]

    def d_loss(self, batch: Batch) -> Terms:
        """L_supervised + L_unsupervised, the latter halved as in the authors' code."""
        fake = self.G(self.G.prior(len(batch["x"])))
        everything = torch.cat([batch["x_labelled"], batch["x"], fake])  # one pass: in D no image sees another
        labelled, real, fake = self.D.logits(everything).tensor_split(3)  # type: ignore[operator]
        log_z, log_z_fake = real.logsumexp(1), fake.logsumexp(1)
        return {
            "label": cross_entropy(labelled, batch["label"]),
            "real": (softplus(log_z) - log_z).mean() / 2,  # -log Z / (Z + 1)
            "fake": softplus(log_z_fake).mean() / 2,  # -log 1 / (Z + 1)
        }

    def g_loss(self, batch: Batch) -> Terms:
        """||E f(x) - E f(G(z))||^2."""
        x = batch["x"]
        fake = self.G(self.G.prior(len(x)))
        return {"matching": feature_matching(self.D.features(x), self.D.features(fake))}

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """What G makes; D makes nothing."""
        G = self.shipped()["G"]
        return {"G": G.sample(len(batch["x"]), seed=0)}  # type: ignore[operator]


class ImprovedDCGAN(Objective):
    """DCGAN's game with one-sided label smoothing and historical averaging (Salimans et al. 2016, Secs. 3.3 and 3.4).

    Minibatch discrimination and virtual batch normalisation are in its networks.
    """

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        *,
        alpha: float = 0.9,  # D's target for real images
        history: float = 1e-4,  # weight of both networks' distance from their past
        lr: float = 2e-4,  # Adam's, of both players
        images: int = 5_000_000,  # length in real images
    ) -> None:
        super().__init__()
        self.G, self.D = G, D
        self.alpha, self.history, self.lr, self.images = alpha, history, lr, images
        self.past_G, self.past_D = History(G), History(D)

    def phases(self) -> Sequence[Phase]:
        D, G = (Player(name, [net], adam(self.lr)) for name, net in (("D", self.D), ("G", self.G)))
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images, after=self.remember)]

    def remember(self, u: float) -> None:
        self.past_G.update(self.G)
        self.past_D.update(self.D)

    def d_loss(self, batch: Batch) -> Terms:
        """Real images aim at alpha, fakes at 0; D stays near its past."""
        x = batch["x"]
        real, fake = self.D(x), self.D(self.G(self.G.prior(len(x))))
        return smoothed_d(real, fake, self.alpha) | {"history": self.history * self.past_D(self.D)}

    def g_loss(self, batch: Batch) -> Terms:
        """-E log D(G(z)); G stays near its past."""
        fake = self.D(self.G(self.G.prior(len(batch["x"]))))
        return {"adv": nonsaturating.g(fake, None), "history": self.history * self.past_G(self.G)}

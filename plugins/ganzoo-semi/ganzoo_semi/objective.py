"""Two games in which D is a classifier, x a picture, x_l a labelled one, y its label, z a latent."""

from __future__ import annotations

from typing import Annotated

from torch.nn.functional import cross_entropy

from ganzoo_core.objectives import Batch, Optim, Terms, TwoPlayer, adam, nonsaturating
from ganzoo_semi.networks import Classifier, OneMore, entropy, marginal_entropy


class FewLabels(TwoPlayer):
    """What both have alike: few labels beside all pictures, and D is shipped, for it is the classifier."""

    needs = frozenset({"x", "x_labelled", "label"})
    exported = ("G", "D")
    lr: Annotated[float, "Adam's step for both players"] = 2e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.5
    images: Annotated[int, "length in real images"] = 5_000_000

    def optim(self, player: str) -> Optim:
        return adam(self.lr, self.b1)


class SGAN(FewLabels):
    """Semi-Supervised Learning with Generative Adversarial Networks (Odena 2016, arXiv:1606.01583).

    D names one of K classes, or fake: -E log p(y | x_l) - E log p(y <= K | x) - E log p(K + 1 | G(z)).
    """

    D: OneMore

    def d_loss(self, batch: Batch) -> Terms:
        """Cross-entropies: of labelled pictures all K + 1 classes, of others the K together, of fakes the last."""
        x = batch["x"]
        label = cross_entropy(self.D.all_logits(batch["x_labelled"]).float(), batch["label"])
        return {"label": label} | nonsaturating.d(self.D(x), self.D(self.fake(len(x))))

    def g_loss(self, batch: Batch) -> Terms:
        """-E log p(y <= K | G(z))."""
        return {"adv": nonsaturating.g(self.D(self.fake(len(batch["x"]))), None)}


class CatGAN(FewLabels):
    """Unsupervised and Semi-supervised Learning with Categorical GANs (Springenberg 2015, arXiv:1511.06390).

    D: min E H[p(y | x)] - H[E p(y | x)] - E H[p(y | G(z))], and the labels; G: the reverse of its fakes, evenly spread.
    """

    D: Classifier
    lam: Annotated[float, "weight of the labels"] = 1.0

    batchwise = True  # how evenly a batch falls into the classes

    def d_loss(self, batch: Batch) -> Terms:
        """Sure of real pictures, which it uses all classes for, and unsure of fakes."""
        x = batch["x"]
        sure, real = self.D.score_and_features(x)
        fake = self.D.logits(self.fake(len(x)))
        return {
            "label": self.lam * cross_entropy(self.D.logits(batch["x_labelled"]).float(), batch["label"]),
            "real": -sure.mean(), "even": -marginal_entropy(real), "fake": -entropy(fake).mean(),
        }  # fmt: skip

    def g_loss(self, batch: Batch) -> Terms:
        """Of fakes D is to be sure, and they are to be of all classes."""
        fake = self.D.logits(self.fake(len(batch["x"])))
        return {"fake": entropy(fake).mean(), "even": -marginal_entropy(fake)}

"""VAE (Kingma & Welling 2014), beside the GANs: no discriminator, a bound on the likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from torch import nn

from ganzoo_autoencoders.game import Encoded, bernoulli
from ganzoo_autoencoders.networks import autoencoder, body_of
from ganzoo_core.objectives import Batch, Phase, Player, Step, Terms, adam


class VAE(Encoded):
    """Auto-Encoding Variational Bayes (Kingma & Welling 2014, arXiv:1312.6114).

    log p(x) >= E_q(z|x) log p(x|z) - KL(q(z|x) || p(z));  q(z|x) is normal, p(z) = N(0, 1), p(x|z) Bernoulli.
    """

    beta: Annotated[float, "weight of the divergence; 1: the bound itself"] = 1.0
    lr: Annotated[float, "Adam's step"] = 1e-3

    def phases(self) -> Sequence[Phase]:
        both = Player("EG", [self.E, self.G], adam(self.lr, 0.9))
        return [Phase("main", [Step(both, self.bound)], self.images)]

    def bound(self, batch: Batch) -> Terms:
        """The bound's two terms with their signs turned, in nats per picture."""
        x = batch["x"]
        q = self.E.posterior(x)
        return {"rec": bernoulli(self.G(q.draw()), x), "kl": self.beta * q.kl().mean()}


def networks(
    *,
    image_size: Annotated[int, "side of the square image; dcgan: 8, 16, 32, 64 ..."] = 28,
    channels: Annotated[int, "1 gray, 3 colour"] = 1,
    body: Annotated[Literal["dense", "dcgan"], "what E and G are made of"] = "dense",
    units: Annotated[tuple[int, ...], "dense: of the hidden layers of E, and turned round of G"] = (500,),
    width: Annotated[int, "dcgan: channels at half the side; they double at each stage towards 4x4"] = 64,
    z_dim: Annotated[int, "length of z ~ N(0, 1)"] = 20,
) -> dict[str, nn.Module]:
    """The decoder G and the encoder E, of q(z|x)."""
    return autoencoder(body_of(body, (channels, image_size, image_size), units, width), z_dim, stochastic=True)

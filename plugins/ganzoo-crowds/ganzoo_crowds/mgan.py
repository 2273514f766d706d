"""MGAN: a mixture of generators that share most of their layers, and a classifier that says which made a sample."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Category, Discriminator, Generator, Input, Latent
from ganzoo_core.objectives import Batch, Terms, TwoPlayerAdam, nonsaturating, to_float32
from ganzoo_crowds import networks as shared


class MGAN(TwoPlayerAdam):
    """MGAN: Training Generative Adversarial Nets with Multiple Generators (Hoang et al. 2018, arXiv:1708.02556).

    min_{G_1..K, C} max_D  E log D(x) + E log(1 - D(G_u(z))) - beta E_u log C_u(G_u(z)),  u uniform in 1 .. K

    D and C share all layers but the last. At their best this is 2 JSD(data, mixture) - beta JSD(G_1, .., G_K) and a
    constant: the mixture comes to the data, and its members keep apart. G descends -E log D.
    """

    G: Mixture
    D: Classifying
    beta: Annotated[float, "weight of being told apart, in G's loss; C's own is 1, as in the authors' code"] = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.G, Mixture):
            raise GanzooError(f"mgan: {type(self.G).__name__} is one generator", "It plays on networks of its own.")

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        made, logits = self.D.score_and_features(self.fake(len(x)))
        return nonsaturating.d(self.D(x), made) | {"class": self.untold(logits)}

    def g_loss(self, batch: Batch) -> Terms:
        made, logits = self.D.score_and_features(self.fake(len(batch["x"])))
        return {"adv": nonsaturating.g(made, None), "class": self.beta * self.untold(logits)}

    def untold(self, logits: Tensor) -> Tensor:
        """-E log C_u(G_u(z)), of samples in the order of `turns`."""
        return cross_entropy(to_float32(logits), shared.turns(len(logits), self.G.K, logits.device))

    def fake(self, n: int, *conditions: Tensor) -> Tensor:
        """As many of each generator, in the order of `turns`."""
        return self.G.each(self.G.prior(n))


class Mixture(Generator):
    """K generators, alike but for their first layer; u is drawn, each equally often, or given."""

    def __init__(self, form: shared.Form, K: int) -> None:
        super().__init__()
        self.inputs: dict[str, Input] = {"z": Latent((form.z_dim,)), "u": Category(K)}
        self.output, self.K = form.output, K
        whole = [form.making() for _ in range(K)]
        second = second_from(whole[0])
        self.own = nn.ModuleList(layers[:second] for layers in whole)
        self.shared = whole[0][second:]

    def forward(self, z: Tensor, u: Tensor) -> Tensor:  # [N, z_dim], int64 [N]
        return self.shared(shared.chosen(self.own, z, u))

    def each(self, z: Tensor) -> Tensor:
        """The samples of `turns`; batch norm of shared layers sees those of all."""
        return self.shared(shared.in_turn(list(self.own), z))


class Classifying(Discriminator):
    """D and C on one body: is it real, and if not, who made it?"""

    def __init__(self, form: shared.Form, K: int) -> None:
        super().__init__()
        self.body, self.D = form.judging()
        self.C = nn.Linear(self.D.in_features, K)

    def forward(self, x: Tensor) -> Tensor:  # -> [N]
        return self.D(self.body(x)).flatten()

    def features(self, x: Tensor) -> Tensor:
        """C's logits.  [N, K]"""
        return self.C(self.body(x))

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.body(x)
        return self.D(h).flatten(), self.C(h)


def second_from(layers: nn.Sequential) -> int:
    """Where the second layer with weights begins: what comes before it each generator has for itself."""
    weighted = [at for at, layer in enumerate(layers) if isinstance(layer, nn.Linear | nn.ConvTranspose2d)]
    return weighted[1]


def networks(
    *,
    generators: Annotated[int, "K, how many generators, 1 or more"] = 8,
    layers: shared.LayersArg = "dcgan",
    image_size: shared.SideArg = 32,
    channels: shared.ChannelsArg = 3,
    width: shared.WidthArg = 64,
    z_dim: shared.LatentArg = 100,
    norm: shared.NormArg = "batch",
    scale: shared.ScaleArg = 1.0,
) -> dict[str, nn.Module]:
    """The generators as one G, and D with the classifier C."""
    if generators < 1:
        raise GanzooError(f"generators {generators}: is no number of them", "Choose 1 or more.")
    form = shared.Form(layers, image_size, channels, width, z_dim, norm, scale)
    return {"G": Mixture(form, generators), "D": Classifying(form, generators)}

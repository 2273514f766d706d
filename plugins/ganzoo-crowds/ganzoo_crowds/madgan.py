"""MAD-GAN: several generators that share most of their layers, and a D that also says which of them made a sample."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Category, Discriminator, Generator, Input, Latent
from ganzoo_core.objectives import Batch, Terms, TwoPlayerAdam, nonsaturating, to_float32
from ganzoo_crowds import networks as shared

OWN = 2  # the last layers of each generator, which it shares with nobody


class MADGAN(TwoPlayerAdam):
    """Multi-Agent Diverse Generative Adversarial Networks (Ghosh et al. 2018, arXiv:1704.02906).

    d = cross-entropy of k + 1 classes: 0 .. k - 1 name the generator that made a sample, the last one is real;
    g = -E log D_{k+1}(G_i(z)): a sample is to be taken for real, whoever made it

    The paper's g is E log(1 - D_{k+1}(G_i(z))); this is what Goodfellow et al. 2014 made of theirs in Sec. 3.
    """

    loss = nonsaturating
    G: Crowd
    D: Naming

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.G, Crowd):
            raise GanzooError(f"madgan: {type(self.G).__name__} is one generator", "It plays on networks of its own.")

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        real, made = self.D.score_and_features(x)[1], self.D.score_and_features(self.fake(len(x)))[1]
        return {
            "real": cross_entropy(to_float32(real), real.new_full((len(x),), self.D.k, dtype=torch.int64)),
            "fake": cross_entropy(to_float32(made), shared.turns(len(x), self.G.k, x.device)),
        }

    def fake(self, n: int, *conditions: Tensor) -> Tensor:
        """As many of each generator, in the order of `turns`."""
        return self.G.each(self.G.prior(n))


class Crowd(Generator):
    """k generators G_i, alike but for their last layers; i is drawn, each equally often, or given."""

    def __init__(self, form: shared.Form, k: int) -> None:
        super().__init__()
        self.inputs: dict[str, Input] = {"z": Latent((form.z_dim,)), "i": Category(k)}
        self.output, self.k = form.output, k
        whole = [form.making() for _ in range(k)]
        first = own_from(whole[0])
        self.shared = whole[0][:first]
        self.own = nn.ModuleList(layers[first:] for layers in whole)

    def forward(self, z: Tensor, i: Tensor) -> Tensor:  # [N, z_dim], [N]
        return shared.chosen(self.own, self.shared(z), i)

    def each(self, z: Tensor) -> Tensor:
        """The samples of `turns`, without making any twice."""
        return shared.in_turn(list(self.own), self.shared(z))


class Naming(Discriminator):
    """Says who made a sample: logits of the k generators and, last, of the data. Its score is that of being real."""

    def __init__(self, form: shared.Form, k: int) -> None:
        super().__init__()
        self.k = k
        self.body, self.head = form.judging(outputs=k + 1)

    def forward(self, x: Tensor) -> Tensor:  # -> [N]
        return self.score_and_features(x)[0]

    def features(self, x: Tensor) -> Tensor:
        """The logits.  [N, k + 1]"""
        return self.head(self.body(x))

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """s such that sigmoid(s) = D_{k+1}(x), the softmax's share of being real; and the logits."""
        logits = self.features(x)
        return logits[:, -1] - logits[:, :-1].logsumexp(1), logits


def own_from(layers: nn.Sequential) -> int:
    """Where the last layers begin that each generator has for itself: what follows the weights before them."""
    weighted = [at for at, layer in enumerate(layers) if isinstance(layer, nn.Linear | nn.ConvTranspose2d)]
    return weighted[-OWN - 1] + 1


def networks(
    *,
    generators: Annotated[int, "k, how many generators, 1 or more"] = 4,
    layers: shared.LayersArg = "dcgan",
    image_size: shared.SideArg = 32,
    channels: shared.ChannelsArg = 3,
    width: shared.WidthArg = 64,
    z_dim: shared.LatentArg = 100,
    norm: shared.NormArg = "batch",
    scale: shared.ScaleArg = 1.0,
) -> dict[str, nn.Module]:
    """The generators as one G, and the discriminator D that names them."""
    if generators < 1:
        raise GanzooError(f"generators {generators}: is no number of them", "Choose 1 or more.")
    form = shared.Form(layers, image_size, channels, width, z_dim, norm, scale)
    return {"G": Crowd(form, generators), "D": Naming(form, generators)}

"""The games of Agustsson et al. 2019: what comes through the code must be near the picture, and look like one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import torch
from ganzoo_pix2pixhd.content import DISTANCES
from ganzoo_pix2pixhd.networks import MultiScale
from ganzoo_pix2pixhd.objective import feature_matching
from torch import Tensor

from ganzoo_compress.agustsson.networks import Global, Selective
from ganzoo_compress.codec import Codec
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, least_squares

PREVIEW = 16  # pictures that are shown


class Extreme(Objective):
    """min_{E, G} max_D E f(D(x)) + E g(D(G(z))) + lambda E d(x, G(z)) + beta H(w^) (Eq. 5), f and g least squares.

    beta = 0: H(w^) <= dim(w^) log2 L whatever E does, so the rate is set by C and L.
    """

    D: Discriminator
    mse: Annotated[float, "lambda, the weight of the mean squared error of pixels in [-1, 1]"] = 10.0
    fm: Annotated[float, "weight of feature matching"] = 10.0
    percep: Annotated[float, "weight of the perceptual loss; 0: there is none"] = 0.0
    content: Annotated[Literal["vgg", "lite0"], "what it looks through: vgg needs its file, lite0 pip installs"] = "vgg"
    lr: Annotated[float, "Adam's step for both players"] = 2e-4
    images: Annotated[int, "length: 280,000 iterations of one picture"] = 280_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.D, MultiScale):
            what = f"{type(self).__name__}: {type(self.D).__name__} does not show the maps of its layers"
            raise GanzooError(what, "Take its own networks, and leave augmentation out: -c augment=none.")
        self.distance = DISTANCES[self.content]()

    def phases(self) -> Sequence[Phase]:
        D, G = (Player(name, [net], adam(self.lr, 0.5)) for name, net in (("D", self.D), ("G", self.codec)))
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)]

    @property
    @abstractmethod
    def codec(self) -> Codec:
        """E, q and G as one."""

    def made(self, batch: Batch) -> Tensor:
        """The pictures that come through.  [N, C, H, W]"""
        made: Tensor = self.codec(*(batch[name] for name in self.codec.inputs))
        return made

    def beside(self, batch: Batch) -> Tensor:
        """What D sees beside a picture: nothing.  [N, 0, H, W]"""
        return batch["x"][:, :0]

    def distortion(self, batch: Batch, made: Tensor) -> Tensor:
        """d(x, x^): the mean squared error."""
        return (made.float() - batch["x"]).square().mean()

    def d_loss(self, batch: Batch) -> Terms:
        """1/2 E (D_k(x) - 1)^2 + 1/2 E D_k(x^)^2, the sum over scales."""
        assert isinstance(self.D, MultiScale)
        s = self.beside(batch)
        pairs = zip(self.D.maps(batch["x"], s), self.D.maps(self.made(batch), s), strict=True)
        each = [least_squares.d(real[-1], fake[-1]) for real, fake in pairs]
        return {name: total([terms[name] for terms in each]) for name in ("real", "fake")}

    def g_loss(self, batch: Batch) -> Terms:
        """sum_k E (D_k(x^) - 1)^2 + lambda d(x, x^) + L_FM + L_VGG; and H(w^) in bits of a number, to look at."""
        assert isinstance(self.D, MultiScale)
        x, s, made = batch["x"], self.beside(batch), self.made(batch)
        found, wanted = self.D.maps(made, s), self.D.maps(x, s)
        terms = {
            "adv": total([2 * least_squares.g(maps[-1], None) for maps in found]),
            "mse": self.mse * self.distortion(batch, made),
            "fm": self.fm * feature_matching(found, wanted),
        }
        if self.percep:
            terms["percep"] = self.percep * self.distance(made, x)
        with torch.no_grad():
            return terms | {"entropy": self.entropy(batch)}

    def entropy(self, batch: Batch) -> Tensor:
        """H(w^) in bits of a number."""
        codec: Any = self.codec
        bits: Tensor = codec.q.entropy(codec.E(batch["x"]))
        return bits


class GlobalCompression(Extreme):
    """Generative Adversarial Networks for Extreme Learned Image Compression (Agustsson et al. 2019, 1804.02958), GC."""

    G: Global

    @property
    def codec(self) -> Global:
        return self.G


class SelectiveCompression(Extreme):
    """The same with a map of labels, which says where a picture is kept and where it is drawn anew (SC).

    G and D see the labels s; distances count where the picture is kept.
    """

    G: Selective

    needs = frozenset({"x", "map", "redraw"})

    @property
    def codec(self) -> Selective:
        return self.G

    def beside(self, batch: Batch) -> Tensor:
        return batch["map"]

    def distortion(self, batch: Batch, made: Tensor) -> Tensor:
        """The mean squared error where the picture is kept (Sec. 4.2)."""
        kept = (1 - batch["redraw"]).expand_as(made)
        return (kept * (made.float() - batch["x"]).square()).sum() / kept.sum().clamp(min=1)

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Pictures, what of them is kept, and what comes through."""
        few = {name: value[:PREVIEW] for name, value in batch.items()}
        G = self.exported_networks()["G"]
        assert isinstance(G, Selective)
        given = {name: few[name] for name in G.inputs}
        kept = few["x"] * (1 - few["redraw"])
        return {"x": few["x"], "kept": kept, "G": G.sample(len(kept), seed=0, **given)}


def total(terms: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(terms)).sum()

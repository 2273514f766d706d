"""The game of pix2pixHD: coarse to fine, against judges of several scales whose layers must be pleased, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn.functional import l1_loss

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, initialise
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, halfway_to_zero, least_squares
from ganzoo_pix2pixhd.content import DISTANCES
from ganzoo_pix2pixhd.maps import painted
from ganzoo_pix2pixhd.networks import Enhanced, MultiScale, halved

PREVIEW = 16  # maps that are shown


class FromMaps(Objective):
    """A game of pictures that are drawn from maps: `map` is a label map with the edges of its instances, b the picture.

    D is of several scales, and shows the maps of its layers.
    """

    G: Generator
    D: Discriminator
    fm: Annotated[float, "lambda, the weight of feature matching"] = 10.0
    percep: Annotated[float, "weight of the perceptual loss; 0: there is none"] = 10.0
    content: Annotated[Literal["vgg", "lite0"], "what it looks through: vgg needs its file, lite0 pip installs"] = "vgg"

    needs = frozenset({"map", "b"})

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.D, MultiScale):
            what = (
                f"{type(self).__name__.lower()}: {type(self.D).__name__} does not show the maps of its layers beside "
            )
            raise GanzooError(
                f"{what}a label map", "Take its own networks, and leave augmentation out: -c augment=none."
            )
        self.distance = DISTANCES[self.content]()

    def layers(self, x: Tensor, map: Tensor) -> list[list[Tensor]]:
        """What D's layers make of pictures, for each scale; scores come last."""
        assert isinstance(self.D, MultiScale)
        return self.D.maps(x, map)

    def likeness(self, found: Sequence[Sequence[Tensor]], map: Tensor, b: Tensor, fake: Tensor) -> Terms:
        """lambda L_FM + the perceptual loss, where it has a weight."""
        terms = {"fm": self.fm * feature_matching(found, self.layers(b, map))}
        return terms | {"percep": self.percep * self.distance(fake, b)} if self.percep else terms

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Maps in colours, what is drawn of them, and the truth."""
        G, map = self.exported_networks()["G"], batch["map"][:PREVIEW]
        assert isinstance(G, Generator)
        return {"map": painted(map), "G": G.sample(len(map), seed=0, map=map), "b": batch["b"][:PREVIEW]}


class Pix2PixHD(FromMaps):
    """High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs (Wang et al. 2017).

    arXiv:1711.11585. `map` is a label map with the edges of its instances (s), b the picture (x).

    min_G max_D1,D2.. sum_k L_GAN(G, D_k) + lambda sum_k L_FM(G, D_k) (Eq. 5) + lambda L_VGG
    """

    lr: Annotated[float, "Adam's step for both players; from half of the last phase on it falls to 0"] = 2e-4
    global_images: Annotated[int, "length of G1 alone, at half the side; 200 epochs of 2,975 streets"] = 595_000
    local_images: Annotated[int, "length of G2 around a G1 that stands still: 10 epochs"] = 29_750
    images: Annotated[int, "length of all together: 200 epochs of G1 where there is no G2"] = 595_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.G, Enhanced):
            self.head = self.G.coarse_head().apply(initialise)

    def phases(self) -> Sequence[Phase]:
        D, whole = self.player("D", self.D), self.player("G", self.G, falling=True)
        last = Phase("main", [Step(D, self.d_loss), Step(whole, self.g_loss)], self.images)
        if not isinstance(self.G, Enhanced):
            return [last]
        first = self.player("G1", self.G.coarse, self.head)
        second = self.player("G2", *self.G.local())
        alone = Phase("global", [Step(D, self.coarse_d_loss), Step(first, self.coarse_g_loss)], self.global_images)
        around = Phase("local", [Step(D, self.d_loss), Step(second, self.g_loss)], self.local_images)
        return [phase for phase in (alone, around, last) if phase.images]

    def player(self, name: str, *nets: torch.nn.Module, falling: bool = False) -> Player:
        return Player(name, nets, adam(self.lr, 0.5), {"lr": halfway_to_zero} if falling else {})

    def d_loss(self, batch: Batch) -> Terms:
        return self.judging(batch["map"], batch["b"], self.G(batch["map"]))

    def g_loss(self, batch: Batch) -> Terms:
        return self.pleasing(batch["map"], batch["b"], self.G(batch["map"]))

    def coarse_d_loss(self, batch: Batch) -> Terms:
        map, b = halved(batch["map"]), halved(batch["b"])
        return self.judging(map, b, self.coarse(map))

    def coarse_g_loss(self, batch: Batch) -> Terms:
        map, b = halved(batch["map"]), halved(batch["b"])
        return self.pleasing(map, b, self.coarse(map))

    def coarse(self, map: Tensor) -> Tensor:
        """What G1 draws by itself."""
        assert isinstance(self.G, Enhanced)
        return self.head(self.G.coarse(map))

    def judging(self, map: Tensor, b: Tensor, fake: Tensor) -> Terms:
        """1/2 E (D_k(s, x) - 1)^2 + 1/2 E D_k(s, G(s))^2, the sum over k."""
        each = [least_squares.d(r[-1], f[-1]) for r, f in zip(self.layers(b, map), self.layers(fake, map), strict=True)]
        return {name: total([terms[name] for terms in each]) for name in ("real", "fake")}

    def pleasing(self, map: Tensor, b: Tensor, fake: Tensor) -> Terms:
        """sum_k E (D_k(s, G(s)) - 1)^2 + lambda L_FM + lambda L_VGG."""
        found = self.layers(fake, map)
        adv = total([2 * least_squares.g(maps[-1], None) for maps in found])
        return {"adv": adv} | self.likeness(found, map, b, fake)


def feature_matching(found: Sequence[Sequence[Tensor]], wanted: Sequence[Sequence[Tensor]]) -> Tensor:
    """The sum over layers, but for the scores, of |D_k^i(s, x) - D_k^i(s, G(s))| (Eq. 4), the mean over scales."""
    pairs = [zip(f[:-1], w[:-1], strict=True) for f, w in zip(found, wanted, strict=True)]
    return total([l1_loss(f.float(), w.float()) for layers in pairs for f, w in layers]) / len(found)


def total(terms: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(terms)).sum()

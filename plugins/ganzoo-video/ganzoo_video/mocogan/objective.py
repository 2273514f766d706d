"""The game of MoCoGAN: one discriminator looks at single frames, another at whole clips, and motion has categories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from torch import Tensor
from torch.nn.functional import cross_entropy

from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import (
    Batch,
    Objective,
    Optim,
    Phase,
    Player,
    Step,
    Terms,
    adam,
    nonsaturating,
    r1,
    require_no_batch_norm,
    to_float32,
)
from ganzoo_video.mocogan.networks import ImageDiscriminator, MoCoGenerator, VideoDiscriminator
from ganzoo_video.windows import any_frame, window


class MoCoGAN(Objective):
    """MoCoGAN: Decomposing Motion and Content for Video Generation (Tulyakov et al. 2018, arXiv:1707.04993).

    D_I tells frames, D_V clips. A category of motion is a code as InfoGAN's: G is to make it plain, and D_V, which has
    a head for it, to find it; where the data have labels that are to be the categories (`classes`), D_V learns these.
    """

    G: MoCoGenerator
    D_I: ImageDiscriminator
    D_V: VideoDiscriminator

    lr: Annotated[float, "Adam's step for all players"] = 2e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.5
    b2: Annotated[float, "Adam's beta_2"] = 0.999
    decay: Annotated[float, "weight decay of all players"] = 1e-5
    info: Annotated[float, "weight of L_I, the cross entropy of the categories"] = 1.0
    gamma: Annotated[float, "weight of R1 on D_V (Mescheder et al. 2018), beyond the paper; 0: none"] = 0.0
    classes: Annotated[int, "labels of the data that are to be the categories; 0: G finds its own"] = 0
    images: Annotated[int, "length in real clips"] = 3_200_000

    def __post_init__(self) -> None:
        if not isinstance(self.G, MoCoGenerator) or not isinstance(self.D_V, VideoDiscriminator):
            raise GanzooError("mocogan: needs a generator with content and motion", "Take its own networks.")
        if self.gamma:
            require_no_batch_norm(self.D_V)
        self.needs = frozenset({"video", "label"} if self.classes else {"video"})

    def optim(self) -> Optim:
        return adam(self.lr, self.b1, self.b2, decay=self.decay)

    def phases(self) -> Sequence[Phase]:
        D_I, D_V = Player("D_I", [self.D_I], self.optim()), Player("D_V", [self.D_V], self.optim())
        G = Player("G", [self.G], self.optim())
        return [Phase("main", [Step(D_I, self.di_loss), Step(D_V, self.dv_loss), Step(G, self.g_loss)], self.images)]

    def di_loss(self, batch: Batch) -> Terms:
        """Eq. 3: a frame of each clip, real and made."""
        x = any_frame(batch["video"])
        return nonsaturating.d(self.D_I(x), self.D_I(self.G.any_frame(*self.z(len(x)).values())))

    def dv_loss(self, batch: Batch) -> Terms:
        """Eq. 4 and the categories: of real clips where they have labels, else of those that G was asked for."""
        video, z = window(batch["video"], self.G.frames), self.z(len(batch["video"]))
        real, said = self.D_V.score_and_features(video)
        fake, said_of_fake = self.D_V.score_and_features(self.G(*z.values()))
        terms = nonsaturating.d(real, fake)
        if self.gamma:
            terms |= {"r1": self.gamma / 2 * r1(self.D_V, video)}
        if self.classes:
            return terms | self.categories(said, batch["label"])
        return terms | (self.categories(said_of_fake, z["category"]) if "category" in z else {})

    def g_loss(self, batch: Batch) -> Terms:
        """Both discriminators, each on clips of its own, and L_I."""
        n = len(batch["video"])
        frames, z = self.G.any_frame(*self.z(n).values()), self.z(n)
        fake, said = self.D_V.score_and_features(self.G(*z.values()))
        terms = {"frames": nonsaturating.g(self.D_I(frames), None), "clips": nonsaturating.g(fake, None)}
        return terms | (self.categories(said, z["category"]) if "category" in z else {})

    def categories(self, said: Tensor, asked: Tensor) -> Terms:
        """-E log Q(z_A | clip).  said [N, K], asked [N]"""
        return {"category": self.info * cross_entropy(to_float32(said), asked)}

    def z(self, n: int) -> dict[str, Tensor]:
        """Content, category and motion of n clips."""
        return self.G.priors(n)

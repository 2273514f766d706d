"""GAN-CLS and GAN-INT (Reed et al. 2016): DCGAN's networks with words; D is told about pictures that do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from ganzoo_core.nn import Discriminator, Generator, Images, doublings, initialise
from ganzoo_core.objectives import Batch, Phase, Player, Step, Terms, adam
from ganzoo_stackgan.objective import SHOWN, fooled, real
from ganzoo_stackgan.speaking import Speaking, inputs
from ganzoo_stackgan.stages import tiled
from ganzoo_stackgan.words import ImageEncoder, Spoken, TextEncoder, shifted


class G(Speaking):
    """(projected words, z) -> 4x4 -> fractionally strided convolutions -> the picture."""

    def __init__(self, size: int, channels: int, width: int, z_dim: int, dim: int, nt: int, T: TextEncoder) -> None:
        super().__init__()
        self.inputs, self.output = inputs(z_dim), Images((channels, size, size))
        self.project = projection(dim, nt)
        n = doublings(size)
        widths = [width * 2**i for i in reversed(range(n))]
        layers: list[nn.Module] = [nn.ConvTranspose2d(nt + z_dim, widths[0], 4, 1, 0, bias=False)]
        for f, f_next in zip(widths, [*widths[1:], channels], strict=True):
            layers += [nn.BatchNorm2d(f), nn.ReLU(), nn.ConvTranspose2d(f, f_next, 4, 2, 1, bias=False)]
        self.main = nn.Sequential(*layers, nn.Tanh())
        self.apply(initialise)
        self.T = T

    def forward(self, e: Tensor, z: Tensor) -> Tensor:  # [N, d], [N, z] -> [N, C, H, W]
        return self.main(torch.cat([self.project(e), z], 1)[:, :, None, None])

    def sample(
        self,
        n: int,
        *,
        seed: int,
        towards: str = "",  # another text: n steps from the one to the other, with one z
        embedding: Tensor | None = None,  # [n or 1, d]: of an encoder of one's own, in place of text
        **given: Any,
    ) -> Tensor:
        """n pictures [n, C, H, W] of what `text` says, in [-1, 1]: the same ones every time. Errors: GanzooError."""
        return self.speak(self, n, seed, towards, embedding, given)


class D(Discriminator):
    """A picture down to 4x4, the projected words beside it, `mix` convolutions of 1x1 over both, one score.

    Without a mixture, as the reference has it, the score is a sum of one of the picture and one of the words, and so it
    cannot say whether they fit; with one it is as in the authors' own code.
    """

    def __init__(self, size: int, channels: int, width: int, dim: int, nt: int, mix: int) -> None:
        super().__init__()
        widths = [width * 2**i for i in range(doublings(size))]
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
        for f, f_next in pairwise(widths):
            layers += [nn.Conv2d(f, f_next, 4, 2, 1, bias=False), nn.BatchNorm2d(f_next), nn.LeakyReLU(0.2)]
        self.main = nn.Sequential(*layers)
        self.project = projection(dim, nt)
        f = widths[-1]
        joint: list[nn.Module] = []
        for i in range(mix):
            joint += [nn.Conv2d(f if i else f + nt, f, 1, bias=False), nn.BatchNorm2d(f), nn.LeakyReLU(0.2)]
        self.joint = nn.Sequential(*joint)
        self.score = nn.Conv2d(f if mix else f + nt, 1, 4, bias=False)
        self.apply(initialise)

    def forward(self, x: Tensor, *conditions: Tensor) -> Tensor:  # [N, C, H, W], [N, d] -> [N]
        return self.fit(self.features(x), conditions[0])

    def features(self, x: Tensor) -> Tensor:  # -> [N, f, 4, 4]
        return self.main(x)

    def fit(self, h: Tensor, e: Tensor) -> Tensor:
        """The score of features beside words.  [N]"""
        return self.score(self.joint(torch.cat([h, tiled(self.project(e), h)], 1))).flatten()


def projection(dim: int, nt: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(dim, nt), nn.BatchNorm1d(nt), nn.LeakyReLU(0.2))


class GANCLS(Spoken):
    """Generative Adversarial Text to Image Synthesis (Reed et al. 2016, arXiv:1605.05396), Alg. 1 and Eq. 5.

    D is shown a third kind of pair, a real picture with the words of another (Sec. 4.2, GAN-CLS); G also has to fool it
    with words in between those of two pictures (Sec. 4.3, GAN-INT).
    """

    G: Generator
    D: Discriminator
    V: ImageEncoder
    interpolate: Annotated[float, "weight of GAN-INT's term; 0: GAN-CLS alone"] = 1.0
    beta: Annotated[float, "how far in between"] = 0.5
    lr: Annotated[float, "Adam's step for both players; it is halved `halvings` times"] = 2e-4
    halvings: Annotated[int, "every 100 of 600 epochs"] = 6
    words_lr: Annotated[float, "Adam's step while words are learnt"] = 1e-3
    words_images: Annotated[int, "length of that phase; 0: embeddings are given"] = 1_000_000
    images: Annotated[int, "length in real images: 600 epochs of 8,855 birds"] = 5_300_000

    def phases(self) -> Sequence[Phase]:
        G: Any = self.G
        D_player = Player("D", [self.D], adam(self.lr), {"lr": self.halved})
        G_player = Player("G", [G.project, G.main], adam(self.lr), {"lr": self.halved})
        steps = [Step(D_player, self.d_loss), Step(G_player, self.g_loss)]
        main = Phase("main", steps, self.images)
        return [*self.words_phase(self.words_lr, self.words_images), main]

    def halved(self, u: float) -> float:
        return 0.5 ** min(int(u * self.halvings), self.halvings)

    def d_loss(self, batch: Batch) -> Terms:
        """-log s_r - (log(1 - s_w) + log(1 - s_f)) / 2: Alg. 1, line 10."""
        x, D = batch["x"], self.D
        e = self.G.T(batch["text"])  # type: ignore[operator]
        h, h_fake = D.features(x), D.features(self.G(e, self.G.prior(len(x))))
        return {
            "real": real(D.fit(h, e)),  # type: ignore[operator]
            "wrong": fooled(D.fit(h, shifted(e))) / 2,  # type: ignore[operator]
            "fake": fooled(D.fit(h_fake, e)) / 2,  # type: ignore[operator]
        }

    def g_loss(self, batch: Batch) -> Terms:
        """-log s_f, and the same of words in between, for which there are no pictures: Eq. 5."""
        e = self.G.T(batch["text"])  # type: ignore[operator]
        terms = {"adv": real(self.D(self.G(e, self.G.prior(len(e))), e))}
        if not self.interpolate:
            return terms
        e = torch.lerp(shifted(e), e, self.beta)
        return terms | {"int": self.interpolate * real(self.D(self.G(e, self.G.prior(len(e))), e))}

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """What the captions say, beside what they were written about."""
        G, text = self.exported_networks()["G"], batch["text"][:SHOWN]
        assert isinstance(G, Generator)
        return {"G": G.sample(len(text), seed=0, text=text), "x": batch["x"][:SHOWN]}


def networks(
    *,
    image_size: Annotated[int, "side of the square image"] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels at half the side"] = 64,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1)"] = 100,
    dim: Annotated[int, "length of an embedding of words"] = 1024,
    nt: Annotated[int, "what it is projected to"] = 128,
    mix: Annotated[
        int, "convolutions of 1x1 over picture and words in D: 0 as in the reference, 1 as in the authors' code"
    ] = 0,
    t_width: Annotated[int, "of the text encoder"] = 128,
    v_width: Annotated[int, "of the picture encoder, with which the text encoder is trained"] = 64,
) -> dict[str, nn.Module]:
    """The generator G with its text encoder T, the discriminator D, the picture encoder V."""
    return {
        "G": G(image_size, channels, width, z_dim, dim, nt, TextEncoder(t_width, dim)),
        "D": D(image_size, channels, width, dim, nt, mix),
        "V": ImageEncoder(image_size, channels, v_width, dim),
    }

"""The networks of LR-GAN (Yang et al. 2017): a ground, then one figure after another, each pasted by its mask."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, NamedTuple

import torch
from ganzoo_dcgan.networks import D
from ganzoo_dcgan.networks import G as DCGAN_G
from torch import Tensor, nn
from torch.nn.functional import softplus

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, Images, Latent, doublings, initialise, sample_deterministic
from ganzoo_structure.pasting import pasted, transformed


class Layer(NamedTuple):
    """One figure, where it is pasted, and what the picture is with it."""

    figure: Tensor  # [N, C, H, W] in [-1, 1], before it is moved
    mask: Tensor  # [N, 1, H, W] in [0, 1], where it was moved to
    picture: Tensor  # [N, C, H, W]


class Figures(nn.Module):
    """h -> features -> appearance, mask and pose: the first layers are shared, the last of each are its own."""

    def __init__(self, image_size: int, channels: int, width: int, hidden: int, least: float) -> None:
        super().__init__()
        f = [width * 2**i for i in reversed(range(doublings(image_size, least=16, most=128)))]  # at 4, 8 ... px
        layers: list[nn.Module] = [nn.ConvTranspose2d(hidden, f[0], 4, 1, 0, bias=False), *normed(f[0])]  # 1x1 -> 4x4
        for n, m in pairwise(f):
            layers += [nn.ConvTranspose2d(n, m, 4, 2, 1, bias=False), *normed(m)]  # s -> 2s
        self.trunk = nn.Sequential(*layers)
        self.appearance, self.mask = (nn.ConvTranspose2d(f[-1], k, 4, 2, 1) for k in (channels, 1))
        self.pose, self.least = nn.Linear(hidden, 6), least
        self.apply(initialise)

    def theta(self, h: Tensor) -> Tensor:
        """Where the canvas lies in the figure: scales above 1 make the figure smaller.  [N, hidden] -> [N, 2, 3]

        Scales stay above `least`, skews within 1, so that no figure becomes a line, and its middle on the canvas.
        """
        pose = self.pose(h).float().view(-1, 2, 3)
        scales = torch.diag_embed(self.least + softplus(pose[:, :, :2].diagonal(dim1=1, dim2=2)))
        skewed = pose[:, :, :2].tanh() * (1 - torch.eye(2, device=h.device))
        return torch.cat([scales + skewed, pose[:, :, 2:].tanh()], 2)

    def forward(self, h: Tensor, ground: Tensor) -> tuple[Layer, Tensor]:
        """The figure on `ground`, and the means of its features over all places, [N, f]."""
        features = self.trunk(h[:, :, None, None])
        figure, shape = self.appearance(features).tanh(), self.mask(features).sigmoid()
        moved = transformed(torch.cat([figure, shape], 1), self.theta(h))
        mask = moved[:, -1:]
        return Layer(figure, mask, pasted(ground, moved[:, :-1], mask)), features.mean((2, 3))


def normed(f: int) -> tuple[nn.Module, nn.Module]:
    """What follows a convolution."""
    return nn.BatchNorm2d(f), nn.ReLU()


class G(Generator):
    """z_1 ... z_T -> an LSTM -> the ground of h_1, and on it a figure of each further h_t."""

    def __init__(
        self, image_size: int, channels: int, width: int, z_dim: int, layers: int, hidden: int, least: float
    ) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((layers, z_dim))}, Images((channels, image_size, image_size))
        self.lstm = nn.LSTMCell(z_dim, hidden)
        self.ground = DCGAN_G(image_size, channels, max(1, width // 2), hidden)
        self.figures = Figures(image_size, channels, width, hidden, least)
        self.pool = nn.Linear(hidden + width, hidden)  # of what is to be drawn, and of what was drawn before

    def forward(self, z: Tensor) -> Tensor:  # [N, T, z_dim] -> [N, C, H, W]
        *_, last = self.drawn(z)
        return last.picture

    def drawn(self, z: Tensor) -> Iterator[Layer]:
        """Layer by layer: the ground, which covers all, and the figures."""
        state = self.lstm(z[:, 0])
        picture = self.ground(state[0])
        yield Layer(picture, torch.ones_like(picture[:, :1]), picture)
        before = z.new_zeros(z.shape[0], self.pool.in_features - state[0].shape[1])
        for t in range(1, z.shape[1]):
            state = self.lstm(z[:, t], state)
            h = self.pool(torch.cat([state[0], before], 1)).tanh()
            layer, before = self.figures(h, picture)
            picture = layer.picture
            yield layer

    def sheet(self, z: Tensor) -> Tensor:
        """The picture, the ground, and each figure beside its mask.  [N, C, H, 2 T W]"""
        ground, *figures = self.drawn(z)
        shown = [ground.picture]
        for layer in figures:
            shown += [layer.figure, (2 * layer.mask - 1).expand_as(layer.figure)]
        return torch.cat([[ground, *figures][-1].picture, *shown], 3)

    def sample(self, n: int, *, seed: int, apart: bool = False, **inputs: Any) -> Tensor:
        """See Generator.sample; `apart`, the layers are shown beside the picture: ground, figure, mask ..."""
        return sample_deterministic(self, self.sheet if apart else self, n, seed, inputs)


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 16, 32, 64 or 128"] = 32,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[
        int, "channels of the figures at half the side; they double towards 4x4; the ground has half"
    ] = 64,
    d_width: Annotated[int, "channels of D at half the side"] = 64,
    z_dim: Annotated[int, "length of the latent z_t ~ N(0, 1) of a layer"] = 100,
    layers: Annotated[int, "T: the ground, and T - 1 figures"] = 2,
    hidden: Annotated[int, "units of the LSTM"] = 100,
    least: Annotated[float, "how many times smaller than drawn a figure is at least"] = 1.2,
) -> dict[str, nn.Module]:
    """The generator G(z_1 ... z_T) and the discriminator D."""
    if min(channels, width, d_width, z_dim, hidden) < 1 or layers < 2 or least < 1:
        raise GanzooError("a size below 1, layers below 2 or least below 1", "Choose others.")
    return {
        "G": G(image_size, channels, width, z_dim, layers, hidden, least),
        "D": D(image_size, channels, d_width, "batch"),
    }

"""The networks of Dual Motion GAN (Liang et al. 2017): what comes next, drawn anew and moved along a flow, fused."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Between, Clips, Discriminator, Generator, Latent, Video, sample_deterministic
from ganzoo_video.dual_motion.warping import warp

LOGVAR = -4.0  # of z at first: what is learnt early is to depend on the past, not on noise
State = tuple[Tensor, Tensor]  # of a ConvLSTM: h and c


class Future(NamedTuple):
    """What is said of the next frame, [M, C, H, W] each, but for `flow` [M, 2, H, W]."""

    drawn: Tensor  # by G_I
    flow: Tensor  # by G_F: from the next frame's pixels back to those of the last one
    warped: Tensor  # the last frame, moved along that
    fused: Tensor  # both in one


class ConvLSTM(nn.Module):
    """Shi et al. 2015, Eq. 3 without peepholes."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gates = nn.Conv2d(2 * width, 4 * width, 3, 1, 1)

    def forward(self, x: Tensor, state: State | None) -> State:
        h, c = state or (torch.zeros_like(x), torch.zeros_like(x))
        i, f, o, g = self.gates(torch.cat([x, h], 1)).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c


class MotionEncoder(nn.Module):
    """E: frames, one after the other, to the mean and the log variance of z for the frame that comes next."""

    def __init__(self, channels: int, widths: Sequence[int], d_z: int) -> None:
        super().__init__()
        sizes = zip([channels, *widths], widths, strict=False)
        self.down = nn.Sequential(*(m for f, g in sizes for m in (nn.Conv2d(f, g, 4, 2, 1), nn.LeakyReLU(0.2))))
        self.memory = ConvLSTM(widths[-1])
        self.last = nn.Conv2d(widths[-1], 2 * d_z, 3, 1, 1)
        with torch.no_grad():
            assert self.last.bias is not None
            self.last.bias[d_z:] = LOGVAR

    def forward(self, x: Tensor, state: State | None) -> tuple[Tensor, Tensor, State]:  # [N, C, H, W]
        """Mean and log variance, [N, d_z, h, w] each, and the state."""
        state = self.memory(self.down(x), state)
        mean, logvar = self.last(state[0]).chunk(2, 1)
        return mean, logvar, state


class DualMotion(Generator):
    """Past frames to those that follow: E, the generators G_I of the frame and G_F of the flow, warping and fusing.

    The input `z` [steps, d_z, h, w] is what z differs by from its mean, in standard deviations, at every step.
    """

    def __init__(self, image_size: int, channels: int, past: int, widths: Sequence[int], d_z: int, steps: int) -> None:
        super().__init__()
        self.image_size, self.channels, self.past = image_size, channels, past
        self.place = (d_z, *(2 * [image_size // 2 ** len(widths)]))
        self.ahead(steps)
        self.E = MotionEncoder(channels, widths, d_z)
        self.G_I = nn.Sequential(*decoder(d_z, widths, channels))  # no tanh: most of a frame is -1, where it is flat
        self.G_F = nn.Sequential(*decoder(d_z, widths, 2))
        self.fuse = nn.Conv2d(2 * channels, channels, 1)
        begin_as_mean(self.fuse)

    def ahead(self, steps: int) -> None:
        """So many frames are foretold now."""
        shape = (self.channels, self.image_size, self.image_size)
        self.inputs = {"video": Video((self.past, *shape)), "z": Latent((steps, *self.place))}
        self.output = Clips((steps, *shape))

    def of_steps(self, steps: int) -> Self:
        """The same network, with the same weights, that foretells so many frames."""
        other = copy.copy(self)
        other.ahead(steps)
        return other

    def forward(self, video: Tensor, z: Tensor) -> Tensor:  # [N, T, C, H, W], [N, steps, d_z, h, w]
        """[N, steps, C, H, W] in [-1, 1]: each is told those before it."""
        state: State | None = None
        for x in video.unbind(1):
            mean, logvar, state = self.E(x, state)
        found = []
        for noise in z.unbind(1):
            x = self.future(x, mean + (logvar / 2).exp() * noise).fused.clamp(-1, 1)
            found.append(x)
            if len(found) < z.shape[1]:
                mean, logvar, state = self.E(x, state)
        return torch.stack(found, 1)

    def encoded(self, video: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance after every frame of clips [N, T, C, H, W]: [N, T, d_z, h, w] each."""
        state: State | None = None
        means, logvars = list[Tensor](), list[Tensor]()
        for x in video.unbind(1):
            mean, logvar, state = self.E(x, state)
            means.append(mean)
            logvars.append(logvar)
        return torch.stack(means, 1), torch.stack(logvars, 1)

    def future(self, x: Tensor, z: Tensor) -> Future:
        """Of the last frame [M, C, H, W] and what motion is to come, [M, d_z, h, w]."""
        drawn, flow = self.G_I(z), self.G_F(z)
        warped = warp(x, flow)
        return Future(drawn, flow, warped, self.fuse(torch.cat([drawn, warped], 1)))

    def priors(self, n: int, rng: torch.Generator | None = None) -> dict[str, Tensor]:
        """Step by step: the first of many frames is that of one."""
        device = rng.device if rng else next(self.parameters()).device
        steps = self.inputs["z"].shape[0] or 1
        drawn = [torch.randn(n, *self.place, generator=rng, device=device) for _ in range(steps)]
        return {"z": torch.stack(drawn, 1)}

    def sample(
        self,
        n: int,
        *,
        seed: int,
        steps: Annotated[int, Between(0, 16)] = 0,
        spread: Annotated[float, Between(0, 2)] = 1.0,
        **inputs: Any,
    ) -> Tensor:
        """The `steps` frames (0: as the network was made for) that follow a clip.  [n, steps, C, H, W]

        `spread`: how far z may be from its mean; 0: the one that is expected.
        """
        if steps < 0:
            raise GanzooError(f"steps {steps}: is no number of frames", "Ask for one at least.")
        net = self.of_steps(steps) if steps else self
        return sample_deterministic(net, net, n, seed, inputs, lambda m, rng: {"z": spread * net.priors(m, rng)["z"]})


def begin_as_mean(fuse: nn.Conv2d) -> None:
    """The fusing layer begins as the mean of the two frames."""
    with torch.no_grad():
        eye = torch.eye(fuse.out_channels) / 2
        fuse.weight.copy_(torch.cat([eye, eye], 1)[:, :, None, None])
        assert fuse.bias is not None
        fuse.bias.zero_()


def decoder(d_z: int, widths: Sequence[int], channels: int) -> list[nn.Module]:
    """[M, d_z, h, w] -> [M, channels, 2^k h, 2^k w] for k widths."""
    up = [*reversed(widths), widths[0]]
    layers: list[nn.Module] = [nn.Conv2d(d_z, up[0], 3, 1, 1), nn.ReLU()]
    for f, f_next in pairwise(up):
        layers += [nn.ConvTranspose2d(f, f_next, 4, 2, 1), nn.ReLU()]
    return [*layers, nn.Conv2d(up[-1], channels, 3, 1, 1)]


class FlowEstimator(nn.Module):
    """Q_I->F: the flow between two frames that are given."""

    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        sizes = list(zip([2 * channels, *widths], widths, strict=False))
        self.down = nn.ModuleList(nn.Conv2d(f, g, 4, 2, 1) for f, g in sizes)
        beside = [*(2 * f for f in widths[:-1]), widths[-1]]  # of each map below, with that on the way down
        above = [widths[0], *widths[:-1]]
        self.up = nn.ModuleList(nn.ConvTranspose2d(f, g, 4, 2, 1) for f, g in zip(beside, above, strict=True))
        self.last = nn.Conv2d(widths[0] + 2 * channels, 2, 3, 1, 1)

    def forward(self, before: Tensor, after: Tensor) -> Tensor:  # [M, C, H, W] each -> [M, 2, H, W]
        maps = [torch.cat([before, after], 1)]
        for down in self.down:
            maps.append(leaky_relu(down(maps[-1]), 0.2))
        h = maps.pop()
        for up in reversed(self.up):
            h = torch.cat([leaky_relu(up(h), 0.2), maps.pop()], 1)
        return self.last(h)


class Judge(Discriminator):
    """D_I or D_F: convolutions that halve the sides, and one linear layer."""

    def __init__(self, image_size: int, channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i, (f, f_next) in enumerate(zip([channels, *widths], widths, strict=False)):
            layers += [nn.Conv2d(f, f_next, 4, 2, 1), *([nn.BatchNorm2d(f_next)] if i else []), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.last = nn.Linear(widths[-1] * (image_size // 2 ** len(widths)) ** 2, 1)

    def forward(self, x: Tensor) -> Tensor:  # [M, C, H, W] -> [M]
        return self.last(self.layers(x))[:, 0]


def networks(
    *,
    image_size: Annotated[int, "side of the square frames"] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    frames: Annotated[int, "length of the clips that are learnt from"] = 11,
    steps: Annotated[int, "frames that are foretold unless another number is asked for"] = 1,
    d_z: Annotated[int, "channels of the motion code z"] = 64,
    widths: Annotated[tuple[int, ...], "channels of E's maps, each of half the side; G_I and G_F have them turned"] = (
        64, 128, 256,
    ),
    q_widths: Annotated[tuple[int, ...], "channels of the flow estimator's maps, each of half the side"] = (
        32, 64, 128,
    ),
    d_widths: Annotated[tuple[int, ...], "channels of the maps of D_I and D_F, each of half the side"] = (
        64, 128, 256, 512,
    ),
) -> dict[str, nn.Module]:  # fmt: skip
    """The generator G (E, G_I, G_F, fusing), the flow estimator Q, and the discriminators D_I and D_F."""
    deepest = max(len(widths), len(q_widths), len(d_widths))
    if image_size % 2**deepest:
        raise GanzooError(f"image_size {image_size}: no multiple of {2**deepest}", "Choose another, or fewer widths.")
    return {
        "G": DualMotion(image_size, channels, frames - 1, widths, d_z, steps),
        "Q": FlowEstimator(channels, q_widths),
        "D_I": Judge(image_size, channels, d_widths),
        "D_F": Judge(image_size, 2, d_widths),
    }

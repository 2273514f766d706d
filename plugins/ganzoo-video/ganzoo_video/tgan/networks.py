"""The networks of TGAN (Saito et al. 2017): a temporal generator makes a code for each frame, another makes frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Clips, Discriminator, Generator, Latent, doublings


class Temporal(nn.Module):
    """G_0: z_0 to the codes z_1 of all frames, by convolutions in time."""

    def __init__(self, d_z: int, frames: int, widths: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i, (f, f_next) in enumerate(zip([d_z, *widths], widths, strict=False)):
            size = (4, 2, 1) if i else (frames // 2 ** len(widths),)
            layers += [nn.ConvTranspose1d(f, f_next, *size), nn.BatchNorm1d(f_next), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.ConvTranspose1d(widths[-1], d_z, 4, 2, 1), nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:  # [N, d_z] -> [N, T, d_z]
        return self.layers(z[:, :, None]).transpose(1, 2)


class FrameGenerator(nn.Module):
    """G_1: z_0, which is slow, and the code of a frame, which is fast, to a frame."""

    def __init__(self, channels: int, d_z: int, width: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.slow, self.fast = (
            nn.Sequential(nn.Linear(d_z, 16 * width, bias=False), nn.BatchNorm1d(16 * width), nn.ReLU())
            for _ in range(2)
        )
        layers: list[nn.Module] = []
        for f, f_next in zip([2 * width, *widths], widths, strict=False):
            layers += [nn.ConvTranspose2d(f, f_next, 4, 2, 1, bias=False), nn.BatchNorm2d(f_next), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], channels, 3, 1, 1), nn.Tanh())

    def forward(self, z_0: Tensor, z_1: Tensor) -> Tensor:  # [M, d_z] each -> [M, C, H, W]
        h = torch.cat([self.slow(z_0).unflatten(1, (-1, 4, 4)), self.fast(z_1).unflatten(1, (-1, 4, 4))], 1)
        return self.layers(h)


class TemporalGenerator(Generator):
    """[G_1(z_0, z_1^t) for t = 1 ... T], [z_1^1 ... z_1^T] = G_0(z_0)."""

    def __init__(self, image_size: int, channels: int, frames: int, d_z: int, g0_widths: Sequence[int], width: int,
                 g_widths: Sequence[int]) -> None:  # fmt: skip
        super().__init__()
        self.inputs = {"z": Latent((d_z,), range=(-1.0, 1.0))}
        self.output = Clips((frames, channels, image_size, image_size))
        self.G_0 = Temporal(d_z, frames, g0_widths)
        self.G_1 = FrameGenerator(channels, d_z, width, g_widths)

    def forward(self, z: Tensor) -> Tensor:  # [N, d_z]
        """[N, T, C, H, W] in [-1, 1]."""
        z_1 = self.G_0(z)
        z_0 = z[:, None].expand(-1, z_1.shape[1], -1)
        return self.G_1(z_0.flatten(0, 1), z_1.flatten(0, 1)).unflatten(0, z_1.shape[:2])


class ClipCritic(Discriminator):
    """D: convolutions in space and time, then one in space; a score for each clip, not bounded."""

    def __init__(self, image_size: int, channels: int, frames: int, widths: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i, (f, f_next) in enumerate(zip([channels, *widths], widths, strict=False)):
            layers += [nn.Conv3d(f, f_next, 4, 2, 1), *([nn.BatchNorm3d(f_next)] if i else []), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)
        halved = 2 ** len(widths)
        self.last = nn.Conv2d(widths[-1] * (frames // halved), 1, image_size // halved)

    def forward(self, video: Tensor) -> Tensor:  # [N, T, C, H, W] -> [N]
        return self.last(self.layers(video.transpose(1, 2)).flatten(1, 2)).flatten()


def networks(
    *,
    image_size: Annotated[int, "side of the square frames"] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    frames: Annotated[int, "length of the clips: a multiple of 2 for every width"] = 16,
    d_z: Annotated[int, "length of z_0 ~ U(-1, 1), and of every frame's z_1"] = 256,
    g0_widths: Annotated[tuple[int, ...], "channels of G_0's codes, each twice as many as before it"] = (
        512, 256, 128, 128,
    ),
    width: Annotated[int, "channels of G_1's two maps of 4 x 4"] = 256,
    g_widths: Annotated[tuple[int, ...], "channels of G_1's further maps, each of twice the side"] = (256, 128, 64, 32),
    d_widths: Annotated[tuple[int, ...], "channels of D's maps, each of half the sides and the length"] = (
        64, 128, 256, 512,
    ),
) -> dict[str, nn.Module]:  # fmt: skip
    """The generator G (G_0 and G_1) and the critic D."""
    if doublings(image_size) != len(g_widths):
        raise GanzooError(f"g_widths: {len(g_widths)} for {image_size} px", f"Give {doublings(image_size)} numbers.")
    step = 2 ** max(len(g0_widths), len(d_widths))
    if frames % step:
        raise GanzooError(f"-c frames={frames}: no multiple of {step}", "Each width halves the length: choose another.")
    return {
        "G": TemporalGenerator(image_size, channels, frames, d_z, g0_widths, width, g_widths),
        "D": ClipCritic(image_size, channels, frames, d_widths),
    }

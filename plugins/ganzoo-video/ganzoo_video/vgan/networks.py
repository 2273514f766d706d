"""The networks of VGAN (Vondrick et al. 2016): a foreground that moves, a background that does not, and a mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Clips, Discriminator, Generator, Latent, doublings, sample_deterministic

Norm = Literal["batch", "none"]
Stream = Literal["video", "foreground", "background", "mask"]


class Streams(NamedTuple):
    """What a clip is put together from, [N, T, C, H, W] each; the mask has one channel and lies in [0, 1]."""

    foreground: Tensor
    background: Tensor  # T is 1
    mask: Tensor

    @property
    def video(self) -> Tensor:
        """m f + (1 - m) b."""
        return self.mask * self.foreground + (1 - self.mask) * self.background


class TwoStream(Generator):
    """G(z) = m(z) f(z) + (1 - m(z)) b(z): f and m by convolutions in space and time, b in space alone."""

    def __init__(self, image_size: int, channels: int, frames: int, d_z: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.inputs = {"z": Latent((d_z,))}
        self.output = Clips((frames, channels, image_size, image_size))
        first = frames // 2 ** len(widths)  # length of the smallest map
        self.moving = nn.Sequential(*layers(nn.ConvTranspose3d, nn.BatchNorm3d, d_z, widths, (first, 4, 4)))
        self.foreground = nn.Sequential(nn.ConvTranspose3d(widths[-1], channels, 4, 2, 1), nn.Tanh())
        self.mask = nn.Sequential(nn.ConvTranspose3d(widths[-1], 1, 4, 2, 1), nn.Sigmoid())
        self.background = nn.Sequential(
            *layers(nn.ConvTranspose2d, nn.BatchNorm2d, d_z, widths, 4),
            nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1),
            nn.Tanh(),
        )
        self.apply(initialise)

    def forward(self, z: Tensor) -> Tensor:  # [N, d_z]
        """[N, T, C, H, W] in [-1, 1]."""
        return self.streams(z).video

    def streams(self, z: Tensor) -> Streams:
        h = self.moving(z[:, :, None, None, None])
        foreground, mask = self.foreground(h).transpose(1, 2), self.mask(h).transpose(1, 2)
        return Streams(foreground, self.background(z[:, :, None, None])[:, None], mask)

    def shown(self, z: Tensor, stream: Stream) -> Tensor:
        """The whole or one of its streams, as a clip [N, T, C, H, W] in [-1, 1]; the mask is white where it is 1."""
        made = self.streams(z)
        found = 2 * made.mask - 1 if stream == "mask" else getattr(made, stream)
        return found.expand(-1, *made.foreground.shape[1:])

    def sample(self, n: int, *, seed: int, stream: Stream = "video", **inputs: Any) -> Tensor:
        """n clips; or of each the foreground, the background or the mask alone."""
        return sample_deterministic(self, lambda z: self.shown(z, stream), n, seed, inputs)


def layers(conv: Any, norm: Any, d_z: int, widths: Sequence[int], first: int | tuple[int, ...]) -> list[nn.Module]:
    """From one place to a map of size `first`, then twice as large with every further width."""
    found: list[nn.Module] = []
    for i, (f, f_next) in enumerate(zip([d_z, *widths], widths, strict=False)):
        size = (4, 2, 1) if i else (first, 1, 0)
        found += [conv(f, f_next, *size), norm(f_next), nn.ReLU()]
    return found


class VideoCritic(Discriminator):
    """D: convolutions in space and time. Its two logits' difference is the score."""

    def __init__(self, image_size: int, channels: int, frames: int, widths: Sequence[int], norm: Norm) -> None:
        super().__init__()
        found: list[nn.Module] = []
        for i, (f, f_next) in enumerate(zip([channels, *widths], widths, strict=False)):
            normed = [nn.BatchNorm3d(f_next, eps=1e-3)] if i and norm == "batch" else []
            found += [nn.Conv3d(f, f_next, 4, 2, 1), *normed, nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*found)
        halved = 2 ** len(widths)
        self.last = nn.Conv3d(widths[-1], 2, (frames // halved, image_size // halved, image_size // halved))
        self.apply(initialise)

    def forward(self, video: Tensor) -> Tensor:  # [N, T, C, H, W] -> [N]
        real, fake = self.last(self.layers(video.transpose(1, 2))).flatten(1).unbind(1)
        return real - fake


def initialise(layer: nn.Module) -> None:
    """Weights ~ N(0, 0.01^2), gains of batch norm ~ N(1, 0.02^2), biases 0."""
    if isinstance(layer, (nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)):
        nn.init.normal_(layer.weight, 0.0, 0.01)
    elif isinstance(layer, (nn.BatchNorm2d, nn.BatchNorm3d)):
        nn.init.normal_(layer.weight, 1.0, 0.02)
    else:
        return
    assert isinstance(layer.bias, Tensor)
    nn.init.zeros_(layer.bias)


def networks(
    *,
    image_size: Annotated[int, "side of the square frames"] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    frames: Annotated[int, "length of the clips: a multiple of 2 for every width"] = 32,
    d_z: Annotated[int, "length of z ~ N(0, 1)"] = 100,
    g_widths: Annotated[tuple[int, ...], "channels of G's maps, the smallest first"] = (512, 256, 128, 64),
    d_widths: Annotated[tuple[int, ...], "channels of D's maps, each of half the sides and the length"] = (
        64, 128, 256, 512,
    ),
    d_norm: Annotated[Norm, "of D: batch norm, as published, or none, which `regularise=r1` needs"] = "batch",
) -> dict[str, nn.Module]:  # fmt: skip
    """The generator G of two streams and the discriminator D."""
    if doublings(image_size) != len(g_widths):
        raise GanzooError(f"g_widths: {len(g_widths)} for {image_size} px", f"Give {doublings(image_size)} numbers.")
    step = 2 ** max(len(g_widths), len(d_widths))
    if frames % step:
        raise GanzooError(f"-c frames={frames}: no multiple of {step}", "Each width halves the length: choose another.")
    return {
        "G": TwoStream(image_size, channels, frames, d_z, g_widths),
        "D": VideoCritic(image_size, channels, frames, d_widths, d_norm),
    }

"""The networks of MoCoGAN (Tulyakov et al. 2018): a recurrent network over motion, and a generator of single frames."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import (
    Between,
    Category,
    Clips,
    Discriminator,
    Generator,
    Latent,
    doublings,
    latents,
    sample_deterministic,
)

Norm = Literal["batch", "none"]
Shared = Literal["nothing", "content", "motion"]
CPU = torch.device("cpu")


class MoCoGenerator(Generator):
    """G_I([z_C, z_A, z_M(t)]) for each frame t: the content z_C and the category z_A are those of the clip, and
    z_M(t) comes out of R_M, a GRU cell that is told fresh noise at every step.

    The input `motion` [T + 1, d_M] is the first state of R_M and the noise of each of T steps.
    """

    def __init__(
        self, image_size: int, channels: int, widths: Sequence[int], content: int, motion: int, categories: int,
        frames: int,
    ) -> None:  # fmt: skip
        super().__init__()
        self.image_size, self.channels, self.categories, self.d_M = image_size, channels, categories, motion
        self.inputs = {"content": Latent((content,))} | (
            {"category": Category(categories)} if categories else {}
        )  # `motion` comes with the length
        self.last(frames)
        self.R_M = nn.GRUCell(motion, motion)
        self.G_I = nn.Sequential(*frame_layers(content + categories + motion, widths, channels))

    def last(self, frames: int) -> None:
        """Clips have so many frames now."""
        self.frames = frames
        self.inputs = {**self.inputs, "motion": Latent((frames + 1, self.d_M))}
        self.output = Clips((frames, self.channels, self.image_size, self.image_size))

    def of_length(self, frames: int) -> Self:
        """The same network, with the same weights, whose clips have so many frames."""
        other = copy.copy(self)
        other.last(frames)
        return other

    def forward(self, content: Tensor, *rest: Tensor) -> Tensor:  # [N, d_C], ([N],) [N, T + 1, d_M]
        """[N, T, C, H, W] in [-1, 1]."""
        z_M = self.motion(rest[-1])
        z = torch.cat([self.clip_code(content, *rest[:-1])[:, None].expand(-1, z_M.shape[1], -1), z_M], 2)
        return self.frames_of(z.flatten(0, 1)).unflatten(0, z.shape[:2])  # type: ignore[no-untyped-call]

    def any_frame(self, content: Tensor, *rest: Tensor) -> Tensor:
        """One frame of each clip, whichever.  [N, C, H, W]"""
        z_M = self.motion(rest[-1])
        t = torch.randint(z_M.shape[1], (len(z_M),), device=z_M.device)
        z_t = z_M[torch.arange(len(z_M), device=z_M.device), t]
        return self.frames_of(torch.cat([self.clip_code(content, *rest[:-1]), z_t], 1))

    def motion(self, given: Tensor) -> Tensor:
        """z_M(1) ... z_M(T) of the first state and the noise of every step.  [N, T, d_M]"""
        h, *noise = given.unbind(1)
        states = []
        for e in noise:
            h = self.R_M(e, h)
            states.append(h)
        return torch.stack(states, 1)

    def clip_code(self, content: Tensor, *category: Tensor) -> Tensor:
        """[z_C, z_A].  [N, d_C + K]"""
        return torch.cat([content, *(one_hot(a, self.categories).to(content) for a in category)], 1)

    def frames_of(self, z: Tensor) -> Tensor:  # [M, d]
        return self.G_I(z[:, :, None, None])

    def priors(self, n: int, rng: torch.Generator | None = None) -> dict[str, Tensor]:
        """Step by step: a longer clip begins as the shorter one of the same seed."""
        device = rng.device if rng else next(self.parameters()).device
        drawn = {name: i.draw(n, rng, device) for name, i in self.inputs.items() if name != "motion"}
        steps = [torch.randn(n, self.d_M, generator=rng, device=device) for _ in range(self.frames + 1)]
        return {**drawn, "motion": torch.stack(steps, 1)}

    def sample(
        self, n: int, *, seed: int, frames: Annotated[int, Between(0, 32)] = 0, same: Shared = "nothing", **inputs: Any
    ) -> Tensor:
        """n clips of `frames` frames (0: as many as it was trained on).

        `same`: all have the content, or the motion and category, of the first one, and the rest is their own.
        """
        if frames < 0:
            raise GanzooError(f"frames {frames}: is no length", "Ask for one at least.")
        net = self.of_length(frames or self.frames)
        first = latents(net.priors, seed, [0])
        shared = {"nothing": (), "content": ("content",), "motion": ("category", "motion")}[same]
        given = {name: value[0] for name, value in first.items() if name in shared}
        return sample_deterministic(net, net, n, seed, {**given, **inputs})


def frame_layers(d_z: int, widths: Sequence[int], channels: int) -> list[nn.Module]:
    """G_I: DCGAN's generator.  [M, d_z, 1, 1] -> [M, channels, 4 2^k, 4 2^k] for k widths"""
    layers: list[nn.Module] = []
    for i, (f, f_next) in enumerate(zip([d_z, *widths], widths, strict=False)):
        stride, padding = (2, 1) if i else (1, 0)
        layers += [nn.ConvTranspose2d(f, f_next, 4, stride, padding, bias=False), nn.BatchNorm2d(f_next), nn.ReLU()]
    return [*layers, nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1, bias=False), nn.Tanh()]


class Noise(nn.Module):
    """x + sigma e, e ~ N(0, 1), in training."""

    def __init__(self, sigma: float) -> None:
        super().__init__()
        self.sigma = sigma

    def forward(self, x: Tensor) -> Tensor:
        return x + self.sigma * torch.randn_like(x) if self.training and self.sigma else x


class ImageDiscriminator(Discriminator):
    """D_I: single frames, patch by patch; noise before every layer."""

    def __init__(self, channels: int, widths: Sequence[int], sigma: float) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i, (f, f_next) in enumerate(zip([channels, *widths], widths, strict=False)):
            layers += [Noise(sigma), nn.Conv2d(f, f_next, 4, 2, 1, bias=False)]
            layers += [nn.BatchNorm2d(f_next)] if i else []
            layers.append(nn.LeakyReLU(0.2))
        self.layers = nn.Sequential(*layers, Noise(sigma), nn.Conv2d(widths[-1], 1, 4, 2, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, H', W'], a score for each patch
        return self.layers(x)[:, 0]


class VideoDiscriminator(Discriminator):
    """D_V: whole clips. Its last layer says whether a clip is real, and which category it is of."""

    def __init__(self, image_size: int, channels: int, widths: Sequence[int], categories: int, frames: int,
                 sigma: float, norm: Norm) -> None:  # fmt: skip
        super().__init__()
        side, length = image_size // 2 ** len(widths), frames - 3 * len(widths)
        if length < 1:
            what = f"{frames} frames: too few for {len(widths)} convolutions over time"
            raise GanzooError(what, f"Say -c frames={3 * len(widths) + 1}, or give fewer dv_widths.")
        layers: list[nn.Module] = []
        for i, (f, f_next) in enumerate(zip([channels, *widths], widths, strict=False)):
            layers += [Noise(sigma), nn.Conv3d(f, f_next, 4, (1, 2, 2), (0, 1, 1), bias=False)]
            layers += [nn.BatchNorm3d(f_next)] if i and norm == "batch" else []
            layers.append(nn.LeakyReLU(0.2))
        self.layers = nn.Sequential(*layers)
        self.last = nn.Conv3d(widths[-1], 1 + categories, (length, side, side), bias=False)

    def forward(self, video: Tensor) -> Tensor:  # [N, T, C, H, W] -> [N]
        return self.score_and_features(video)[0]

    def score_and_features(self, video: Tensor) -> tuple[Tensor, Tensor]:
        """Scores [N], and logits of the categories [N, K]."""
        said = self.last(self.layers(video.transpose(1, 2))).flatten(1)
        return said[:, 0], said[:, 1:]


def networks(
    *,
    image_size: Annotated[int, "side of the square frames"] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    frames: Annotated[int, "length of the clips that are learnt from"] = 16,
    content: Annotated[int, "length of z_C ~ N(0, 1), which a clip's frames share"] = 50,
    motion: Annotated[int, "length of z_M, one for each frame, and of the noise that R_M is told"] = 10,
    categories: Annotated[int, "categories of motion, z_A; 0: none"] = 6,
    classes: Annotated[int, "labels of the data that are to be the categories; 0: G finds its own"] = 0,
    g_widths: Annotated[tuple[int, ...], "channels of G_I's maps, the smallest first"] = (512, 256, 128, 64),
    di_widths: Annotated[tuple[int, ...], "channels of D_I's maps, each of half the side"] = (64, 128, 256),
    dv_widths: Annotated[tuple[int, ...], "channels of D_V's maps, each of half the side and 3 frames less"] = (
        64, 128, 256, 512,
    ),
    sigma: Annotated[float, "noise before every layer of D_I and D_V"] = 0.1,
    dv_norm: Annotated[Norm, "of D_V: batch norm, as published, or none, which gamma needs"] = "batch",
) -> dict[str, nn.Module]:  # fmt: skip
    """The generator G (R_M and G_I) and the discriminators D_I of frames and D_V of clips."""
    if doublings(image_size) != len(g_widths):
        raise GanzooError(f"g_widths: {len(g_widths)} for {image_size} px", f"Give {doublings(image_size)} numbers.")
    categories = classes or categories
    return {
        "G": MoCoGenerator(image_size, channels, g_widths, content, motion, categories, frames),
        "D_I": ImageDiscriminator(channels, di_widths, sigma),
        "D_V": VideoDiscriminator(image_size, channels, dv_widths, categories, frames, sigma, dv_norm),
    }

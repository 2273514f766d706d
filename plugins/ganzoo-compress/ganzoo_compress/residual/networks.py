"""A clip as its first frame and what changes: gen_compress twice (Agustsson et al. 2019), from frame to frame.

    x^_0 = G(q(E(x_0))),    x^_t = x^_{t-1} + 2 G_r(q(E_r((x_t - x^_{t-1}) / 2)))

What is coded is what the receiver lacks, not what changed: an error that was made once is seen again, and mended.
"""

from __future__ import annotations

import copy
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import torch
from ganzoo_pix2pixhd.networks import MultiScale
from torch import Tensor, nn

from ganzoo_compress.agustsson.networks import Global, Norm, Shape, shape_of, tensor_of, whole
from ganzoo_compress.codec import Codec
from ganzoo_compress.coder import Reader, Writer
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Clips, Video, initialise, sample_deterministic

LONGEST = 256  # frames of a file: their number is one symbol
LENGTHS = np.full(LONGEST, 1 / LONGEST)


class Residual(Codec):
    """`first` codes the first frame, `rest` the residual of each further one, halved, for it lies in [-2, 2]."""

    subject: ClassVar[str] = "video"
    formats: ClassVar[tuple[str, ...]] = (".gif", ".png", ".mp4")

    def __init__(self, first: Shape, rest: Shape, frames: int, length: int) -> None:
        super().__init__()
        self.first, self.rest, self.frames = Global(first, noise=0), Global(rest, noise=0), frames
        self.last(length)

    def last(self, length: int) -> None:
        """Clips have so many frames now."""
        free = (self.first.shape.channels, None, None)
        self.inputs = {"video": Video((length, *free), multiple=self.first.shape.step)}
        self.output = Clips((None, *free))  # as many as are given

    def of_length(self, length: int) -> Self:
        """The same network, with the same weights, for clips of so many frames."""
        other = copy.copy(self)
        other.last(length)
        return other

    def sample(self, n: int, *, seed: int, **inputs: Any) -> Tensor:
        """See Generator.sample: clips of whatever length."""
        if "video" not in inputs:
            return super().sample(n, seed=seed, **inputs)
        any_length = Video((None, *self.inputs["video"].shape[1:]))
        video = any_length.tensor("video", inputs["video"], next(self.parameters()).device)
        net = self.of_length(video.shape[-4])
        return sample_deterministic(net, net, n, seed, {**inputs, "video": video})

    def forward(self, video: Tensor) -> Tensor:  # [N, T, C, H, W] -> the same
        made = [self.first(video[:, 0])]
        for x in video[:, 1:].unbind(1):
            made.append(moved_on(made[-1], self.rest(lacking(made[-1], x))))
        return torch.stack(made, 1)

    def write(self, to: Writer, x: Tensor, *others: Tensor) -> None:
        """The length, w^ of the first frame, then all residuals' at once, so that the coder learns how often it is 0.

        Errors: GanzooError for a clip that is too long.
        """
        if x.shape[1] > LONGEST:
            raise GanzooError(f"{x.shape[1]} frames: more than {LONGEST}", "Cut the clip.")
        to.table(np.array([x.shape[1] - 1], np.int32), LENGTHS)
        self.first.write(to, x[:, 0])
        symbols, made = list[Tensor](), self.first(x[:, 0])
        for frame in x[:, 1:].unbind(1):
            symbols.append(self.rest.q.symbols(self.rest.E(lacking(made, frame))))
            made = self.after(made, symbols[-1])
        if symbols:  # [C, (T - 1) h, w], a plane for each channel
            to.adaptive(whole(torch.cat(symbols, 2)[0]), self.rest.shape.levels, neighbours=False)

    def read(self, of: Reader, height: int, width: int, seed: int) -> Tensor:
        further = int(of.table(1, LENGTHS)[0])
        made = [self.first.read(of, height, width, seed)]
        h, w = height // self.rest.shape.step, width // self.rest.shape.step
        planes = (self.rest.shape.code, further * h, w)
        found = tensor_of(of.adaptive(planes, self.rest.shape.levels, neighbours=False), self)
        for t in range(further):
            made.append(self.after(made[-1], found[None, :, t * h : (t + 1) * h]))
        return torch.stack(made, 1)

    def after(self, before: Tensor, symbols: Tensor) -> Tensor:
        """x^_t out of x^_{t-1} [1, C, H, W] and the symbols of w^ [1, C', h, w]."""
        return moved_on(before, self.rest.drawn(self.rest.q.values(symbols).contiguous()))


def lacking(before: Tensor, x: Tensor) -> Tensor:
    """Half of what a frame has beyond the one before it, in [-1, 1]."""
    return (x - before) / 2


def moved_on(before: Tensor, residual: Tensor) -> Tensor:
    return (before + 2 * residual).clamp(-1, 1)


def networks(
    *,
    image_size: Annotated[int, "side of the square frames that it is trained on"] = 256,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    frames: Annotated[int, "frames in a row that are learnt from: errors add up over so many"] = 4,
    length: Annotated[int, "frames of a clip, as a program takes it; all else takes any number"] = 16,
    width: Annotated[int, "channels of all E and G next to the picture; they double with each halving"] = 60,
    halvings: Annotated[int, "how often each E halves the side"] = 4,
    blocks: Annotated[int, "residual blocks of each G"] = 9,
    code: Annotated[int, "C, channels of w of the first frame"] = 8,
    code_rest: Annotated[int, "channels of w of each further frame"] = 4,
    levels: Annotated[int, "L, centres of the quantisers, around 0"] = 5,
    norm: Annotated[Norm, "over each map, as published, or over channels, which leaves small frames their colour"] = (
        "channel"
    ),
    d_width: Annotated[int, "channels of D next to the picture"] = 64,
    scales: Annotated[int, "how many discriminators there are, each at half the side of the one before"] = 2,
) -> dict[str, nn.Module]:
    """G, which is both codecs, and the discriminators D(x) of single frames."""
    first = shape_of(image_size, Shape(channels, width, halvings, blocks, code, levels, norm))
    rest = shape_of(image_size, first._replace(code=code_rest))
    if min(frames, length) < 2:
        raise GanzooError(f"-c frames={frames} -c length={length}: nothing follows the first", "Give 2 or more.")
    nets = {"G": Residual(first, rest, frames, length), "D": MultiScale(channels, d_width, scales)}
    return {name: net.apply(initialise) for name, net in nets.items()}

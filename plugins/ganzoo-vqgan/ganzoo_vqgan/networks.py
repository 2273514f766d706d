"""The networks of VQGAN (Esser et al. 2020, Sec. 3.1): the encoder E, the codebook Z, the decoder G; D is PatchGAN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import torch
from ganzoo_pix2pix.networks import PatchGAN
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad, silu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, Image, Images, initialise, sample_deterministic

GROUPS = 32  # of channels that are normalised together, of 4 channels or more each


def norm(f: int) -> nn.GroupNorm:
    return nn.GroupNorm(min(GROUPS, f // 4), f, eps=1e-6)


def conv(f: int, f_next: int) -> nn.Conv2d:
    return nn.Conv2d(f, f_next, 3, padding=1)


class Residual(nn.Module):
    """h + two 3x3 convolutions of it, each behind a norm and swish; around them a 1x1 where the width changes."""

    def __init__(self, f: int, f_next: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = norm(f), conv(f, f_next)
        self.norm2, self.conv2 = norm(f_next), conv(f_next, f_next)
        self.shortcut = nn.Conv2d(f, f_next, 1) if f != f_next else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:  # [N, f, H, W] -> [N, f_next, H, W]
        h = self.conv1(silu(self.norm1(x)))
        out: Tensor = self.shortcut(x) + self.conv2(silu(self.norm2(h)))
        return out


class Attention(nn.Module):
    """h + attention over its places, one head of all channels: softmax(q k / sqrt f) v."""

    def __init__(self, f: int) -> None:
        super().__init__()
        self.norm = norm(f)
        self.q, self.k, self.v, self.out = (nn.Conv2d(f, f, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:  # [N, f, H, W] -> the same
        h = self.norm(x)
        q, k, v = (layer(h).flatten(2).transpose(1, 2) for layer in (self.q, self.k, self.v))  # [N, HW, f]
        among = (q @ k.transpose(1, 2) * q.shape[2] ** -0.5).softmax(2)  # [N, HW, HW]
        seen = (among @ v).transpose(1, 2).reshape(x.shape)
        out: Tensor = x + self.out(seen)
        return out


class Halve(nn.Conv2d):
    """3x3 with stride 2, a row and a column of zeros added on the right and below alone: s -> s/2."""

    def __init__(self, f: int) -> None:
        super().__init__(f, f, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(pad(x, (0, 1, 0, 1)))


class Double(nn.Conv2d):
    """Each pixel becomes four, then 3x3: s -> 2s."""

    def __init__(self, f: int) -> None:
        super().__init__(f, f, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(interpolate(x, scale_factor=2.0, mode="nearest"))


class Level(nn.Module):
    """All that is done at one side: residual blocks, attention behind each where it `attends`, then another side."""

    def __init__(self, f: int, f_next: int, blocks: int, attends: bool, resize: nn.Module) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Residual(f_next if i else f, f_next) for i in range(blocks))
        self.attention = nn.ModuleList(Attention(f_next) if attends else nn.Identity() for _ in range(blocks))
        self.resize = resize

    def forward(self, h: Tensor) -> Tensor:
        for block, attention in zip(self.blocks, self.attention, strict=True):
            h = attention(block(h))
        out: Tensor = self.resize(h)
        return out


def middle(f: int) -> nn.Sequential:
    return nn.Sequential(Residual(f, f), Attention(f), Residual(f, f))


class E(nn.Module):
    """x -> 3x3 -> levels, each half as large as the one before -> the middle -> a vector at each place."""

    def __init__(self, channels: int, widths: Sequence[int], blocks: int, attends: Sequence[bool], dim: int) -> None:
        super().__init__()
        self.first = conv(channels, widths[0])
        before, last = [widths[0], *widths], len(widths) - 1
        self.levels = nn.Sequential(
            *(Level(before[i], f, blocks, attends[i], Halve(f) if i < last else nn.Identity())
              for i, f in enumerate(widths))
        )  # fmt: skip
        self.middle, self.norm, self.last = middle(widths[-1]), norm(widths[-1]), conv(widths[-1], dim)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, dim, h, w]
        out: Tensor = self.last(silu(self.norm(self.middle(self.levels(self.first(x))))))
        return out


class G(nn.Module):
    """A vector at each place -> 3x3 -> the middle -> levels, each twice as large -> the picture, with no tanh."""

    def __init__(self, channels: int, widths: Sequence[int], blocks: int, attends: Sequence[bool], dim: int) -> None:
        super().__init__()
        self.first, self.middle = conv(dim, widths[-1]), middle(widths[-1])
        before = [*widths[1:], widths[-1]]
        self.levels = nn.ModuleList(  # the finest first, as the published tensors lie
            Level(before[i], f, blocks + 1, attends[i], Double(f) if i else nn.Identity()) for i, f in enumerate(widths)
        )
        self.norm, self.last = norm(widths[0]), conv(widths[0], channels)

    def forward(self, z: Tensor) -> Tensor:  # [N, dim, h, w] -> [N, C, H, W]
        h = self.middle(self.first(z))
        for level in reversed(self.levels):
            h = level(h)
        out: Tensor = self.last(silu(self.norm(h)))
        return out


class Codebook(nn.Module):
    """Z, n vectors: what E has made is replaced, place by place, by the nearest of them (Eq. 2)."""

    def __init__(self, n: int, dim: int) -> None:
        super().__init__()
        self.vectors = nn.Embedding(n, dim)
        nn.init.uniform_(self.vectors.weight, -1 / n, 1 / n)
        self.before, self.after = nn.Conv2d(dim, dim, 1), nn.Conv2d(dim, dim, 1)

    def nearest(self, z: Tensor) -> Tensor:
        """Codes 0 to n - 1 of vectors.  [N, dim, h, w] -> int64 [N, h, w]"""
        vectors = self.vectors.weight.float()
        # |z - e|^2 without |z|^2, which is the same for all
        return (vectors.square().sum(1) - 2 * z.movedim(1, -1).float() @ vectors.T).argmin(-1)

    def look_up(self, codes: Tensor) -> Tensor:
        """[N, h, w] -> [N, dim, h, w]"""
        found: Tensor = self.vectors(codes)
        return found.movedim(-1, 1)


class Coded(NamedTuple):
    """A batch on its way through the codebook."""

    drawn: Tensor  # what G makes of it  [N, C, H, W]
    z: Tensor  # what E made  [N, dim, h, w]
    z_q: Tensor  # the nearest vectors  [N, dim, h, w]
    codes: Tensor  # their numbers  int64 [N, h, w]


class VQGAN(Generator):
    """A picture, and what is left of it once it was codes: x -> E -> Z -> G (Eq. 3).

    `encode` and `decode` are its two halves, with the codes between them.
    """

    def __init__(self, encoder: E, codebook: Codebook, decoder: G) -> None:
        super().__init__()
        channels = encoder.first.in_channels
        self.inputs = {"x": Image((channels, None, None), multiple=2 ** (len(encoder.levels) - 1))}
        self.output = Images((channels, None, None))
        self.E, self.Z, self.G = encoder, codebook, decoder

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> the same, near [-1, 1]
        return self.coded(x).drawn

    def coded(self, x: Tensor) -> Coded:
        """There and back; to gradients the nearest vectors are what they are near to (straight-through)."""
        z = self.Z.before(self.E(x))
        codes = self.Z.nearest(z)
        z_q = self.Z.look_up(codes)
        return Coded(self.G(self.Z.after(z + (z_q - z).detach())), z, z_q, codes)

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        """Pictures [N, C, H, W] in [-1, 1] to codes, int64 [N, H / f, W / f]; f is 16 in the paper's."""
        return self.Z.nearest(self.Z.before(self.E(x)))

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """Codes, int64 [N, h, w], to pictures [N, C, f h, f w] in [-1, 1]."""
        drawn: Tensor = self.G(self.Z.after(self.Z.look_up(codes)))
        return drawn.clamp(-1, 1)

    def sample(self, n: int, *, seed: int, **given: Any) -> Tensor:
        """n pictures [n, C, H, W], cut to [-1, 1] (nothing bounds what is made), one for each that is given as `x`.

        Errors: GanzooError for a missing picture, and for sides that E cannot halve as often as it must.
        """
        return sample_deterministic(self, lambda x: self(x).clamp(-1, 1), n, seed, given)


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures that it is trained on; any that E can halve works"] = 256,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels of E and G next to the picture"] = 128,
    multiples: Annotated[
        tuple[int, ...], "of width, the picture's side first: E halves it once less than there are"
    ] = (1, 1, 2, 2, 4),
    blocks: Annotated[int, "residual blocks at each side of E; G has one more"] = 2,
    attention: Annotated[int, "px: side of the maps at which E and G attend, beside the smallest; 0: none"] = 16,
    codes: Annotated[int, "vectors in the codebook"] = 1024,
    code_dim: Annotated[int, "their length"] = 256,
    d_width: Annotated[int, "the channels of D next to the picture"] = 64,
    patch: Annotated[int, "pixels that a score of D sees: 1, 16, 34, 70, 142 or 286"] = 70,
) -> dict[str, nn.Module]:
    """G, which is E, the codebook and the decoder, and the discriminator D."""
    halvings = len(multiples) - 1
    if min(image_size, channels, blocks, codes, code_dim, d_width, *multiples) < 1 or width < 4:
        raise GanzooError("a size below 1, or a width below 4", "Choose others.")
    if image_size % 2**halvings:
        what = f"image_size {image_size}: not a multiple of {2**halvings}, which E halves {halvings} times"
        raise GanzooError(what, "Choose another image_size or other multiples.")
    widths = [width * times for times in multiples]
    attends = [image_size // 2**i == attention for i in range(len(widths))]
    shape = (channels, widths, blocks, attends, code_dim)
    whole = VQGAN(E(*shape), Codebook(codes, code_dim), G(*shape))
    return {"G": whole, "D": PatchGAN(channels, d_width, patch, "batch").apply(initialise)}

"""What both generators share: z -> mapping -> w, a style for every layer -> synthesis; and what can be done in W.

Truncation (Karras et al. 2018, App. B), style mixing (Sec. 3.1), fixed or absent noise (Sec. 3.2), straight ways in W.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Annotated, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import (
    Between,
    EqualizedLinear,
    Generator,
    Images,
    Latent,
    Space,
    evaluation_mode,
    latents,
    pixel_norm,
    sample_deterministic,
)

SLOPE = 0.2
BETA = 0.995  # of the moving average of w
Noise = Callable[[nn.Module, Tensor], Tensor | None]  # (layer, activations [N, f, H, W]) -> [N or 1, 1, H, W], or none
Draw = Literal["random", "const", "none"]


class MappingNetwork(nn.Module):
    """f: Z -> W, dense layers that learn a hundredth as fast as the others; and the average of w (App. B)."""

    w_avg: Tensor

    def __init__(self, z_dim: int, w_dim: int, layers: int, gain: float) -> None:
        super().__init__()
        self.register_buffer("w_avg", torch.zeros(w_dim))
        widths = [z_dim] + [w_dim] * layers
        self.layers = nn.ModuleList(EqualizedLinear(f, g, gain=gain, lr=0.01) for f, g in pairwise(widths))
        self.after = 2**0.5 / gain  # the activations' own gain, where the weights do not have it

    def forward(self, z: Tensor) -> Tensor:  # [N, z] -> [N, w]
        w = pixel_norm(z)
        for layer in self.layers:
            w = leaky_relu(layer(w), SLOPE) * self.after
        return w

    @torch.no_grad()
    def follow(self, w: Tensor) -> None:
        """w_avg goes after the w of a batch."""
        self.w_avg.lerp_(w.float().mean(0), 1 - BETA)


class Synthesis(Generator):
    """g: styles, one for each layer, [N, layers, w] -> pictures [N, C, H, W]."""

    layers: int

    def wanted(self, layers: int, w_dim: int, channels: int, side: int) -> None:
        """Declare what goes in and what comes out."""
        self.layers = layers
        self.inputs, self.output = {"w": Latent((layers, w_dim))}, Images((channels, side, side))

    @abstractmethod
    def maps(self, w: Tensor, noise: Noise) -> Iterator[Tensor]:
        """The activations at 4, 8, 16 ... pixels.  [N, f, s, s]"""

    @abstractmethod
    def fixed(self, layer: nn.Module, h: Tensor) -> Tensor:
        """Noise of a layer that is always the same.  [1, 1, H, W]"""

    def drawn(self, how: Draw) -> Noise:
        """Noise by its name."""
        return {"random": fresh, "const": self.fixed, "none": silent}[how]


def fresh(layer: nn.Module, h: Tensor) -> Tensor:
    """Noise for every picture.  [N, 1, H, W]"""
    return torch.randn(h.shape[0], 1, *h.shape[2:], device=h.device, dtype=h.dtype)


def silent(layer: nn.Module, h: Tensor) -> None:
    """No noise."""


class Styled(Generator):
    """G(z) = g(f(z)): a mapping, a synthesis, and what users do with the space between."""

    interpolation_modes = ("spherical", "linear", "w")

    def __init__(self, mapping: MappingNetwork, synthesis: Synthesis, z_dim: int, order: Sequence[str]) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((z_dim,))}, synthesis.output
        parts = {"mapping": mapping, "synthesis": synthesis}
        for name in order:  # in which the published tensors lie
            self.add_module(name, parts[name])

    mapping: MappingNetwork
    synthesis: Synthesis

    def forward(self, z: Tensor) -> Tensor:
        return self.synthesis(self.everywhere(self.mapping(z)))

    def everywhere(self, w: Tensor) -> Tensor:
        """The same w in every layer.  [N, w] -> [N, layers, w]"""
        return w[:, None].expand(-1, self.synthesis.layers, -1)

    def truncated(self, w: Tensor, psi: float, cutoff: int) -> Tensor:
        """w' = w_avg + psi (w - w_avg) in the first `cutoff` layers (App. B).  [N, layers, w]"""
        near = torch.lerp(self.mapping.w_avg.expand_as(w), w, psi)
        return torch.cat([near[:, :cutoff], w[:, cutoff:]], 1) if cutoff else near

    def sample(
        self,
        n: int,
        *,
        seed: int,
        truncation: Annotated[
            float, Between(-1, 1.5)
        ] = 1.0,  # psi: 1 is without, 0 gives the average picture, below 0 its opposite
        cutoff: Annotated[int, Between(0, 18)] = 0,  # layers, from the coarsest, that are truncated; 0: all
        noise: Draw = "random",  # drawn for every picture, always the same, or none
        mix_rows: tuple[int, ...] = (),  # seeds of a sheet: pictures that give the styles ...
        mix_cols: tuple[int, ...] = (),  # ... and pictures whose styles replace them
        mix_layers: str = "",  # in these layers, from 0, the coarsest: 0-3, or 4-7,9
        w: Tensor | None = None,  # [n, w] or [n, layers, w]: styles instead of z
        **given: Any,
    ) -> Tensor:
        """n pictures [n, C, H, W], cut to [-1, 1] (nothing bounds what is made): the same ones every time.

        With mix_rows and mix_cols one sheet [1, C, (R + 1) H, (K + 1) W]: the rows' pictures down the left, the
        columns' along the top, and where they meet the row's with the column's styles in mix_layers. Picture k of a
        seed is the first sample of it. Errors: GanzooError for layers or seeds that make no sheet.
        """
        style = partial(self.truncated, psi=truncation, cutoff=cutoff)
        synthesis = partial(self.synthesis, noise=self.synthesis.drawn(noise))
        if mix_rows or mix_cols or mix_layers:
            return self.sheet(mix_rows, mix_cols, mix_layers, lambda ws: self.painted(synthesis, style(ws), seed))
        if w is not None:
            return self.painted(synthesis, style(w if w.ndim == 3 else self.everywhere(w)), seed)
        return sample_deterministic(
            self, lambda z: synthesis(style(self.everywhere(self.mapping(z)))).clamp(-1, 1), n, seed, given
        )

    def painted(self, synthesis: Callable[[Tensor], Tensor], w: Tensor, seed: int) -> Tensor:
        """The pictures of styles [n, layers, w]."""
        return sample_deterministic(self.synthesis, lambda w: synthesis(w).clamp(-1, 1), len(w), seed, {"w": w})

    def sheet(self, rows: Sequence[int], cols: Sequence[int], layers: str, paint: Callable[[Tensor], Tensor]) -> Tensor:
        """Style mixing (Sec. 3.1, Fig. 3).  [1, C, (R + 1) H, (K + 1) W]"""
        if not rows or not cols:
            raise GanzooError("style mixing: no seeds for rows, or none for columns", "Give mix_rows and mix_cols.")
        which = numbered(layers, self.synthesis.layers)
        a, b = self.styles_of(rows), self.styles_of(cols)
        crossed = a[:, None].repeat(1, len(b), 1, 1)  # [R, K, layers, w]
        crossed[:, :, which] = b[None, :, which]
        pictures = paint(torch.cat([a, b, crossed.flatten(0, 1)]))
        left, top, inside = pictures.split([len(a), len(b), len(a) * len(b)])  # type: ignore[no-untyped-call]
        table = inside.unflatten(0, (len(a), len(b)))  # [R, K, C, H, W]
        lines = [torch.cat([torch.ones_like(top[0]), *top], 2)]
        lines += [torch.cat([head, *line], 2) for head, line in zip(left, table, strict=True)]
        return torch.cat(lines, 1)[None]

    @torch.no_grad()
    def styles_of(self, seeds: Sequence[int]) -> Tensor:
        """The styles of the first sample of each seed.  [n, layers, w]"""
        z = torch.cat([latents(self.priors, seed, [0])["z"] for seed in seeds]).to(self.mapping.w_avg.device)
        with evaluation_mode(self):
            return self.everywhere(self.mapping(z)).float()

    @torch.no_grad()
    def interpolate(self, a: Mapping[str, Tensor], b: Mapping[str, Tensor], t: float, mode: str) -> dict[str, Tensor]:
        """As every generator; `w` is a straight line in W."""
        if mode != "w":
            return super().interpolate(a, b, t, mode)
        with evaluation_mode(self):
            start, end = (self.mapping(one["z"].to(self.mapping.w_avg.device)) for one in (a, b))
        return {"w": torch.lerp(start, end, t)}

    def spaces(self) -> dict[str, Space]:
        """Z; W, one style for all layers; W+, one for each (Abdal et al. 2019); the noise is always the same."""
        (z,), styles = self.inputs["z"].shape, self.synthesis.inputs["w"].shape
        way = (self.mapping, self.everywhere, partial(self.synthesis, noise=self.synthesis.fixed))
        details = tuple(b for name, b in self.synthesis.named_buffers() if name.endswith("noise_const"))
        shapes = {"z": (z,), "w": styles[1:], "w+": styles}
        return {
            name: Space("z", tuple(map(int, shape)), partial(along, way[:i]), partial(along, way[i:]), details=details)  # type: ignore[arg-type]
            for i, (name, shape) in enumerate(shapes.items())
        }


def along(way: Sequence[Callable[[Tensor], Tensor]], x: Tensor) -> Tensor:
    """One step after the other."""
    for step in way:
        x = step(x)
    return x


def numbered(text: str, layers: int) -> list[int]:
    """Layers by numbers and ranges: "0-3" or "4-7,9". Errors: GanzooError."""
    which: list[int] = []
    for part in text.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if not first.isdecimal() or (last and not last.isdecimal()) or part.endswith("-"):
            raise GanzooError(f"mix_layers {text!r}: no layers", f"Give some of 0-{layers - 1}: mix_layers=0-3.")
        which += range(int(first), int(last or first) + 1)
    if not which or max(which) >= layers:
        raise GanzooError(f"mix_layers {text!r}: there are layers 0 to {layers - 1}", "Give some of these.")
    return which


def mixed(G: Styled, z: Tensor, p: float, layers: int) -> Tensor:
    """Mixing regularisation (Sec. 3.1): the share p of pictures changes from one w to another, at a random layer.

    `layers` are in use; w_avg follows.  [N, z] -> [N, layers of G, w]
    """
    w = G.mapping(z)
    G.mapping.follow(w)
    other = G.mapping(G.prior(len(z)))
    change = torch.randint(1, max(layers, 2), (len(z), 1), device=z.device)
    change = torch.where(torch.rand(len(z), 1, device=z.device) < p, change, layers)
    first = torch.arange(G.synthesis.layers, device=z.device) < change  # [N, layers]
    return torch.where(first[:, :, None], G.everywhere(w), G.everywhere(other))

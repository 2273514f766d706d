"""The networks of BigGAN (Brock et al. 2019, App. B, Tables 4 to 6): SAGAN's, with every block told z and the class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Annotated, Any, Self

import torch
from ganzoo_sngan.attention import attending, check_attention, critic
from ganzoo_sngan.networks import D, convs, first_side, labels
from torch import Tensor, nn
from torch.nn.functional import relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import (
    Between,
    ConditionalBatchNorm,
    GBlock,
    Generator,
    Images,
    Latent,
    Modulation,
    apply_spectral_norm,
    biases_last,
    sample_deterministic,
    with_standing_statistics,
)


class Standing(Generator):
    """What BigGAN's generators have alike: truncated latents, and statistics that stand."""

    stand: Tensor  # bool []: whether the running statistics are standing ones

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("stand", torch.tensor(False))

    def note_training(self) -> None:
        """Statistics that move stand no longer."""
        if self.training:
            self.stand.fill_(False)

    def truncated(self, truncation: float, n: int, rng: torch.Generator) -> dict[str, Tensor]:
        """z from a normal law truncated to [-truncation, truncation] (Sec. 3.1), by drawing again what lies outside."""
        z = self.prior(n, rng)
        while bool((outside := z.abs() > truncation).any()):
            z[outside] = torch.randn(int(outside.sum()), generator=rng, device=z.device)
        return {"z": z}

    def standing(self, passes: int) -> Self:
        """A copy with standing statistics of the weights as they are, which it remembers; always the same ones."""
        net = with_standing_statistics(self, passes).eval()
        net.stand.fill_(True)
        return net


class G(Standing):
    """z in equal parts: the first makes the smallest map, each other tells one block, with the class's embedding.

    Without classes (`classes` 0) the parts of z alone tell them.
    """

    def __init__(
        self,
        image_size: int,
        channels: int,
        classes: int,
        z_chunk: int,
        y_dim: int,
        widths: Sequence[int],
        attention: int,
    ) -> None:
        super().__init__()
        self.inputs = {"z": Latent((z_chunk * len(widths),)), **labels(classes)}
        self.output = Images((channels, image_size, image_size))
        self.z_chunk, self.side = z_chunk, first_side(image_size, widths)
        self.shared = nn.Embedding(classes, y_dim) if classes else None
        self.linear = nn.Linear(z_chunk, self.side**2 * widths[0])
        told = z_chunk + (y_dim if classes else 0)
        self.blocks = nn.ModuleList(
            attending(up(f, f_next, told), f_next, self.side * 2**i, attention)
            for i, (f, f_next) in enumerate(pairwise(widths), start=1)
        )
        self.bn = nn.BatchNorm2d(widths[-1])
        self.conv = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, z: Tensor, *label: Tensor) -> Tensor:  # [N, z_chunk (blocks + 1)], and [N] with classes
        self.note_training()
        first, *rest = torch.split(z, self.z_chunk, 1)
        y = [self.shared(*label)] if self.shared is not None else []
        h = self.linear(first).unflatten(1, (-1, self.side, self.side))
        for block, part in zip(self.blocks, rest, strict=True):
            h = block(h, torch.cat([*y, part], 1))
        return torch.tanh(self.conv(relu(self.bn(h))))

    def sample(
        self, n: int, *, seed: int, truncation: Annotated[float, Between(0.04, 2)] = math.inf, **inputs: Any
    ) -> Tensor:
        """As Generator.sample; values of z beyond `truncation` are drawn again, for better and more alike samples.

        Errors: GanzooError for a truncation below 0.01, besides those of a wrong label.
        """
        if not truncation >= 0.01:
            raise GanzooError(f"truncation {truncation}: below 0.01", "Typical values lie between 0.04 and 2.")
        return sample_deterministic(self, self, n, seed, inputs, partial(self.truncated, truncation))


def up(f: int, f_next: int, told: int) -> GBlock:
    """A block of G; gains and biases of bn1 and bn2 are linear in what it is told."""
    return GBlock(
        **convs(f, f_next, f_next), shortcut=nn.Conv2d(f, f_next, 1), bn1=norm(f, told), bn2=norm(f_next, told)
    )


def norm(f: int, told: int) -> ConditionalBatchNorm:
    return ConditionalBatchNorm(f, Modulation(nn.Linear(told, f, bias=False), nn.Linear(told, f, bias=False)))


def initialise(layer: nn.Module) -> None:
    """Orthogonal weights (Saxe et al. 2014); biases zero."""
    if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding):
        nn.init.orthogonal_(layer.weight)
    if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
        nn.init.zeros_(layer.bias)


def networks(
    *,
    image_size: Annotated[int, "side of the square image"] = 128,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    classes: Annotated[int, "how many labels G and D are told"] = 1000,
    z_chunk: Annotated[int, "length of each part of z ~ N(0, 1), of which G has one more than blocks"] = 20,
    y_dim: Annotated[int, "length of the classes' embedding, which all blocks of G share"] = 128,
    g_widths: Annotated[tuple[int, ...], "channels of G's maps, the smallest first"] = (1536, 1536, 768, 384, 192, 96),
    d_widths: Annotated[tuple[int, ...], "channels that D's blocks make"] = (96, 192, 384, 768, 1536, 1536),
    d_halvings: Annotated[int, "how many of D's blocks halve the side"] = 5,
    attention: Annotated[int, "side of the map that attends to itself, in both networks; 0: none does"] = 64,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    if classes < 1:
        raise GanzooError(f"classes {classes}: BigGAN needs labels", "Choose data with classes.")
    check_attention(attention, image_size, g_widths, d_halvings)
    made = G(image_size, channels, classes, z_chunk, y_dim, g_widths, attention).apply(initialise)
    apply_spectral_norm(made, nn.Conv2d, nn.Linear)  # the shared embedding is not normalised
    judging = critic(channels, d_widths, d_halvings, image_size, attention)
    judge = D(judging, d_widths[-1], classes).apply(initialise)
    apply_spectral_norm(judge, nn.Conv2d, nn.Linear, nn.Embedding)
    for net in (made, judge):
        biases_last(net)
    return {"G": made, "D": judge}

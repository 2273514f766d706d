"""The networks of SAGAN (Zhang et al. 2019, Sec. 4): SNGAN's, wider in D, normalised in G too, with self-attention."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from torch import nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import (
    Attended,
    ConditionalBatchNorm,
    DBlock,
    DBlockFirst,
    DBlockSame,
    GBlock,
    Modulation,
    SelfAttention,
    apply_spectral_norm,
    biases_last,
)
from ganzoo_sngan.networks import D, G, check_halvings, convs, first_side, shortcut


def up(f: int, f_next: int, classes: int) -> GBlock:
    """A block of G; bn1 and bn2 have tables of gains and biases where there are classes."""
    return GBlock(
        **convs(f, f_next, f_next), shortcut=nn.Conv2d(f, f_next, 1), bn1=norm(f, classes), bn2=norm(f_next, classes)
    )


def norm(f: int, classes: int) -> nn.Module:
    """Batch norm, or with classes a conditional one that begins as an unconditional one."""
    if not classes:
        return nn.BatchNorm2d(f)
    gain, bias = nn.Embedding(classes, f), nn.Embedding(classes, f)
    nn.init.zeros_(gain.weight)
    nn.init.zeros_(bias.weight)
    return ConditionalBatchNorm(f, Modulation(gain, bias))


def attending(block: nn.Module, f: int, side: int, attention: int) -> nn.Module:
    """The block that makes a map of this side with f channels; attention follows where that is its side."""
    return Attended(block, SelfAttention(f)) if side == attention else block


def critic(channels: int, widths: Sequence[int], halvings: int, image_size: int, attention: int) -> list[nn.Module]:
    """D's blocks, of which the first `halvings` halve the side; a block widens in its first convolution."""
    check_halvings(widths, halvings)
    f, side = widths[0], image_size // 2
    first = DBlockFirst(**convs(channels, f, f), shortcut=nn.Conv2d(channels, f, 1))
    blocks = [attending(first, f, side, attention)]
    for i, (f, f_next) in enumerate(pairwise(widths), start=1):
        layers = {**convs(f, f_next, f_next), "shortcut": shortcut(f, f_next, i < halvings)}
        if i < halvings:
            side //= 2
            blocks.append(attending(DBlock(**layers), f_next, side, attention))
        else:
            blocks.append(DBlockSame(**layers))
    return blocks


def check_attention(attention: int, image_size: int, widths: Sequence[int], halvings: int) -> None:
    """Both networks must have a map of that side."""
    first = first_side(image_size, widths)
    both = {first * 2**i for i in range(1, len(widths))} & {image_size // 2**i for i in range(1, halvings + 1)}
    if attention and attention not in both:
        sides = ", ".join(map(str, sorted(both))) or "none"
        raise GanzooError(f"attention {attention}: maps of both networks have the sides {sides}", "Choose one, or 0.")


def initialise(layer: nn.Module) -> None:
    """Glorot's uniform law; biases zero."""
    if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding):
        nn.init.xavier_uniform_(layer.weight)
    if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
        nn.init.zeros_(layer.bias)


def networks(
    *,
    image_size: Annotated[int, "side of the square image"] = 128,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    classes: Annotated[int, "how many labels G and D are told; 0: they are told none"] = 1000,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1)"] = 128,
    g_widths: Annotated[tuple[int, ...], "channels of G's maps, the smallest first"] = (1024, 1024, 512, 256, 128, 64),
    d_widths: Annotated[tuple[int, ...], "channels that D's blocks make"] = (64, 128, 256, 512, 1024, 1024),
    d_halvings: Annotated[int, "how many of D's blocks halve the side"] = 5,
    attention: Annotated[int, "side of the map that attends to itself, in both networks; 0: none does"] = 64,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    check_attention(attention, image_size, g_widths, d_halvings)
    first = first_side(image_size, g_widths)
    blocks = [
        attending(up(f, f_next, classes), f_next, first * 2**i, attention)
        for i, (f, f_next) in enumerate(pairwise(g_widths), start=1)
    ]
    made = G(image_size, channels, classes, z_dim, g_widths, blocks)
    for layer in made.modules():
        if not isinstance(layer, nn.Embedding):  # the tables of gains and biases
            initialise(layer)
    apply_spectral_norm(made, nn.Conv2d, nn.Linear)
    judging = critic(channels, d_widths, d_halvings, image_size, attention)
    judge = D(judging, d_widths[-1], classes).apply(initialise)
    apply_spectral_norm(judge, nn.Conv2d, nn.Linear, nn.Embedding)
    for net in (made, judge):
        biases_last(net)
    return {"G": made, "D": judge}

"""The networks of SAGAN (Zhang et al. 2019, Sec. 4): SNGAN's, wider in D, normalised in G too, with self-attention."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from ganzoo_core.blocks import (
    Attended,
    ConditionalBatchNorm,
    Down,
    First,
    Modulation,
    Same,
    SelfAttention,
    Up,
    biases_last,
    spectral,
)  # fmt: skip
from ganzoo_core.errors import GanzooError
from ganzoo_sngan.networks import D, G, check_halvings, convs, first_side


def up(f: int, f_next: int, classes: int) -> Up:
    """A block of G; bn1 and bn2 have tables of gains and biases where there are classes."""
    return Up(
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
    first = First(**convs(channels, f, f), shortcut=nn.Conv2d(channels, f, 1))
    blocks = [attending(first, f, side, attention)]
    for i, (f, f_next) in enumerate(pairwise(widths), start=1):
        if i < halvings:
            side //= 2
            block = Down(**convs(f, f_next, f_next), shortcut=nn.Conv2d(f, f_next, 1))
            blocks.append(attending(block, f_next, side, attention))
        else:
            blocks.append(Same(**convs(f, f, f)))
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
    image_size: int = 128,  # side of the square image
    channels: int = 3,  # 1 gray, 3 colour
    classes: int = 1000,  # how many labels G and D are told; 0: they are told none
    z_dim: int = 128,  # length of the latent z ~ N(0, 1)
    g_widths: tuple[int, ...] = (1024, 1024, 512, 256, 128, 64),  # channels of G's maps, the smallest first
    d_widths: tuple[int, ...] = (64, 128, 256, 512, 1024, 1024),  # channels that D's blocks make
    d_halvings: int = 5,  # how many of D's blocks halve the side
    attention: int = 64,  # side of the map that attends to itself, in both networks; 0: none does
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
    spectral(made, nn.Conv2d, nn.Linear)
    judged = critic(channels, d_widths, d_halvings, image_size, attention)
    judge = D(judged, d_widths[-1], classes).apply(initialise)
    spectral(judge, nn.Conv2d, nn.Linear, nn.Embedding)
    for net in (made, judge):
        biases_last(net)
    return {"G": made, "D": judge}

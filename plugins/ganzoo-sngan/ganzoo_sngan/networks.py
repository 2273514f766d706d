"""The residual networks of SNGAN (Miyato et al. 2018, Tables 3 to 5), with labels projection's.

Without classes they are the unconditional pair; with classes G has conditional batch norm and D a projection
(Miyato & Koyama 2018, Fig. 14).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import (
    ConditionalBatchNorm,
    DBlock,
    DBlockFirst,
    DBlockSame,
    Discriminator,
    GBlock,
    Generator,
    Images,
    Input,
    Label,
    Latent,
    Projection,
    apply_spectral_norm,
)

Layers = dict[str, nn.Module]


class G(Generator):
    """z -> linear -> blocks that each double the side -> BN, ReLU, 3x3 -> tanh; labels go to every block."""

    def __init__(
        self,
        image_size: int,
        channels: int,
        classes: int,
        z_dim: int,
        widths: Sequence[int],
        blocks: Sequence[nn.Module],
    ) -> None:
        super().__init__()
        self.inputs = {"z": Latent((z_dim,)), **labels(classes)}
        self.output = Images((channels, image_size, image_size))
        self.side = first_side(image_size, widths)
        self.linear = nn.Linear(z_dim, self.side**2 * widths[0])
        self.blocks = nn.ModuleList(blocks)
        self.bn = nn.BatchNorm2d(widths[-1])
        self.conv = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, z: Tensor, *y: Tensor) -> Tensor:  # [N, z_dim], and [N] where there are classes
        h = self.linear(z).unflatten(1, (-1, self.side, self.side))
        for block in self.blocks:
            h = block(h, *y)
        return torch.tanh(self.conv(relu(self.bn(h))))


class D(Discriminator):
    """Blocks, ReLU, the sum over places, and a head: linear, or with labels a projection. All is normalised."""

    def __init__(self, blocks: Sequence[nn.Module], f: int, classes: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)
        self.head = Projection(f, classes) if classes else nn.Linear(f, 1)

    def forward(self, x: Tensor, *y: Tensor) -> Tensor:  # [N, C, H, W], [N] -> [N]
        return self.head(self.features(x), *y).flatten()

    def features(self, x: Tensor) -> Tensor:
        """The sum over all places of the last activations.  [N, f]"""
        return relu(self.blocks(x)).sum((2, 3))


def labels(classes: int) -> dict[str, Input]:
    """The input of a network that is told the class, or none."""
    return {"label": Label(classes)} if classes else {}


def first_side(image_size: int, widths: Sequence[int]) -> int:
    """The side of G's first map, from which each block doubles it."""
    side, rest = divmod(image_size, 2 ** (len(widths) - 1))
    if rest or not side:
        raise GanzooError(
            f"image_size {image_size}: {len(widths) - 1} blocks cannot double a side up to it",
            f"Choose a multiple of {2 ** (len(widths) - 1)}, or fewer g_widths.",
        )
    return side


def up(f: int, f_next: int, classes: int) -> GBlock:
    """A block of G; bn1 and bn2 know the class where there are some."""
    return GBlock(
        conv1=nn.Conv2d(f, f_next, 3, padding=1), conv2=nn.Conv2d(f_next, f_next, 3, padding=1),
        bn1=norm(f, classes), bn2=norm(f_next, classes), shortcut=nn.Conv2d(f, f_next, 1),
    )  # fmt: skip


def norm(f: int, classes: int) -> nn.Module:
    """Batch norm, or with classes a conditional one: a table of gamma and beta that begins at 1 and 0."""
    if not classes:
        return nn.BatchNorm2d(f)
    table = nn.Embedding(classes, 2 * f)
    nn.init.constant_(table.weight[:, :f], 1.0)
    nn.init.constant_(table.weight[:, f:], 0.0)
    return ConditionalBatchNorm(f, table)


def critic(channels: int, widths: Sequence[int], halvings: int) -> list[nn.Module]:
    """D's blocks, of which the first `halvings` halve the side; a block widens in its second convolution."""
    check_halvings(widths, halvings)
    f = widths[0]
    blocks: list[nn.Module] = [DBlockFirst(**convs(channels, f, f), shortcut=nn.Conv2d(channels, f, 1))]
    for i, (f, f_next) in enumerate(pairwise(widths), start=1):
        block = DBlock if i < halvings else DBlockSame
        blocks.append(block(**convs(f, f, f_next), shortcut=shortcut(f, f_next, i < halvings)))
    return blocks


def check_halvings(widths: Sequence[int], halvings: int) -> None:
    """The first of D's blocks halves the side."""
    if not 1 <= halvings <= len(widths):
        raise GanzooError(f"d_halvings {halvings}: D has {len(widths)} blocks", f"Choose 1 to {len(widths)}.")


def shortcut(f: int, f_next: int, halves: bool) -> nn.Module:
    """Around a block of D: a convolution where the side or the width changes."""
    return nn.Conv2d(f, f_next, 1) if halves or f != f_next else nn.Identity()


def convs(f: int, inner: int, f_next: int) -> Layers:
    """Both 3x3 convolutions of a block."""
    return {"conv1": nn.Conv2d(f, inner, 3, padding=1), "conv2": nn.Conv2d(inner, f_next, 3, padding=1)}


def initialise(layer: nn.Module) -> None:
    """Glorot's uniform law, times sqrt 2 for the 3x3 convolutions of blocks; biases zero."""
    if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding):
        inner = isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3)
        nn.init.xavier_uniform_(layer.weight, math.sqrt(2) if inner else 1.0)
    if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
        nn.init.zeros_(layer.bias)


def networks(
    *,
    image_size: Annotated[int, "side of the square image"] = 32,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    classes: Annotated[int, "how many labels G and D are told; 0: they are told none"] = 0,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1)"] = 128,
    g_widths: Annotated[tuple[int, ...], "channels of G's maps, the smallest first"] = (256, 256, 256, 256),
    d_widths: Annotated[tuple[int, ...], "channels that D's blocks make"] = (128, 128, 128, 128),
    d_halvings: Annotated[int, "how many of D's blocks halve the side"] = 2,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    blocks = [up(f, f_next, classes) for f, f_next in pairwise(g_widths)]
    made = G(image_size, channels, classes, z_dim, g_widths, blocks)
    for layer in made.modules():
        if not isinstance(layer, nn.Embedding):  # the tables of gamma and beta
            initialise(layer)
    nn.init.xavier_uniform_(made.conv.weight)  # it precedes no ReLU
    judge = D(critic(channels, d_widths, d_halvings), d_widths[-1], classes).apply(initialise)
    apply_spectral_norm(judge, nn.Conv2d, nn.Linear, nn.Embedding)
    return {"G": made, "D": judge}

"""Networks that exist already, SNGAN's and BigGAN's, with heads on the features of D beside its score."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import ganzoo_biggan.networks as biggan
import ganzoo_sngan.networks as sngan
from ganzoo_sngan.attention import critic
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import apply_spectral_norm, biases_last

TURNS = 4  # of a picture by 0, 90, 180 and 270 degrees

Widths = tuple[int, ...]


class D(sngan.D):
    """SNGAN's, told no class, whose features and score come of one pass."""

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.features(x)
        return self.head(h).flatten(), h


def headed(judge: nn.Module, initialise: Callable[[nn.Module], None], **heads: nn.Module) -> dict[str, nn.Module]:
    """D and its heads: first weights by the same rule, and all divided by their spectral norms."""
    parts = {"D": judge, **heads}
    for part in parts.values():
        part.apply(initialise)
        apply_spectral_norm(part, nn.Conv2d, nn.Linear, nn.Embedding)
    return parts


def rotating(
    *,
    image_size: Annotated[int, "side of the square image"] = 32,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1)"] = 128,
    g_widths: Annotated[Widths, "channels of G's maps, the smallest first"] = (256, 256, 256, 256),
    d_widths: Annotated[Widths, "channels that D's blocks make"] = (128, 128, 128, 128),
    d_halvings: Annotated[int, "how many of D's blocks halve the side"] = 2,
) -> dict[str, nn.Module]:
    """SNGAN's unconditional G and D, and Q, the head that says by how much a picture has been turned."""
    made = sngan.networks(
        image_size=image_size, channels=channels, classes=0, z_dim=z_dim, g_widths=g_widths, d_widths=d_widths,
        d_halvings=d_halvings,
    )["G"]  # fmt: skip
    judge = D(sngan.critic(channels, d_widths, d_halvings), d_widths[-1], 0)
    return {"G": made, **headed(judge, sngan.initialise, Q=nn.Linear(d_widths[-1], TURNS))}


def twins(
    *,
    image_size: Annotated[int, "side of the square image"] = 32,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    classes: Annotated[int, "labels 0 ... classes - 1"] = 10,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1)"] = 128,
    g_widths: Annotated[Widths, "channels of G's maps, the smallest first"] = (256, 256, 256, 256),
    d_widths: Annotated[Widths, "channels that D's blocks make"] = (128, 128, 128, 128),
    d_halvings: Annotated[int, "how many of D's blocks halve the side"] = 2,
) -> dict[str, nn.Module]:
    """SNGAN's conditional G, its unconditional D, the class head C and its twin C_mi."""
    needs_labels(classes)
    made = sngan.networks(
        image_size=image_size, channels=channels, classes=classes, z_dim=z_dim, g_widths=g_widths, d_widths=d_widths,
        d_halvings=d_halvings,
    )["G"]  # fmt: skip
    judge, f = D(sngan.critic(channels, d_widths, d_halvings), d_widths[-1], 0), d_widths[-1]
    heads = {"C": nn.Linear(f, classes), "C_mi": nn.Linear(f, classes)}
    return {"G": made, **headed(judge, sngan.initialise, **heads)}


def contrasting(
    *,
    image_size: Annotated[int, "side of the square image"] = 32,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    classes: Annotated[int, "labels 0 ... classes - 1"] = 10,
    z_chunk: Annotated[int, "length of each part of z ~ N(0, 1), of which G has one more than blocks"] = 20,
    y_dim: Annotated[int, "length of the classes' embedding, which all blocks of G share"] = 128,
    g_widths: Annotated[Widths, "channels of G's maps, the smallest first"] = (384, 384, 384, 384),
    d_widths: Annotated[Widths, "channels that D's blocks make"] = (192, 192, 192, 192),
    d_halvings: Annotated[int, "how many of D's blocks halve the side"] = 2,
    attention: Annotated[int, "side of the map that attends to itself, in both networks; 0: none does"] = 16,
    embedding: Annotated[int, "length of what pictures and classes are compared by"] = 512,
) -> dict[str, nn.Module]:
    """BigGAN's G and a D that is told no class, E, what D's features are compared by, and a proxy P for each class."""
    needs_labels(classes)
    made = biggan.G(image_size, channels, classes, z_chunk, y_dim, g_widths, attention).apply(biggan.initialise)
    apply_spectral_norm(made, nn.Conv2d, nn.Linear)
    judge, f = D(critic(channels, d_widths, d_halvings, image_size, attention), d_widths[-1], 0), d_widths[-1]
    heads = {"E": nn.Linear(f, embedding), "P": nn.Embedding(classes, embedding)}
    parts = headed(judge, biggan.initialise, **heads)
    for net in (made, judge):
        biases_last(net)
    return {"G": made, **parts}


def needs_labels(classes: int) -> None:
    if classes < 2:
        raise GanzooError(f"classes {classes}: this game tells classes apart", "Choose data with two or more.")

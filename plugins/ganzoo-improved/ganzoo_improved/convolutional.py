"""DCGAN's pair with virtual batch normalisation in G and minibatch discrimination in D."""

from __future__ import annotations

from typing import Annotated

import torch
from ganzoo_dcgan.networks import D as PlainD
from ganzoo_dcgan.networks import G as PlainG
from torch import Tensor, nn

from ganzoo_core.nn import Discriminator, Generator
from ganzoo_improved.parts import MinibatchDiscrimination, VirtualBatchNorm


class G(Generator):
    """DCGAN's generator; every pass begins with the same reference latents, by which all else is normalised."""

    reference: Tensor  # [R, z_dim]

    def __init__(self, image_size: int, channels: int, width: int, z_dim: int, reference: int) -> None:
        super().__init__()
        plain = PlainG(image_size, channels, width, z_dim)
        self.inputs, self.output = plain.inputs, plain.output
        self.main = nn.Sequential(
            *[
                VirtualBatchNorm(layer.num_features, reference) if isinstance(layer, nn.BatchNorm2d) else layer
                for layer in plain.main
            ]
        )
        self.register_buffer("reference", torch.randn(reference, z_dim))

    def forward(self, z: Tensor) -> Tensor:
        R = len(self.reference)
        return self.main(torch.cat([self.reference.to(z.dtype), z])[:, :, None, None])[R:]


class D(Discriminator):
    """DCGAN's features, how close they are to those of the other images, and one score from both."""

    def __init__(self, image_size: int, channels: int, width: int, kernels: int, dims: int) -> None:
        super().__init__()
        plain = PlainD(image_size, channels, width, norm="batch")
        *body, last = plain.main
        assert isinstance(last, nn.Conv2d)
        self.main = nn.Sequential(*body, nn.Flatten())
        f = last.in_channels * 16
        self.closeness, self.head = MinibatchDiscrimination(f, kernels, dims), nn.Linear(f + kernels, 1)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        return self.head(self.closeness(self.features(x))).flatten()

    def features(self, x: Tensor) -> Tensor:
        """The last 4x4 activations, flat.  [N, 16 f]"""
        return self.main(x)


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 16, 32, 64 or 128"] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels at half the side"] = 64,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1)"] = 100,
    reference: Annotated[int, "size of the reference batch of virtual batch normalisation"] = 64,
    kernels: Annotated[int, "B, of minibatch discrimination"] = 100,
    dims: Annotated[int, "C, likewise"] = 5,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    return {"G": G(image_size, channels, width, z_dim, reference), "D": D(image_size, channels, width, kernels, dims)}

"""Two pairs that see a label: the perceptrons of the paper (Sec. 4.1), and a convolutional pair with DCGAN's body."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from ganzoo_dcgan.networks import D as ConvolutionalD
from ganzoo_dcgan.networks import G as ConvolutionalG
from ganzoo_gan.networks import Maxout, initialise
from torch import Tensor, nn
from torch.nn.functional import dropout, one_hot, relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Images, Label, Latent

Body = Literal["perceptron", "convolutional"]
Shape = tuple[int, int, int]  # C, H, W


class G(Generator):
    """z -> 200, y -> 1000, both -> 1200 -> the pixels: rectified linear units, then a sigmoid for each pixel."""

    def __init__(self, shape: Shape, classes: int, z_dim: int, width: int) -> None:
        super().__init__()
        self.inputs = {"z": Latent((z_dim,), (0.0, 1.0)), "label": Label(classes)}
        self.output = Images(shape)
        of_z, of_y = round(width / 6), width - round(width / 6)  # 200 and 1000 of 1200
        self.z, self.y = nn.Linear(z_dim, of_z), nn.Linear(classes, of_y)
        self.h, self.x = nn.Linear(width, width), nn.Linear(width, math.prod(shape))
        self.shape, self.classes = shape, classes
        initialise(self, 0.05)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        y = one_hot(label, self.classes).to(z.dtype)  # [N, classes]
        h = torch.cat([relu(self.z(z)), relu(self.y(y))], 1)  # [N, 200 + 1000]
        h = relu(self.h(dropout(h, 0.5, self.training)))
        x = torch.sigmoid(self.x(dropout(h, 0.5, self.training)))  # [N, CHW]
        return (2 * x - 1).reshape(-1, *self.shape)


class D(Discriminator):
    """x -> maxout 240 of 5, y -> maxout 50 of 5, both -> maxout 240 of 4 -> the score."""

    def __init__(self, shape: Shape, classes: int, units: int) -> None:
        super().__init__()
        of_y = round(units * 50 / 240)
        self.x, self.y = Maxout(math.prod(shape), units, 5), Maxout(classes, of_y, 5)
        self.h, self.score = Maxout(units + of_y, units, 4), nn.Linear(units, 1)
        self.classes = classes
        initialise(self, 0.005)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        y = one_hot(label, self.classes).to(x.dtype)  # [N, classes]
        h = torch.cat([self.x((x.flatten(1) + 1) / 2), self.y(y)], 1)  # the paper's pixels lie in [0, 1]
        h = self.h(dropout(h, 0.5, self.training))
        return self.score(dropout(h, 0.5, self.training)).flatten()


class ConditionalG(Generator):
    """DCGAN's generator on z and y side by side."""

    def __init__(self, shape: Shape, classes: int, z_dim: int, width: int) -> None:
        super().__init__()
        self.inputs = {"z": Latent((z_dim,)), "label": Label(classes)}
        self.body = ConvolutionalG(shape[1], shape[0], width, z_dim + classes)
        self.output, self.classes = self.body.output, classes

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return self.body(torch.cat([z, one_hot(label, self.classes).to(z.dtype)], 1))


class ConditionalD(Discriminator):
    """DCGAN's discriminator on x and, as further channels, y at every place."""

    def __init__(self, shape: Shape, classes: int, width: int) -> None:
        super().__init__()
        self.body = ConvolutionalD(shape[1], shape[0] + classes, width, norm="batch")
        self.classes = classes

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        y = one_hot(label, self.classes).to(x.dtype)[:, :, None, None].expand(-1, -1, *x.shape[2:])
        return self.body(torch.cat([x, y], 1))


def networks(
    *,
    body: Annotated[Body, "the paper's, or DCGAN's convolutions"] = "perceptron",
    image_size: Annotated[int, "side of the square image; of convolutions 16, 32, 64 or 128"] = 28,
    channels: Annotated[int, "1 gray, 3 colour"] = 1,
    classes: Annotated[int, "labels 0 ... classes - 1"] = 10,
    z_dim: Annotated[int, "length of the latent z: uniform in [0, 1] for perceptrons, else standard normal"] = 100,
    width: Annotated[
        int, "of perceptrons: units of G's joint layer; of convolutions: channels at half the side"
    ] = 1200,
    units: Annotated[int, "of D's joint maxout layer"] = 240,
) -> dict[str, nn.Module]:
    """The generator G(z, y) and the discriminator D(x, y)."""
    if min(image_size, channels, z_dim, units) < 1 or width < 2 or classes < 2:
        raise GanzooError("a size below 1, or fewer than 2 classes", "A conditional GAN needs classes to tell apart.")
    shape = (channels, image_size, image_size)
    if body == "convolutional":
        return {"G": ConditionalG(shape, classes, z_dim, width), "D": ConditionalD(shape, classes, width)}
    return {"G": G(shape, classes, z_dim, width), "D": D(shape, classes, units)}

"""The networks of Age-cGAN (Antipov, Baccouche & Dugelay 2017): DCGAN's pair with an age, an encoder, a judge of faces.

Below y is an age group, one-hot where networks take it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import Annotated, Any, ClassVar

import torch
from ganzoo_dcgan.networks import G as DCGAN
from torch import Tensor, nn
from torch.nn.functional import normalize, one_hot, relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import (
    Between,
    Discriminator,
    Generator,
    Image,
    Images,
    Label,
    doublings,
    initialise,
    sample_deterministic,
)

Shape = tuple[int, int, int]  # C, H, W
REACH = 10  # updates that L-BFGS remembers


class Conditional(nn.Module):
    """The paper's G: DCGAN's generator on z and y side by side."""

    def __init__(self, shape: Shape, classes: int, width: int, z_dim: int) -> None:
        super().__init__()
        self.body = DCGAN(shape[1], shape[0], width, z_dim + classes)
        self.classes, self.z_dim = classes, z_dim

    def forward(self, z: Tensor, y: Tensor) -> Tensor:  # [N, z_dim], [N] -> [N, C, H, W] in [-1, 1]
        return self.body(torch.cat([z, one_hot(y, self.classes).to(z.dtype)], 1))


class E(nn.Module):
    """Four 5x5 convolutions of stride 2, then, y beside them, two layers over all: z0, about the z of a picture."""

    def __init__(self, shape: Shape, classes: int, width: int, units: int, z_dim: int) -> None:
        super().__init__()
        widths = [width * 2**i for i in range(4)]
        stages = [
            (nn.Conv2d(f, f_next, 5, 2, 2, bias=False), nn.BatchNorm2d(f_next), nn.ReLU())
            for f, f_next in pairwise([shape[0], *widths])
        ]
        self.main = nn.Sequential(*(layer for stage in stages for layer in stage), nn.Flatten())
        self.hidden = nn.Linear((shape[1] // 16) ** 2 * widths[-1] + classes, units, bias=False)
        self.norm, self.z, self.classes = nn.BatchNorm1d(units), nn.Linear(units, z_dim), classes

    def forward(self, x: Tensor, y: Tensor) -> Tensor:  # [N, C, H, W], [N] -> [N, z_dim]
        h = torch.cat([self.main(x), one_hot(y, self.classes).to(x.dtype)], 1)
        return self.z(relu(self.norm(self.hidden(h))))


class FR(nn.Module):
    """Who is it? The picture as a vector of length 1, in which pictures of one identity lie close together."""

    def __init__(self, shape: Shape, width: int, features: int) -> None:
        super().__init__()
        widths = [width * 2**i for i in range(doublings(shape[1]))]
        stages = [
            (nn.Conv2d(f, f_next, 4, 2, 1), nn.BatchNorm2d(f_next), nn.ReLU())
            for f, f_next in pairwise([shape[0], *widths])
        ]
        layers = [layer for stage in stages for layer in stage]
        self.main = nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * widths[-1], features))

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, features]
        return normalize(self.main(x), dim=1)


class Pixels(nn.Module):
    """In place of FR where no identity is known: the picture itself, the paper's baseline."""

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, C H W]
        return x.flatten(1)


class G(Generator):
    """A picture and an age -> the picture at that age: z* = argmin_z |FR(x) - FR(G(z, y0))|^2 from E(x, y0) on.

    The picture's own age y0 is said with `own_age`, or is the one at which G(E(x, y0), y0) is nearest to x.
    """

    sample_batch_size: ClassVar[int] = 1  # L-BFGS searches along one line for all that it is given
    program_options: ClassVar[Mapping[str, Any]] = {"iterations": 0}

    def __init__(
        self, shape: Shape, classes: int, width: int, z_dim: int, e_width: int, e_units: int, features: int, fr: int
    ) -> None:
        super().__init__()
        self.inputs, self.output = {"x": Image(shape), "age": Label(classes)}, Images(shape)
        self.classes = classes
        self.G = Conditional(shape, classes, width, z_dim)
        self.E = E(shape, classes, e_width, e_units, z_dim)
        self.FR = FR(shape, fr, features) if features else Pixels()

    def forward(self, x: Tensor, age: Tensor) -> Tensor:
        """Without the optimisation: G(z0, y)."""
        return self.G(self.E(x, self.own_age(x)), age)

    def sample(
        self,
        n: int,
        *,
        seed: int,
        iterations: Annotated[int, Between(0, 50)] = 10,
        own_age: Annotated[int, Between(-1, 9)] = -1,
        **inputs: Any,
    ) -> Tensor:
        """See Generator.sample. `iterations` of L-BFGS keep the identity; with 0 the encoder's z0 is taken as it is.

        `own_age` is the group of the pictures that are given; -1: it is found out.
        """
        if iterations < 0 or not -1 <= own_age < self.classes:
            raise GanzooError(
                f"iterations {iterations}, own_age {own_age}: out of range",
                f"Give 0 or more, and an age of 0..{self.classes - 1}, or -1 where it is not known.",
            )
        aged = partial(self.aged, iterations=iterations, own_age=own_age)
        return sample_deterministic(self, aged, n, seed, inputs)

    def aged(self, x: Tensor, age: Tensor, *, iterations: int, own_age: int) -> Tensor:
        """G(z*, y)."""
        y0 = self.own_age(x) if own_age < 0 else torch.full_like(age, own_age)
        z = self.E(x, y0)
        if iterations:  # each picture for itself: a search of several has one step length for all
            each = zip(x.split(1), y0.split(1), z.split(1), strict=True)  # type: ignore[no-untyped-call]
            z = torch.cat([self.optimised(*one, iterations) for one in each])
        return self.G(z, age)

    def own_age(self, x: Tensor) -> Tensor:
        """The age at which a picture is made again best.  [N, C, H, W] -> [N]"""
        n = x.shape[0]
        y = torch.arange(self.classes, device=x.device)[:, None].expand(-1, n).reshape(-1)
        many = x.repeat(self.classes, 1, 1, 1)
        off = (self.G(self.E(many, y), y) - many).square().flatten(1).mean(1)
        return off.reshape(self.classes, n).argmin(0)

    def optimised(self, x: Tensor, y0: Tensor, z0: Tensor, iterations: int) -> Tensor:
        """z*: L-BFGS with a strong Wolfe line search from z0 on."""
        target, z = self.FR(x).detach(), z0.detach().clone().requires_grad_()
        search = torch.optim.LBFGS([z], max_iter=iterations, history_size=REACH, line_search_fn="strong_wolfe")

        def off() -> Tensor:
            search.zero_grad()
            with torch.enable_grad():
                loss = (target - self.FR(self.G(z, y0))).square().sum()
            z.grad = torch.autograd.grad(loss, z)[0].contiguous()
            return loss

        search.step(off)  # type: ignore[no-untyped-call]
        return z.detach()


class D(Discriminator):
    """DCGAN's discriminator; y joins as further channels behind the first convolution."""

    def __init__(self, shape: Shape, classes: int, width: int) -> None:
        super().__init__()
        widths = [width * 2**i for i in range(doublings(shape[1]))]
        self.first = nn.Sequential(nn.Conv2d(shape[0], width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2))
        stages = [
            (nn.Conv2d(f, f_next, 4, 2, 1, bias=False), nn.BatchNorm2d(f_next), nn.LeakyReLU(0.2))
            for f, f_next in pairwise([width + classes, *widths[1:]])
        ]
        layers = [layer for stage in stages for layer in stage]
        self.main, self.classes = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, bias=False)), classes

    def forward(self, x: Tensor, y: Tensor) -> Tensor:  # [N, C, H, W], [N] -> [N]
        h = self.first(x)
        code = one_hot(y, self.classes).to(h.dtype)[:, :, None, None]
        return self.main(torch.cat([h, code.expand(-1, -1, *h.shape[2:])], 1)).flatten()


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 32, 64 or 128"] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    classes: Annotated[int, "age groups, in order"] = 6,
    width: Annotated[int, "channels at half the side, of the paper's G and of D"] = 64,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1)"] = 100,
    e_width: Annotated[int, "channels at half the side, of E; they double four times"] = 32,
    e_units: Annotated[int, "of E's first layer over all places"] = 4096,
    features: Annotated[int, "length of FR's vectors; 0: pixels are compared, where no identity is known"] = 128,
    fr_width: Annotated[int, "channels at half the side, of FR"] = 32,
) -> dict[str, nn.Module]:
    """G, which holds the paper's G, E and FR; and D."""
    doublings(image_size, least=16, most=128)
    sizes = (classes - 1, width, z_dim, e_width, e_units, fr_width)
    if min(sizes) < 1 or features < 0:
        raise GanzooError("a size below 1, or fewer than 2 ages", "Give other sizes.")
    shape = (channels, image_size, image_size)
    nets: dict[str, nn.Module] = {
        "G": G(shape, classes, width, z_dim, e_width, e_units, features, fr_width),
        "D": D(shape, classes, width),
    }
    for net in nets.values():
        net.apply(initialise)
    return nets

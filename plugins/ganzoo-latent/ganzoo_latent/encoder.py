"""An encoder that a generator teaches itself: pictures of its own back to the points that they were painted from.

Or the one that a model publishes beside it: some games train the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganzoo_core.nn import Generator, Image, Points, preserve_rng, reseed
from ganzoo_latent.painter import Painter, Report, silent

SIDE = 32  # pictures are looked at in this size
Towards = Callable[[Tensor], Tensor]  # pictures [n, C, H, W] to points [n, *shape]


class Encoder(nn.Module):
    """Pictures [n, C, H, W] in [-1, 1] to points [n, *shape]: convolutions down to 4x4, and one matrix."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int, shape: tuple[int, ...], width: int = 32) -> None:
        super().__init__()
        self.shape = shape
        widths, layers = [channels, width, 2 * width, 4 * width], list[nn.Module]()
        for f, f_next in pairwise(widths):
            layers += [nn.Conv2d(f, f_next, 4, 2, 1, bias=False), nn.BatchNorm2d(f_next), nn.LeakyReLU(0.2)]
        self.main = nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * widths[-1], int(torch.Size(shape).numel())))
        self.register_buffer("mean", torch.zeros(1, *shape))
        self.register_buffer("deviation", torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        small = interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True)
        said: Tensor = self.main(small)
        return self.mean + self.deviation * said.view(-1, *self.shape)


def published(networks: Mapping[str, nn.Module], painter: Painter) -> Towards | None:
    """A model's own encoder: the published network that takes a picture like the painter's, and nothing else, and makes
    what the painter's generator draws. None for a model without.
    """
    wanted = [Image(tuple(painter.shape))], Points(painter.net.inputs[painter.space.latent].shape)
    for net in networks.values():
        if isinstance(net, Generator) and ([*net.inputs.values()], net.output) == wanted:
            return partial(entered, painter, net)
    return None


def entered(painter: Painter, net: Generator, x: Tensor) -> Tensor:
    """What an encoder says of pictures, in the painter's space.  [n, C, H, W] -> [n, *shape]"""
    (name,) = net.inputs
    return painter.space.enter(net.sample(len(x), seed=painter.seed, **{name: x}))


def empty(painter: Painter) -> Encoder:
    """One for a painter's pictures and points, untaught."""
    return Encoder(painter.shape[0], painter.space.shape).to(painter.device)


def teach(painter: Painter, steps: int = 300, batch: int = 32, seed: int = 0, report: Report = silent) -> Encoder:
    """E |E(G(z)) - z|^2 in deviations of the space, and E |G(E(G(z))) - G(z)|^2: it need not find the same point, only
    the same picture.
    """
    with preserve_rng():
        reseed(seed)
        encoder = empty(painter)
        mean, deviation = painter.spread()
        encoder.mean.copy_(mean)
        encoder.deviation.fill_(deviation)
        optimizer = torch.optim.AdamW(encoder.parameters(), lr=2e-3)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        for step in range(steps):
            points = painter.draw(batch, seed + 1 + step)
            with torch.no_grad():
                x = painter(points)
            found = encoder(x)
            loss = (painter(found) - x).square().mean() + 0.1 * ((found - points) / deviation).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            falling.step()
            report("lessons", step + 1, steps)
    return encoder.eval().requires_grad_(False)

"""The networks of AnoGAN (Schlegl et al. 2017): DCGAN's, and a search for the latent of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, ClassVar

import torch
from ganzoo_dcgan.networks import D as DCGAN_D
from ganzoo_dcgan.networks import G as DCGAN_G
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Between, sample_deterministic
from ganzoo_structure.detector import Detector

LAMBDA = 0.1  # of the features, beside 1 - lambda of the pixels
STARTS = 64  # latents of which the nearest to a picture is where its search begins


class A(Detector):
    """x -> G(z*), the picture of G that is nearest to x; what is left between them is odd."""

    program_options: ClassVar[Mapping[str, Any]] = {"steps": 0}
    starts: Tensor  # [STARTS, z_dim]

    def __init__(self, G: DCGAN_G, twin: DCGAN_D, search_lr: float, search_steps: int) -> None:
        shape = G.output.shape
        super().__init__((int(shape[0] or 0), int(shape[1] or 0), int(shape[2] or 0)))
        self.G, self.f = G, twin.main[:-1].requires_grad_(False)  # follows D as it learns
        self.search_lr, self.search_steps = search_lr, search_steps
        rng = torch.Generator().manual_seed(0)
        self.register_buffer("starts", 2 * torch.rand(STARTS, G.inputs["z"].shape[0] or 0, generator=rng) - 1)

    def forward(self, x: Tensor) -> Tensor:
        """Without the search: the nearest of `starts`.  [N, C, H, W] -> [N, C, H, W]"""
        return self.found(x, 0)

    def sample(self, n: int, *, seed: int, steps: Annotated[int, Between(-1, 500)] = -1, **inputs: Any) -> Tensor:
        """See Generator.sample: G(z*) after `steps` of the search; -1: as many as it was made for.

        Errors: GanzooError for another number below 0.
        """
        if steps < -1:
            raise GanzooError(f"steps {steps}: fewer than none", "Give 0 or more, or -1 for as many as usual.")
        taken = self.search_steps if steps < 0 else steps
        return sample_deterministic(self, partial(self.found, steps=taken), n, seed, inputs)

    def found(self, x: Tensor, steps: int) -> Tensor:
        """G(z*)."""
        made: Tensor = self.G(self.searched(x, steps) if steps else self.nearest(x))
        return made

    def score(self, x: Tensor) -> Tensor:
        """A(x): the loss where the search has come to."""
        was, z = self.training, self.eval().searched(x, self.search_steps)
        with torch.no_grad():
            found = self.loss(x, z)
        self.train(was)
        return found

    def loss(self, x: Tensor, z: Tensor) -> Tensor:
        """(1 - lambda) |x - G(z)|_1 + lambda |f(x) - f(G(z))|_1, sums over each picture and its features.  [N]"""
        made = self.G(z)
        residual = (x - made).abs().flatten(1).sum(1)
        features = (self.f(x) - self.f(made)).abs().flatten(1).sum(1)
        loss: Tensor = (1 - LAMBDA) * residual + LAMBDA * features
        return loss

    def nearest(self, x: Tensor) -> Tensor:
        """Of `starts` those whose pictures are nearest.  [N, C, H, W] -> [N, z_dim]"""
        apart = (x[:, None] - self.G(self.starts)).abs().flatten(2).sum(2)  # [N, STARTS]
        return self.starts[apart.argmin(1)]

    def searched(self, x: Tensor, steps: int) -> Tensor:
        """z*: Adam from the nearest start on, each picture for itself.  [N, z_dim]"""
        with torch.no_grad():
            z = self.nearest(x)
        z.requires_grad_()
        optimizer = torch.optim.Adam([z], self.search_lr)
        for _ in range(steps):
            with torch.enable_grad():
                loss = self.loss(x, z).sum()
            z.grad = torch.autograd.grad(loss, z)[0].contiguous()
            optimizer.step()
        return z.detach()


class D(DCGAN_D):
    """DCGAN's, as a kind of its own: a detector that is loaded builds its twin, and not D."""


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 16, 32, 64 or 128"] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 1,
    width: Annotated[int, "channels next to the image; they double towards 4x4"] = 64,
    z_dim: Annotated[int, "length of the latent z ~ U(-1, 1)"] = 100,
    search_lr: Annotated[float, "Adam's step in the search for a picture's latent"] = 0.02,
    search_steps: Annotated[int, "of the search"] = 500,
) -> dict[str, nn.Module]:
    """The detector A, which holds DCGAN's generator, and the discriminator D, whose features it looks at."""
    G = DCGAN_G(image_size, channels, width, z_dim, "uniform")
    twin = DCGAN_D(image_size, channels, width, "batch")
    return {"A": A(G, twin, search_lr, search_steps), "D": D(image_size, channels, width, "batch")}

"""The convolutional pair of DCGAN (Radford et al. 2015, Sec. 3 and Fig. 1), stride-2 throughout, 4x4 kernels."""

from __future__ import annotations

from typing import Annotated, Literal

from torch import Tensor, nn

from ganzoo_core.nn import Discriminator, Generator, Images, Latent, doublings, initialise

Norm = Literal["batch", "none"]
Prior = Literal["normal", "uniform"]
RANGE = {"normal": None, "uniform": (-1.0, 1.0)}  # of z


class G(Generator):
    """z -> 4x4 -> 8x8 -> ... -> the image: each stage doubles the side and halves the channels."""

    def __init__(
        self, image_size: int, channels: int, width: int, z_dim: int, prior: Prior = "normal", leak: float = 0.0
    ) -> None:
        super().__init__()
        z = Latent((z_dim,), range=RANGE[prior])
        self.inputs, self.output = {"z": z}, Images((channels, image_size, image_size))
        widths = stages(image_size, width)[::-1]
        layers: list[nn.Module] = [nn.ConvTranspose2d(z_dim, widths[0], 4, 1, 0, bias=False)]  # 1x1 -> 4x4
        for f, f_next in zip(widths, [*widths[1:], channels], strict=True):
            layers += [nn.BatchNorm2d(f), rectifier(leak)]
            layers += [nn.ConvTranspose2d(f, f_next, 4, 2, 1, bias=False)]  # s -> 2s
        self.main = nn.Sequential(*layers, nn.Tanh())
        self.apply(initialise)

    def forward(self, z: Tensor) -> Tensor:  # [N, z_dim] or, as in pytorch/examples, [N, z_dim, 1, 1]
        return self.main(z.reshape(z.shape[0], -1, 1, 1))


class D(Discriminator):
    """The mirror image of G, down to 4x4 and one score; its first layer is not normalised."""

    def __init__(self, image_size: int, channels: int, width: int, norm: Norm, leak: float = 0.2) -> None:
        super().__init__()
        widths = stages(image_size, width)
        layers: list[nn.Module] = []
        for i, f in enumerate(widths):
            layers += [nn.Conv2d(widths[i - 1] if i else channels, f, 4, 2, 1, bias=False)]  # s -> s/2
            layers += [nn.BatchNorm2d(f)] if i and norm == "batch" else []
            layers += [rectifier(leak)]
        self.main = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, 1, 0, bias=False))  # 4x4 -> 1x1
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        return self.main(x).flatten()

    def features(self, x: Tensor) -> Tensor:
        """The last 4x4 activations, flat.  [N, 16 f]"""
        return self.main[:-1](x).flatten(1)


def rectifier(leak: float) -> nn.Module:
    """max(h, leak h)."""
    return nn.LeakyReLU(leak, inplace=True) if leak else nn.ReLU(inplace=True)


def stages(image_size: int, width: int) -> list[int]:
    """Channels of D's stages, from the image's side down to 4x4."""
    n = doublings(image_size, least=16, most=128)
    return [width * 2**i for i in range(n)]


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 16, 32, 64 or 128"] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "f, the channels of the stage next to the image; they double at each stage towards 4x4"] = 64,
    z_dim: Annotated[int, "length of the latent z"] = 100,
    norm: Annotated[
        Norm, "of D's convolutions: none where a loss looks at samples one by one (gradient penalties)"
    ] = "batch",
    prior: Annotated[Prior, "z ~ N(0, 1), or U(-1, 1) as in the paper"] = "normal",
    leak: Annotated[float, "slope of G's activations below 0"] = 0.0,
    d_leak: Annotated[float, "slope of D's"] = 0.2,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    return {
        "G": G(image_size, channels, width, z_dim, prior, leak),
        "D": D(image_size, channels, width, norm, d_leak),
    }

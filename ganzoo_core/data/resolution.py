"""Pictures and the same ones small: `x` and `low`, which is x / factor in both directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from torch import Tensor

from ganzoo_core.data.pixels import to_float
from ganzoo_core.data.places import find, missing
from ganzoo_core.data.source import Facts, Source, fingerprint
from ganzoo_core.data.whole import Crops, Uncut, decoded, shrunk, to_pixels
from ganzoo_core.errors import GanzooError, plain

CROP = 96  # px, unless asked: Ledig et al. 2017, Sec. 3.2
KODAK = tuple(f"kodim{i:02d}.png" for i in range(1, 25))
TRAINING = 20  # photographs; the last four, all 768x512, are for testing: "Kodak-4"


class SuperResolution(Source):
    """`source` and `low`: its x made smaller, antialiased bicubic with a = -0.5, rounded to 8 bits."""

    def __init__(self, source: Source, factor: int, name: str = "") -> None:
        facts = source.facts
        if "x" not in facts.keys or (facts.image_size or factor) % factor:
            raise GanzooError(
                f"data {plain(facts.name)}: no pictures whose sides are multiples of {factor}", "Set image_size."
            )
        self.source, self.factor = source, factor
        self.facts = replace(
            facts,
            name=name or f"x{factor}:{facts.name}",
            keys=facts.keys | {"low"},
            fingerprint=fingerprint(facts.fingerprint, "low", factor),
        )

    def __len__(self) -> int:
        return len(self.source)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return self.with_low(self.source.fetch(indices))

    def draw(self, indices: Sequence[int], rolls: Sequence[int]) -> dict[str, Tensor]:
        return self.with_low(self.source.draw(indices, rolls))

    def with_low(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return batch | {"low": to_float(shrunk(to_pixels(batch["x"]), self.factor))}


def open_kodak(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Source:
    """x and low: random crops of photographs 01-20 (96 px unless asked), or 21-24 whole ("x4_test"), 512x768."""
    factor, _, test = (variant or "x4").removeprefix("x").partition("_")
    wanted = [f"kodak24/{name}" for name in (KODAK[TRAINING:] if test else KODAK[:TRAINING])]
    found = [find(root, (file, file.removeprefix("kodak24/"))) for file in wanted]
    paths = [str(path) for path in found if path is not None]
    if len(paths) < len(wanted):
        raise missing("kodak", root, wanted)
    size = None if test else image_size or CROP
    facts = Facts(
        name=f"kodak:{variant or 'x4'}",
        keys=frozenset({"x"}),
        image_size=size,
        channels=channels or 3,
        classes=None,
        class_names=(),
        licence=LICENCE,
        fingerprint=fingerprint("kodak", size, channels or 3, *(Path(path).read_bytes() for path in paths)),
    )
    look = partial(decoded, longest_side=0, channels=channels or 3)
    source = Uncut(facts, [look(path) for path in paths]) if test else Crops(facts, paths)
    return SuperResolution(source, int(factor), facts.name)


LICENCE = "LicenseRef-Kodak"  # released by Eastman Kodak for unrestricted usage

"""Pictures that exist, in a model's place: a folder beside a folder, or one part of a data set beside another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ganzoo_core.data import Dataset, open_dataset
from ganzoo_core.data.folder.archive import ENDINGS as ARCHIVES
from ganzoo_core.errors import GanzooError, escape, tell_user
from ganzoo_core.metrics.context import EvalConfig, EvalContext
from ganzoo_core.nn.generator import Generator
from ganzoo_core.nn.outputs import Images
from ganzoo_core.registry.plugins import registry


def names_data(source: str) -> bool:
    """Whether a SOURCE is no model but data: a folder without a model and a run, an archive, a data set's name."""
    folder, (name, colon, _) = Path(source), source.partition(":")
    if folder.is_dir():
        return not any((folder / file).exists() for file in ("config.json", "model/config.json", "run.json"))
    if source.lower().endswith(ARCHIVES) and folder.is_file():
        return True
    zoo = registry()
    return name in zoo.datasets or bool(colon and name in zoo.views)


class Shown(Generator):
    """What pictures [N, C, H, W] look like to a metric: an output, and nothing that can be asked for."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.inputs, self.output = {}, Images(shape)

    def forward(self) -> Tensor:
        raise GanzooError("pictures that exist are measured, and no generator", "Ask for another --metric.")

    def sample(self, n: int, *, seed: int, **inputs: Any) -> Tensor:
        return self()


class Pictures:
    """Data that are measured as if a model had made them, in their own order."""

    task = "unconditional"
    networks: Mapping[str, nn.Module] = {}

    def __init__(self, source: Dataset) -> None:
        info = source.info
        if not info.image_size or not info.channels or "x" not in info.keys:
            raise GanzooError(f"data {escape(info.name)}: are no pictures of one kind", "Choose a folder of images.")
        self.source, self.generator = source, Shown((info.channels, info.image_size, info.image_size))

    def network(self, name: str) -> Generator:
        if name:
            raise GanzooError(f"--net {escape(name)}: pictures have no networks", "Leave it out.")
        return self.generator

    def __repr__(self) -> str:
        return f"Pictures({escape(self.source.info.name)!r})"


def open_pictures(source: str, config: EvalConfig) -> Pictures:
    """The data of a SOURCE; their size is theirs where all share one, unless it is given."""
    zoo = registry()
    found = open_dataset(
        source, root=config.root, image_size=config.image_size or None, datasets=zoo.datasets, views=zoo.views
    )
    if not config.image_size:
        tell_user(f"{found.describe()}; --size compares in another")
    return Pictures(found)


class PicturesContext(EvalContext):
    """Its samples are what there is, once each."""

    def __init__(self, pictures: Pictures, source: Dataset, config: EvalConfig, *rest: Any) -> None:
        super().__init__(pictures, source, config, *rest)
        self.pictures = pictures.source
        self.n = min(config.n, len(self.pictures))

    @property
    def about(self) -> Mapping[str, Any]:
        info = self.pictures.info
        return {"samples": info.name, "samples_sha256": info.fingerprint, "image_size": info.image_size}

    def samples(self, which: range, conditions: Mapping[str, Tensor]) -> Tensor:
        if which.stop > len(self.pictures):
            raise GanzooError(f"{len(self.pictures):,} pictures are too few: {which.stop:,} are wanted", "Set -n.")
        return self.pictures.fetch(which)["x"]

"""Data sets by name, folders of images, and the endless shuffled stream that training draws from.

Everything is loaded when it is first used, so that `ganzoo_core.data.catalog` stays free of torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganzoo_core.data.catalog import DATASETS as DATASETS
    from ganzoo_core.data.folder import Folder as Folder
    from ganzoo_core.data.folder import open_folder as open_folder
    from ganzoo_core.data.mixtures import grid_modes as grid_modes
    from ganzoo_core.data.mixtures import ring_modes as ring_modes
    from ganzoo_core.data.opening import how_to_have as how_to_have
    from ganzoo_core.data.opening import open_source as open_source
    from ganzoo_core.data.places import missing as missing
    from ganzoo_core.data.places import search_roots as search_roots
    from ganzoo_core.data.source import Facts as Facts
    from ganzoo_core.data.source import Source as Source
    from ganzoo_core.data.source import Tensors as Tensors
    from ganzoo_core.data.source import fingerprint as fingerprint
    from ganzoo_core.data.streaming import stream as stream

_HOME = {
    "DATASETS": "catalog",
    "Facts": "source",
    "Folder": "folder",
    "Source": "source",
    "Tensors": "source",
    "fingerprint": "source",
    "grid_modes": "mixtures",
    "how_to_have": "opening",
    "missing": "places",
    "open_folder": "folder",
    "open_source": "opening",
    "ring_modes": "mixtures",
    "search_roots": "places",
    "stream": "streaming",
}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)

"""Data sets by name, folders of images, and the endless shuffled stream that training draws from. Public.

It imports errors, seeds, text, decoding, files and plugin. `catalog` stays free of torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganzoo_core.lazy import lazy

if TYPE_CHECKING:
    from ganzoo_core.data.arrays import read_array as read_array
    from ganzoo_core.data.arrays import write_array as write_array
    from ganzoo_core.data.catalog import DATASETS as DATASETS
    from ganzoo_core.data.dataset import Dataset as Dataset
    from ganzoo_core.data.dataset import DatasetInfo as DatasetInfo
    from ganzoo_core.data.dataset import Tensors as Tensors
    from ganzoo_core.data.dataset import fingerprint as fingerprint
    from ganzoo_core.data.folder.folder import Folder as Folder
    from ganzoo_core.data.folder.folder import open_folder as open_folder
    from ganzoo_core.data.locations import is_file as is_file
    from ganzoo_core.data.locations import missing as missing
    from ganzoo_core.data.locations import search_roots as search_roots
    from ganzoo_core.data.locations import where_to_put as where_to_put
    from ganzoo_core.data.open import how_to_have as how_to_have
    from ganzoo_core.data.open import open_dataset as open_dataset
    from ganzoo_core.data.open import view_of as view_of
    from ganzoo_core.data.sets.emoji import GROUPS as GROUPS
    from ganzoo_core.data.sets.emoji import STYLES as STYLES
    from ganzoo_core.data.sets.emoji import Emoji as Emoji
    from ganzoo_core.data.sets.emoji import open_emoji as open_emoji
    from ganzoo_core.data.sets.idx import CLOTHES as CLOTHES
    from ganzoo_core.data.sets.mixtures import grid_modes as grid_modes
    from ganzoo_core.data.sets.mixtures import ring_modes as ring_modes
    from ganzoo_core.data.sets.stacked_mnist import mode_of as mode_of
    from ganzoo_core.data.sets.strokes import stroke_thickness as stroke_thickness
    from ganzoo_core.data.streaming import stream as stream
    from ganzoo_core.files import write_aside as write_aside
    from ganzoo_core.seeds import hash32 as hash32

_HOMES = {
    "CLOTHES": "ganzoo_core.data.sets.idx",
    "DATASETS": "ganzoo_core.data.catalog",
    "Dataset": "ganzoo_core.data.dataset",
    "DatasetInfo": "ganzoo_core.data.dataset",
    "Emoji": "ganzoo_core.data.sets.emoji",
    "Folder": "ganzoo_core.data.folder.folder",
    "GROUPS": "ganzoo_core.data.sets.emoji",
    "STYLES": "ganzoo_core.data.sets.emoji",
    "Tensors": "ganzoo_core.data.dataset",
    "fingerprint": "ganzoo_core.data.dataset",
    "grid_modes": "ganzoo_core.data.sets.mixtures",
    "hash32": "ganzoo_core.seeds",
    "how_to_have": "ganzoo_core.data.open",
    "is_file": "ganzoo_core.data.locations",
    "missing": "ganzoo_core.data.locations",
    "mode_of": "ganzoo_core.data.sets.stacked_mnist",
    "open_dataset": "ganzoo_core.data.open",
    "open_emoji": "ganzoo_core.data.sets.emoji",
    "open_folder": "ganzoo_core.data.folder.folder",
    "read_array": "ganzoo_core.data.arrays",
    "ring_modes": "ganzoo_core.data.sets.mixtures",
    "search_roots": "ganzoo_core.data.locations",
    "stream": "ganzoo_core.data.streaming",
    "where_to_put": "ganzoo_core.data.locations",
    "view_of": "ganzoo_core.data.open",
    "stroke_thickness": "ganzoo_core.data.sets.strokes",
    "write_array": "ganzoo_core.data.arrays",
    "write_aside": "ganzoo_core.files",
}
__all__ = list(_HOMES)
__getattr__ = lazy(__name__, _HOMES)

"""The real handwritten digits that scikit-learn carries: the embedded default (Alpaydin and Kaynak, UCI, 1998)."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganzoo_core.data.dataset import Dataset, DatasetInfo, Tensors, fingerprint
from ganzoo_core.data.views.few import Few
from ganzoo_core.errors import GanzooError

SIZE = 16


def open_digits(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Dataset:
    """1,797 digits, 8x8 with values 0..16, as x [n, C, size, size] in [-1, 1] (bicubic) and label [n].

    Variant labels100 knows a hundred of the labels (ganzoo_core.data.views.few).
    """
    table = _table()  # [1797, 65]: 64 pixels, then the label
    pixels, labels = table[:, :64].reshape(-1, 1, 8, 8), table[:, 64].to(torch.int64)
    size, channels = image_size or SIZE, channels or 1
    info = DatasetInfo(
        name="digits",
        keys=frozenset({"x", "label"}),
        image_size=size,
        channels=channels,
        classes=10,
        class_names=tuple("0123456789"),
        licence="CC-BY-4.0",
        fingerprint=fingerprint("digits", table, size, channels),
    )
    source = Tensors(info, {"x": pixels.mul(255 / 16).round().to(torch.uint8)}, {"label": labels})
    return Few(source, "digits:labels100", 100) if variant == "labels100" else source


def _table() -> Tensor:
    """Read from scikit-learn's own file: importing it for this would take seconds."""
    spec = find_spec("sklearn")
    for place in (spec.submodule_search_locations or []) if spec else []:
        path = Path(place) / "datasets" / "data" / "digits.csv.gz"
        if path.is_file():
            with gzip.open(path, "rt") as lines:
                return torch.from_numpy(np.loadtxt(lines, delimiter=",", dtype=np.float32))
    return _table_by_import()


def _table_by_import() -> Tensor:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        advice = "Install it: pip install scikit-learn."
        raise GanzooError("data set digits: comes with scikit-learn", advice) from error
    digits = load_digits()
    return torch.from_numpy(np.column_stack([digits.data, digits.target]).astype(np.float32))

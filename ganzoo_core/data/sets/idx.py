"""MNIST and Fashion-MNIST from their original idx files, packed or not, through torchvision's reader."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from ganzoo_core.data import download
from ganzoo_core.data.dataset import Dataset, DatasetInfo, Tensors, fingerprint
from ganzoo_core.data.locations import find, where_to_put
from ganzoo_core.data.sets.thickness import Thickness
from ganzoo_core.data.views.few import Few
from ganzoo_core.errors import ExternalError, GanzooError, escape

CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
LARGEST = 64 << 20  # bytes unpacked; the largest true file has 47 MB


def open_mnist(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Dataset:
    """x [n, C, size, size], 28 px and gray unless asked, and label [n]; variants train (the default) and test.

    Variant labels100 knows a hundred labels of the training set (ganzoo_core.data.views.few); thickness and
    thickness_test are drawn anew, with x, age, identity and attribute (ganzoo_core.data.sets.thickness).
    """
    if variant in ("thickness", "thickness_test"):
        source = open_mnist(root, "test" if variant.endswith("_test") else "train")
        return Thickness(source, f"mnist:{variant}", image_size, channels)
    return _open("mnist", "MNIST", root, variant, image_size, channels, tuple("0123456789"), "CC-BY-SA-3.0")


def open_fashion_mnist(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Dataset:
    """x [n, C, size, size], 28 px and gray unless asked, and label [n]; variants train (the default) and test.

    Variant labels100 knows a hundred labels of the training set (ganzoo_core.data.views.few).
    """
    return _open("fashion_mnist", "FashionMNIST", root, variant, image_size, channels, CLOTHES, "MIT")


def _open(
    name: str,
    torchvision_name: str,
    root: Path | None,
    variant: str,
    image_size: int | None,
    channels: int | None,
    class_names: tuple[str, ...],
    licence: str,
) -> Dataset:
    pixels, labels = _tensors(name, torchvision_name, root, "t10k" if variant == "test" else "train")
    size, channels = image_size or pixels.shape[-1], channels or 1
    info = DatasetInfo(
        name=f"{name}:test" if variant == "test" else name,
        keys=frozenset({"x", "label"}),
        image_size=size,
        channels=channels,
        classes=10,
        class_names=class_names,
        licence=licence,
        fingerprint=fingerprint(name, pixels, labels, size, channels),
    )
    source = Tensors(info, {"x": pixels}, {"label": labels})
    return Few(source, f"{name}:{variant}", 100) if variant == "labels100" else source


def _tensors(name: str, torchvision_name: str, root: Path | None, part: str) -> tuple[Tensor, Tensor]:
    """Pixels uint8 [N, 1, 28, 28] and labels int64 [N]."""
    image_file, label_file = _files(name, torchvision_name, root, part)
    from torchvision.datasets.mnist import read_image_file, read_label_file  # costs a second

    pixels, labels = _read(image_file, read_image_file).unsqueeze(1), _read(label_file, read_label_file)
    if len(pixels) != len(labels) or len(labels) == 0 or int(labels.max()) > 9 or pixels.shape[2] != pixels.shape[3]:
        raise GanzooError(
            f"data set {name}: {escape(image_file)} holds {len(pixels)} images of {tuple(pixels.shape[2:])} pixels,"
            f" {escape(label_file)} {len(labels)} labels: not a pair of {name} files",
            "Fetch both again.",
        )
    return pixels, labels


def _files(name: str, torchvision_name: str, root: Path | None, part: str) -> tuple[Path, Path]:
    """The image file and the label file, downloaded if need be."""
    wanted = (f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte")
    for attempt in (1, 2):
        images, labels = (find(root, _layouts(name, torchvision_name, file)) for file in wanted)
        if images is not None and labels is not None:
            return images, labels
        if attempt == 1:
            advice = where_to_put(root, [f"{name}/{file}.gz" for file in wanted])
            download.download(name, torchvision_name, advice)
    raise ExternalError(f"data set {name}: its files were downloaded, and are gone", advice)


def _layouts(name: str, torchvision_name: str, file: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{file}{end}" for folder in (name, f"{torchvision_name}/raw") for end in (".gz", ""))


def _read(path: Path, reader: Callable[[str], Tensor]) -> Tensor:
    """What torchvision's reader makes of a file; it has no reader for packed ones."""
    try:
        if path.suffix != ".gz":
            return _parsed(path, path, reader)
        with tempfile.NamedTemporaryFile(prefix="ganzoo-") as unpacked:
            unpacked.write(_unpacked(path))
            unpacked.flush()
            return _parsed(path, Path(unpacked.name), reader)
    except OSError as error:
        raise GanzooError(f"{escape(path)}: cannot be read: {error.strerror or error}") from error


def _unpacked(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            data = file.read(LARGEST + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _damaged(path, error) from error
    if len(data) > LARGEST:
        raise _damaged(path, "unpacks to more than 64 MiB")
    return data


def _parsed(path: Path, unpacked: Path, reader: Callable[[str], Tensor]) -> Tensor:
    if unpacked.stat().st_size > LARGEST:
        raise _damaged(path, "has more than 64 MiB")
    try:
        return reader(str(unpacked))
    except (AssertionError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise _damaged(path, "its header and its length do not fit an idx file") from error


def _damaged(path: Path, why: object) -> GanzooError:
    return GanzooError(f"{escape(path)}: is damaged: {escape(why)}", "Delete it and fetch it again.")

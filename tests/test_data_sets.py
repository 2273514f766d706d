"""The named sets, and how a name or a path becomes one of them."""

from __future__ import annotations

import gzip
import hashlib
import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganzoo_core.data import (
    DATASETS,
    Dataset,
    DatasetInfo,
    Tensors,
    download,
    fingerprint,
    grid_modes,
    open_dataset,
    ring_modes,
    search_roots,
)
from ganzoo_core.data.pixels import to_channels, to_float, to_size
from ganzoo_core.data.sets.shapes import FRAMES
from ganzoo_core.errors import GanzooError, IntegrityError, UnknownNameError
from ganzoo_core.plugin import DatasetEntry

NAMES = {dataset.name: dataset for dataset in DATASETS}
REAL = Path(os.environ.get("GANZOO_DATA", "/nowhere"))


@pytest.fixture(autouse=True)
def offline(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.delenv("GANZOO_DATA", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def opened(data: str, **options: object) -> Dataset:
    return open_dataset(data, datasets=NAMES, **options)  # type: ignore[arg-type]


def refused(data: str, code: int = 2, **options: object) -> str:
    with pytest.raises(GanzooError) as caught:
        opened(data, **options)
    assert caught.value.exit_code == code, caught.value
    assert str(caught.value).isprintable()
    return str(caught.value)


# pixels


def test_floats_are_exact_at_both_ends() -> None:
    got = to_float(torch.tensor([0, 255, 127, 128], dtype=torch.uint8))
    assert got[:2].tolist() == [-1, 1] and got[2:].sum().abs() < 1e-6 and got.dtype == torch.float32


def test_gray_is_that_of_pillow() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    want = np.asarray(Image.fromarray(rgb).convert("L"))
    got = to_channels(torch.from_numpy(rgb).permute(2, 0, 1), 1)
    assert np.array_equal(got[0].numpy(), want)
    assert torch.equal(to_channels(got, 3)[2], got[0])


@pytest.mark.parametrize("size", [8, 20, 40, 64])
def test_size_is_that_of_pillow(size: int) -> None:
    gray = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)
    floats = Image.fromarray(gray.astype(np.float32))  # on uint8 it clips between its two passes
    want = np.asarray(floats.resize((size, size), Image.Resampling.BICUBIC)).round().clip(0, 255)
    got = to_size(torch.from_numpy(gray)[None], size)[0].numpy()
    assert np.abs(got - want).max() <= 1


def test_videos_and_oblongs_are_resized_too() -> None:
    assert to_size(torch.zeros(2, 5, 3, 30, 20, dtype=torch.uint8), 10).shape == (2, 5, 3, 10, 10)


@pytest.mark.parametrize("kept", [1 << 29, 0])
def test_tensors_convert_now_or_later_alike(monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    monkeypatch.setattr("ganzoo_core.data.dataset.KEPT_BYTES", kept)
    pixels = torch.randint(0, 256, (5, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    info = DatasetInfo("t", frozenset({"x"}), 16, 3, None, (), "", "")
    got = Tensors(info, {"x": pixels}, {}).fetch([4, 0])["x"]
    assert torch.equal(got, to_float(to_channels(to_size(pixels[[4, 0]], 16), 3))) and got.is_contiguous()


def test_fingerprints_keep_their_parts_apart() -> None:
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
    assert fingerprint(torch.zeros(2, 3)) != fingerprint(torch.zeros(3, 2))
    assert fingerprint(torch.zeros(2)) == fingerprint(torch.zeros(2)) != fingerprint(torch.ones(2))


# what every set keeps to


def test_the_catalogue_is_light() -> None:
    heavy = "torch", "numpy", "PIL", "torchvision", "sklearn"
    code = f"import sys, ganzoo_core.data.catalog; sys.exit(any(m in sys.modules for m in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": os.pathsep.join(sys.path)}).returncode == 0


EMBEDDED = ["digits", "ring", "grid", "shapes", "shapes:captions", "shapes:pairs", "shapes:motion"]


@pytest.mark.parametrize("data", EMBEDDED)
def test_facts_are_true(data: str) -> None:
    source, again = opened(data), opened(data)
    info, batch = source.info, source.fetch([3, 0, 3])
    assert info == again.info and info.name == data and len(info.fingerprint) == 64
    assert batch.keys() == info.keys <= set(NAMES[data.partition(":")[0]].keys)
    assert info.licence == NAMES[data.partition(":")[0]].licence
    for key, tensor in batch.items():
        assert len(tensor) == 3 and torch.equal(tensor[0], tensor[2]) and tensor.is_contiguous()
        assert torch.equal(tensor[1:2], source.fetch([0])[key])
    if info.image_size:
        for key in {"x", "a", "b", "video"} & batch.keys():
            assert batch[key].shape[-3:] == (info.channels, info.image_size, info.image_size)
            assert batch[key].dtype == torch.float32 and batch[key].abs().max() <= 1
    if "label" in batch:
        assert info.classes and batch["label"].dtype == torch.int64 and batch["label"].max() < info.classes


@pytest.mark.parametrize("data", [name for name in EMBEDDED if name not in ("ring", "grid")])
def test_sizes_and_channels_are_served_as_asked(data: str) -> None:
    source = opened(data, image_size=20, channels=1)
    other = opened(data, image_size=20, channels=3)
    key = next(iter({"x", "a"} & source.info.keys))
    assert source.fetch([0])[key].shape == (1, 1, 20, 20) and other.fetch([0])[key].shape == (1, 3, 20, 20)
    assert len({s.info.fingerprint for s in (source, other, opened(data))}) == 3


# each set


def test_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    source = opened("digits", image_size=8)
    batch = source.fetch(range(len(source)))
    assert len(source) == 1797 and opened("digits").info.image_size == 16
    assert np.array_equal(batch["label"].numpy(), digits.target)
    levels = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    assert torch.equal(batch["x"][:, 0], to_float(torch.from_numpy(levels)))


@pytest.mark.parametrize(("data", "modes"), [("ring", ring_modes), ("grid", grid_modes)])
def test_mixtures(data: str, modes: object) -> None:
    means, std = modes()  # type: ignore[operator]
    source = opened(data)
    batch = source.fetch(range(len(source)))
    assert len(source) == 100_000 and len(means) == source.info.classes == len(batch["label"].unique())
    error = batch["x"] - means[batch["label"]]
    assert abs(error.std() / std - 1) < 0.02 and error.mean().abs() < std / 50
    counts = torch.bincount(batch["label"])
    assert counts.min() > 0.9 * len(source) / len(means)


def test_mixture_means() -> None:
    assert torch.allclose(ring_modes()[0].norm(dim=1), torch.ones(8))
    assert {tuple(m) for m in grid_modes()[0].tolist()} == {
        (a, b) for a in (-4, -2, 0, 2, 4) for b in (-4, -2, 0, 2, 4)
    }


def test_captions_say_what_is_drawn() -> None:
    source = opened("shapes:captions")
    batch = source.fetch(range(96))
    texts = [bytes(row.tolist()).rstrip(b"\0").decode() for row in batch["text"]]
    assert batch["text"].dtype == torch.uint8 and len(set(texts)) > 60
    for text, label, x in zip(texts, batch["label"], batch["x"], strict=True):
        assert f" {source.info.class_names[int(label)]} at the " in text
        ink = (1 - x).sum(0)
        top, left = ink[:16].sum() > ink[16:].sum(), ink[:, :16].sum() > ink[:, 16:].sum()
        middle = abs(ink[:16].sum() / ink.sum() - 0.5) < 0.2 or abs(ink[:, :16].sum() / ink.sum() - 0.5) < 0.2
        assert middle or (("top" in text) == bool(top) and ("left" in text) == bool(left))
        if " red " in text:
            assert x[0].mean() > x[1].mean()


def test_outlines_are_of_what_they_become() -> None:
    pair = opened("shapes:pairs", image_size=64).fetch(range(24))
    ink_a, ink_b = (1 - pair["a"]).sum((1, 2, 3)), (1 - pair["b"]).sum((1, 2, 3))
    assert (ink_a > 0).all() and (ink_a <= ink_b).all() and (ink_a < ink_b).sum() > 16


def test_motion_moves_and_starts_as_its_picture() -> None:
    source, still = opened("shapes:motion"), opened("shapes")
    batch = source.fetch(range(8))
    assert batch["video"].shape == (8, FRAMES, 3, 32, 32)
    assert torch.equal(batch["video"][:, 0], batch["x"]) and torch.equal(batch["x"], still.fetch(range(8))["x"])
    assert (batch["video"][:, 0] != batch["video"][:, -1]).flatten(1).any(1).all()


# idx files


def idx(shape: tuple[int, ...], data: bytes) -> bytes:
    return bytes([0, 0, 8, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape) + data


def tiny_mnist(root: Path, n: int = 12, part: str = "train", packed: bool = True, size: int = 28) -> np.ndarray:
    """A set of n images in the true format; returns its pixels."""
    root.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (n, size, size), dtype=np.uint8)
    files = {
        "images-idx3": idx((n, size, size), pixels.tobytes()),
        "labels-idx1": idx((n,), bytes(i % 10 for i in range(n))),
    }
    for kind, data in files.items():
        path = root / f"{part}-{kind}-ubyte"
        if packed:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(data))
        else:
            path.write_bytes(data)
    return pixels


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_idx_files(tmp_path: Path, name: str) -> None:
    pixels = tiny_mnist(tmp_path / name)
    tiny_mnist(tmp_path / name, 7, "t10k")
    source = opened(name, root=tmp_path)
    batch = source.fetch([11, 2])
    assert torch.equal(batch["x"][:, 0], to_float(torch.from_numpy(pixels[[11, 2]])))
    assert batch["label"].tolist() == [1, 2] and len(source.info.class_names) == 10
    test = opened(f"{name}:test", root=tmp_path)
    assert (len(source), len(test), test.info.name) == (12, 7, f"{name}:test")
    assert opened(f"{name}:train", root=tmp_path).info == source.info
    assert source.info.licence == NAMES[name].licence


@pytest.mark.parametrize("layout", ["MNIST/raw", "mnist"])
def test_torchvisions_layout_and_unpacked_files(tmp_path: Path, layout: str) -> None:
    tiny_mnist(tmp_path / layout, packed=False)
    tiny_mnist(tmp_path / "packed" / "mnist")
    assert opened("mnist", root=tmp_path).info == opened("mnist", root=tmp_path / "packed").info


def test_roots_are_searched_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, env = Path.home() / ".cache/ganzoo/data", tmp_path / "env"
    tiny_mnist(home / "mnist", 1)
    assert len(opened("mnist")) == 1
    tiny_mnist(env / "mnist", 2)
    monkeypatch.setenv("GANZOO_DATA", str(env))
    assert len(opened("mnist")) == 2
    tiny_mnist(tmp_path / "root" / "mnist", 3)
    assert len(opened("mnist", root=str(tmp_path / "root"))) == 3
    assert search_roots(Path("r")) == (Path("r"), env, home)


@pytest.mark.parametrize("junk", ["", " ", "/no/such/place", "a\x1b[31m", "x" * 5000, "/dev/null"])
def test_junk_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, junk: str) -> None:  # L15
    monkeypatch.setenv("GANZOO_DATA", junk)
    assert len(opened("digits")) == 1797
    tiny_mnist(tmp_path / "mnist")
    assert len(opened("mnist", root=tmp_path)) == 12
    assert "cifar10/cifar-10-batches-bin/data_batch_1.bin" in refused("cifar10")


@pytest.mark.parametrize("kind", ["images-idx3", "labels-idx1"])
@pytest.mark.parametrize("damage", ["half", "flip", "empty", "text", "header", "long"])
def test_damaged_files_are_named(tmp_path: Path, kind: str, damage: str) -> None:
    tiny_mnist(tmp_path / "mnist")
    path = tmp_path / "mnist" / f"train-{kind}-ubyte.gz"
    data, raw = path.read_bytes(), gzip.decompress(path.read_bytes())
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 1
    wrong = {
        "half": data[: len(data) // 2],
        "flip": bytes(flipped),
        "empty": b"",
        "text": b"<html>not found</html>",
        "header": gzip.compress(b"\xff" + raw[1:]),
        "long": gzip.compress(raw + b"\0"),
    }
    path.write_bytes(wrong[damage])
    text = refused("mnist", root=tmp_path)
    assert str(path) in text and "is damaged" in text


def test_a_bomb_in_gzip(tmp_path: Path) -> None:
    tiny_mnist(tmp_path / "mnist")
    (tmp_path / "mnist" / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(65 << 20), 1))
    assert "more than 64 MiB" in refused("mnist", root=tmp_path)


def test_files_that_do_not_belong_together(tmp_path: Path) -> None:
    tiny_mnist(tmp_path / "mnist")
    (tmp_path / "mnist" / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx((3,), b"\1\2\3")))
    assert "12 images" in refused("mnist", root=tmp_path) and "3 labels" in refused("mnist", root=tmp_path)
    (tmp_path / "mnist" / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx((12,), bytes([10] * 12))))
    assert "not a pair of mnist files" in refused("mnist", root=tmp_path)


def test_a_missing_set_says_what_to_put_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_DATA", "/somewhere")
    text = refused("mnist", 3, root=tmp_path)
    assert "HF_HUB_OFFLINE" in text
    for part in ("mnist/train-images-idx3-ubyte.gz", "mnist/train-labels-idx1-ubyte.gz", str(tmp_path), "/somewhere"):
        assert part in text
    assert str(Path.home() / ".cache/ganzoo/data") in text


def test_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*a: object, **k: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(socket, "create_connection", unreachable)
    assert "cannot be reached" in refused("mnist", 3, root=tmp_path)
    assert not (Path.home() / ".cache").exists()


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr(download, "PATIENCE", 0.01)
    monkeypatch.setattr(socket, "create_connection", lambda *a, **k: threading.Event().wait())
    assert not download.reachable("https://example.org/")


def fake_server(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    from torchvision import datasets
    from torchvision.datasets import utils

    def copy(url: str, filename: str) -> None:
        source = folder / url.rpartition("/")[2]
        if not source.exists():
            raise OSError("404")
        Path(filename).write_bytes(source.read_bytes())

    md5 = {p.name: hashlib.md5(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}
    resources = [(file, md5.get(file, "0" * 32)) for file, _ in datasets.MNIST.resources]
    monkeypatch.setattr(datasets.MNIST, "resources", resources)
    monkeypatch.setattr(download, "reachable", lambda url: True)
    monkeypatch.setattr(utils, "_get_redirect_url", lambda url, max_hops: url)
    monkeypatch.setattr(utils, "_urlretrieve", copy)
    monkeypatch.delenv("HF_HUB_OFFLINE")


def test_a_download_is_found_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_mnist(tmp_path / "server", 5)
    tiny_mnist(tmp_path / "server", 5, "t10k")
    fake_server(monkeypatch, tmp_path / "server")
    assert len(opened("mnist")) == 5
    place = Path.home() / ".cache/ganzoo/data/mnist"
    assert sorted(p.name for p in place.iterdir()) == sorted(p.name for p in (tmp_path / "server").iterdir())


@pytest.mark.parametrize("fault", ["missing", "other"])
def test_a_failed_download_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    server = tmp_path / "server"
    tiny_mnist(server, 5)
    fake_server(monkeypatch, server)
    for path in server.iterdir():
        path.unlink() if fault == "missing" else path.write_bytes(b"<html>")
    text = refused("mnist", 3)
    assert "download failed" in text and "mnist/train-images-idx3-ubyte.gz" in text
    assert list((Path.home() / ".cache/ganzoo/data/mnist").iterdir()) == []


# cifar10


def tiny_cifar(place: Path, n: int = 4) -> np.ndarray:
    place.mkdir(parents=True)
    records = np.random.default_rng(0).integers(0, 256, (6 * n, 3073), dtype=np.uint8)
    records[:, 0] %= 10
    for i, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        (place / f"{name}.bin").write_bytes(records[i * n : i * n + n].tobytes())
    return records


@pytest.mark.parametrize("layout", ["cifar10/cifar-10-batches-bin", "cifar-10-batches-bin"])
def test_binary_cifar(tmp_path: Path, layout: str) -> None:
    records = tiny_cifar(tmp_path / layout)
    source, test = opened("cifar10", root=tmp_path), opened("cifar10:test", root=tmp_path)
    batch = source.fetch([7])
    assert (len(source), len(test)) == (20, 4)
    assert torch.equal(batch["x"][0], to_float(torch.from_numpy(records[7, 1:].reshape(3, 32, 32))))
    assert batch["label"].tolist() == [records[7, 0]]


def test_damaged_binary_cifar(tmp_path: Path) -> None:
    tiny_cifar(tmp_path / "cifar-10-batches-bin")
    path = tmp_path / "cifar-10-batches-bin" / "data_batch_3.bin"
    path.write_bytes(path.read_bytes()[:-1])
    assert "data_batch_3.bin" in refused("cifar10", root=tmp_path)
    path.write_bytes(b"\xff" * 3073)
    assert "labels above 9" in refused("cifar10", root=tmp_path)
    path.write_bytes(b"")
    assert "0 bytes" in refused("cifar10", root=tmp_path)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch ran",)


def pickled_cifar(place: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """torchvision's layout, with torchvision told that these are the published files."""
    from torchvision.datasets import CIFAR10

    place.mkdir(parents=True)
    data = np.random.default_rng(0).integers(0, 256, (6, 4, 3072), dtype=np.uint8)
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    files = {name: {"data": data[i], "labels": [i] * 4} for i, name in enumerate(names)}
    hashes = {}
    for name, content in {**files, "batches.meta": {"label_names": ["a"] * 10}}.items():
        (place / name).write_bytes(pickle.dumps(content))
        hashes[name] = hashlib.md5((place / name).read_bytes()).hexdigest()
    monkeypatch.setattr(CIFAR10, "train_list", [[n, hashes[n]] for n in names[:5]])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", hashes["test_batch"]]])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": hashes["batches.meta"]})
    return data


def test_published_pickles_are_read_by_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pickled_cifar(tmp_path / "cifar-10-batches-py", monkeypatch)
    source = opened("cifar10", root=tmp_path)
    batch = source.fetch([9])
    assert len(source) == 20 and batch["label"].tolist() == [2]
    assert torch.equal(batch["x"][0], to_float(torch.from_numpy(data[2, 1].reshape(3, 32, 32))))
    tiny_cifar(tmp_path / "cifar-10-batches-bin", 1)
    assert len(opened("cifar10", root=tmp_path)) == 5  # the binary version is preferred


@pytest.mark.parametrize("name", ["data_batch_1", "data_batch_5", "test_batch", "batches.meta"])
def test_other_pickles_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:  # B46
    place = tmp_path / "cifar-10-batches-py"
    pickled_cifar(place, monkeypatch)
    (place / name).write_bytes(pickle.dumps(Evil()))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(IntegrityError, match=name) as caught:
        opened("cifar10", root=tmp_path)
    assert caught.value.exit_code == 5 and not (tmp_path / "ran").exists()


# names and paths


def test_unknown_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # D01
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownNameError, match="Did you mean mnist"):
        opened("mnits")
    assert "folder of images" in refused("no_such_thing")
    assert "no such file or folder" in refused(str(tmp_path / "missing"))
    assert "no such file or folder" in refused("./mnist")


@pytest.mark.parametrize(
    "data", ["", "a\0b", "x" * 10_000, "a\x1b[31m", "../../no/such", "mnist:", "mnist:tset", "/dev/null"]
)
def test_strange_names(data: str) -> None:  # L02
    refused(data, 3 if data == "mnist:" else 2)


def test_variants(tmp_path: Path) -> None:
    assert "Did you mean test" in refused("mnist:tset")
    assert "no variants" in refused("ring:train")


def test_a_name_wins_over_a_folder_without_a_slash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "digits" / "a.png")
    (tmp_path / "mine").mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "mine" / "a.png")
    assert len(opened("digits")) == 1797
    assert len(opened("./digits")) == len(opened("digits/")) == len(opened("mine")) == 1
    assert len(opened("mine/a.png")) == 1
    assert opened("./digits", image_size=4, channels=1).fetch([0])["x"].shape == (1, 1, 4, 4)


def test_no_image_and_not_a_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "neither a folder nor an image" in refused(str(tmp_path / "pipe"))
    (tmp_path / "notes.txt").write_text("hello")
    assert "is not an image" in refused(str(tmp_path / "notes.txt"))


@pytest.mark.parametrize(
    ("data", "options", "why"),
    [
        ("digits", {"image_size": 0}, "not in 1..4096"),
        ("digits", {"image_size": 5000}, "not in 1..4096"),
        ("digits", {"channels": 2}, "not 1 .* or 3"),
        ("digits", {"classes": 5}, "5 classes were asked for, and it has 10 classes"),
        ("shapes:pairs", {"classes": 4}, "has no labels"),
        ("ring", {"image_size": 8}, "has no images"),
        ("grid", {"channels": 3}, "has no images"),
    ],
)
def test_what_cannot_be_served_is_refused(data: str, options: dict[str, int], why: str) -> None:
    with pytest.raises(GanzooError, match=why):
        opened(data, **options)


def test_classes_that_fit() -> None:
    assert opened("digits", classes=10).info.classes == 10
    assert opened("shapes:pairs", classes=0).info.classes is None


def test_a_plugins_set_gets_root_variant_and_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "somebodys_data.py"
    module.write_text("def make(root, variant, **options):\n    return (root, variant, options)\n")
    monkeypatch.syspath_prepend(tmp_path)
    dataset = DatasetEntry("theirs", "a set", ("x",), "MIT", "somebodys_data:make", ("big",))
    with pytest.raises(GanzooError, match="returned no Dataset"):
        open_dataset("theirs:big", datasets={"theirs": dataset})


# the real files


@pytest.mark.skipif(not (REAL / "mnist").is_dir(), reason="needs $GANZOO_DATA with mnist and fashion_mnist")
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_real_sets(name: str) -> None:
    source = opened(name, root=REAL)
    assert len(source) == 60_000 and (source.info.image_size, source.info.channels) == (28, 1)
    batch = source.fetch(range(8))
    want = {"mnist": [5, 0, 4, 1, 9, 2, 1, 3], "fashion_mnist": [9, 0, 0, 3, 0, 2, 7, 2]}
    assert batch["label"].tolist() == want[name] and batch["x"].min() == -1 and batch["x"].max() == 1
    assert len(opened(f"{name}:test", root=REAL)) == 10_000

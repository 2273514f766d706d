"""Folders of images, good and bad (bad-inputs.md, D): real files, made here."""

from __future__ import annotations

import copy
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganzoo_core import decoding
from ganzoo_core.data import Folder, open_folder, stream
from ganzoo_core.data.folder import folder
from ganzoo_core.data.folder.directory import Directory
from ganzoo_core.data.folder.listing import list_images
from ganzoo_core.errors import ExternalError, GanzooError

RED, WHITE = (255, 0, 0), (255, 255, 255)


def save(
    path: Path, size: tuple[int, int] = (8, 8), colour: object = RED, mode: str = "RGB", **options: object
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **options)  # type: ignore[arg-type]
    return path


def noise(path: Path, size: int = 64) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (size, size, 3), dtype=np.uint8)).save(path)
    return path


def opened(path: Path, **options: object) -> Folder:
    return open_folder(str(path), **options)  # type: ignore[arg-type]


def pixels(path: Path, **options: object) -> torch.Tensor:
    """[N, C, H, W] of all images in 0..255."""
    source = opened(path, **options)
    return ((source.fetch(range(len(source)))["x"] + 1) * 127.5).round()


def refused(path: Path, **options: object) -> str:
    with pytest.raises(GanzooError) as caught:
        opened(path, **options)
    assert caught.value.exit_code == 2
    text = str(caught.value)
    assert "\n" not in text and "\x1b" not in text
    return text


def png_header(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG that claims to be of any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


# what a folder may be


def test_flat_folder(tmp_path: Path) -> None:  # D04
    for name in ("b.png", "a.PNG", "c.jpg"):
        save(tmp_path / name)
    (tmp_path / "README.txt").write_text("not an image")
    (tmp_path / ".hidden.png").write_bytes(b"")
    source = opened(tmp_path)
    assert source.names == ["a.PNG", "b.png", "c.jpg"]
    batch = source.fetch([2, 0])
    assert batch.keys() == {"x"} and batch["x"].shape == (2, 3, 8, 8) and batch["x"].dtype == torch.float32
    info = source.info
    assert (info.keys, info.image_size, info.channels) == (frozenset({"x"}), 8, 3)
    assert (info.classes, info.class_names, info.licence, info.name) == (None, (), "", tmp_path.name)
    assert source.describe() == f"{tmp_path.name}: 3 examples, 8x8, RGB"


def test_one_folder_per_class(tmp_path: Path) -> None:
    save(tmp_path / "dog" / "1.png", colour=(0, 255, 0))
    save(tmp_path / "cat" / "2.png")
    save(tmp_path / "cat" / "deep" / "down" / "3.png")
    source = opened(tmp_path)
    assert source.info.class_names == ("cat", "dog") and source.info.classes == 2
    batch = source.fetch([0, 1, 2])
    assert batch["label"].tolist() == [0, 0, 1] and batch["label"].dtype == torch.int64
    assert batch["x"][2, :, 0, 0].tolist() == [-1, 1, -1]


def test_one_image(tmp_path: Path) -> None:
    source = opened(save(tmp_path / "only.webp", (20, 10), lossless=True))
    assert len(source) == 1 and source.info.image_size == 64
    assert source.fetch([0, 0, 0])["x"].shape == (3, 3, 64, 64)
    assert opened(save(tmp_path / "square.bmp", (20, 20))).info.image_size == 20


@pytest.mark.parametrize("ending", ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff", "ppm"])
def test_every_known_ending(tmp_path: Path, ending: str) -> None:
    save(tmp_path / f"a.{ending}", colour=WHITE)
    assert pixels(tmp_path).unique().tolist() == [255]


def test_mixed_sizes_become_one(tmp_path: Path) -> None:  # D17
    for i, size in enumerate([(100, 50), (30, 90), (64, 64), (1, 1), (3000, 1)]):
        save(tmp_path / f"{i}.png", size)
    source = opened(tmp_path)
    assert source.info.image_size == 64
    assert source.fetch(range(5))["x"].shape == (5, 3, 64, 64)
    assert opened(tmp_path, image_size=16).fetch([0])["x"].shape == (1, 3, 16, 16)


def test_the_centre_is_kept(tmp_path: Path) -> None:
    image = Image.new("RGB", (30, 10), "black")
    image.paste(RED, (10, 0, 20, 10))
    image.save(tmp_path / "a.png")
    got = pixels(tmp_path, image_size=10)
    assert torch.equal(got[0, 0], torch.full((10, 10), 255.0)) and got[0, 1:].max() == 0


def test_resizing_is_antialiased(tmp_path: Path) -> None:
    stripes = np.tile(np.array([0, 255], dtype=np.uint8), (64, 32))
    Image.fromarray(stripes).save(tmp_path / "a.png")
    got = pixels(tmp_path, image_size=8)
    assert (got - 127.5).abs().max() < 12


def test_order_and_fingerprint_do_not_depend_on_the_machine(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    for name in ("1.png", "2.png"):
        save(a / name)
    for name in ("2.png", "1.png"):
        save(b / name)
        os.utime(b / name, (1, 1))
    fingerprint = opened(a).info.fingerprint
    assert fingerprint == opened(b).info.fingerprint and len(fingerprint) == 64
    assert fingerprint != opened(a, image_size=4).info.fingerprint
    save(b / "2.png", colour=WHITE)
    assert fingerprint != opened(b).info.fingerprint


# colours


def test_gray_stays_gray(tmp_path: Path) -> None:
    save(tmp_path / "a.png", colour=7, mode="L")
    save(tmp_path / "b.png", colour=1, mode="1")
    assert opened(tmp_path).info.channels == 1
    assert pixels(tmp_path)[:, 0, 0, 0].tolist() == [7, 255]
    assert pixels(tmp_path, channels=3)[0, :, 0, 0].tolist() == [7, 7, 7]
    save(tmp_path / "c.png")
    assert opened(tmp_path).info.channels == 3


def test_rgb_to_gray_is_itu_601(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    assert pixels(tmp_path, channels=1).unique().tolist() == [76]


def test_transparency_lies_on_white(tmp_path: Path) -> None:
    save(tmp_path / "a.png", colour=(255, 0, 0, 0), mode="RGBA")
    save(tmp_path / "b.png", colour=(255, 0, 0, 255), mode="RGBA")
    save(tmp_path / "c.png", colour=(0, 128), mode="LA")
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([0, 0, 255, *WHITE])
    palette.save(tmp_path / "d.png", transparency=0)
    palette.save(tmp_path / "e.png", transparency=bytes([255, 255]))
    palette.save(tmp_path / "f.gif")
    Image.new("RGB", (8, 8), RED).save(tmp_path / "g.png", transparency=RED)
    got = pixels(tmp_path)[:, :, 0, 0].tolist()
    blue = [0, 0, 255]
    assert got == [[255] * 3, [255, 0, 0], [127] * 3, [255] * 3, blue, blue, [255] * 3]


def test_cmyk(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", colour=(0, 255, 255, 0), mode="CMYK", quality=95)
    save(tmp_path / "b.tif", colour=(0, 255, 255, 0), mode="CMYK")
    for r, g, b in pixels(tmp_path)[:, :, 0, 0].tolist():
        assert r > 240 and g < 15 and b < 15


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.ppm"])
def test_sixteen_bits_are_scaled(tmp_path: Path, name: str) -> None:  # D11
    values = np.array([[0, 255], [256, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / name)
    source = opened(tmp_path)
    assert source.info.channels == 1
    assert pixels(tmp_path).flatten().tolist() == [0, 0, 1, 255]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(tmp_path: Path, orientation: int) -> None:  # D12
    upright = Image.new("RGB", (16, 16), "black")
    upright.paste(WHITE, (0, 0, 8, 8))  # top left
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transposition that the orientation takes back
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.png", exif=exif)
    got = pixels(tmp_path)
    assert got[0, :, :8, :8].min() == 255 and got[0].sum() == 255 * 3 * 64


def test_damaged_exif_does_not_matter(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", exif=b"Exif\0\0" + b"MM\0*" + b"\xff" * 40, colour=WHITE)
    assert pixels(tmp_path).min() == 255


# what is refused


def test_empty_folder(tmp_path: Path) -> None:  # D02
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "sub").mkdir()
    assert "holds no images" in refused(tmp_path) and ".webp" in refused(tmp_path)


def test_empty_class(tmp_path: Path) -> None:  # D03
    save(tmp_path / "cat" / "1.png")
    (tmp_path / "dog").mkdir()
    for options in ({}, {"on_bad_image": "skip"}):
        assert "1 of 2 classes have no images (dog)" in refused(tmp_path, **options)


def test_images_beside_classes(tmp_path: Path) -> None:
    save(tmp_path / "1.png")
    save(tmp_path / "cat" / "1.png")
    assert "images beside folders of images (cat)" in refused(tmp_path)


def bad_files(place: Path) -> dict[str, str]:
    """Bad image files of every kind, and what is said of each."""
    place.mkdir(parents=True, exist_ok=True)
    whole = {
        ending: noise(place / f"whole.{ending}").read_bytes() for ending in ("jpg", "png", "webp", "gif", "bmp", "tif")
    }
    for ending, data in whole.items():
        (place / f"whole.{ending}").unlink()
        (place / f"half.{ending}").write_bytes(data[: len(data) // 2])  # D05
    (place / "zero.png").write_bytes(b"")  # D07
    (place / "text.jpg").write_text("hello")
    (place / "page.png").write_text("\n<!DOCTYPE html><html>")
    (place / "drawing.png").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (place / "pointer.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    (place / "script.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    (place / "bomb.png").write_bytes(png_header(2**31 - 1, 2**31 - 1))  # D08
    (place / "mild.png").write_bytes(png_header(11_000, 11_000, bytes(1000)))  # D09
    Image.fromarray(np.ones((4, 4), dtype=np.float32)).save(place / "float.tif")
    os.symlink(place / "nothing.png", place / "dangling.png")  # D16
    os.mkfifo(place / "pipe.png")
    os.symlink("/dev/zero", place / "device.png")
    return {
        **{f"half.{ending}": "" for ending in whole},
        "zero.png": "is empty",
        "text.jpg": "is not an image",
        "page.png": "HTML",
        "drawing.png": "SVG",
        "pointer.png": "git lfs pull",
        "script.png": "is not an image",
        "bomb.png": "million",
        "mild.png": "11000 x 11000 pixels, more than 64 million",
        "float.tif": "floating-point",
        "dangling.png": "a link to nothing",
        "pipe.png": "not a regular file",
        "device.png": "a link that leaves the folder",
    }


def test_every_bad_file_is_found_and_named(tmp_path: Path) -> None:
    place = tmp_path / "bad"
    for name, why in bad_files(place).items():
        alone = tmp_path / f"with {name}"
        save(alone / "good.png")
        os.rename(place / name, alone / name)
        text = refused(alone)
        assert "1 of 2 images cannot be used" in text and name in text and why in text, text
        assert "--on-bad-image skip" in text


def test_bad_files_are_counted_and_the_first_three_named(tmp_path: Path) -> None:
    save(tmp_path / "good.png")
    names = bad_files(tmp_path)
    text = refused(tmp_path)
    assert f"{len(names)} of {len(names) + 1} images" in text and f"and {len(names) - 3} more" in text
    assert sum(f"{name} (" in text for name in names) == 3


@pytest.mark.parametrize("budget", [1 << 29, 0])
def test_bad_files_can_be_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: int) -> None:
    monkeypatch.setattr(folder, "EAGER_PIXELS", budget)
    save(tmp_path / "a" / "good.png")
    save(tmp_path / "b" / "good.png", (4, 4))
    names = bad_files(tmp_path / "b")
    source = opened(tmp_path, on_bad_image="skip")
    late = 0 if budget else sum(name in ("float.tif",) for name in names)  # sound files of a kind that is not served
    assert source.skipped >= len(names) - late and f"{source.skipped} files skipped" in source.describe()
    assert source.names[:1] == ["a/good.png"] and source.fetch([0])["label"].tolist() == [0]
    assert source.info.classes == 2


def test_nothing_left_after_skipping(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "b.png").write_bytes(b"")
    assert "which leaves none: a.png (is empty), b.png (is empty)" in refused(tmp_path, on_bad_image="skip")


def test_a_class_that_skipping_leaves_empty(tmp_path: Path) -> None:
    save(tmp_path / "a" / "1.png")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.png").write_bytes(b"")
    assert "classes have no images (b)" in refused(tmp_path, on_bad_image="skip")


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # D08, D09
    (tmp_path / "a.png").write_bytes(png_header(8_001, 8_000))
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    assert "image" in refused(tmp_path / "a.png") and "8001 x 8000" in refused(tmp_path)
    assert decoding.LARGEST == 64_000_000


def test_one_bad_image_alone(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("<html>")
    assert refused(tmp_path / "a.png").endswith("a.png: is an HTML page, not an image")
    os.mkfifo(tmp_path / "pipe.png")
    assert "not a regular file" in refused(tmp_path / "pipe.png")


STRANGE = ["with space.png", "-n.png", "ünï.png", "😀.png", "a\x1b[31m.png", "a\nb.png", "'; rm -rf *.png"]


def test_strange_names_work(tmp_path: Path) -> None:  # D13
    for name in STRANGE:
        save(tmp_path / name)
    save(tmp_path / os.fsdecode(b"\xff\xfe.png"))
    source = opened(tmp_path)
    assert len(source) == 8 and source.fetch(range(8))["x"].shape == (8, 3, 8, 8)
    assert len(source.info.fingerprint) == 64


@pytest.mark.parametrize("name", [*STRANGE, os.fsdecode(b"\xff\xfe.png")])
def test_strange_names_are_printed_plainly(tmp_path: Path, name: str) -> None:  # D13
    save(tmp_path / "good.png")
    (tmp_path / name).write_bytes(b"")
    text = refused(tmp_path)
    assert text.isprintable()
    text.encode()


def test_strange_class_names_are_printed_plainly(tmp_path: Path) -> None:
    save(tmp_path / "good" / "1.png")
    (tmp_path / "a\x1b[2J").mkdir()
    assert "\\x1b[2J" in refused(tmp_path)


# links


def test_links_out_of_the_folder(tmp_path: Path) -> None:  # D15
    outside = save(tmp_path / "outside" / "secret.png")
    inside = tmp_path / "inside"
    save(inside / "good.png")
    os.symlink(outside, inside / "link.png")
    text = refused(inside)
    assert "link.png (a link that leaves the folder)" in text and "--follow-links" in text
    assert len(opened(inside, follow_links=True)) == 2
    assert opened(inside, on_bad_image="skip").skipped == 1


def test_linked_classes(tmp_path: Path) -> None:
    save(tmp_path / "outside" / "dogs" / "1.png")
    inside = tmp_path / "inside"
    save(inside / "cat" / "1.png")
    os.symlink(tmp_path / "outside" / "dogs", inside / "dog")
    assert "dog (a link that leaves the folder)" in refused(inside)
    assert opened(inside, follow_links=True).info.class_names == ("cat", "dog")


def test_links_within_the_folder_and_in_circles(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "1.png")
    os.symlink("1.png", tmp_path / "cat" / "2.png")
    os.symlink(tmp_path, tmp_path / "cat" / "again")
    os.symlink("loop.png", tmp_path / "cat" / "loop.png")
    text = refused(tmp_path)
    assert "loop.png (a link to nothing)" in text
    (tmp_path / "cat" / "loop.png").unlink()
    source = opened(tmp_path)
    assert source.info.class_names == ("cat",) and "cat/2.png" in source.names


def test_a_folder_may_itself_be_a_link(tmp_path: Path) -> None:
    save(tmp_path / "real" / "1.png")
    os.symlink(tmp_path / "real", tmp_path / "name")
    assert len(opened(tmp_path / "name")) == 1


# lazily


@pytest.fixture
def lazy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "EAGER_PIXELS", 0)


@pytest.mark.usefixtures("lazy")
@pytest.mark.parametrize("kept", [1 << 29, 0])
def test_lazy_folders_serve_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    for i in range(6):
        noise(tmp_path / f"{i}.png", 20 + i)
    monkeypatch.setattr(folder, "KEPT_BYTES", kept)
    lazily = opened(tmp_path, image_size=16)
    monkeypatch.setattr(folder, "EAGER_PIXELS", 1 << 29)
    monkeypatch.setattr(folder, "KEPT_BYTES", 1 << 29)
    eagerly = opened(tmp_path, image_size=16)
    assert lazily.info == eagerly.info
    for indices in ([3, 1, 3], [0, 1, 2, 3, 4, 5], [5, 5]):
        assert torch.equal(lazily.fetch(indices)["x"], eagerly.fetch(indices)["x"])


@pytest.mark.usefixtures("lazy")
@pytest.mark.parametrize("kept", [1 << 29, 0])  # in memory, in a memory map
def test_what_a_worker_has_decoded_is_decoded_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    for i in range(4):
        noise(tmp_path / f"{i}.png", 16)
    monkeypatch.setattr(folder, "KEPT_BYTES", kept)
    source = opened(tmp_path)
    batches = stream(source, batch_size=4, seed=0, workers=1)
    seen = [next(batches)["x"] for _ in range(2)]
    batches.close()
    for file in tmp_path.iterdir():
        file.unlink()
    assert torch.equal(next(stream(source, batch_size=4, seed=0))["x"], seen[0])
    with pytest.raises(ExternalError):  # a copy, like one that is sent to a process, keeps its own
        copy.deepcopy(source).fetch([0])


@pytest.mark.usefixtures("lazy")
def test_where_no_disk_has_room_pictures_are_decoded_for_every_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise(tmp_path / "a.png", 16)
    monkeypatch.setattr(folder, "KEPT_BYTES", 0)
    monkeypatch.setattr("ganzoo_core.data.kept.SHARE", 0)
    source = opened(tmp_path)
    source.fetch([0])
    (tmp_path / "a.png").unlink()
    with pytest.raises(ExternalError):
        source.fetch([0])


@pytest.mark.usefixtures("lazy")
@pytest.mark.parametrize("workers", [0, 1])
def test_a_file_that_vanishes_during_training(tmp_path: Path, workers: int) -> None:  # D19
    for i in range(4):
        save(tmp_path / f"{i}.png")
    source = opened(tmp_path)
    (tmp_path / "2.png").unlink()
    it = stream(source, batch_size=4, seed=0, workers=workers)
    with pytest.raises(ExternalError, match=r"2\.png: could be read before and cannot now: No such file") as caught:
        next(it)
    assert caught.value.exit_code == 3


@pytest.mark.usefixtures("lazy")
def test_a_file_that_turns_bad_during_training(tmp_path: Path) -> None:
    noise(tmp_path / "a.png")
    source = opened(tmp_path)
    (tmp_path / "a.png").write_bytes(png_header(8_001, 8_000))
    with pytest.raises(GanzooError, match="8001 x 8000") as caught:
        source.fetch([0])
    assert caught.value.exit_code == 2


@pytest.mark.usefixtures("lazy")
def test_a_pipe_that_takes_a_files_place_does_not_hang(tmp_path: Path) -> None:
    noise(tmp_path / "a.png")
    source = opened(tmp_path)
    (tmp_path / "a.png").unlink()
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(GanzooError, match="not a regular file"):
        source.fetch([0])


def test_decoded_once_files_may_go(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png")
    source = opened(tmp_path)
    path.unlink()
    assert source.fetch([0])["x"].shape == (1, 3, 8, 8)


def test_workers_serve_the_same_folder(tmp_path: Path) -> None:
    for i in range(5):
        noise(tmp_path / f"{i}.png", 20 + i)
    source = opened(tmp_path, image_size=8)
    escape, ahead = (stream(source, batch_size=3, seed=0, workers=w) for w in (0, 2))
    assert all(torch.equal(next(escape)["x"], next(ahead)["x"]) for _ in range(4))
    ahead.close()


def test_many_files_are_listed_without_being_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # D20
    for i in range(3000):
        (tmp_path / f"{i}.png").touch()
    monkeypatch.setattr(os, "stat", lambda *a, **k: pytest.fail("asked about a file"))
    monkeypatch.setattr("builtins.open", lambda *a, **k: pytest.fail("opened a file"))
    try:
        listing = list_images(Directory(str(tmp_path)))
    finally:
        monkeypatch.undo()
    assert len(listing.names) == 3000 and listing.names[:2] == ["0.png", "1.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read(tmp_path: Path) -> None:
    save(tmp_path / "good.png")
    save(tmp_path / "locked.png").chmod(0)
    assert "locked.png (cannot be read: permission denied)" in refused(tmp_path)

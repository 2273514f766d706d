"""Archives of images: .zip, .tar and .tar.gz give what the folder gives that was packed, and traps are refused."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from processes import ganzoo

from ganzoo_core.cli.train_ import suited
from ganzoo_core.data import Folder, open_dataset, open_folder, stream
from ganzoo_core.data.catalog import DATASETS
from ganzoo_core.data.folder import spool, zips
from ganzoo_core.data.folder.archive import open_archive
from ganzoo_core.errors import ExternalError, GanzooError
from ganzoo_core.metrics.pictures import names_data
from ganzoo_core.registry.plugins import registry
from ganzoo_core.registry.recipes import presets_of

KINDS = ["zip", "tar", "tar.gz", "tgz"]
SETS = {dataset.name: dataset for dataset in DATASETS}


def picture(seed: int, size: tuple[int, int] = (20, 16)) -> bytes:
    made = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(made, "PNG" if seed % 2 else "JPEG")
    return made.getvalue()


def folder(place: Path, classes: tuple[str, ...] = ("cats", "dogs"), each: int = 3) -> Path:
    for k, name in enumerate(classes):
        (place / name).mkdir(parents=True)
        for i in range(each):
            seed = k * each + i
            (place / name / f"{i}.{'png' if seed % 2 else 'jpg'}").write_bytes(picture(seed))
    return place


def packed(source: Path, kind: str, inside: str = ".") -> Path:
    """An archive beside a folder, as people's own programs make it; `inside` is what its members begin with."""
    made = source.with_name(f"{source.name}.{kind}")
    if kind == "zip":
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(source.rglob("*"), reverse=True):
                archive.write(path, f"{inside}/{path.relative_to(source)}")
    else:
        with tarfile.open(made, "w" if kind == "tar" else "w:gz") as archive:
            archive.add(source, inside)
    return made


def members(path: Path, **content: bytes) -> Path:
    """An archive of these members; of a zip each stored."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in content.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
            for name, data in content.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return path


def opened(path: Path | str, **options: object) -> Folder:
    return open_folder(str(path), **options)  # type: ignore[arg-type]


def everything(source: Folder) -> dict[str, torch.Tensor]:
    return source.fetch(range(len(source)))


def refused(path: Path | str, **options: object) -> str:
    with pytest.raises(GanzooError) as caught:
        opened(path, **options)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)
    return str(caught.value)


def alike(one: Folder, other: Folder) -> bool:
    a, b = everything(one), everything(other)
    same = a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)
    return same and one.names == other.names and one.info.fingerprint == other.info.fingerprint


# What the folder gives


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inside", [".", "pics", "a/b"])
def test_an_archive_equals_its_folder(tmp_path: Path, kind: str, inside: str) -> None:
    source = folder(tmp_path / "pics")
    archive = opened(packed(source, kind, inside))
    assert alike(archive, opened(source))
    assert archive.info.class_names == ("cats", "dogs") and archive.info.name == f"pics.{kind}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_is_no_promise(tmp_path: Path, kind: str) -> None:
    source = folder(tmp_path / "pics")
    assert alike(opened(packed(source, kind).rename(tmp_path / "renamed.bin")), opened(source))


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_tables_views_and_sizes_are_the_folders(tmp_path: Path, kind: str) -> None:
    source = folder(tmp_path / "pics", ("flat",), 4) / "flat"
    names = sorted(path.name for path in source.iterdir())
    (source / "labels.csv").write_text("file_name,label\n" + "".join(f"{n},{i % 2}\n" for i, n in enumerate(names)))
    (source / "captions.csv").write_text("file_name,text\n" + "".join(f"{n},no {i}\n" for i, n in enumerate(names)))
    archive = packed(source, kind)
    assert alike(opened(archive, image_size=8, channels=1), opened(source, image_size=8, channels=1))
    for view in ("padded:", "crops:", "captions:", "masked:", "paired:", "x2:"):
        here, there = (open_dataset(f"{view}{path}", image_size=8, datasets=SETS) for path in (archive, source))
        (a,), (b,) = ([next(stream(s, batch_size=4, seed=0))] for s in (here, there))
        assert a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a), view
    whole = [open_dataset(str(path), longest_side=10, datasets=SETS) for path in (archive, source)]
    assert torch.equal(whole[0].fetch([0, 1])["x"], whole[1].fetch([0, 1])["x"])


@pytest.mark.parametrize("kind", KINDS)
def test_workers_read_the_same(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is decoded before, and nothing kept: every picture is read by some worker."""
    monkeypatch.setattr("ganzoo_core.data.folder.folder.EAGER_PIXELS", 0)
    monkeypatch.setattr("ganzoo_core.data.folder.folder.room_for", lambda *_: None)
    source = opened(packed(folder(tmp_path / "pics", each=9), kind))
    alone, ahead = stream(source, batch_size=6, seed=1), stream(source, batch_size=6, seed=1, workers=3)
    for _ in range(8):
        a, b = next(alone), next(ahead)
        assert torch.equal(a["x"], b["x"]) and torch.equal(a["label"], b["label"])
    ahead.close()


SPAWNED = """
import pickle, sys
sources = pickle.load(open(sys.argv[1], "rb"))
pickle.dump([source.fetch(range(len(source)))["x"].numpy() for source in sources], open(sys.argv[2], "wb"))
"""


def test_another_process_opens_them_itself(tmp_path: Path) -> None:
    source = folder(tmp_path / "pics")
    sources = [opened(packed(source, kind)) for kind in KINDS]
    (tmp_path / "sent").write_bytes(pickle.dumps(sources))
    subprocess.run([sys.executable, "-c", SPAWNED, tmp_path / "sent", tmp_path / "got"], check=True)
    with open(tmp_path / "got", "rb") as file:
        for pixels in pickle.load(file):
            assert np.array_equal(pixels, everything(opened(source))["x"].numpy())


def test_links_inside_are_the_files(tmp_path: Path) -> None:
    source = folder(tmp_path / "pics", ("a",), 2) / "a"
    (source / "z.jpg").symlink_to("0.jpg")
    os.link(source / "0.jpg", source / "y.jpg")
    archive = packed(source, "tar")
    assert alike(opened(archive), opened(source)) and len(opened(archive)) == 4
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as made:
        made.writestr("0.jpg", picture(0))
        link = zipfile.ZipInfo("l.jpg")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        made.writestr(link, "0.jpg")
    both = everything(opened(tmp_path / "d.zip"))["x"]
    assert torch.equal(both[0], both[1])


def test_hidden_members_and_others_are_passed_over(tmp_path: Path) -> None:
    content = {"__MACOSX/._a.png": b"...", "d/.DS_Store": b"...", "d/notes.txt": b"...", "d/in.zip": b"PK\3\4"}
    made = opened(members(tmp_path / "d.zip", **content, **{"d/a.png": picture(1)}))
    assert len(made) == 1 and made.notes[0] == "passed over: 1 .zip, 1 .txt"


def test_the_last_of_two_of_one_name_counts(tmp_path: Path) -> None:
    made = members(tmp_path / "d.tar", **{"a.png": picture(1)})
    with tarfile.open(made, "a") as archive:
        info = tarfile.TarInfo("./a.png")
        info.size = len(picture(3))
        archive.addfile(info, io.BytesIO(picture(3)))
    alone = members(tmp_path / "e.tar", **{"a.png": picture(3)})
    assert alike(opened(made), opened(alone))


def test_the_command_line_takes_them(tmp_path: Path) -> None:
    archive = packed(folder(tmp_path / "pics", each=8), "zip")
    command = ("train", "dcgan", "--preset", "tiny", "--images", "64", "--workers", "2", "--data", str(archive))
    done = ganzoo(*command, "--out", str(tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    assert "16 examples" in done.stderr


def test_an_archive_is_ones_own_pictures_as_a_folder_is(tmp_path: Path) -> None:
    """For the preset that `ganzoo train` chooses, and as what `ganzoo eval` measures."""
    source = folder(tmp_path / "pics")
    archive, presets = packed(source, "tgz"), presets_of(registry().families["dcgan"])
    assert suited(presets, str(archive)) == suited(presets, str(source)) == "pictures"
    assert suited(presets, str(source / "cats" / "0.jpg")) == ""
    assert names_data(str(archive)) and names_data(str(source)) and not names_data(str(source / "cats" / "0.jpg"))


# Traps


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
@pytest.mark.parametrize("name", ["../out.png", "/etc/out.png", "a/../../out.png", "../run.sh"])
def test_names_that_lead_out(tmp_path: Path, suffix: str, name: str) -> None:
    made = members(tmp_path / f"d{suffix}", **{"a.png": picture(1), name: picture(3)})
    assert f"1 of 2 images cannot be used: {name} (its name leads out of the archive)" in refused(made)
    assert len(opened(made, on_bad_image="skip")) == 1


def linking(path: Path, to: str) -> Path:
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("l.png")
        info.type, info.linkname = tarfile.SYMTYPE, to
        archive.addfile(info)
        data = tarfile.TarInfo("a.png")
        data.size = len(picture(1))
        archive.addfile(data, io.BytesIO(picture(1)))
    return path


@pytest.mark.parametrize(
    "to,why",
    [
        ("../../etc/passwd", "a link that leaves the archive"),
        ("/etc/passwd", "a link that leaves the archive"),
        ("b.png", "a link to nothing"),
        ("l.png", "a link to nothing"),
    ],
)
def test_links_that_lead_nowhere(tmp_path: Path, to: str, why: str) -> None:
    made = linking(tmp_path / "d.tar", to)
    assert f"l.png ({why})" in refused(made)
    assert opened(made, on_bad_image="skip").names == ["a.png"]
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        link = zipfile.ZipInfo("l.png")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, to)
        archive.writestr("a.png", picture(1))
    assert f"l.png ({why})" in refused(tmp_path / "d.zip")


def test_devices_pipes_and_sparse_files(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "d.tar", "w") as archive:
        for name, kind in (("p.png", tarfile.FIFOTYPE), ("c.png", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(name)
            info.type = kind
            archive.addfile(info)
    assert "2 of 2 images cannot be used: c.png (not a regular file), p.png" in refused(tmp_path / "d.tar")


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (spool, zips):
        monkeypatch.setattr(module, "FREE", 1 << 20)
    with zipfile.ZipFile(tmp_path / "d.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(4 << 20))
    assert "would unpack to 4,194,304 bytes" in refused(tmp_path / "d.zip")
    members(tmp_path / "d.tar", **{"a.png": bytes(4 << 20)})
    with open(tmp_path / "d.tar", "rb") as file, gzip.open(tmp_path / "d.tar.gz", "wb") as made:
        shutil.copyfileobj(file, made)
    assert "is a bomb" in refused(tmp_path / "d.tar.gz")


def test_a_member_that_is_no_picture_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganzoo_core.data.folder.archive.LARGEST", 5000)
    made = members(tmp_path / "d.tar", **{"a.png": picture(1), "b.png": bytes(6000)})
    assert "b.png (unpacks to 6,000 bytes, more than any picture has)" in refused(made)


def test_a_member_that_lies_about_its_size(tmp_path: Path) -> None:
    """Its table promises a kilobyte, and its bytes would make a gigabyte: no more than promised is ever made."""
    with zipfile.ZipFile(tmp_path / "d.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(50 << 20))
        archive.writestr("b.png", picture(1))
    data = bytearray((tmp_path / "d.zip").read_bytes())
    at = data.rindex(b"PK\1\2", 0, data.rindex(b"PK\1\2"))
    data[at + 24 : at + 28] = struct.pack("<I", 1000)
    (tmp_path / "d.zip").write_bytes(data)
    assert "a.png (is damaged in its archive: its check sum differs)" in refused(tmp_path / "d.zip")


def test_no_room_for_a_packed_tar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "SHARE", 0)
    with pytest.raises(ExternalError, match=r"no room for what it holds in .*TMPDIR"):
        opened(packed(folder(tmp_path / "pics"), "tar.gz"))


# Damage


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.5])
def test_cut_off(tmp_path: Path, kind: str, kept: float) -> None:
    made = packed(folder(tmp_path / "pics"), kind)
    data = made.read_bytes()
    made.write_bytes(data[: int(len(data) * kept)])
    assert "is damaged or no archive" in refused(made)


def test_a_tar_without_its_end_is_cut_off(tmp_path: Path) -> None:
    """At a boundary between two members nothing else shows that some are missing."""
    made = members(tmp_path / "d.tar", **{f"{i}.png": picture(1) for i in range(4)})
    with tarfile.open(made) as archive:
        third = archive.getmembers()[2].offset
    made.write_bytes(made.read_bytes()[:third])
    assert "it is cut off" in refused(made)


def test_a_bad_header_in_the_middle_of_a_tar(tmp_path: Path) -> None:
    made = members(tmp_path / "d.tar", **{f"{i}.png": picture(1) for i in range(4)})
    data = bytearray(made.read_bytes())
    with tarfile.open(made) as archive:
        third = archive.getmembers()[2].offset
    data[third : third + 4] = b"\xff\xff\xff\xff"
    made.write_bytes(data)
    assert f"no header at byte {third:,}" in refused(made)


def test_a_damaged_member_of_a_zip(tmp_path: Path) -> None:
    made = members(tmp_path / "d.zip", **{"a.jpg": picture(0), "b.png": picture(1)})
    data = bytearray(made.read_bytes())
    data[len(picture(0)) // 2 + 40] ^= 0xFF
    made.write_bytes(data)
    assert "a.jpg (is damaged in its archive: its check sum differs)" in refused(made)
    assert opened(made, on_bad_image="skip").names == ["b.png"]


@pytest.mark.parametrize("change", ["encrypted", "method"])
def test_members_that_cannot_be_unpacked(tmp_path: Path, change: str) -> None:
    if change == "method":
        with zipfile.ZipFile(tmp_path / "d.zip", "w", zipfile.ZIP_LZMA) as archive:
            archive.writestr("a.png", picture(1))
    else:
        data = bytearray(members(tmp_path / "d.zip", **{"a.png": picture(1)}).read_bytes())
        data[data.rindex(b"PK\1\2") + 8] |= 1
        (tmp_path / "d.zip").write_bytes(data)
    assert {"method": "packed in a way", "encrypted": "is encrypted"}[change] in refused(tmp_path / "d.zip")


def test_other_files_in_their_place(tmp_path: Path) -> None:
    for name in ("d.zip", "d.tar", "d.tgz"):
        (tmp_path / name).write_bytes(b"<!doctype html>")
        assert "is damaged or no archive" in refused(tmp_path / name)
    (tmp_path / "e.gz").write_bytes(gzip.compress(b"no tar"))
    assert "is damaged or no archive" in refused(tmp_path / "e.gz")
    (tmp_path / "f.zip").write_bytes(b"")
    assert "is damaged or no archive" in refused(tmp_path / "f.zip")


def test_what_is_missing_is_said_as_of_a_folder(tmp_path: Path) -> None:
    assert "holds no images, but 1 .zip. Give a .zip" in refused(members(tmp_path / "d.zip", **{"in.zip": b"PK"}))
    mixed = {"a.png": picture(1), "cats/b.png": picture(3)}
    assert "holds images beside folders of images (cats)" in refused(members(tmp_path / "m.tar", **mixed))
    parts = {"train/a.png": picture(1), "test/b.png": picture(3)}
    assert "Give an archive of one of them" in refused(members(tmp_path / "s.tar", **parts))
    nested = {"a.png": picture(1), "b.png": b"PK\3\4" + bytes(40)}
    assert "b.png (is a zip or npz archive, not an image" in refused(members(tmp_path / "n.tar", **nested))


def test_an_archive_that_changes_under_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganzoo_core.data.folder.folder.EAGER_PIXELS", 0)
    made = packed(folder(tmp_path / "pics"), "zip")
    source = opened(made)
    members(made, **{"a.png": picture(1)})
    with pytest.raises(GanzooError, match="has changed since it was opened"):
        everything(source)
    made.unlink()
    with pytest.raises(ExternalError, match="could be read before and cannot now"):
        everything(source)


def fuzzed(data: bytes, seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    out = bytearray(data)
    for at in rng.integers(0, len(out), 1 + seed % 7):
        out[at] = rng.integers(256)
    return bytes(out)


@pytest.mark.parametrize("kind", KINDS[:3])
def test_whatever_is_damaged_no_fault_of_ours_shows(tmp_path: Path, kind: str) -> None:
    data = packed(folder(tmp_path / "pics", each=1), kind).read_bytes()
    attempts: Callable[[Path], object] = lambda path: opened(path, on_bad_image="skip", image_size=4)  # noqa: E731
    for seed in range(60):
        (tmp_path / f"f.{kind}").write_bytes(fuzzed(data, seed))
        try:
            attempts(tmp_path / f"f.{kind}")
        except GanzooError as error:
            assert "\n" not in str(error)


def test_long_names_and_unicode(tmp_path: Path) -> None:
    names = {f"{'ä' * 90}/{'x' * 120}.png": picture(1), f"{'ä' * 90}/\udcff.png": picture(3)}
    made = members(tmp_path / "d.tar", **names)
    assert len(opened(made)) == 2
    assert open_archive(str(made)).top == f"{'ä' * 90}/"

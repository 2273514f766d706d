"""Data as people have them: endings, archives, splits, tables of labels and captions, deep gray, names of any bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, features
from processes import ganzoo, refused

import ganzoo_core as gz
from ganzoo_core.cli.announce import advice
from ganzoo_core.data import DATASETS, Dataset, open_dataset, open_folder, stream
from ganzoo_core.errors import GanzooError
from ganzoo_core.registry.recipes import recipe

NAMES = {dataset.name: dataset for dataset in DATASETS}


def opened(data: str | Path, **options: object) -> Dataset:
    return open_dataset(str(data), datasets=NAMES, **options)  # type: ignore[arg-type]


def pictures(
    folder: Path, count: int = 4, size: tuple[int, int] = (16, 16), mode: str = "RGB", ending: str = "png"
) -> Path:
    """A folder of noise: 0.png, 1.png ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        noise = np.random.default_rng(i).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
        Image.fromarray(noise).convert(mode).save(folder / f"{i}.{ending}")
    return folder


def train(family: str, data: object, place: Path, *options: object):
    return ganzoo(
        "train", family, "--preset", "tiny", "--data", data, "--images", 8, "--batch-size", 4, "--device", "cpu",
        "--out", place, *options,
    )  # fmt: skip


def words(text: torch.Tensor) -> list[str]:
    return [bytes(row.tolist()).rstrip(b"\0").decode() for row in text]


# Files of all kinds


def test_more_endings_are_read(tmp_path: Path) -> None:
    pictures(tmp_path / "d", 2)
    pictures(tmp_path / "d", 3, mode="L", ending="pgm")
    (tmp_path / "d" / "z.jfif").write_bytes(pictures(tmp_path / "j", 1, ending="jpg").joinpath("0.jpg").read_bytes())
    if features.check("avif"):
        pictures(tmp_path / "a", 1, ending="avif").joinpath("0.avif").rename(tmp_path / "d" / "y.avif")
    assert len(opened(tmp_path / "d")) == 6 + features.check("avif")


def test_what_is_passed_over_is_counted(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "d")
    for name in ("x.heic", "y.HEIC", "notes.txt", "README", ".hidden", "archive.zip"):
        (folder / name).write_bytes(b"...")
    notes = opened(folder).all_notes()
    assert notes[0] == "4 of 6 images are used"
    passed = set(notes[1].removeprefix("passed over: ").split(", "))
    assert passed == {"2 .heic", "1 .txt", "1 .zip", "1 without an ending"}
    assert opened(pictures(tmp_path / "clean")).all_notes() == ()


def test_what_is_left_out_is_named(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "d", size=(20, 16))
    (folder / "bad.png").write_bytes(b"")
    notes = opened(f"masked:{folder}", on_bad_image="skip", image_size=16).all_notes()
    assert "left out: bad.png (is empty)" in notes and "4 of 5 images are used" in notes
    assert any("20x16 px, cut to squares" in note for note in notes)
    crops = opened(f"crops:{folder}", on_bad_image="skip", image_size=8)
    assert not any("cut to squares" in note for note in crops.all_notes())


def archived(place: Path, kind: str) -> Path:
    path = place / f"d.{kind}"
    if kind in ("npy", "npz"):
        (np.save if kind == "npy" else np.savez)(path, np.zeros((4, 16, 16, 3), np.uint8))
    else:
        magic = {"parquet": b"PAR1", "h5": b"\x89HDF\r\n\x1a\n", "7z": b"7z\xbc\xaf\x27\x1c"}
        path.write_bytes(magic[kind] + b"\0" * 99)
    return path


@pytest.mark.parametrize("kind", ["npy", "npz", "parquet", "h5", "7z"])
def test_other_archives_are_to_be_unpacked(tmp_path: Path, kind: str) -> None:
    path = archived(tmp_path, kind)
    told = "holds no images, but 1 .npy" if kind == "npz" else "pack the images as .zip or .tar"
    with pytest.raises(GanzooError, match=told):
        opened(path)
    (tmp_path / "only").mkdir()
    path.rename(tmp_path / "only" / path.name)
    with pytest.raises(GanzooError, match=rf"holds no images, but 1 \.{kind}\. Give a \.zip"):
        opened(tmp_path / "only")


@pytest.mark.parametrize("brand,kind", [(b"ftypheic", "HEIC"), (b"jP  \r\n", "JPEG 2000"), (b"JXL \r\n", "JPEG XL")])
def test_formats_that_are_not_read_are_named(tmp_path: Path, brand: bytes, kind: str) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18" + brand + b"\0" * 50)
    with pytest.raises(GanzooError, match=f"{kind}, which is not read here"):
        opened(tmp_path / "a.jpg")


# Folders that mean something else


SPLITS = {
    ("train", "test"): "/train. If",
    ("train", "val", "test"): "/train. If",
    ("Training", "Testing"): "/Training. If",
    ("trainA", "trainB", "testA", "testB"): "/trainA::",
    ("train",): "/train. If",
}


@pytest.mark.parametrize("parts", SPLITS)
@pytest.mark.parametrize("view", ["", "paired:", "crops:", "masked:"])
def test_parts_of_a_data_set_are_no_classes(tmp_path: Path, parts: tuple[str, ...], view: str) -> None:
    for part in parts:
        pictures(tmp_path / "d" / part, 2, (32, 16))
    with pytest.raises(GanzooError, match="are parts of a data set, not classes") as caught:
        opened(f"{view}{tmp_path / 'd'}", image_size=16)
    assert SPLITS[parts] in str(caught.value)
    assert len(opened(f"{view}{tmp_path / 'd' / parts[0]}", image_size=16)) == 2


def test_classes_that_are_called_so_among_others_are_classes(tmp_path: Path) -> None:
    for part in ("bus", "train"):
        pictures(tmp_path / part, 2)
    assert opened(tmp_path).info.class_names == ("bus", "train")


def test_pairs_the_other_way_round(tmp_path: Path) -> None:
    pictures(tmp_path / "d", 3, (32, 16))
    for data in (f"paired:{tmp_path / 'd'}", "shapes:pairs", f"unpaired:{tmp_path / 'd'}::{tmp_path / 'd'}"):
        there, back = opened(data, image_size=16), opened(f"swapped:{data}", image_size=16)
        for seeds in ([5, 6], [7, 8]):
            one, other = there.fetch_augmented([0, 1], seeds), back.fetch_augmented([0, 1], seeds)
            assert torch.equal(one["a"], other["b"]) and torch.equal(one["b"], other["a"])
        assert torch.equal(there.fetch([2])["a"], back.fetch([2])["b"])
        assert there.info.fingerprint != back.info.fingerprint
    with pytest.raises(GanzooError, match="no a and b to swap"):
        opened("swapped:digits")


def test_a_family_of_pairs_says_how_pairs_are_given(tmp_path: Path) -> None:
    text = refused(train("pix2pix", pictures(tmp_path / "d"), tmp_path / "r"))
    assert "paired:FOLDER" in text and "A::B" in text


def test_rectangles_are_padded_or_stretched(tmp_path: Path) -> None:
    Image.new("RGB", (8, 32), (0, 0, 0)).save(tmp_path / "a.png")
    cut, padded, stretched = (
        opened(f"{view}{tmp_path}", image_size=16).fetch([0])["x"] for view in ("", "padded:", "stretched:")
    )
    assert bool((cut == -1).all()) and bool((stretched == -1).all())
    assert bool((padded[..., :5] == 1).all()) and bool((padded[..., 7:9] == -1).all()) and padded.shape[-1] == 16


def test_a_strip_is_padded_in_little_memory(tmp_path: Path) -> None:
    Image.new("L", (1_000_000, 1), 0).save(tmp_path / "strip.png")  # its square would take a terabyte
    assert opened(f"padded:{tmp_path}", image_size=16).fetch([0])["x"].shape == (1, 1, 16, 16)


# Tables of labels


def test_labels_of_stylegan_s_dataset_json(tmp_path: Path) -> None:
    pictures(tmp_path / "00000", 2)
    pictures(tmp_path / "00001", 2)
    rows = [[f"0000{i}/{j}.png", (i + j) % 2] for i in (0, 1) for j in (0, 1)]
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": rows}))
    source = opened(tmp_path)
    assert source.info.class_names == ("0", "1") and source.fetch(range(4))["label"].tolist() == [0, 1, 1, 0]
    assert "labels are those of dataset.json" in source.notes
    (tmp_path / "dataset.json").write_text('{"labels": null}')
    assert opened(tmp_path).info.classes is None  # its sub-folders are none either


LABELS = {
    "labels.csv": "file_name,label\n0.png,cat\n1.png,dog\n2.png,cat\n",
    "labels.tsv": "filename\tclass\n0.png\tcat\n1.png\tdog\n2.png\tcat\n",
    "labels.json": '{"0.png": "cat", "1.png": "dog", "2.png": "cat"}',
    "labels.jsonl": '{"file": "images/0.png", "label": "cat"}\n{"file": "images/1.png", "label": "dog"}\n'
    '{"file": "images/2.png", "label": "cat"}\n',
    "dataset.json": json.dumps({"labels": [["0.png", [1, 0]], ["1.png", [0.0, 1.0]], ["2.png", [1, 0]]]}),
}


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_labels_in_every_form(tmp_path: Path, name: str, start: bytes) -> None:
    pictures(tmp_path, 3)
    (tmp_path / name).write_bytes(start + LABELS[name].encode())
    source = opened(tmp_path)
    assert source.fetch(range(3))["label"].tolist() == [0, 1, 0] and source.info.classes == 2
    if name != "dataset.json":
        assert source.info.class_names == ("cat", "dog")


BAD_LABELS = {
    "real": ('{"labels": [["0.png", [0.3, 0.1]], ["1.png", [0.2, 0.8]]]}', r"label \[0.3, 0.1\] is no class"),
    "number": ('{"labels": [["0.png", 0.5], ["1.png", 1]]}', "label 0.5 is no class"),
    "silent": ('{"labels": [["0.png", 0]]}', "says nothing of 1 images: 1.png"),
    "mixed": ('{"labels": [["0.png", 0], ["1.png", "cat"]]}', "some labels are numbers and some are names"),
    "broken": ('{"labels": [["0.png", 0]', "is no table of labels"),
    "rows": ('{"labels": [["0.png"]]}', "is no table of labels"),
}


@pytest.mark.parametrize("case", BAD_LABELS)
def test_labels_that_are_none_are_refused_in_one_line(tmp_path: Path, case: str) -> None:
    content, expected = BAD_LABELS[case]
    pictures(tmp_path, 2)
    (tmp_path / "dataset.json").write_text(content)
    with pytest.raises(GanzooError, match=expected):
        opened(tmp_path)


def test_another_program_s_dataset_json_is_none_of_ours(tmp_path: Path) -> None:
    pictures(tmp_path, 2)
    (tmp_path / "dataset.json").write_text('{"name": "my pictures"}')
    assert opened(tmp_path).info.classes is None


def test_other_labels_are_other_data(tmp_path: Path) -> None:
    pictures(tmp_path, 2)
    prints = set()
    for labels in ("0.png,a\n1.png,b\n", "0.png,b\n1.png,a\n"):
        (tmp_path / "labels.csv").write_text("file_name,label\n" + labels)
        prints.add(opened(tmp_path).info.fingerprint)
    assert len(prints) == 2


# Tables of captions


CAPTIONS = {
    "metadata.csv": "file_name,text\n0.png,one\n1.png,two\n",
    "metadata.tsv": "file_name\ttext\n0.png\tone\n1.png\ttwo\n",
    "captions.csv": "Image;Caption\n0.png;one\n1.png;two\n",
    "metadata.json": '[{"file_name": "0.png", "caption": "one"}, {"file_name": "1.png", "caption": "two"}]',
    "captions.json": '{"0.png": "one", "./1.png": ["two"]}',
    "captions.jsonl": '{"image": "sub\\\\0.png", "prompt": "one"}\n{"image": "1.png", "prompt": "two"}\n',
    "metadata.jsonl": '{"file_name": "0.png", "text": "one"}\r\n{"file_name": "1.png", "text": "two"}\r\n',
    "0.txt": "one\n",
}


@pytest.mark.parametrize("name", CAPTIONS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_captions_in_every_form(tmp_path: Path, name: str, encoding: str) -> None:
    if name == "0.txt" and encoding == "utf-16":
        return
    pictures(tmp_path, 2)
    (tmp_path / name).write_bytes(CAPTIONS[name].encode(encoding))
    if name == "0.txt":
        (tmp_path / "1.txt").write_text("two")
    assert words(opened(f"captions:{tmp_path}").fetch([0, 1])["text"]) == ["one", "two"]


def test_coco_s_captions(tmp_path: Path) -> None:
    pictures(tmp_path, 2)
    images = [{"id": 7, "file_name": "0.png"}, {"id": 9, "file_name": "1.png"}]
    said = [{"image_id": 9, "caption": "two"}, {"image_id": 7, "caption": "one"}, {"image_id": 7, "caption": "uno"}]
    (tmp_path / "captions.json").write_text(json.dumps({"images": images, "annotations": said}))
    source = opened(f"captions:{tmp_path}")
    assert words(source.fetch([0, 1])["text"]) == ["one", "two"]
    drawn = {words(source.fetch_augmented([0], [seed])["text"])[0] for seed in range(20)}
    assert drawn == {"one", "uno"}


@pytest.mark.parametrize("form", ["rows", "list", "lines"])
def test_several_captions_take_turns_by_the_position_in_the_stream(tmp_path: Path, form: str) -> None:
    folder = pictures(tmp_path / "d", 3)
    several = {f"{i}.png": [f"{i}{letter}" for letter in "abcd"[: i + 1]] for i in range(3)}
    if form == "rows":
        rows = [f"{name},{caption}\n" for name, captions in several.items() for caption in captions]
        (folder / "metadata.csv").write_text("file_name,text\n" + "".join(rows))
    elif form == "list":
        (folder / "captions.json").write_text(json.dumps(several))
    else:
        for name, captions in several.items():
            (folder / name).with_suffix(".txt").write_text("\n".join(captions))
    source = opened(f"captions:{folder}")

    def said(start: int, count: int, **options: int) -> list[str]:
        batches = stream(source, batch_size=6, seed=1, start=start, **options)
        return [caption for _ in range(count) for caption in words(next(batches)["text"])]

    every = said(0, 50)
    counts = Counter(every)
    assert set(counts) == {caption for captions in several.values() for caption in captions}
    assert all(15 < counts[f"2{letter}"] < 60 for letter in "abc")  # a third of 100 each
    assert said(60, 5) == every[60:90] and said(60, 5, workers=1) == every[60:90]
    assert words(source.fetch([2])["text"]) == ["2a"]  # what is measured is never drawn


# Pictures of 16 bits


def deep(path: Path, values: np.ndarray, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **options)  # type: ignore[arg-type]
    return path


def test_a_tiff_s_largest_value_is_white(tmp_path: Path) -> None:
    values = np.linspace(0, 4095, 64).astype(np.uint16).reshape(8, 8)
    x = opened(deep(tmp_path / "a.tif", values, tiffinfo={281: 4095})).fetch([0])["x"]
    assert float(x.min()) == -1 and float(x.max()) == 1


def test_signed_values_keep_their_negative_half(tmp_path: Path) -> None:
    values = np.linspace(-32768, 32767, 64).astype(np.int16).reshape(8, 8)
    path = deep(tmp_path / "a.tif", values.view(np.uint16), tiffinfo={339: 2})
    x = opened(path).fetch([0])["x"].flatten()
    assert float(x.min()) == -1 and float(x.max()) == 1 and bool((x.diff() > 0).all())


def test_pictures_that_come_out_nearly_flat_are_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for i, top in enumerate((4095, 60000)):
        deep(tmp_path / str(i) / "a.png", np.linspace(0, top, 64).astype(np.uint16).reshape(8, 8))
    (note,) = opened(tmp_path / "0").all_notes()
    assert note.startswith("warning: its pictures of 16 bits use 6.2 % of their range")
    assert opened(tmp_path / "1").all_notes() == ()
    gz.fit(gz.create("dcgan", preset="tiny"), tmp_path / "0", images=4, batch_size=4)
    assert capsys.readouterr().err.count("nearly flat") == 1  # in Python, too


# Names of any bytes


@pytest.mark.slow
def test_names_that_are_no_utf8_are_trained_on_to_the_end(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    for name in (b"caf\xe9", b"b"):
        pictures(Path(os.fsdecode(folder + b"/" + name)), 2)
    place = Path(os.fsdecode(os.fsencode(tmp_path) + b"/r\xe9"))
    options = ["--preset", "tiny", "--images", "8", "--batch-size", "4", "--device", "cpu"]
    command = [sys.executable, "-m", "ganzoo_core", "train", "cgan", "--data", folder, "--out", place, *options]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert ganzoo("sample", place, "-n", 2, "--label", "caf\\xe9", "-o", tmp_path / "x.png").returncode == 0
    config = json.loads((place / "model" / "config.json").read_text("utf-8"))
    assert "caf\\xe9" in config["training"]["command"] and config["dataset"]["name"] == "caf\\xe9"


# What is said before the first step


def test_training_says_what_it_trains_on(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    for name in ("cat", "dog"):
        pictures(folder / name, 3, (40, 64))
    (folder / "cat" / "x.heic").write_bytes(b"...")
    (folder / "dog" / "bad.png").write_bytes(b"")
    done = train("sngan", folder, tmp_path / "r", "--on-bad-image", "skip")
    assert done.returncode == 0, done.stderr
    for expected in (
        "d: 6 examples, 16x16, gray, 2 classes, 1 file skipped", "6 of 8 images are used", "passed over: 1 .heic",
        "left out: dog/bad.png (is empty)", "files of 40x64 px, cut to squares", "-c image_size=64 would keep more",
        "-c channels=3 would keep them", "its 2 classes are not used: -c classes=2",
    ):  # fmt: skip
        assert expected in done.stderr


FACTS = {"image_size": 64, "channels": 3, "classes": 2, "own": True}
ADVICE = {
    (("image_size", 16), ("channels", 3), ("classes", 2)): ["-c image_size=64 would keep more"],
    (("image_size", 64), ("channels", 1)): ["-c channels=3"],
    (("image_size", 1024), ("classes", 0)): ["-c image_size=64 would suit", "-c classes=2"],
    (("image_size", 64), ("channels", 3), ("classes", 2)): [],
    (): [],
}


@pytest.mark.parametrize("args", ADVICE)
def test_advice_is_given_where_something_is_lost(args: tuple[tuple[str, int], ...]) -> None:
    given = [*advice(dict(args), FACTS)]
    assert len(given) == len(ADVICE[args]) and all(a in b for a, b in zip(ADVICE[args], given, strict=True))
    assert [*advice(dict(args), {**FACTS, "own": False})] == []  # presets are made for published data


def test_a_folder_s_own_number_of_classes_is_taken(tmp_path: Path) -> None:
    for name in ("cat", "dog", "emu"):
        pictures(tmp_path / "d" / name, 2)
    done = train("cgan", tmp_path / "d", tmp_path / "r")
    assert done.returncode == 0, done.stderr
    assert ganzoo("sample", tmp_path / "r", "-n", 1, "--label", "emu", "-o", tmp_path / "x.png").returncode == 0
    text = refused(train("cgan", tmp_path / "d", tmp_path / "r2", "-c", "classes=5"))
    assert "5 classes were asked for, and it has 3 classes. Say -c classes=3." in text


@pytest.mark.parametrize("family", ["cgan", "acgan", "biggan"])
def test_no_preset_knows_the_number_of_classes_better_than_the_data(family: str) -> None:
    assert recipe(family, facts={"classes": 3}).args["classes"] == 3
    assert recipe(family, facts={"classes": 3}, given={"classes": "7"}).args["classes"] == 7
    assert recipe("sngan", preset="tiny", facts={"classes": 3}).args["classes"] == 0  # it can do without, and does


# ganzoo data


def test_data_are_shown_as_a_model_sees_them(tmp_path: Path) -> None:
    for i, name in enumerate(("cat", "dog")):
        pictures(tmp_path / "d" / name, 3 + i, (24, 16))
    for i in range(12):
        (tmp_path / "d" / "cat" / f"bad{i:02d}.png").write_bytes(b"no picture")
    done = ganzoo("data", tmp_path / "d", "--image-size", 8, "-n", 4, "-o", tmp_path / "sheet.png")
    assert done.returncode == 0, done.stderr
    rows = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert rows[0] == "d: 7 examples, 8x8, RGB, 2 classes, 12 files skipped"
    assert {"class cat 3", "class dog 4", "note 7 of 19 images are used"} <= set(rows)
    assert sum(row.startswith("left out cat/bad") for row in rows) == 12
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (22, 22)
        shown = torch.from_numpy(np.array(sheet)).permute(2, 0, 1)[:, 2:10, 2:10]
    x = next(stream(open_folder(str(tmp_path / "d"), image_size=8, on_bad_image="skip"), batch_size=4, seed=0))["x"]
    assert torch.equal(shown, ((x[0] + 1) * 127.5).round().to(torch.uint8))


KINDS = {"digits": "ada", "shapes:captions": "diffaugment", "shapes:pairs": "ada", "shapes:motion": "", "ring": ""}


@pytest.mark.parametrize("data", KINDS)
def test_data_of_every_kind_make_a_sheet(tmp_path: Path, data: str) -> None:
    options = ["--augment", KINDS[data]] if KINDS[data] else []
    done = ganzoo("data", data, "-n", 9, *options, "-o", tmp_path / "sheet.png")
    assert done.returncode == 0 and (tmp_path / "sheet.png").exists(), done.stderr
    assert refused(ganzoo("data", data, "-o", tmp_path / "sheet.png")).endswith("--force to overwrite it.")


def test_a_sheet_is_a_picture(tmp_path: Path) -> None:
    assert "a sheet is a picture" in refused(ganzoo("data", "digits", "-o", tmp_path / "sheet.gif"))
    assert "unknown data set" in refused(ganzoo("data", "nonsense", "-o", tmp_path / "sheet.png"))
    assert not any(tmp_path.iterdir())

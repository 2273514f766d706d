"""Emoji: from files of the true form, made here, and from the real ones where $GANZOO_DATA has them."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganzoo_core.data import DATASETS, GROUPS, STYLES, Emoji, open_dataset
from ganzoo_core.data.pixels import to_float, to_size
from ganzoo_core.data.sets.emoji import base_of, is_held_out, on_white
from ganzoo_core.data.sets.emoji_subjects import SUBJECTS
from ganzoo_core.errors import GanzooError

NAMES = {dataset.name: dataset for dataset in DATASETS}
REAL = Path(os.environ.get("GANZOO_DATA", "/nowhere"))
ROWS = [
    {"id": "1f600", "caption": "grinning face", "group": "Smileys and emotions", "noto": 0, "twemoji": 0, "blob": 0},
    {"id": "1f436", "caption": "dog face", "group": "Animals and nature", "noto": 1, "twemoji": 2, "blob": None},
    {"id": "1f3fb", "caption": "light skin tone", "group": None, "noto": 2, "twemoji": 1, "blob": None},
    {"id": "23", "caption": "hash sign", "group": None, "noto": None, "twemoji": None, "blob": 1},
]
COUNTS = {"noto": 3, "twemoji": 3, "blob": 2}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.delenv("GANZOO_DATA", raising=False)


def write_rows(place: Path, rows: list[Any]) -> None:
    (place / "captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def tiny(place: Path) -> Mapping[str, np.ndarray]:
    """The four files, small; returns their pixels."""
    place.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    images = {style: rng.integers(0, 256, (n, 64, 64, 4), dtype=np.uint8) for style, n in COUNTS.items()}
    for style, pixels in images.items():
        np.savez_compressed(place / f"{style}64_rgba.npz", images=pixels)
    write_rows(place, ROWS)
    return images


def opened(data: str, root: Path, **options: int) -> Emoji:
    source = open_dataset(data, root=root, datasets=NAMES, **options)
    assert isinstance(source, Emoji)
    return source


def refused(data: str, root: Path, code: int = 2) -> str:
    with pytest.raises(GanzooError) as caught:
        opened(data, root)
    assert caught.value.exit_code == code and str(caught.value).isprintable()
    return str(caught.value)


def test_white_shows_where_a_picture_is_transparent() -> None:
    rgba = np.array([[[[10, 20, 30, 255], [10, 20, 30, 0], [0, 100, 200, 128]]]], dtype=np.uint8)  # [1, 1, 3, 4]
    got = on_white(rgba)[0, :, 0].T.tolist()
    assert got[:2] == [[10, 20, 30], [255, 255, 255]]
    exact = [a * 128 / 255 + 255 * 127 / 255 for a in (0, 100, 200)]
    assert got[2] == [round(value) for value in exact]


def test_pixels_labels_and_facts(tmp_path: Path) -> None:
    images = tiny(tmp_path / "emoji64")
    source = opened("emoji", tmp_path)
    batch = source.fetch([2, 0])
    assert torch.equal(batch["x"], to_float(on_white(images["noto"])[[2, 0]]))
    names = [source.info.class_names[label] for label in batch["label"].tolist()]
    assert names == ["Other", "Smileys and emotions"] and batch["label"].dtype == torch.int64
    info = source.info
    assert (info.name, info.image_size, info.channels, info.classes) == ("emoji", 64, 3, len(GROUPS))
    assert info.class_names == GROUPS == tuple(sorted(GROUPS)) and info.keys == {"x", "label"}


def test_rows_follow_the_file_and_not_the_captions(tmp_path: Path) -> None:
    tiny(tmp_path / "emoji64")
    source = opened("emoji:twemoji", tmp_path)
    assert source.ids == ("1f600", "1f3fb", "1f436")
    assert source.fetch([1, 2])["label"].tolist() == [GROUPS.index("Other"), GROUPS.index("Animals and nature")]


def test_variants(tmp_path: Path) -> None:
    images = tiny(tmp_path)  # without a folder of its own, as the other sets
    want = {"noto": "Apache-2.0", "twemoji": "CC-BY-4.0", "blob": "Apache-2.0"}
    sources = {style: opened(f"emoji:{style}", tmp_path) for style in STYLES}
    assert {style: source.info.licence for style, source in sources.items()} == want
    assert sources["noto"].info == opened("emoji", tmp_path).info
    every = opened("emoji:all", tmp_path)
    assert every.styles == ("noto",) * 3 + ("twemoji",) * 3 + ("blob",) * 2
    assert every.info.licence == "Apache-2.0 AND CC-BY-4.0" and every.info.licence in NAMES["emoji"].licence
    assert torch.equal(every.fetch([7])["x"], to_float(on_white(images["blob"])[1:]))
    assert every.ids == tuple(id for style in STYLES for id in sources[style].ids)
    assert len({s.info.fingerprint for s in (*sources.values(), every)}) == 4
    assert opened("emoji:blob", tmp_path).info.name == "emoji:blob"
    assert "Did you mean twemoji" in refused("emoji:twemojis", tmp_path)


def test_sizes_and_channels(tmp_path: Path) -> None:
    images = tiny(tmp_path)
    source = opened("emoji", tmp_path, image_size=32)
    assert torch.equal(source.fetch([1])["x"], to_float(to_size(on_white(images["noto"])[1:2], 32)))
    gray = opened("emoji", tmp_path, image_size=16, channels=1)
    assert gray.fetch([0, 1])["x"].shape == (2, 1, 16, 16)
    assert gray.info.fingerprint != source.info.fingerprint


def test_only_the_files_of_the_variant_are_needed(tmp_path: Path) -> None:
    tiny(tmp_path / "emoji64")
    (tmp_path / "emoji64" / "noto64_rgba.npz").unlink()
    assert len(opened("emoji:blob", tmp_path)) == 2
    text = refused("emoji", tmp_path)
    assert "emoji64/captions.jsonl and emoji64/noto64_rgba.npz" in text and str(tmp_path) in text
    assert "emoji64/twemoji64_rgba.npz" in refused("emoji:all", tmp_path)


# splitting


@pytest.mark.parametrize(
    ("ids", "base"),
    [
        (("1f442", "1f442_1f3fb", "1f442_1f3ff"), "1f442"),
        (("1f9d1_200d_1f680", "1f468_1f3fd_200d_1f680", "1f469_200d_1f680"), "1f9d1_1f680"),
        (("1f3c3", "1f3c3_1f3fc_200d_2642_fe0f", "1f3c3_200d_2640_200d_27a1", "1f3c3_200d_27a1"), "1f3c3"),
        (("1f46b", "1f46d_1f3fb", "1f469_1f3fb_200d_1f91d_200d_1f468_1f3ff"), "1f91d_people"),
        (("1f91d", "1f91d_1f3fb", "1faf1_1f3fc_200d_1faf2_1f3fb"), "1f91d"),
        (("1f491", "1f468_200d_2764_200d_1f468", "1f9d1_1f3ff_200d_2764_200d_1f9d1_1f3fb"), "1f491"),
        (("1f46a", "1f468_200d_1f469_200d_1f467_200d_1f466", "1f9d1_200d_1f9d2"), "1f46a"),
        (("1f1e9_1f1ea",), "1f1e9_1f1ea"),
        (("1f3fb",), "1f3fb"),
        (("2640",), "2640"),
        (("23_20e3",), "23_20e3"),
    ],
)
def test_variants_of_one_emoji_have_one_base(ids: tuple[str, ...], base: str) -> None:
    assert {base_of(id) for id in ids} == {base}


def test_different_emoji_keep_different_bases() -> None:
    ids = ["1f9d1", "1f9d1_200d_1f680", "1f9d1_200d_1f9b0", "1f9d2", "1f43b", "1f43b_200d_2744", "1f3fb", "1f3fc"]
    assert len({base_of(id) for id in ids}) == len(ids)


def test_a_tenth_is_held_out_whatever_else_there_is(tmp_path: Path) -> None:
    held = [is_held_out(f"{number:x}") for number in range(0x1F300, 0x1F300 + 5000)]
    assert 0.08 < sum(held) / len(held) < 0.12
    assert is_held_out("1f469") == is_held_out("1f469")
    tiny(tmp_path)
    source = opened("emoji:all", tmp_path)
    assert source.held_out.tolist() == [is_held_out(base_of(id)) for id in source.ids]
    assert source.bases == tuple(map(base_of, source.ids))


# subjects


def many(place: Path, group: str, first: int, count: int = 40) -> None:
    """`count` emoji of a group from a code point on, each in all styles."""
    place.mkdir()
    for k, style in enumerate(STYLES):
        images = np.full((count, 64, 64, 4), 255, dtype=np.uint8)
        images[..., 0], images[..., 1] = np.arange(count)[:, None, None], k
        np.savez_compressed(place / f"{style}64_rgba.npz", images=images)
    rows = ({"id": f"{first + i:x}", "caption": "x", "group": group} | dict.fromkeys(STYLES, i) for i in range(count))
    write_rows(place, list(rows))


def test_a_subject_in_all_styles_and_nobody_on_both_sides(tmp_path: Path) -> None:
    many(tmp_path / "emoji64", "Food and drink", 0x1F32D)
    train, test = opened("emoji:food", tmp_path), opened("emoji:food_test", tmp_path)
    assert len(train) + len(test) == 3 * 40 and not set(train.bases) & set(test.bases)
    assert test.held_out.all() and not train.held_out.any()
    assert train.info.class_names == STYLES and train.info.classes == 3
    assert [STYLES[i] for i in train.fetch(range(len(train)))["label"].tolist()] == list(train.styles)
    small = opened("emoji:food", tmp_path, image_size=32)
    assert small.fetch([0])["x"].shape == (1, 3, 32, 32) and small.info.fingerprint != train.info.fingerprint
    assert train.info.name == "emoji:food" and train.info.licence == "Apache-2.0 AND CC-BY-4.0"


def test_code_points_say_what_is_a_face(tmp_path: Path) -> None:
    """Cats (1f638) and hands (1f918) are in the same group; what is no code point is no face."""
    many(tmp_path / "emoji64", "Smileys and emotions", 0x1F630)
    both = [opened(f"emoji:faces{part}", tmp_path) for part in ("", "_test")]
    ids = {int(id, 16) for source in both for id in source.ids}
    assert ids == {*range(0x1F630, 0x1F638), *range(0x1F641, 0x1F645)}
    assert not SUBJECTS["faces"].has("no code point", "Smileys and emotions")
    assert "no such emoji" in refused("emoji:animals", tmp_path)


# bad files


def test_files_that_do_not_belong_together(tmp_path: Path) -> None:
    images = tiny(tmp_path)
    np.savez_compressed(tmp_path / "noto64_rgba.npz", images=images["noto"][:2])
    assert "holds 2 images" in (text := refused("emoji", tmp_path)) and "names 3" in text


@pytest.mark.parametrize("at", [0, 5, -1, True, "2", 1.5, []])
def test_rows_that_name_no_picture_or_one_twice(tmp_path: Path, at: object) -> None:
    tiny(tmp_path)
    write_rows(tmp_path, [{**ROWS[2], "noto": at}, *ROWS[:2]])
    refused("emoji", tmp_path)


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "null", '{"id": "1f600"}', '{"id": 3, "group": null}', '{"id": "a", "group": "\\u001b[31m"}', "\xff"],
)
def test_damaged_captions(tmp_path: Path, line: str) -> None:
    tiny(tmp_path)
    path = tmp_path / "captions.jsonl"
    path.write_bytes(path.read_bytes() + line.encode("latin-1") + b"\n")
    assert f"{path}: is damaged: line 5" in refused("emoji", tmp_path)


def test_captions_without_an_end(tmp_path: Path) -> None:
    tiny(tmp_path)
    with (tmp_path / "captions.jsonl").open("r+b") as file:
        file.truncate(1 << 34)  # sparse
    assert "more than 16 MiB" in refused("emoji", tmp_path)


def test_other_arrays(tmp_path: Path) -> None:
    images = tiny(tmp_path)["noto"]
    path = tmp_path / "noto64_rgba.npz"
    wrong: list[dict[str, Any]] = [
        {"images": images.astype(np.float32)},
        {"images": images[..., :3]},
        {"images": images[:0]},
        {"images": images[0]},
        {"images": np.uint8(3)},
        {"images": np.array([object()])},  # a pickle
        {"pictures": images},
        {},
    ]
    for arrays in wrong:
        np.savez_compressed(path, **arrays)
        assert f"{path}: is damaged" in refused("emoji", tmp_path), arrays.keys()


@pytest.mark.parametrize("damage", ["half", "flip", "empty", "text", "member"])
def test_damaged_archives(tmp_path: Path, damage: str) -> None:
    tiny(tmp_path)
    path = tmp_path / "noto64_rgba.npz"
    data = path.read_bytes()
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 1
    wrong = {"half": data[: len(data) // 2], "flip": bytes(flipped), "empty": b"", "text": b"<html>", "member": data}
    path.write_bytes(wrong[damage])
    if damage == "member":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("images.npy", b"not an array")
    assert f"{path}: is damaged" in refused("emoji", tmp_path)


def test_a_bomb(tmp_path: Path) -> None:
    tiny(tmp_path)
    with zipfile.ZipFile(tmp_path / "noto64_rgba.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("images.npy", bytes((256 << 20) + 1))
    assert "more than 256 MiB" in refused("emoji", tmp_path)


def test_a_header_that_promises_too_much(tmp_path: Path) -> None:
    tiny(tmp_path)
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776, 64, 64, 4), }".ljust(117) + "\n"
    with zipfile.ZipFile(tmp_path / "noto64_rgba.npz", "w") as archive:
        archive.writestr("images.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
    assert "is damaged" in refused("emoji", tmp_path)


# the real files


@pytest.mark.skipif(not (REAL / "emoji64").is_dir(), reason="needs $GANZOO_DATA with emoji64")
def test_the_real_set() -> None:
    sources = {style: opened(f"emoji:{style}", REAL) for style in STYLES}
    assert {style: len(source) for style, source in sources.items()} == {"noto": 3530, "twemoji": 3790, "blob": 2723}
    every = opened("emoji:all", REAL)
    assert len(every) == 10_043 and every.info.classes == 10
    assert torch.equal(every.fetch([3530])["x"], sources["twemoji"].fetch([0])["x"])
    counts = torch.bincount(sources["twemoji"].fetch(range(3790))["label"], minlength=10)
    assert counts.sum() == 3790 and counts.min() > 0 and counts.argmax() == GROUPS.index("People")
    assert 0.05 < every.held_out.float().mean() < 0.12
    split = {base: held for base, held in zip(every.bases, every.held_out.tolist(), strict=True)}
    assert all(split[base] == held for base, held in zip(every.bases, every.held_out.tolist(), strict=True))
    counts = {name: tuple(len(opened(f"emoji:{name}{part}", REAL)) for part in ("", "_test")) for name in SUBJECTS}
    assert counts == {"faces": (290, 24), "people": (4791, 295), "animals": (343, 12), "food": (322, 55)}
    corner = every.fetch(range(500))["x"][..., 0, 0]
    assert (corner == 1).float().mean() > 0.9  # white

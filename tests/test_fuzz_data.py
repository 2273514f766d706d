"""Damaged data of every kind: whatever bytes people bring, they hear of it in one line, and nothing is left behind."""

from __future__ import annotations

import io
import json
import os
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganzoo_core.data import DATASETS, open_dataset
from ganzoo_core.errors import GanzooError

NAMES = {dataset.name: dataset for dataset in DATASETS}
WORDS = [
    "0.png", "1.png", "2.png", "file_name", "text", "label", "labels", "images", "annotations", "id", "image_id", "\0",
    "caption", ",", ";", "\t", "\n", '"', "'", "{", "}", "[", "]", ":", "null", "true", "NaN", "1e999", "-1", "0.5",
    "\ud800", "\\ud800", "\ufeff", "é", "../0.png", "/", "x" * 2000, "", " ", "[" * 2000, "9" * 5000, "\r", "\\",
]  # fmt: skip
TABLES = (
    "metadata.csv",
    "metadata.jsonl",
    "captions.json",
    "captions.tsv",
    "labels.csv",
    "labels.json",
    "dataset.json",
    "0.txt",
)


def whole(name: str) -> bytes:
    """A table of which nothing is wrong."""
    rows = [(f"{i}.png", str(i % 2)) for i in range(3)]
    if name == "dataset.json":
        return json.dumps({"labels": rows}).encode()
    if name.endswith(".json"):
        return json.dumps(dict(rows)).encode()
    if name.endswith(".jsonl"):
        return b"".join(json.dumps({"file_name": a, "text": b}).encode() + b"\n" for a, b in rows)
    column, comma = "label" if "labels" in name else "text", "\t" if name.endswith("tsv") else ","
    return "\n".join(comma.join(row) for row in [("file_name", column), *rows]).encode()


def image(rng: random.Random) -> bytes:
    """A small picture of any mode and format."""
    mode, kind = (
        rng.choice(["RGB", "L", "RGBA", "P", "1", "I;16", "LA"]),
        rng.choice(["PNG", "TIFF", "GIF", "BMP", "JPEG"]),
    )
    size, made = (rng.randint(1, 9), rng.randint(1, 9)), io.BytesIO()
    noise = Image.fromarray(np.frombuffer(rng.randbytes(size[0] * size[1]), np.uint8).reshape(size))
    picture = noise.convert(mode) if mode != "I;16" else noise.convert("I").convert("I;16")
    (picture if kind in ("PNG", "TIFF") else noise).save(made, kind)
    return made.getvalue()


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Cut off, changed here and there, spliced with words, or nothing but noise."""
    how, at = rng.randrange(6), rng.randrange(len(data) + 1)
    if how == 0:
        return data[:at]
    if how == 1:
        changed = bytearray(data)
        for _ in range(rng.randint(1, 8)):
            changed[rng.randrange(len(data))] = rng.randrange(256)
        return bytes(changed)
    word = rng.choice(WORDS).encode("utf-8", "surrogatepass")
    if how == 2:
        return data[:at] + word + data[at:]
    if how == 3:
        return "".join(rng.choices(WORDS, k=rng.randint(0, 30))).encode("utf-8", "surrogatepass")
    if how == 4:
        return rng.randbytes(rng.randint(0, 60))
    return rng.choice([b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\0\0\xfe\xff"]) + data


def value(rng: random.Random, depth: int = 0) -> object:
    """Any value that JSON has."""
    kind = rng.randrange(8 if depth < 3 else 6)
    if kind == 6:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 7:
        return {rng.choice(WORDS): value(rng, depth + 1) for _ in range(rng.randrange(4))}
    return [rng.choice(WORDS), rng.randint(-3, 3), rng.random(), None, True, float("inf")][kind]


def table(folder: Path, rng: random.Random) -> str:
    """Three pictures and a damaged table of labels or captions."""
    name = rng.choice(TABLES)
    for i in range(3):
        (folder / f"{i}.png").write_bytes(PICTURE)
    content = json.dumps(value(rng)).encode() if rng.random() < 0.4 else damaged(whole(name), rng)
    (folder / name).write_bytes(content)
    return f"{rng.choice(['', 'captions:', 'captions:'])}{folder}"


def files(folder: Path, rng: random.Random) -> str:
    """A folder of pictures, some of them damaged, in every view."""
    for i in range(3):
        data = image(rng)
        (folder / f"{i}{rng.choice(['.png', '.tif', '.gif', '.jpg', '.pgm'])}").write_bytes(
            damaged(data, rng) if rng.random() < 0.7 else data
        )
    return f"{rng.choice(['', '', 'paired:', 'crops:', 'padded:', 'masked:', 'x2:'])}{folder}"


def tree(folder: Path, rng: random.Random) -> str:
    """Folders in folders, names of all kinds, links to anywhere."""
    names = [
        "a",
        "train",
        "test",
        "trainA",
        "trainB",
        ".hidden",
        "é",
        "a b",
        "\udce9",
        "-x",
        "x" * 100,
        "a\nb",
        "a.png",
    ]
    place = folder
    for _ in range(rng.randint(0, 8)):
        place = rng.choice([folder, place]) / rng.choice(names)
        if not os.path.lexists(place) and place.parent.is_dir() and place.parent.resolve() == place.parent:
            kind = rng.randrange(4)
            if kind == 0:
                place.write_bytes(PICTURE)
            elif kind == 1:
                place.symlink_to(rng.choice([".", "..", "nowhere", "/dev/null", str(folder)]))
            else:
                place.mkdir()
                (place / rng.choice(["0.png", "1.txt", "z.heic"])).write_bytes(PICTURE)
    return f"{rng.choice(['', 'paired:', 'crops:', 'captions:', 'unpaired:x::'])}{folder}"


def one(folder: Path, rng: random.Random) -> str:
    """A file alone."""
    (folder / "a").write_bytes(damaged(image(rng), rng))
    return str(folder / "a")


PICTURE = image(random.Random(3))
MAKERS: dict[str, Callable[[Path, random.Random], str]] = {"table": table, "files": files, "tree": tree, "one": one}


def fuzz(make: Callable[[Path, random.Random], str], seed: int) -> bool:
    """Whether this data could be opened after all; it must have been refused in one line otherwise."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as where:
        place = Path(where).resolve()
        data = make(place, rng)
        before = sorted(place.rglob("*"))
        try:
            source = open_dataset(
                data, datasets=NAMES, image_size=rng.choice([None, 4]), on_bad_image=rng.choice(["refuse", "skip"])
            )
            source.fetch_augmented(range(len(source)), range(len(source)))
            opened = True
        except GanzooError as fault:
            assert "\n" not in str(fault) and str(fault).isprintable() and len(str(fault)) < 3000, fault
            opened = False
        assert sorted(place.rglob("*")) == before
        return opened


@pytest.mark.parametrize("kind", MAKERS)
def test_damaged_data_are_refused_in_one_line(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    opened = [fuzz(MAKERS[kind], seed) for seed in range(120)]
    assert 0 < sum(opened) < len(opened)  # damage that hurts, and damage that does not
    assert capfd.readouterr() == ("", "")  # Pillow and its libraries say nothing on their own


@pytest.mark.slow
@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("part", range(5))
def test_twenty_thousand_damaged_data_are(kind: str, part: int, capfd: pytest.CaptureFixture[str]) -> None:
    for seed in range(1000 + 1000 * part, 2000 + 1000 * part):
        fuzz(MAKERS[kind], seed)
    out, err = capfd.readouterr()
    assert out == "" and all(line.startswith("TIFF") for line in err.splitlines())  # C of libtiff's, not to be silenced

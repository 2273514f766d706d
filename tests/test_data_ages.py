"""Ordinal conditions: digits at six thicknesses, and folders of people whose ages are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from bars import as_floats, bars, write_mnist
from PIL import Image

from ganzoo_core.data import Dataset, how_to_have, open_dataset
from ganzoo_core.data.sets.strokes import distances, drawn, lines, slant, stroke_thickness, thinned
from ganzoo_core.data.sets.thickness import THICKNESSES
from ganzoo_core.errors import GanzooError
from ganzoo_core.registry.plugins import registry


def opened(data: object, **options: object) -> Dataset:
    return open_dataset(str(data), datasets=registry().datasets, views=registry().views, **options)  # type: ignore[arg-type]


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    return write_mnist(tmp_path)


def test_a_line_is_one_place_wide_and_as_long_as_its_stroke() -> None:
    ink = torch.zeros(1, 40, 40, dtype=torch.bool)
    ink[0, 5:35, 17:24] = True
    line = thinned(ink)
    assert line.sum(2).max() == 1 and 23 <= int(line.any(2).sum()) <= 30 and not (line & ~ink).any()
    assert torch.equal(thinned(line), line)
    ring = torch.zeros(1, 40, 40, dtype=torch.bool)
    ring[0, 8:32, 8:32] = True
    ring[0, 14:26, 14:26] = False
    assert not thinned(ring)[0, 14:26, 14:26].any() and thinned(ring).sum() > 60  # it is not broken, nor filled


def by_the_paper(ink: np.ndarray) -> np.ndarray:
    """Zhang & Suen 1984, place by place."""
    ink = np.pad(ink.astype(int), 1)
    changed = True
    while changed:
        changed = False
        for pair in (((0, 2, 4), (2, 4, 6)), ((0, 2, 6), (0, 4, 6))):
            gone = []
            for y, x in zip(*np.nonzero(ink), strict=True):
                p = [ink[y + a, x + b] for a, b in AROUND]
                ends = sum(p[i] == 0 and p[(i + 1) % 8] == 1 for i in range(8))
                if 2 <= sum(p) <= 6 and ends == 1 and all(0 in [p[i] for i in sides] for sides in pair):
                    gone.append((y, x))
            for place in gone:
                ink[place] = 0
            changed = changed or bool(gone)
    return ink[1:-1, 1:-1] > 0


AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))


def test_thinning_is_the_published_one() -> None:
    noise = torch.rand(4, 1, 14, 14, generator=torch.Generator().manual_seed(0))
    ink = torch.nn.functional.avg_pool2d(noise, 3, 1, 1)[:, 0] > 0.42
    for picture, line in zip(ink, thinned(ink), strict=True):
        assert np.array_equal(by_the_paper(picture.numpy()), line.numpy())


def test_distances_are_euclidean() -> None:
    where = torch.zeros(1, 21, 21, dtype=torch.bool)
    where[0, 10, 10] = where[0, 3, 17] = True
    y, x = torch.meshgrid(torch.arange(21.0), torch.arange(21.0), indexing="ij")
    expected = torch.minimum((y - 10).hypot(x - 10), (y - 3).hypot(x - 17)).clamp(max=10)
    torch.testing.assert_close(distances(where)[0], expected)


@pytest.mark.parametrize("thickness", [1.8, 2.6, 3.4, 4.2, 5.0])
def test_what_is_drawn_measures_what_was_asked(thickness: float) -> None:
    middle = lines(as_floats(bars([0, 4, -6])))
    measured = stroke_thickness(drawn(middle, torch.full((3,), thickness)))
    assert (measured - thickness).abs().max() < 0.55
    twice = torch.nn.functional.interpolate(drawn(middle, torch.full((3,), thickness)), scale_factor=2)
    assert (stroke_thickness(twice) - thickness).abs().max() < 0.55  # pixels of 28 to a side
    assert stroke_thickness(torch.full((2, 1, 28, 28), -1.0)).tolist() == [0, 0]


def test_digits_have_one_thickness_for_good(mnist: Path) -> None:
    source = opened("mnist:thickness", root=mnist)
    assert source.info.keys == {"x", "age", "identity", "attribute"} and source.info.classes == len(THICKNESSES)
    assert source.info.class_names[0] == "1.0 px" and source.info.name == "mnist:thickness"
    batch = source.fetch(range(40))
    assert batch["identity"].tolist() == list(range(10)) * 4
    assert batch["attribute"].tolist() == [1, 0] * 20 and (slant(as_floats(bars([8]))) < 0).all()
    measured = stroke_thickness(batch["x"])
    asked = torch.tensor(THICKNESSES)[batch["age"]]
    assert (measured - asked).abs().max() < 0.6 and len(batch["age"].unique()) > 3
    again = source.fetch([7, 3, 7])
    for key, values in again.items():
        assert torch.equal(values, batch[key][[7, 3, 7]]), key
    alone = opened("mnist:thickness", root=mnist).fetch([7])
    assert torch.equal(alone["x"][0], batch["x"][7])  # drawn alone, the same bits
    test = opened("mnist:thickness_test", root=mnist, image_size=32, channels=3)
    assert test.fetch([0])["x"].shape == (1, 3, 32, 32) and test.info.fingerprint != source.info.fingerprint
    assert not torch.equal(test.fetch(range(40))["age"], batch["age"])


def pictures(folder: Path, *names: str) -> Path:
    for i, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), 20 * i, dtype=np.uint8)).save(path)
    return folder


UTK = ("5_0_0_1.png", "6_1_2_1.png", "20_0_1_1.png", "21_1_0_1.png", "71_1_0_1.png", "116_0_0_1.png")


def test_names_of_utkface_are_understood(tmp_path: Path) -> None:
    source = opened(f"aging:{pictures(tmp_path, *UTK)}", image_size=8)
    names = source.parts()[1].names  # type: ignore[attr-defined]
    by_name = dict(zip(names, source.fetch(range(6))["age"].tolist(), strict=True))
    assert [by_name[name] for name in UTK] == [0, 1, 3, 4, 9, 9]
    gender = dict(zip(names, source.fetch(range(6))["attribute"].tolist(), strict=True))
    assert [gender[name] for name in UTK] == [0, 1, 0, 1, 1, 0]
    assert source.info.class_names == (
        "0-5",
        "6-10",
        "11-15",
        "16-20",
        "21-30",
        "31-40",
        "41-50",
        "51-60",
        "61-70",
        "71+",
    )
    assert source.info.keys == {"x", "age", "attribute"}
    six = opened(f"aging6:{tmp_path}", image_size=8)
    assert (
        six.info.classes == 6 and six.info.class_names[0] == "0-18" and six.info.fingerprint != source.info.fingerprint
    )


def test_persons_are_sub_folders(tmp_path: Path) -> None:
    source = opened(f"aging:{pictures(tmp_path, 'ann/4_a.png', 'ann/44_b.png', 'bo/30_a.png')}", image_size=8)
    assert source.fetch(range(3))["identity"].tolist() == [0, 0, 1] and "attribute" not in source.info.keys


def test_a_table_tells_ages(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png", "b.png", "c.png")
    table = tmp_path / "ages.csv"
    table.write_text("file_name;age;sex;person\nc.png;61;1;bo\na.png;3;0;ann\nb.png;18.5;1;ann\n")
    batch = opened(f"aging6:{tmp_path}", image_size=8).fetch(range(3))
    assert {k: v.tolist() for k, v in batch.items() if k != "x"} == {
        "age": [0, 0, 5], "attribute": [0, 1, 1], "identity": [0, 0, 1],
    }  # fmt: skip
    table.write_text("file_name,age\na.png,3\nb.png,4\nc.png,old\n")
    with pytest.raises(GanzooError, match=r"c\.png: age old is not an age"):
        opened(f"aging:{tmp_path}", image_size=8)
    table.write_text("file_name,age,gender\na.png,3,2\nb.png,4,0\nc.png,5,0\n")
    with pytest.raises(GanzooError, match="attribute 2 is not 0 or 1"):
        opened(f"aging:{tmp_path}", image_size=8)
    table.write_text("file_name,age\na.png,3\n")
    with pytest.raises(GanzooError, match="says nothing of 2 images"):
        opened(f"aging:{tmp_path}", image_size=8)


@pytest.mark.parametrize(("name", "why"), [("face.png", "tell no age: face.png"), ("999_0_0_1.png", "no age of 0 to")])
def test_names_that_tell_no_age_are_refused(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(GanzooError, match=why):
        opened(f"aging:{pictures(tmp_path, '3_0_0_1.png', name)}", image_size=8)


def test_who_lacks_ages_is_told_how() -> None:
    assert "aging:FOLDER" in how_to_have({"age"})

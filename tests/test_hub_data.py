"""--data hf:owner/set, through the package `datasets`: local parquet and folders of images take the same path."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from processes import ganzoo

from ganzoo_core.data import Folder, open_dataset, open_folder
from ganzoo_core.data.catalog import DATASETS
from ganzoo_core.data.folder import rows
from ganzoo_core.errors import ExternalError, GanzooError
from ganzoo_core.models.card import hub_dataset

SETS = {dataset.name: dataset for dataset in DATASETS}
NAMES = ("zebra", "ant")  # whose numbers are the set's, and not those of the alphabet


def opened(data: str, **options: object) -> Folder:
    return open_folder(data, **options)  # type: ignore[arg-type]


def pictures(place: Path, each: int = 3) -> Path:
    rng = np.random.default_rng(0)
    for name in NAMES:
        (place / name).mkdir(parents=True)
        for i in range(each):
            Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(place / name / f"{i}.png")
    return place


def test_the_core_does_without_it() -> None:
    code = "import sys, ganzoo_core.data.open, ganzoo_core.training.run; sys.exit('datasets' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_one_line_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(GanzooError, match=r"datasets is not installed. pip install 'ganzoo-core\[hub-data\]'"):
        open_dataset("hf:me/set", datasets=SETS)


@pytest.mark.parametrize(
    "data,asked",
    [
        ("hf:me/set", rows.Asked("me/set", "", "", "")),
        ("hf:mnist", rows.Asked("mnist", "", "", "")),
        ("hf:me/set:test", rows.Asked("me/set", "", "test", "")),
        ("hf:me/set@abc:test", rows.Asked("me/set", "abc", "test", "")),
    ],
)
def test_names(data: str, asked: rows.Asked) -> None:
    assert rows.parsed(data) == asked and str(asked) == data


@pytest.mark.parametrize("data", ["hf:", "hf:a/b/c", "hf:./nothing", "hf:/nothing/here"])
def test_names_that_are_none(data: str) -> None:
    with pytest.raises(GanzooError, match=r"is no data set's name|no such folder"):
        rows.parsed(data)


def test_only_files_of_the_set_are_read(tmp_path: Path) -> None:
    here = rows.Asked("x", "", "", str(tmp_path))
    there = rows.Asked("me/set", "abc", "", "")
    assert rows.within(here, str(tmp_path / "a.png")) and not rows.within(here, "/etc/passwd")
    assert rows.within(there, "zip://a.png::hf://datasets/me/set@abc/d.zip")
    for path in ("/etc/passwd", "https://a.b/c.png", "hf://datasets/you/set@abc/a.png"):
        assert not rows.within(there, path) and rows.content(there, {"bytes": None, "path": path}) == b""


# With the package


@pytest.fixture
def datasets() -> object:
    return pytest.importorskip("datasets", reason="the extra hub-data is not installed: pip install datasets")


@pytest.fixture
def parquet(tmp_path: Path, datasets: object) -> Path:
    """The pictures of a folder as two splits, as the Hub's own tools write them."""
    source = pictures(tmp_path / "pics")
    files = [source / name / f"{i}.png" for name in NAMES for i in range(3)]
    columns = {
        "image": [{"bytes": file.read_bytes(), "path": None} for file in files],
        "label": [NAMES.index(file.parent.name) for file in files],
    }
    kinds = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=list(NAMES))})  # type: ignore[attr-defined]
    table = datasets.Dataset.from_dict(columns, features=kinds)  # type: ignore[attr-defined]
    (tmp_path / "set").mkdir()
    table.to_parquet(tmp_path / "set" / "train-00000.parquet")
    table.select([5, 0]).to_parquet(tmp_path / "set" / "test-00000.parquet")
    return tmp_path / "set"


def everything(source: Folder) -> torch.Tensor:
    return source.fetch(range(len(source)))["x"]


def test_parquet_gives_its_pictures(parquet: Path) -> None:
    source, pics = opened(f"hf:{parquet}"), opened(str(parquet.parent / "pics"))
    assert torch.equal(everything(source), torch.cat([everything(pics)[3:], everything(pics)[:3]]))
    assert source.info.class_names == NAMES and source.fetch([0, 5])["label"].tolist() == [0, 1]
    assert source.info.name == f"hf:{parquet}:train"
    test = opened(f"hf:{parquet}:test")
    assert torch.equal(everything(test), everything(source)[[5, 0]]) and test.fetch([0, 1])["label"].tolist() == [1, 0]
    assert test.info.fingerprint != source.info.fingerprint == opened(f"hf:{parquet}:train").info.fingerprint


def test_a_folder_of_images_likewise(parquet: Path) -> None:
    pics = parquet.parent / "pics"
    source = opened(f"hf:{pics}")
    assert torch.equal(everything(source), everything(opened(str(pics)))) and source.info.class_names == (
        "ant",
        "zebra",
    )


def test_views_and_other_processes(parquet: Path) -> None:
    source = open_dataset(f"x2:hf:{parquet}:test", image_size=8, datasets=SETS)
    assert source.fetch([0])["low"].shape == (1, 3, 4, 4)
    again = pickle.loads(pickle.dumps(opened(f"hf:{parquet}")))
    assert torch.equal(everything(again), everything(opened(f"hf:{parquet}")))


@pytest.mark.parametrize(
    "data,told",
    [
        ("{set}:valid", r"has no split 'valid'. Known: train, test."),
        ("{words}", r"has no column of pictures. Its columns: text."),
        ("{empty}", r"cannot be read|is empty"),
    ],
)
def test_faults_are_one_line(parquet: Path, datasets: object, data: str, told: str) -> None:
    for name in ("words", "empty"):
        (parquet.parent / name).mkdir()
    datasets.Dataset.from_dict({"text": ["a"]}).to_parquet(parquet.parent / "words" / "a.parquet")  # type: ignore[attr-defined]
    where = data.format(set=parquet, words=parquet.parent / "words", empty=parquet.parent / "empty")
    with pytest.raises(GanzooError, match=told) as caught:
        opened(f"hf:{where}")
    assert "\n" not in str(caught.value)


def test_rows_without_pictures_are_bad_files(parquet: Path, datasets: object) -> None:
    kinds = datasets.Features({"image": datasets.Image()})  # type: ignore[attr-defined]
    good = (parquet.parent / "pics" / "ant" / "0.png").read_bytes()
    cells = [{"bytes": good, "path": None}, None, {"bytes": None, "path": "/etc/hostname"}]
    (parquet.parent / "holes").mkdir()
    table = datasets.Dataset.from_dict({"image": cells}, features=kinds)  # type: ignore[attr-defined]
    table.to_parquet(parquet.parent / "holes" / "a.parquet")
    with pytest.raises(GanzooError, match=r"2 of 3 images .*: 000000001 \(is empty\), 000000002 \(is empty\)"):
        opened(f"hf:{parquet.parent / 'holes'}")
    assert len(opened(f"hf:{parquet.parent / 'holes'}", on_bad_image="skip")) == 1


def test_a_hub_that_is_not_there(datasets: object) -> None:
    command = ("train", "dcgan", "--preset", "tiny", "--images", "32", "--data", "hf:me/set")
    done = ganzoo(*command, env={"HF_ENDPOINT": "http://127.0.0.1:9"})
    assert done.returncode == ExternalError.exit_code, done.stderr
    assert "data set hf:me/set: cannot be had" in done.stderr and "Traceback" not in done.stderr


def test_training_names_what_it_was_on(parquet: Path) -> None:
    out = parquet.parent / "run"
    done = ganzoo("train", "dcgan", "--preset", "tiny", "--images", "32", "--data", f"hf:{parquet}", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert f'"name": "hf:{parquet}:train"' in (out / "run.json").read_text()


def test_a_card_names_the_set_of_the_hub() -> None:
    assert hub_dataset(f"hf:me/set@{'a1' * 20}:train") == "me/set"
    assert hub_dataset("hf:pics:train") == hub_dataset("hf:some/folder:train") == ""
    assert hub_dataset("masked:mnist") == hub_dataset("mnist:test") == "ylecun/mnist"
    assert hub_dataset("videos:clips") == hub_dataset("x4:crops:hf:pics:train") == ""

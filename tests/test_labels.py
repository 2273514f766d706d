"""Classes have names from the data set to the command line, and a model that needs one says so."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image
from processes import ganzoo

import ganzoo_core as gz


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A conditional GAN that saw three classes of pictures for a moment."""
    home = tmp_path_factory.mktemp("labels")
    for number, name in enumerate(("Ankle boot", "bag", "coat")):
        folder = home / "clothes" / name
        folder.mkdir(parents=True)
        for i in range(4):
            pixels = np.full((16, 16), 60 * number + i, np.uint8)
            Image.fromarray(pixels).save(folder / f"{i}.png")
    objective = gz.create("cgan", preset="tiny", classes=3)
    gz.fit(objective, str(home / "clothes"), images=32, batch_size=16, out=home / "run", precision="fp32")
    return home / "run"


def test_names_travel_from_the_data_to_the_model(run):
    model = gz.load(run)
    assert model.config["labels"] == ["Ankle boot", "bag", "coat"]
    assert torch.equal(model.sample(3, seed=1, label="BAG"), model.sample(3, seed=1, label=1))
    assert json.loads((run / "model" / "config.json").read_text())["inputs"]["label"]["names"][2] == "coat"
    again = gz.load(model.save(run.parent / "copy"))
    assert again.generator.inputs["label"].names == ("Ankle boot", "bag", "coat")


@pytest.mark.parametrize("label", ["bag", "1"])
def test_sample_takes_names_and_numbers(run, tmp_path, label):
    done = ganzoo("sample", run, "--label", label, "-n", 4, "-o", tmp_path / "grid.png")
    assert done.returncode == 0, done.stderr
    expected = ganzoo("sample", run, "-c", "label=1", "-n", 4, "-o", tmp_path / "same.png")
    assert expected.returncode == 0, expected.stderr
    assert (tmp_path / "grid.png").read_bytes() == (tmp_path / "same.png").read_bytes()


def test_several_labels_take_turns(run, tmp_path):
    out = tmp_path / "each"
    done = ganzoo("sample", run, "--label", "bag", "--label", "coat", "-n", 5, "-o", out)
    assert done.returncode == 0, done.stderr
    model = gz.load(run)
    expected = model.sample(5, seed=0, label=[1, 2, 1, 2, 1])
    shown = np.stack([np.asarray(Image.open(path)) for path in sorted(out.glob("*.png"))])
    assert np.abs(shown - (expected[:, 0].numpy() + 1) * 127.5).max() <= 0.51


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "label: is missing. This model needs one of Ankle boot, bag, coat"),
        (["--label", "3"], "out of range"),
        (["--label", "bga"], "unknown label 'bga'. Did you mean bag"),
        (["--label", "-1"], "out of range"),
    ],
)
def test_a_missing_or_wrong_label_is_one_line(run, tmp_path, options, says):
    done = ganzoo("sample", run, *options, "-n", 4, "-o", tmp_path / "grid.png")
    assert done.returncode == 2 and done.stdout == "" and says in done.stderr
    assert done.stderr.count("\n") == 1 and not (tmp_path / "grid.png").exists()


def test_a_label_for_a_model_without_labels_is_refused(tmp_path):
    done = ganzoo("sample", "gan.mnist", "--label", "7", "-n", 4, "-o", tmp_path / "grid.png")
    assert done.returncode == 2 and "takes no label" in done.stderr

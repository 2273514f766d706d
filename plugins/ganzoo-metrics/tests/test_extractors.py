"""Extractors: what is shipped is what its hash says and sees what it should; Inception is torch-fidelity's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from ganzoo_metrics import inception, training
from ganzoo_metrics.classifiers import PLANS, Classifier, read_classifier
from ganzoo_metrics.extractors import EXTRACTORS, Extractor, extractor_for, knows, load_extractor
from ganzoo_metrics.training import COURSES, Course, Part, coarsened, folded, moved, taught
from PIL import Image
from torch import nn

from ganzoo_core.data import DATASETS, Emoji, open_dataset
from ganzoo_core.data.pixels import to_float
from ganzoo_core.errors import GanzooError, IntegrityError, UnknownNameError

OURS = list(PLANS)
NAMES = {dataset.name: dataset for dataset in DATASETS}
REAL = Path(os.environ.get("GANZOO_DATA", "/nowhere"))


def images(net: Extractor, n: int = 5) -> torch.Tensor:
    shape = n, net.channels, net.image_size, net.image_size
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def copied(name: str, folder: Path) -> Path:
    """The shipped files of an extractor, copied."""
    source = EXTRACTORS[name].folder
    assert source is not None
    folder.mkdir()
    for path in source.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def read_from(folder: Path, name: str = "mnist-cnn") -> Classifier:
    return read_classifier(replace(EXTRACTORS[name], folder=folder))


# names


def test_defaults() -> None:
    gray = {"mnist": "mnist-cnn", "mnist:test": "mnist-cnn", "digits": "mnist-cnn", "fashion_mnist": "fashion-cnn"}
    assert {data: extractor_for(data, 1) for data in gray} == gray
    for colour in ("emoji", "emoji:all", "cifar10", "my/folder"):
        assert extractor_for(colour, 3) == "lite0"
    assert extractor_for("my/folder", 1) == "lite0"
    assert all(set(spec.data) <= NAMES.keys() for spec in EXTRACTORS.values())


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean mnist-cnn"):
        load_extractor("mnist-cn")


# ours


@pytest.mark.parametrize("name", OURS)
def test_shapes(name: str) -> None:
    net = load_extractor(name)
    x = images(net)
    features, logits = net(x)
    assert features.shape == (5, net.dim) == (5, 128) and logits.shape == (5, len(net.classes))
    assert features.dtype == logits.dtype == torch.float32 and features.min() == 0 and features.std() > 0
    assert torch.equal(net.features(x), features) and torch.equal(net.logits(x), logits)
    sides = [net.image_size >> i for i in range(3)]
    widths = PLANS[name].widths
    maps = net.maps(x)
    assert [tuple(m.shape) for m in maps] == [(5, c, s, s) for c, s in zip(widths, sides, strict=True)]
    assert all(m.std() > 0 for m in maps)


def test_every_feature_says_something() -> None:
    """No feature is zero for all images, as many are where nothing keeps them alive."""
    net, source = load_extractor("mnist-cnn"), open_dataset("digits", datasets=NAMES)
    features = net.features(net.prepared(source.fetch(range(500))["x"]))
    assert (features > 0).float().mean(0).min() > 0


@pytest.mark.parametrize("name", OURS)
def test_frozen_and_the_same_every_time(name: str) -> None:
    net, again = load_extractor(name), load_extractor(name)
    assert not net.training and not any(w.requires_grad for w in net.parameters())
    x = images(net)
    assert torch.equal(net.features(x), again.features(x)) and net.name == name
    assert torch.allclose(net.features(x)[2:3], net.features(x[2:3]), atol=1e-4)  # a batch is no more than its images
    x.requires_grad_()
    net.features(x).sum().backward()
    assert x.grad is not None and x.grad.abs().sum() > 0  # who wants may ask what a feature looks at


@pytest.mark.parametrize("name", OURS)
def test_what_is_shipped(name: str) -> None:
    folder = EXTRACTORS[name].folder
    assert folder is not None and {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors"}
    data = (folder / "model.safetensors").read_bytes()
    config = json.loads((folder / "config.json").read_text())
    assert config["sha256"] == sha256(data).hexdigest() == load_extractor(name).sha256
    assert config["bytes"] == len(data) <= 2 << 20 and config["licence"] == "Apache-2.0"
    assert config["name"] == name and config["command"].startswith(f"python -m ganzoo_metrics.training {name}")
    assert config["dataset"]["name"] == COURSES[name].data
    assert config["accuracy"].keys() == PLANS[name].heads.keys()


def test_the_second_eye_of_digits() -> None:
    net = load_extractor("mnist-lenet")
    x = images(net)
    features, logits = net(x)
    assert features.shape == (5, 84) and logits.shape == (5, 10) and features.abs().max() < 1  # tanh
    assert [tuple(m.shape[1:]) for m in net.maps(x)] == [(6, 28, 28), (16, 10, 10)]
    assert sum(w.numel() for w in net.parameters()) == 156 + 2_416 + 48_120 + 10_164 + 850  # C1, C3, C5, F6, output
    config = json.loads((EXTRACTORS["mnist-lenet"].folder / "config.json").read_text())  # type: ignore[operator]
    assert config["sha256"] == net.sha256 and config["command"] == "python -m ganzoo_metrics.lenet --seed 1"


def test_classes_are_those_of_the_data() -> None:
    digits = open_dataset("digits", datasets=NAMES)
    assert load_extractor("mnist-cnn").classes == digits.info.class_names


def test_the_heads_see_the_same_features() -> None:
    net = load_extractor("emoji-cnn")
    assert isinstance(net, Classifier)
    features, logits = net(images(net))
    scores = net.scores(features)
    assert list(scores) == ["group", "style"] and torch.equal(scores["group"], logits)
    assert scores["style"].shape == (5, 3)


# damaged files


@pytest.mark.parametrize("at", [9, 5000, -1])
def test_a_flipped_byte(tmp_path: Path, at: int) -> None:
    folder = copied("mnist-cnn", tmp_path / "a")
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match="its sha256 is") as caught:
        read_from(folder)
    assert caught.value.exit_code == 5 and str(path) in str(caught.value)


@pytest.mark.parametrize("config", [b"", b"{", b"[]", b"\xff", b"{}", b'{"sha256": 5}', b"[" * 100_000])
def test_damaged_configs(tmp_path: Path, config: bytes) -> None:
    folder = copied("mnist-cnn", tmp_path / "a")
    (folder / "config.json").write_bytes(config)
    with pytest.raises(GanzooError):
        read_from(folder)


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_missing_files(tmp_path: Path, file: str) -> None:
    folder = copied("mnist-cnn", tmp_path / "a")
    (folder / file).unlink()
    with pytest.raises(GanzooError, match=file) as caught:
        read_from(folder)
    assert caught.value.exit_code == 2


def test_another_ones_weights(tmp_path: Path) -> None:
    folder = copied("fashion-cnn", tmp_path / "a")
    with pytest.raises(GanzooError, match="not those of mnist-cnn") as caught:
        read_from(folder)
    assert caught.value.exit_code == 2


def test_another_dtype(tmp_path: Path) -> None:
    folder = copied("mnist-cnn", tmp_path / "a")
    tensors = safetensors.torch.load((folder / "model.safetensors").read_bytes())
    data = safetensors.torch.save({key: tensor.float() for key, tensor in tensors.items()})
    (folder / "model.safetensors").write_bytes(data)
    (folder / "config.json").write_text(json.dumps({"sha256": sha256(data).hexdigest()}))
    with pytest.raises(GanzooError, match="not those of mnist-cnn"):
        read_from(folder)


# images of any size


def test_prepared_makes_sizes_and_channels() -> None:
    gray, colour = load_extractor("mnist-cnn"), load_extractor("emoji-cnn")
    for shape in ((2, 1, 64, 64), (2, 3, 28, 28), (2, 3, 16, 16), (2, 1, 40, 28)):
        x = torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
        assert gray.prepared(x).shape == (2, 1, 28, 28) and colour.prepared(x).shape == (2, 3, 32, 32)
        assert torch.equal(gray.prepared(x), gray.prepared(x)) and gray.prepared(x).abs().max() <= 1
    x = images(gray)
    assert torch.equal(gray.prepared(x), x)
    assert torch.equal(colour.prepared(x)[:, 0], colour.prepared(x)[:, 2])


def test_prepared_is_pillows_bilinear_and_luma() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    picture = Image.fromarray(rgb)
    x = to_float(torch.from_numpy(rgb).permute(2, 0, 1)[None].contiguous())
    small = picture.resize((32, 32), Image.Resampling.BILINEAR)
    want = to_float(torch.from_numpy(np.array(small)).permute(2, 0, 1)[None].contiguous())
    torch.testing.assert_close(load_extractor("emoji-cnn").prepared(x), want, atol=1.5 / 127.5, rtol=0)
    want = to_float(torch.from_numpy(np.array(picture.convert("L").resize((28, 28), Image.Resampling.BILINEAR))))
    torch.testing.assert_close(load_extractor("mnist-cnn").prepared(x)[0, 0], want, atol=2 / 127.5, rtol=0)


# what they know


@pytest.mark.skipif(not (REAL / "mnist").is_dir(), reason="needs $GANZOO_DATA with mnist and fashion_mnist")
@pytest.mark.parametrize(
    ("name", "data", "least"), [("mnist-cnn", "mnist", 0.99), ("fashion-cnn", "fashion_mnist", 0.91)]
)
def test_accuracy_on_unseen_pictures(name: str, data: str, least: float) -> None:
    source = open_dataset(f"{data}:test", datasets=NAMES)
    net, batch = load_extractor(name), source.fetch(range(1000))
    right = (net.logits(net.prepared(batch["x"])).argmax(1) == batch["label"]).float().mean()
    assert right >= least and net.classes == source.info.class_names


@pytest.mark.skipif(not (REAL / "emoji64").is_dir(), reason="needs $GANZOO_DATA with emoji64")
def test_accuracy_on_emoji_that_were_held_out() -> None:
    net, source = load_extractor("emoji-cnn"), open_dataset("emoji:all", datasets=NAMES)
    assert isinstance(net, Classifier) and isinstance(source, Emoji) and net.classes == source.info.class_names
    at = source.held_out.nonzero()[:, 0].tolist()
    batch = source.fetch(at)
    scores = net.scores(net.features(net.prepared(batch["x"])))
    style = torch.tensor([PLANS["emoji-cnn"].heads["style"].index(source.styles[i]) for i in at])
    assert (scores["style"].argmax(1) == style).float().mean() > 0.78
    assert (scores["group"].argmax(1) == batch["label"]).float().mean() > 0.7


def test_digits_are_read_too() -> None:
    """Embedded, and never seen: other hands, 8x8 pixels, another framing."""
    source = open_dataset("digits", datasets=NAMES)
    net, batch = load_extractor("mnist-cnn"), source.fetch(range(len(source)))
    assert (net.logits(net.prepared(batch["x"])).argmax(1) == batch["label"]).float().mean() > 0.9


# training


def test_pictures_are_moved_by_what_the_course_says() -> None:
    x = torch.rand(4, 3, 16, 16) * 2 - 1
    still = Course("digits", "digits", 1, 1e-3, 0, 0, 1, False, -1, 27)
    torch.testing.assert_close(moved(x, still, torch.Generator()), x)
    mirror = moved(x, still._replace(mirror=True), torch.Generator().manual_seed(0))
    flipped = [torch.allclose(a, b.flip(-1), atol=1e-5) for a, b in zip(mirror, x, strict=True)]
    assert set(flipped) == {True, False}
    white = moved(torch.ones(4, 3, 16, 16), still._replace(shift=8, background=1), torch.Generator().manual_seed(0))
    torch.testing.assert_close(white, torch.ones(4, 3, 16, 16))


def test_every_other_batch_is_coarse() -> None:
    course = Course("digits", "digits", 1, 1e-3, 0, 0, 1, False, -1, 4)
    x, rng = torch.rand(4, 1, 16, 16) * 2 - 1, torch.Generator().manual_seed(0)
    shown = [coarsened(x, course, rng) for _ in range(100)]
    coarse = [y for y in shown if y is not x]
    assert 30 < len(coarse) < 70 and {y.shape for y in coarse} == {x.shape}
    assert all(y.diff(dim=-1).abs().mean() < x.diff(dim=-1).abs().mean() for y in coarse)


def test_training_learns_and_repeats_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(training.COURSES, "mnist-cnn", Course("digits", "digits", 3, 4e-3, 5, 1, 1.1, False, -1, 27))
    learn, _ = training.parts(training.COURSES["mnist-cnn"], 28)
    exam = Part(learn.source, learn.at[:400], learn.targets)
    learn = learn._replace(at=learn.at[400:])
    net = taught("mnist-cnn", learn, seed=0)
    again = taught("mnist-cnn", learn, seed=0)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters(), strict=True))
    assert training.accuracy(net, exam)["label"] > 0.6
    x = exam.source.fetch(range(8))["x"]
    before = net.features(x)
    torch.testing.assert_close(folded(net).features(x), before, atol=1e-4, rtol=1e-4)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in net.modules())


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    source = open_dataset("digits", image_size=28, datasets=NAMES)
    part = Part(source, torch.arange(100), {"label": training.labels(source)})
    torch.manual_seed(0)
    net = Classifier("mnist-cnn").eval()
    training.write(net, part, tmp_path / "a", "how", epochs=1, seed=3)
    read = read_from(tmp_path / "a")
    x = images(net)
    torch.testing.assert_close(read.features(x), net.features(x), atol=2e-3, rtol=2e-3)
    assert json.loads((tmp_path / "a" / "config.json").read_text())["seed"] == 3


# Inception


def test_a_score_through_a_stranger_to_such_pictures_carries_a_caution() -> None:
    assert knows("mnist-cnn", "mnist:test") and knows("mnist-cnn", "digits") and knows("inception", "flowers")
    assert not knows("mnist-cnn", "flowers") and not knows("emoji-cnn", "mnist")


def test_inceptions_file_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    with pytest.raises(GanzooError) as caught:
        load_extractor("inception")
    text = str(caught.value)
    assert caught.value.exit_code == 2 and text.isprintable()
    assert f"extractors/{inception.FILE.name}" in text and str(tmp_path) in text and "checkpoints" in text
    assert "--extractor emoji-cnn" in text


@pytest.mark.parametrize("place", ["extractors", "."])
def test_another_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path))
    (tmp_path / place).mkdir(exist_ok=True)
    path = tmp_path / place / inception.FILE.name
    path.write_bytes(b"something else")
    with pytest.raises(IntegrityError, match="not 6726825d") as caught:
        load_extractor("inception")
    assert caught.value.exit_code == 5 and inception.FILE.name in str(caught.value)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch ran",)


def put(content: object, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of weights, with the hash that is asked for set to its own."""
    monkeypatch.setenv("GANZOO_DATA", str(root))
    path = root / "extractors" / inception.FILE.name
    path.parent.mkdir()
    torch.save(content, path)
    monkeypatch.setattr(inception, "FILE", replace(inception.FILE, sha256=sha256(path.read_bytes()).hexdigest()[:8]))


@pytest.mark.parametrize("content", [Evil(), {}, {"a": torch.zeros(1)}, 3])
def test_a_file_with_the_right_hash_and_other_contents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: object
) -> None:
    put(content, tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GanzooError, match="does not hold Inception's weights") as caught:
        load_extractor("inception")
    assert caught.value.exit_code == 2 and not (tmp_path / "ran").exists()
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


@pytest.mark.slow
def test_inception_is_that_of_torch_fidelity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With random weights in the published form, as the published ones are not here."""
    from torch_fidelity import feature_extractor_inceptionv3 as theirs

    torch.manual_seed(0)
    with monkeypatch.context() as patch:
        patch.setattr(theirs, "load_state_dict_from_url", lambda *a, **k: {})
        patch.setattr(theirs.FeatureExtractorInceptionV3, "load_state_dict", lambda *a, **k: None)
        want = theirs.FeatureExtractorInceptionV3("inception", ["2048", "logits_unbiased"])
    put(want.state_dict(), tmp_path, monkeypatch)
    net = load_extractor("inception")
    levels = torch.randint(0, 256, (2, 3, 40, 30), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    features, logits = net(net.prepared(to_float(levels)))
    assert (net.dim, len(net.classes)) == (features.shape[1], logits.shape[1]) == (2048, 1008)
    wanted = want(levels)
    assert torch.equal(features, wanted[0]) and torch.equal(logits, wanted[1]) and features.std() > 0
    gray = to_float(levels[:, :1])
    assert torch.equal(net.features(net.prepared(gray)), want(levels[:, :1].expand(-1, 3, -1, -1))[0])
    channels = [tuple(m.shape[:2]) for m in net.maps(net.prepared(gray))]
    assert channels == [(2, 64), (2, 192), (2, 768), (2, 2048)]
    assert net.local(to_float(levels)).shape == (2, 192, 6, 3)  # in its own size: halved twice, four borders lost
    large = torch.randint(0, 256, (1, 3, 299, 299), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    seen: list[torch.Tensor] = []
    want.Conv2d_4a_3x3.register_forward_hook(lambda layer, x, y: seen.append(y))
    want(large)  # at 299 px theirs resizes nothing
    torch.testing.assert_close(net.local(to_float(large)), seen[0])
    assert net.sha256.startswith(inception.FILE.sha256) and not any(w.requires_grad for w in net.parameters())


def test_levels_survive_the_way_through_floats() -> None:
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(inception.to_bytes(to_float(levels)), levels)
    assert inception.to_bytes(torch.tensor([-2.0, 2.0, 0.0])).tolist() == [0, 255, 128]


def test_the_plugin_itself_stays_light() -> None:
    code = "import sys, ganzoo_metrics.plugin; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

"""Scores carry their protocol, come out the same every time, and can be measured again from what was published."""

from __future__ import annotations

import json

import pytest
import torch
from processes import ganzoo

import ganzoo_core as gz
from ganzoo_core import imaging
from ganzoo_core.data import DATASETS, DatasetInfo, Tensors, open_dataset
from ganzoo_core.errors import GanzooError, UnknownNameError
from ganzoo_core.metrics import EvalConfig, EvalContext, evaluate, remeasure
from ganzoo_core.metrics.context import write_cache
from ganzoo_core.metrics.published import Remeasured
from ganzoo_core.metrics.scores import publish
from ganzoo_core.models import card
from ganzoo_core.nn import Category, Generator, Image, Images, Label, Latent, Points


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A GAN that looked at digits for a moment."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    objective = gz.create("gan", preset="tiny")
    gz.fit(objective, "digits", images=64, batch_size=16, out=folder, device="cpu", precision="fp32")
    return folder


class Dots(Generator):
    """z -> a point."""

    output = Points((2,))
    inputs = {"z": Latent((2,))}

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))

    def forward(self, z):
        return self.scale * z


class Labelled(Dots):
    inputs = {"z": Latent((2,)), "label": Label(3), "c": Category(4)}

    def forward(self, z, label, c):
        return self.scale * torch.stack([label.float(), c.float()], 1) + 0 * z


class Translating(Dots):
    inputs = {"a": Image((1, 4, 4))}
    output = Images((1, 4, 4))

    def forward(self, a):
        return -self.scale * a


class Held:
    """As much of a model as a metric looks at."""

    def __init__(self, generator):
        self.generator = generator

    def network(self, name):
        return self.generator

    def __repr__(self):
        return "Held"


def context(generator, source=None, n=1300, seed=0, cache=None):
    source = source or open_dataset("ring", datasets={d.name: d for d in DATASETS})
    return EvalContext(Held(generator), source, EvalConfig("ring", n=n), seed, lambda *_: None, cache)


def test_samples_come_in_blocks_the_same_every_time_and_no_two_alike():
    blocks = [batch["x"] for batch in context(Dots()).generated()]
    assert [len(block) for block in blocks] == [512, 512, 276]
    again = torch.cat([batch["x"] for batch in context(Dots()).generated()])
    assert torch.equal(torch.cat(blocks), again)
    assert len(again.unique(dim=0)) == 1300
    fewer = torch.cat([batch["x"] for batch in context(Dots()).generated(100)])
    assert torch.equal(fewer, again[:100])
    other = torch.cat([batch["x"] for batch in context(Dots(), seed=1).generated()])
    assert not torch.equal(other, again)


def test_labels_and_categories_are_cycled_evenly():
    batches = list(context(Labelled(), n=1200).generated())
    labels, codes = (torch.cat([batch[k] for batch in batches]) for k in ("label", "c"))
    assert labels.bincount().tolist() == [400, 400, 400] and codes.bincount().tolist() == [300] * 4
    x = torch.cat([batch["x"] for batch in batches])
    assert torch.equal(x, torch.stack([labels.float(), codes.float()], 1))


def test_labels_come_as_often_as_in_the_data_however_many_samples_there_are():
    labels = torch.tensor([0] * 60 + [1] * 30 + [2] * 10)
    x = torch.zeros(100, 1, 4, 4, dtype=torch.uint8)
    info = DatasetInfo("uneven", frozenset({"x", "label"}), 4, 1, 3, (), "", "e" * 64)
    uneven = Tensors(info, {"x": x}, {"label": labels[torch.randperm(100)]})
    for n in (50, 100, 1000):
        found = torch.cat([batch["label"] for batch in context(Labelled(), uneven, n).generated()])
        shares = found.bincount(minlength=3) / n
        assert (shares - torch.tensor([0.6, 0.3, 0.1])).abs().max() <= 1 / n**0.5 / 2
        assert found[: n // 2].bincount(minlength=3).min() > 0  # and mixed


def paired():
    a, b = torch.randint(256, (2, 30, 1, 4, 4), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    return Tensors(DatasetInfo("pairs", frozenset("ab"), 4, 1, None, (), "", "f" * 64), {"a": a, "b": b}, {})


def test_what_is_neither_drawn_nor_cycled_comes_from_the_data_with_its_target():
    source = paired()
    (batch,) = context(Translating(), source, n=30).generated()
    real = source.fetch(range(30))
    assert torch.equal(batch["x"], -real["a"]) and torch.equal(batch["target"], real["b"])


def test_data_without_the_input_are_refused():
    with pytest.raises(GanzooError, match="ring: has no a, which Held needs"):
        list(context(Translating()).generated())


def test_statistics_of_data_are_made_once_and_anew_when_damaged(tmp_path):
    made = []

    def make():
        made.append(1)
        return {"mean": torch.arange(3.0)}

    first = context(Dots(), cache=tmp_path).disk_cached("k", make)
    again = context(Dots(), cache=tmp_path).disk_cached("k", make)
    assert len(made) == 1 and torch.equal(first["mean"], again["mean"])
    (path,) = tmp_path.iterdir()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1  # a bit of the last number: safetensors would read it
    path.write_bytes(data)
    assert torch.equal(context(Dots(), cache=tmp_path).disk_cached("k", make)["mean"], first["mean"])
    assert len(made) == 2
    context(Dots(), cache=tmp_path).disk_cached("another extractor", make)
    assert len(made) == 3


def test_a_cache_that_cannot_be_written_is_none(tmp_path):
    (tmp_path / "file").touch()
    kept = context(Dots(), cache=tmp_path / "file").disk_cached("k", lambda: {"n": torch.ones(1)})
    assert kept["n"] == 1
    folder = tmp_path / "full"
    folder.mkdir()
    longest = "k" * 255  # the folder is there, and a file in it cannot be written: no name may be that long
    write_cache(folder / longest, b"")
    assert not list(folder.iterdir())


def test_metrics_that_share_a_pass_go_through_the_samples_once():
    counted = context(Dots())
    assert counted.cached(counting) is counted.cached(counting)


class Scaled(Dots):
    def sample(self, n, *, seed, scale: float = 1.0, **inputs):
        return scale * super().sample(n, seed=seed, **inputs)


def test_options_of_sampling_reach_it_and_those_that_choose_what_is_measured_do_not():
    def asked(**options):
        source = open_dataset("ring", datasets={d.name: d for d in DATASETS})
        question = EvalConfig("ring", n=8, options=tuple(options.items()))
        return EvalContext(Held(Scaled()), source, question, 0, lambda *_: None, None)

    (batch,) = asked(scale="0").generated()
    assert batch["x"].abs().max() == 0
    with pytest.raises(UnknownNameError, match="unknown sampling option 'scales'"):
        asked(scales="0")


@pytest.fixture(scope="module")
def styled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("styled")
    objective = gz.create("stylegan2", preset="tiny")
    gz.fit(objective, "digits", images=16, batch_size=8, precision="fp32", out=folder / "run")
    return gz.load(folder / "run").save(folder / "model", id="stylegan2.tiny", licence="CC0-1.0")


def test_options_of_sampling_are_part_of_the_protocol(styled):
    done = ganzoo("eval", styled, "--metric", "nearest", "-n", "16", "-c", "truncation=0.5", "--publish", "--json")
    (row,) = json.loads(done.stdout)["metrics"]
    assert row["protocol"]["options"] == {"truncation": "0.5"}
    done = ganzoo("eval", styled, "--metric", "nearest", "-n", "16", "--publish", "--json")
    (escape,) = json.loads(done.stdout)["metrics"]
    assert escape["value"] != row["value"] and "options" not in escape["protocol"]
    assert [r.equal for r in remeasure(gz.load(styled))] == [True, True]
    assert "-c truncation=0.5" in card.command("stylegan2.tiny", row)
    done = ganzoo(
        "eval", styled, "--metric", "nearest", "-n", "16", "-c", "mix_rows=1", "-c", "mix_cols=2", "-c", "mix_layers=0"
    )
    assert done.returncode == 2 and "sheets cannot be measured" in done.stderr


def counting(which: EvalContext):
    return object()


@pytest.fixture(scope="module")
def measured(run, tmp_path_factory):
    model = gz.load(run)
    question = EvalConfig("digits", ("nearest",), n=40, seeds=(0, 1))
    return model, question, evaluate(model, question)


def test_a_score_says_how_it_was_measured(measured):
    _, _, scores = measured
    assert [s.name for s in scores] == ["nearest"]
    protocol = scores[0].protocol
    assert protocol["data"] == "digits" and protocol["split"] == "all" and protocol["n_real"] == 1797
    assert protocol["n"] == 40 and protocol["seed"] == [0, 1]
    assert set(protocol["versions"]) == {"ganzoo-core", "ganzoo-metrics", "torch"}
    assert len(protocol["data_sha256"]) == 64


def test_several_seeds_give_their_mean_and_spread(measured):
    model, _, (both,) = measured
    each = [evaluate(model, EvalConfig("digits", ("nearest",), 40, (seed,)))[0] for seed in (0, 1)]
    assert each[0].spread is None and each[0].value != each[1].value
    assert both.value == pytest.approx((each[0].value + each[1].value) / 2)
    assert both.spread == pytest.approx(abs(each[0].value - each[1].value) / 2**0.5)


def test_the_same_question_gives_the_same_digits(measured):
    model, question, scores = measured
    assert evaluate(model, question) == scores


def test_what_is_published_is_measured_again_and_a_wrong_number_found(measured, tmp_path):
    model, _, scores = measured
    folder = model.save(tmp_path / "model")
    with pytest.raises(GanzooError, match="no published metrics"):
        remeasure(gz.load(folder))
    path = publish(folder, scores)
    assert gz.load(folder).info.metrics[0]["name"] == "nearest"
    assert [r.equal for r in remeasure(gz.load(folder))] == [True]
    document = json.loads(path.read_text())
    document["metrics"][0]["value"] *= 1.002
    path.write_text(json.dumps(document))
    assert [r.equal for r in remeasure(gz.load(folder))] == [False]


def verdict(published, found, counted=0):
    return Remeasured("score", published, found, counted).verdict


def test_a_score_from_another_processor_is_equal_within_what_roundings_do():
    assert verdict(0.4929, 0.4929, 10_000) == "equal"
    assert verdict(0.4929, 0.4930, 10_000) == "equal within 1 of 10,000"
    assert verdict(0.4929, 0.4934, 10_000) == "equal within 5 of 10,000"
    assert verdict(0.4929, 0.4935, 10_000) == "differs"
    assert verdict(0.50, 0.55, 20) == "equal within 1 of 20" and verdict(0.50, 0.60, 20) == "differs"
    assert verdict(2.9623, 2.9649) == "equal within 1 in 1,000" and verdict(2.9623, 2.9659) == "differs"
    old = Remeasured("score", 2.9623, 3.1, stream="")
    assert old.verdict == "measured with another stream" and old.equal


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"seed": None}, "expected numbers"), ({"n": "many"}, "expected int"), ({"n": 10**9}, "out of range"),
        ({"seed": []}, "expected numbers"), ({"seed": [-1]}, "out of range"), ({"metric": "fit"}, "unknown metric"),
        ({"data": "/etc/passwd"}, "no data set of the zoo"), ({"data": "../digits"}, "no data set of the zoo"),
        ({"data": "masked:/etc"}, "no data set of the zoo"), ({"data": 3}, "expected str"), ({"n": 0}, "out of range"),
    ],
)  # fmt: skip
def test_a_protocol_that_cannot_be_followed_is_said_in_one_line(measured, tmp_path, wrong, says):
    model, _, scores = measured
    folder = model.save(tmp_path / "model")
    path = publish(folder, scores)
    document = json.loads(path.read_text())
    document["metrics"][0]["protocol"] |= wrong
    path.write_text(json.dumps(document))
    with pytest.raises(GanzooError, match=says) as fault:
        remeasure(gz.load(folder), tmp_path)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("missing", ["seed", "n", "data", "data_sha256", "metric"])
def test_a_protocol_that_lacks_what_it_needs_is_said_in_one_line(measured, tmp_path, missing):
    model, _, scores = measured
    folder = model.save(tmp_path / "model")
    path = publish(folder, scores)
    document = json.loads(path.read_text())
    del document["metrics"][0]["protocol"][missing]
    path.write_text(json.dumps(document))
    with pytest.raises(GanzooError, match=f"has no {missing}"):
        remeasure(gz.load(folder), tmp_path)


def test_publishing_replaces_what_has_the_same_name_on_the_same_data(measured, tmp_path):
    model, _, scores = measured
    folder = model.save(tmp_path / "model")
    publish(folder, scores)
    publish(folder, scores)
    assert len(json.loads((folder / "metrics.json").read_text())["metrics"]) == 1


def test_other_data_under_the_same_name_are_refused(measured, tmp_path):
    model, _, scores = measured
    folder = model.save(tmp_path / "model")
    path = publish(folder, scores)
    document = json.loads(path.read_text())
    document["metrics"][0]["protocol"]["data_sha256"] = "0" * 64
    path.write_text(json.dumps(document))
    with pytest.raises(GanzooError, match="digits: other data than nearest was measured on"):
        remeasure(gz.load(folder))


def test_unknown_metrics_are_refused_with_a_suggestion(run):
    with pytest.raises(UnknownNameError, match=r"unknown metric 'neerest'\. Did you mean nearest"):
        evaluate(gz.load(run), EvalConfig("digits", ("neerest",)))


def test_the_command_prints_the_same_document_twice(run):
    command = ("eval", run, "--data", "digits", "--metric", "nearest", "-n", 20, "--seed", 3, "--json")
    first, second = ganzoo(*command), ganzoo(*command)
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    document = json.loads(first.stdout)
    assert document["schema"] == 1
    (row,) = document["metrics"]
    assert row["name"] == "nearest" and row["value"] > 0 and row["protocol"]["seed"] == 3


def test_the_command_shows_the_protocol_beside_the_value(run):
    done = ganzoo("eval", run, "--metric", "nearest", "-n", 20)
    assert done.returncode == 0, done.stderr
    assert "nearest" in done.stdout and "data_sha256" in done.stdout and "digits" in done.stdout


def test_verify_measures_published_scores_again(measured, tmp_path):
    model, _, scores = measured
    folder = model.save(tmp_path / "model")
    path = publish(folder, scores)
    done = ganzoo("verify", folder, "--metrics", "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["models"][0]["metrics"]
    assert row["equal"] and row["published"] == row["found"]
    path.write_text(path.read_text().replace(f'"value": {scores[0].value}', f'"value": {scores[0].value + 1}'))
    done = ganzoo("verify", folder, "--metrics")
    assert done.returncode == 5 and "differs" in done.stdout and "nearest" in done.stderr


def test_a_metric_that_does_not_suit_is_refused_in_one_line(run):
    done = ganzoo("eval", run, "--metric", "label_accuracy", "-n", 200, "--data", "ring")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("ganzoo: error: ")


def test_a_folder_is_measured_beside_a_folder(tmp_path):
    """Which a model is not asked for: the same pictures are at no distance, others at some."""
    digits = open_dataset("digits", image_size=28, datasets={d.name: d for d in DATASETS})
    for name, which in (("a", range(40)), ("same", range(40)), ("b", range(100, 160))):
        (tmp_path / name).mkdir()
        for i, x in enumerate(digits.fetch(which)["x"]):
            imaging.save(imaging.grid(x[None], 1), tmp_path / name / f"{i}.png")
    ask = ("--metric", "fid", "--extractor", "mnist-cnn", "--json")
    values = {}
    for other in ("same", "b"):
        done = ganzoo("eval", tmp_path / "a", "--data", tmp_path / other, *ask)
        assert done.returncode == 0, done.stderr
        (row,) = json.loads(done.stdout)["metrics"]
        values[other] = row["value"]
        assert row["protocol"]["samples"] == "a" and row["protocol"]["n"] == 40
        assert row["protocol"]["data"] == other  # a name, no path of this machine
    assert abs(values["same"]) < 0.01 < values["b"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ((), "--data FOLDER"),
        (("--data", "digits", "--publish"), "no metrics.json"),
        (("--data", "digits", "--metric", "ppl", "--extractor", "mnist-cnn"), "no path"),
        (("--data", "digits", "--net", "G"), "no networks"),
    ],
)
def test_what_only_a_model_can_be_asked_is_refused_of_pictures(tmp_path, more, says):
    imaging.save(imaging.grid(torch.zeros(1, 1, 16, 16), 1), tmp_path / "one.png")
    done = ganzoo("eval", tmp_path, *more)
    assert done.returncode == 2 and says in done.stderr.splitlines()[-1] and "Traceback" not in done.stderr


def test_a_part_of_a_data_set_is_measured_beside_another():
    done = ganzoo("eval", "digits", "--data", "digits", "--metric", "nearest", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["metrics"][0]["value"] < 0.5

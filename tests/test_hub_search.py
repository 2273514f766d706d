"""Models found on the Hub, and the cards that they are found by."""

import errno
import json
import re
import shutil

import pytest
from hubs import MODEL, apart, refused
from huggingface_hub import ModelCard

import ganzoo_core as gz
from ganzoo_core.errors import ExternalError
from ganzoo_core.hub import client
from ganzoo_core.models import card
from ganzoo_core.weights.config import read_config
from ganzoo_core.weights.licenses import HUB, hub_licence, spdx

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")  # the client's own, of its httpx
PROTOCOL = {
    "metric": "fid", "data": "mnist", "split": "test", "n": 10000, "n_real": 10000, "seed": 0,
    "extractor": "mnist-cnn", "extractor_sha256": "ab" * 32, "versions": {"torch": "2.15"},
}  # fmt: skip
METRICS = [
    {"name": "fid[mnist-cnn]", "value": 3.25, "protocol": PROTOCOL},
    {"name": "kid[mnist-cnn]", "value": 0.0015, "protocol": {**PROTOCOL, "metric": "kid"}},
]


@pytest.fixture
def folder(tmp_path):
    made = shutil.copytree(MODEL, tmp_path / "mine")
    (made / "metrics.json").write_text(json.dumps({"metrics": METRICS}))
    return made


def test_search_finds_our_models_with_what_one_wants_to_know(hub, ganzoo, folder):
    assert ganzoo("push", folder, "me/digits-gan", "--license", "mit").status == 0
    hub.repos["me/digits-gan"].downloads = 7
    hub.commit("you/digits-diffusion", {"README.md": b"---\nlibrary_name: diffusers\n---\n"})
    hub.create("me/hidden", private=True)
    (model,) = json.loads(ganzoo("search", "--hub", "digits", "--json").out)["models"]
    commit = hub.repos["me/digits-gan"].refs["main"]
    assert model == {
        "source": f"hf:me/digits-gan@{commit}", "id": "wgan_gp.mnist", "family": "wgan_gp", "task": "unconditional",
        "dataset": "mnist", "licence": "MIT", "dataset_licence": "CC-BY-SA-3.0", "bytes": 256626, "downloads": 7,
        "plugin": "ganzoo-wgan", "installed": True, "install": "",
    }  # fmt: skip
    done = ganzoo("search", "--hub", "digits")
    assert f"hf:me/digits-gan@{commit}" in done.out and "mnist" in done.out and "MIT" in done.out
    assert not json.loads(ganzoo("search", "--hub", "nothing", "--json").out)["models"]


def test_list_models_of_the_hub(hub, ganzoo, folder):
    for name in ("a", "b", "c"):
        assert ganzoo("push", folder, f"me/{name}", "--license", "mit").status == 0
    assert [m.source.partition("@")[0] for m in gz.list_models(hub=True)] == ["hf:me/a", "hf:me/b", "hf:me/c"]
    assert len(gz.list_models("wgan*", family="wgan_gp", dataset="mnist", licence="MIT", hub=True)) == 3
    assert not gz.list_models("dcgan*", hub=True) and not gz.list_models(licence="Apache-2.0", hub=True)
    assert gz.load(gz.list_models(hub=True)[1].source).config["id"] == "wgan_gp.mnist"


def test_a_model_whose_plugin_is_missing_says_how_to_get_it(hub, ganzoo):
    card = "---\ntags: [ganzoo]\nganzoo: {family: %s, plugin: ganzoo-x, id: a.b}\n---\n"
    hub.commit("you/strange", {"README.md": (card % "stranger").encode()})
    done = ganzoo("search", "--hub", "strange")
    assert "ganzoo install --yes ganzoo-x" in done.err and "a stranger's code" in done.err
    (model,) = json.loads(ganzoo("search", "--hub", "strange", "--json").out)["models"]
    assert not model["installed"]


@pytest.mark.parametrize(
    "said", ["[1, 2]", "3", "{family: [1], bytes: many, id: {a: b}}", '{family: "\\e[31mred", plugin: "\\x07"}', "null"]
)
def test_what_strangers_write_into_their_cards_harms_nobody(hub, ganzoo, said):
    hub.commit("you/odd", {"README.md": f"---\ntags: [ganzoo]\nganzoo: {said}\n---\n".encode()})
    done = ganzoo("search", "--hub", "odd")
    assert done.status == 0 and "hf:you/odd" in done.out and "\x1b" not in done.out + done.err


def test_faults_of_the_search_are_one_line(hub, ganzoo, monkeypatch):
    hub.misbehave(403, "/api/models")
    refused(ganzoo("search", "--hub", "x"), 3, "not allowed")
    hub.misbehave("slow", "/api/models", seconds=9)
    monkeypatch.setenv("GANZOO_HUB_TIMEOUT", "1")
    refused(apart("search", "--hub", "x"), 3, "did not finish within 1 s")
    monkeypatch.delenv("GANZOO_HUB_TIMEOUT")
    hub.misbehave("html", "/api/models")
    refused(ganzoo("search", "--hub", "x"), 3, "does not answer like a Hub")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    refused(ganzoo("search", "--hub", "x"), 3, "HF_HUB_OFFLINE")


def test_the_search_without_the_hub_asks_nobody(hub, ganzoo):
    assert ganzoo("search", "wasserstein").status == 0 and hub.requests == []


def pushed_card(hub, ganzoo, folder):
    assert ganzoo("push", folder, "me/model", "--license", "mit").status == 0
    repo = hub.repos["me/model"]
    return repo.trees[repo.refs["main"]]["README.md"].decode()


def test_the_card_says_first_what_one_wants_first(hub, ganzoo, folder):
    text = pushed_card(hub, ganzoo, folder)
    order = [
        "![64 samples of", 'gz.load("hf:me/model")', "## Training", "`mnist`", "ganzoo train wgan_gp --data mnist",
        "## Metrics", "| fid\\[mnist-cnn\\] | 3.25 |", "ganzoo eval hf:me/model --data mnist --metric fid -n 10000",
        "## Licence", "MIT", "CC-BY-SA-3.0", "## Intended use and limits", "ganzoo verify",
    ]  # fmt: skip
    places = [text.index(word) for word in order[:1]]
    for word in order[1:]:
        places.append(text.index(word, places[-1]))
    assert places == sorted(places)
    code = re.search(r"```python\n(.*?)```", text, re.S)[1]
    assert len(code.split()) < 20
    exec(code, made := {})
    assert made["samples"].shape == (16, 1, 32, 32)


def test_the_metadata_is_what_the_hub_lists_by(hub, ganzoo, folder):
    data = ModelCard(pushed_card(hub, ganzoo, folder)).data
    assert (data.library_name, data.license, data.pipeline_tag) == ("ganzoo", "mit", "unconditional-image-generation")
    assert data.datasets == ["ylecun/mnist"] and data.metrics == ["fid", "kid"]
    assert {"ganzoo", "gan", "wgan_gp", "arxiv:1704.00028"} <= set(data.tags)
    result = data.eval_results[0]
    assert (result.metric_type, result.metric_name, result.metric_value) == ("fid", "fid[mnist-cnn]", 3.25)
    assert result.metric_args["extractor"] == "mnist-cnn" and result.dataset_type == "ylecun/mnist"
    assert data.to_dict()["model-index"][0]["name"] == "wgan_gp.mnist"


def test_the_same_model_has_the_same_card(folder):
    subject = card.CardData(read_config(folder), METRICS, "hf:me/model", True)
    assert card.card(subject) == card.card(subject)
    assert not re.search(r"20[0-9][0-9]-[01][0-9]", card.card(subject))


def test_a_card_without_metrics_and_samples_says_how_to_measure():
    text = card.card(card.CardData(read_config(MODEL), [], "hf:me/model", False))
    assert "None has been measured yet" in text and "samples.png)" not in text and "model-index" not in text


def test_a_card_of_what_can_be_heard_has_a_player_and_a_link():
    """Where a player is taken out of a page, the link is left."""
    silent, heard = (
        card.card(card.CardData(read_config(MODEL), [], "hf:me/model", True, told)) for told in (False, True)
    )
    assert "samples.wav" not in silent
    assert '<audio controls preload="none" src="samples.wav"></audio> [Hear the first of them](samples.wav)' in heard


def test_a_card_of_a_conditional_model_says_which_class():
    """What must be said when it is sampled is said in the lines that one copies."""
    config = read_config(MODEL)
    config["inputs"]["label"] = {"kind": "label", "shape": [], "range": [0, 9], "default": None, "names": []}
    text = card.card(card.CardData(config, [], "hf:me/model", True))
    assert "model.sample(16, seed=0, label=0)" in text and "--label 0 -o samples.png" in text
    config["inputs"]["label"]["default"] = 3
    assert "model.sample(16, seed=0)" in card.card(card.CardData(config, [], "hf:me/model", True))


def test_strangers_words_stay_words():
    """A data set's name and a command out of a config cannot break out of the card."""
    config = read_config(MODEL)
    config["dataset"] = {"name": "a`|\n# Big\n<script>", "licence": "x](http://evil)\x1b["}
    config["training"]["command"] = "train\n```\n# Broken out"
    config["id"] = "wgan_gp.<img>"
    text = card.card(card.CardData(config, [], "hf:me/model", True))
    page = text.split("\n---\n", 1)[1]
    assert "\n# Big" not in text and "<script>" not in re.sub("`[^`\n]*`", "", page)
    assert "\n# Broken out" not in text and "\x1b" not in text and "](http://evil" not in page.replace("\\]", "")
    assert text.count("```") % 2 == 0


def test_licences_and_their_words_on_the_hub():
    assert spdx("apache-2.0 and cc-by-4.0") == "Apache-2.0 AND CC-BY-4.0"
    assert spdx("LicenseRef-mine") == "LicenseRef-mine"
    assert hub_licence("MIT") == {"license": "mit"}
    assert hub_licence("LicenseRef-Mine") == {"license": "other", "license_name": "licenseref-mine"}
    assert hub_licence("Apache-2.0 AND CC-BY-4.0")["license_name"] == "apache-2.0-and-cc-by-4.0"
    assert all(spdx(name.upper()) == name for name in HUB)


def test_a_connection_that_was_closed_under_a_call_is_asked_again_once():
    """An abandoned call's thread may close the client's connections while another one reads."""
    calls = []

    def work(failures):
        calls.append(1)
        if len(calls) <= failures:
            try:
                raise OSError(errno.EBADF, "Bad file descriptor")
            except OSError as fault:
                raise RuntimeError("while reading") from fault
        return "answer"

    assert client.within(lambda: work(1), client.Subject("me/model")) == "answer" and len(calls) == 2
    calls.clear()
    with pytest.raises(ExternalError):
        client.within(lambda: work(5), client.Subject("me/model"))
    assert len(calls) == 2
    calls.clear()
    with pytest.raises(ExternalError, match="me/model: cannot reach"):  # a commit may have been made
        client.once(lambda: work(1), client.Subject("me/model"))
    assert len(calls) == 1

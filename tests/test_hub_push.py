"""Models onto the Hub: one commit, looked at again, never over what somebody else has put there."""

import json
import re
import shutil

import distributions
import pytest
import torch
from hubs import MODEL, apart, published, refused, snapshot
from pictures import same_picture

import ganzoo_core as gz
from ganzoo_core.errors import ExternalError, GanzooError
from ganzoo_core.models.model import Model
from ganzoo_core.testing.hub import READER, WRITER

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")  # the client's own, of its httpx
COMPLETE = {"config.json", "model.safetensors", "README.md", "samples.png", "metrics.json"}
PUSH = ("push", MODEL, "me/model", "--license", "mit")


@pytest.fixture
def folder(tmp_path):
    """A model directory of one's own."""
    return shutil.copytree(MODEL, tmp_path / "mine")


def head(hub, name="me/model", branch="main"):
    repo = hub.repos[name]
    return repo.trees[repo.refs[branch]]


def test_push_makes_the_repository_and_prints_what_brings_the_bytes_back(hub, ganzoo):
    done = ganzoo(*PUSH)
    assert done.status == 0, done.err
    commit = hub.repos["me/model"].refs["main"]
    assert done.out == f"hf:me/model@{commit}\n"
    assert set(head(hub)) == COMPLETE | {".gitattributes"}
    assert head(hub)["model.safetensors"] == (MODEL / "model.safetensors").read_bytes()
    assert json.loads(head(hub)["config.json"])["licence"] == "MIT"
    assert len(hub.repos["me/model"].trees) == 2  # one commit on top of the first
    assert gz.load(f"hf:me/model@{commit}").config["licence"] == "MIT"


def test_the_same_bytes_again_are_no_commit(hub, ganzoo):
    first = ganzoo(*PUSH)
    hub.requests.clear()
    again = ganzoo(*PUSH)
    assert again.status == 0 and again.out == first.out and "nothing was pushed" in again.err
    assert not hub.paths("P")


def test_pushed_pulled_exported_and_pushed_again_is_the_same_to_the_last_bit(hub, ganzoo, tmp_path):
    assert ganzoo(*PUSH).status == 0
    first = dict(head(hub))
    shutil.rmtree(tmp_path / "home")  # the cache of somebody else
    assert ganzoo("pull", "hf:me/model").status == 0
    assert ganzoo("export", "hf:me/model", tmp_path / "out").out == f"{tmp_path / 'out'}\n"
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {n: first[n] for n in COMPLETE}
    again = ganzoo("push", tmp_path / "out", "me/model", "--license", "mit")
    assert again.status == 0 and "nothing was pushed" in again.err
    assert ganzoo("push", tmp_path / "out", "me/other", "--license", "mit").status == 0
    assert {k: v for k, v in head(hub, "me/other").items() if k != "README.md"} == {
        k: v for k, v in first.items() if k != "README.md"
    }


def test_python_pushes_too(hub):
    source = gz.load(MODEL).push("me/model", license="mit", private=True)
    assert re.fullmatch(r"hf:me/model@[0-9a-f]{40}", source) and hub.repos["me/model"].private
    assert gz.load(source).config["licence"] == "MIT"


def test_an_id_a_run_and_a_repository_are_sources(hub, ganzoo, tmp_path):
    assert ganzoo("push", "dcgan.mnist", "me/a", "--license", "apache-2.0").status == 0
    assert ganzoo("push", "hf:me/a", "me/b", "--license", "apache-2.0").status == 0
    (tmp_path / "run").mkdir()
    shutil.copytree(MODEL, tmp_path / "run" / "model")
    assert ganzoo("push", tmp_path / "run", "me/c", "--license", "apache-2.0").status == 0
    assert head(hub, "me/a")["config.json"] == head(hub, "me/b")["config.json"]


def test_private_revision_and_pull_request(hub, ganzoo):
    assert ganzoo(*PUSH, "--private").status == 0
    assert hub.repos["me/model"].private
    done = ganzoo("push", "dcgan.mnist", "me/model", "--license", "mit", "--revision", "bigger")
    assert done.status == 2  # the branch starts at main, which holds ours, but nobody here has seen the branch
    done = ganzoo(
        *PUSH[:1], "dcgan.mnist", *PUSH[2:], "--revision", "big", "--parent", hub.repos["me/model"].refs["main"]
    )
    assert done.status == 0, done.err
    assert json.loads(head(hub, branch="big")["config.json"])["id"] == "dcgan.mnist"
    assert json.loads(head(hub)["config.json"])["id"] == "wgan_gp.mnist"


def test_a_pull_request_leaves_the_branch_as_it_is(hub, ganzoo):
    commit = published(hub)
    done = ganzoo(*PUSH, "--create-pr")
    assert done.status == 0, done.err
    assert "/me/model/discussions/" in done.err and hub.repos["me/model"].refs["main"] == commit
    assert ganzoo("verify", done.out.strip()).status == 0
    refused(ganzoo("push", MODEL, "me/nothing", "--license", "mit", "--create-pr"), 2, "no such repository")


def test_dry_run_asks_the_hub_nothing(hub, ganzoo, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    done = ganzoo(*PUSH, "--dry-run", "--json")
    assert done.status == 0 and hub.requests == []
    assert set(json.loads(done.out)["files"]) == COMPLETE and "would push model.safetensors" in done.err


def test_somebody_elses_model_is_not_overwritten_unseen(hub, ganzoo):
    commit = published(hub)
    line = refused(ganzoo(*PUSH), 2, "a model that you have not seen", commit, "ganzoo pull hf:me/model")
    assert f"--parent {commit}" in line and hub.repos["me/model"].refs["main"] == commit
    assert ganzoo("pull", "hf:me/model").status == 0
    assert ganzoo(*PUSH).status == 0


def test_what_changed_since_the_last_push_is_not_overwritten_either(hub, ganzoo):
    assert ganzoo(*PUSH).status == 0
    other = hub.commit("me/model", {"README.md": b"# Somebody's words\n"})
    refused(ganzoo("push", "dcgan.mnist", "me/model", "--license", "mit"), 2, other)
    assert ganzoo("push", "dcgan.mnist", "me/model", "--license", "mit", "--parent", other).status == 0
    assert ganzoo(*PUSH).status == 0  # this machine has seen its own push


def test_a_commit_between_looking_and_pushing_is_not_overwritten(hub, ganzoo):
    hub.create("me/model")
    hub.before["/commit/"] = lambda: hub.commit("me/model", {"README.md": b"# In between\n"})
    refused(ganzoo(*PUSH), 2, "changed meanwhile", "push again")
    assert head(hub)["README.md"] == b"# In between\n"


def test_a_fresh_repository_is_filled_and_an_older_models_files_go(hub, ganzoo, folder):
    hub.create("me/model")
    (folder / "metrics.json").write_text('{"metrics": [{"name": "fid", "value": 3.0, "protocol": {"data": "mnist"}}]}')
    assert ganzoo("push", folder, "me/model", "--license", "mit").status == 0
    assert "metrics.json" in head(hub)
    (folder / "metrics.json").unlink()
    assert ganzoo("push", folder, "me/model", "--license", "mit").status == 0
    assert "metrics.json" not in head(hub) and ".gitattributes" in head(hub)


def test_other_bytes_on_the_hub_are_found_after_the_commit(hub, ganzoo, monkeypatch):
    monkeypatch.setattr(hub, "commit", lambda *given: spoil(hub, *given))
    refused(ganzoo(*PUSH), 5, "samples.png: the Hub's hash differs: expected", "found")


def spoil(hub, name, changes, branch="main"):
    changes = {k: v[:-1] + b"!" if v and k == "samples.png" else v for k, v in changes.items()}
    return type(hub).commit(hub, name, changes, branch)


FAULTS = {  # what is wrong: how, exit code, words
    "L13 no token": (lambda hub, env: env.delenv("HF_TOKEN"), 3, "no token"),
    "bad token": (lambda hub, env: env.setenv("HF_TOKEN", "hf_notATokenOfThisHub00000"), 3, "HF_TOKEN"),
    "read token": (lambda hub, env: env.setenv("HF_TOKEN", READER), 3, "write access"),
    "rate limited": (lambda hub, env: hub.misbehave(429, "/api/repos/create"), 3, "rate limited"),
    "server": (lambda hub, env: hub.misbehave(500, "/commit/", 9), 3, "in trouble (500)"),
    "no lfs": (lambda hub, env: hub.misbehave(403, "/lfs/objects/batch", 9), 3, "not allowed"),
    "card": (lambda hub, env: hub.misbehave(400, "/validate-yaml", 9, body=INVALID), 2, "refuses the model card"),
    "offline": (lambda hub, env: env.setenv("HF_HUB_OFFLINE", "1"), 3, "HF_HUB_OFFLINE"),
    "reset": (lambda hub, env: resets(hub, env), 3, "did not finish within"),
}


def resets(hub, env):
    """The client tries for minutes."""
    env.setenv("GANZOO_HUB_TIMEOUT", "1")
    env.setattr("ganzoo_core.hub.client.SLOWEST", 1 << 30)
    hub.misbehave("reset", "/preupload/", 99)


INVALID = b'{"errors": [{"message": "\\"license\\" is odd"}], "warnings": []}'


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_one_line_and_leave_no_commit(hub, monkeypatch, name):
    arrange, status, words = FAULTS[name]
    arrange(hub, monkeypatch)
    refused(apart(*PUSH), status, words)
    assert "me/model" not in hub.repos or "model.safetensors" not in head(hub)


def test_a_commit_whose_answer_is_lost_is_there_all_the_same(hub, ganzoo):
    hub.misbehave("lost", "/commit/")
    refused(ganzoo(*PUSH), 3, "in trouble (500)")
    again = ganzoo(*PUSH)
    assert again.status == 0 and "nothing was pushed" in again.err


def test_another_persons_name_is_refused(hub, ganzoo):
    refused(ganzoo("push", MODEL, "you/model", "--license", "mit"), 3, "not allowed", "must be yours")
    hub.create("you/theirs")
    refused(ganzoo("push", MODEL, "you/theirs", "--license", "mit"), 3, "not allowed")


@pytest.mark.parametrize("licence", ["", "MTI", "free", "mit or", "MIT AND", "a b c", "LicenseRef-", "x" * 300])
def test_licences_that_are_none_are_refused(hub, ganzoo, licence):
    done = ganzoo("push", MODEL, "me/model", "--license", licence)
    assert done.status == 2 and "licence" in done.err and hub.requests == []


def test_a_licence_is_required(hub, ganzoo):
    refused(ganzoo("push", MODEL, "me/model"), 2, "--license")


@pytest.mark.parametrize("repo", ["model", "me/", "../x", "me/a/b", "me/model@main", "me/mo del", "me/x.git"])
def test_names_that_are_none_are_refused(hub, ganzoo, repo):
    done = ganzoo("push", MODEL, repo, "--license", "mit")
    assert done.status == 2 and hub.requests == []


@pytest.mark.parametrize("name", [".env", "id_rsa", "server.pem", "token", "my_secrets.txt", ".netrc"])
def test_l14_a_directory_with_a_secret_is_refused(hub, ganzoo, folder, name):
    (folder / name).write_text("x")
    refused(ganzoo("push", folder, "me/model", "--license", "mit"), 2, "looks like a secret")
    assert hub.requests == []


def test_l14_secrets_in_the_files_and_links_out_of_the_directory_are_refused(hub, ganzoo, folder, tmp_path):
    (folder / "README.md").write_text(f"my token is {WRITER}\n")
    refused(ganzoo("push", folder, "me/model", "--license", "mit"), 2, "README.md: holds what looks like a token")
    (folder / "README.md").unlink()
    (folder / "samples.png").rename(tmp_path / "samples.png")
    (folder / "samples.png").symlink_to(tmp_path / "samples.png")
    refused(ganzoo("push", folder, "me/model", "--license", "mit"), 2, "is a link")
    assert hub.requests == []


def test_strangers_in_the_directory_stay_where_they_are(hub, ganzoo, folder):
    (folder / "planted.pkl").write_bytes(b"\x80\x04.")
    (folder / "notes.txt").write_text("x")
    assert ganzoo("push", folder, "me/model", "--license", "mit").status == 0
    assert set(head(hub)) == COMPLETE | {".gitattributes"}


def test_damaged_weights_are_never_pushed(hub, ganzoo, folder):
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "model.safetensors").write_bytes(data)
    refused(ganzoo("push", folder, "me/model", "--license", "mit"), 5, "sha256 differs")
    assert hub.requests == []


def test_a_card_of_ones_own_is_kept(hub, ganzoo, folder):
    own = b"---\nlicense: mit\nlibrary_name: ganzoo\n---\n# My words\n"
    (folder / "README.md").write_bytes(own)
    assert ganzoo("push", folder, "me/model", "--license", "mit").status == 0
    assert head(hub)["README.md"] == own


@pytest.mark.elsewhere
def test_samples_are_made_where_there_are_none(hub, ganzoo, folder):
    (folder / "samples.png").unlink()
    assert ganzoo("push", folder, "me/model", "--license", "apache-2.0").status == 0
    assert same_picture(head(hub)["samples.png"], (MODEL / "samples.png").read_bytes())


def test_export_of_an_id_and_refusals(hub, ganzoo, tmp_path):
    assert ganzoo("export", "wgan_gp.mnist", tmp_path / "a").status == 0
    assert {path.name for path in (tmp_path / "a").iterdir()} == COMPLETE
    assert (tmp_path / "a" / "config.json").read_bytes() == (MODEL / "config.json").read_bytes()
    refused(ganzoo("export", "wgan_gp.mnist", tmp_path / "a"), 2, "--force")
    before = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    assert ganzoo("export", "wgan_gp.mnist", tmp_path / "a", "--force").status == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()} == before
    assert ganzoo("verify", tmp_path / "a").status == 0


def test_python_gets_the_errors(hub, monkeypatch):
    with pytest.raises(GanzooError, match="unknown licence"):
        gz.load(MODEL).push("me/model", license="MTI")
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(ExternalError, match="no token"):
        gz.load(MODEL).push("me/model", license="mit")


def test_a_plugins_answer_wins(hub, tmp_path, monkeypatch):
    """ganzoo_resolve_weights: a test plugin serves ids and hf: sources from a mirror directory."""
    mirror = tmp_path / "mirror"
    shutil.copytree(MODEL, mirror / "wgan_gp.mnist")
    shutil.copytree(MODEL, mirror / "hf:me" / "model")
    code = distributions.GOOD.format(name="mirrored") + (
        "from pathlib import Path\n@hookimpl\ndef ganzoo_resolve_weights(source):\n"
        f"    print('looking')\n    path = Path({str(mirror)!r}) / source\n    return path if path.is_dir() else None\n"
    )
    distributions.write(tmp_path / "site", "mirrored", code)
    for source in ("wgan_gp.mnist", "hf:me/model"):
        done = distributions.ganzoo(tmp_path / "site", "pull", source)
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"{source}\t{mirror / source}\n"
    (mirror / "wgan_gp.mnist" / "config.json").write_bytes((MODEL / "config.json").read_bytes() + b" ")
    done = distributions.ganzoo(tmp_path / "site", "pull", "wgan_gp.mnist")
    assert (
        done.returncode == 5 and "sha256 differs" in done.stderr
    )  # registry.toml pins what an id is, wherever it lies
    done = distributions.ganzoo(tmp_path / "site", "pull", "hf:me/other")
    assert done.returncode == 2 and "no such repository" in done.stderr
    assert hub.requests and snapshot(tmp_path / "home", "x").parent.parent.parent.exists() is False


def test_a_plugin_that_answers_nonsense_is_named(hub, tmp_path):
    for answer, words in (("42", "42 is no model directory"), ("1 / 0", "ZeroDivisionError")):
        code = (
            distributions.GOOD.format(name="odd") + f"@hookimpl\ndef ganzoo_resolve_weights(source): return {answer}\n"
        )
        distributions.write(tmp_path / "site", "odd", code)
        done = distributions.ganzoo(tmp_path / "site", "pull", "dcgan.mnist")
        assert done.returncode == 2 and words in done.stderr


def test_the_words_of_the_hub_do_the_same(hub):
    """push_to_hub and from_pretrained, as other libraries have them: a repository and a revision apart."""
    source = gz.load(MODEL).push_to_hub("me/model", license="mit", private=True)
    commit = source.partition("@")[2]
    assert hub.repos["me/model"].refs["main"] == commit
    for name, revision in (("me/model", commit), ("me/model", None), (source, None), (str(MODEL), None), (MODEL, None)):
        model = Model.from_pretrained(name, revision=revision)
        assert torch.equal(model.sample(2), gz.load(MODEL).sample(2)), name
    with pytest.raises(GanzooError, match="has no revisions"):
        Model.from_pretrained(MODEL, revision="main")

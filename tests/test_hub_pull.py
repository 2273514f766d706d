"""Models from the Hub: fetched once, checked, and from then on without it (bad-inputs.md, H)."""

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from hubs import MODEL, apart, config_with, published, refused, snapshot

import ganzoo_core as gz
from ganzoo_core.errors import ExternalError, GanzooError, IntegrityError
from ganzoo_core.hub.download import parse

NAMED = {"config.json", "model.safetensors", "README.md", "samples.png", "metrics.json"}


def test_pull_fetches_the_named_files_and_no_others(hub, ganzoo, tmp_path):
    commit = published(hub)
    done = ganzoo("pull", "hf:me/model")
    assert done.status == 0, done.err
    source, folder = done.out.strip().split("\t")
    assert source == f"hf:me/model@{commit}" and folder == str(snapshot(tmp_path / "home", commit))
    assert set(os.listdir(folder)) == NAMED
    assert not [path for path in hub.paths() if "planted" in path]
    for name in NAMED:
        assert Path(folder, name).read_bytes() == hub.repos["me/model"].trees[commit][name]


def test_load_samples_as_the_local_model_does(hub):
    published(hub)
    model = gz.load("hf:me/model")
    assert torch.equal(model.sample(4, seed=1), gz.load(MODEL).sample(4, seed=1))


def test_a_pinned_and_cached_model_costs_no_request_and_no_client(hub, ganzoo):
    commit = published(hub)
    assert ganzoo("pull", "hf:me/model").status == 0
    hub.requests.clear()
    assert ganzoo("pull", f"hf:me/model@{commit}").status == 0
    assert ganzoo("verify", f"hf:me/model@{commit}").status == 0
    assert hub.requests == []
    program = (
        f"import sys\nfrom ganzoo_core.hub.download import parse, pull\npull(parse('hf:me/model@{commit}'))\n"
        "assert 'huggingface_hub' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_dead_endpoint_costs_a_pinned_model_nothing(hub, ganzoo, monkeypatch):
    commit = published(hub)
    assert ganzoo("pull", "hf:me/model").status == 0
    with dead() as endpoint:
        monkeypatch.setenv("HF_ENDPOINT", endpoint)
        start = time.monotonic()
        assert ganzoo("pull", f"hf:me/model@{commit}").status == 0
        assert time.monotonic() - start < 2


def test_h13_a_dead_endpoint_without_a_cache_is_one_line_soon(hub, ganzoo, monkeypatch, tmp_path):
    with dead() as endpoint:
        monkeypatch.setenv("HF_ENDPOINT", endpoint)
        start = time.monotonic()
        refused(ganzoo("pull", "hf:me/model"), 3, "cannot reach", endpoint)
        refused(ganzoo("pull", f"hf:me/model@{'a' * 40}"), 3, "cannot reach")
        assert time.monotonic() - start < 5
    assert not list((tmp_path / "home").rglob("*.safetensors"))


def test_an_unpinned_model_is_used_from_the_cache_with_a_warning(hub, ganzoo, monkeypatch):
    commit = published(hub)
    assert ganzoo("pull", "hf:me/model").status == 0
    with dead() as endpoint:
        monkeypatch.setenv("HF_ENDPOINT", endpoint)
        done = ganzoo("pull", "hf:me/model")
    assert done.status == 0 and f"using me/model@{commit} of the cache" in done.err
    assert done.out.startswith(f"hf:me/model@{commit}")


def test_offline_cached_models_work_and_others_say_so(hub, ganzoo, monkeypatch):
    commit = published(hub)
    published(hub, "me/other")
    assert ganzoo("pull", "hf:me/model").status == 0
    hub.requests.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert ganzoo("pull", "hf:me/model").out.startswith(f"hf:me/model@{commit}")
    assert gz.load("hf:me/model").config["id"] == "wgan_gp.mnist"
    refused(ganzoo("pull", "hf:me/other"), 3, "HF_HUB_OFFLINE is set, and it is not cached")
    assert hub.requests == []


def test_branches_and_new_commits_are_followed(hub, ganzoo):
    first = published(hub)
    second = hub.commit("me/model", {"README.md": b"# Better\n"})
    side = hub.commit("me/model", {"README.md": b"# Aside\n"}, "experiments/a")
    assert f"@{second}\t" in ganzoo("pull", "hf:me/model").out
    assert f"@{first}\t" in ganzoo("pull", f"hf:me/model@{first}").out
    assert f"@{side}\t" in ganzoo("pull", "hf:me/model@experiments/a").out
    assert len([path for path in hub.paths("GET") if path.startswith("/cdn/")]) == 1  # the weights are the same


@pytest.mark.parametrize("kind", ["flip", "zeros"])
@pytest.mark.parametrize("file", ["/cdn/", "/resolve/"])
def test_h08_other_bytes_of_the_same_length_are_found_removed_and_healed(hub, ganzoo, tmp_path, kind, file):
    commit = published(hub)
    hub.misbehave(kind, file, method="GET")
    line = refused(ganzoo("pull", "hf:me/model"), 5, "differs: expected", "found", "removed from the cache")
    wrong = "model.safetensors" if file == "/cdn/" else "config.json"
    assert wrong in line
    folder = snapshot(tmp_path / "home", commit)
    assert not (folder / wrong).exists()
    assert len(list((folder.parent.parent / "blobs").iterdir())) == len(list(folder.iterdir()))
    assert ganzoo("pull", "hf:me/model").status == 0
    assert (folder / wrong).read_bytes() == hub.repos["me/model"].trees[commit][wrong]


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_rot_in_the_cache_is_found_offline_removed_and_healed(hub, ganzoo, tmp_path, name, monkeypatch):
    commit = published(hub)
    assert ganzoo("pull", "hf:me/model").status == 0
    path = snapshot(tmp_path / "home", commit) / name
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.resolve().write_bytes(data)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(IntegrityError) as found:
        gz.load(f"hf:me/model@{commit}")
    for word in (path.resolve().name, "removed from the cache", "expected", "found"):
        assert word in str(found.value)
    assert not path.exists()
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert gz.load(f"hf:me/model@{commit}").config["id"] == "wgan_gp.mnist"


def test_a_file_cut_short_in_the_cache_is_found_too(hub, ganzoo, tmp_path):
    commit = published(hub)
    assert ganzoo("pull", "hf:me/model").status == 0
    path = snapshot(tmp_path / "home", commit) / "model.safetensors"
    path.resolve().write_bytes(path.read_bytes()[:-1])
    refused(ganzoo("pull", f"hf:me/model@{commit}"), 5, "config.json promises", "removed from the cache")
    assert ganzoo("pull", f"hf:me/model@{commit}").status == 0


def test_weights_that_are_not_those_of_config_json_are_not_even_fetched(hub, ganzoo):
    weights = (MODEL / "model.safetensors").read_bytes()
    flipped = weights[:-1] + bytes([weights[-1] ^ 1])
    published(hub, model__safetensors=flipped)
    refused(ganzoo("pull", "hf:me/model"), 5, hashlib.sha256(weights).hexdigest(), hashlib.sha256(flipped).hexdigest())
    published(hub, model__safetensors=weights + b"more")
    refused(ganzoo("pull", "hf:me/model"), 2, "bytes, config.json promises")
    assert not [path for path in hub.paths() if path.startswith("/cdn/")]


SAID = {  # what the Hub does: how, exit code, words
    "H01 401": (lambda h: h.misbehave(401, "/api/", headers={"X-Error-Message": BAD}), 3, "HF_TOKEN"),
    "private": (lambda h: h.create("you/model", private=True), 2, "no such repository, or a private one"),
    "H03 repo": (lambda h: None, 2, "no such repository"),
    "gated": (lambda h: gate(h), 3, "Ask for access at"),
    "disabled": (lambda h: disable(h), 3, "disabled"),
    "no model": (lambda h: h.commit("you/model", {"README.md": b"hello"}), 2, "has no config.json"),
    "H04 429": (lambda h: busy(h), 3, "rate limited. Try again in 7 s"),
    "H05 500": (lambda h: h.misbehave(500, "/api/"), 3, "in trouble (500)"),
    "H05 503": (lambda h: h.misbehave(503, "/api/"), 3, "in trouble (503)"),
    "H05 resolve": (lambda h: (published(h, "you/model"), h.misbehave(503, "/resolve/", 99)), 3, "in trouble (503)"),
    "H11 loop": (lambda h: (published(h, "you/model"), h.misbehave("loop", "/resolve/", 99)), 3, "cannot reach"),
    "H11 loop api": (lambda h: h.misbehave("loop", "/api/", 99), 3, "cannot reach"),
    "no Hub": (lambda h: h.misbehave("html", "/api/"), 3, "does not answer like a Hub"),
    "no Hub 404": (lambda h: h.misbehave(404, "/api/"), 3, "does not answer like a Hub"),
    "no Hub json": (lambda h: h.misbehave("json", "/api/", body=b"[1, 2]"), 3, "does not answer like a Hub"),
    "no Hub {}": (lambda h: h.misbehave("json", "/api/", body=b"{}"), 3, "does not answer like a Hub"),
    "H07 html": (lambda h: (published(h, "you/model"), h.misbehave("html", "/resolve/", 99)), 3, "the Hub calls it"),
    "H15 commit": (lambda h: said(h, sha="../../../evil"), 3, "'../../../evil', which is none"),
    "H15 head": (lambda h: head(h, **{"X-Repo-Commit": "../../evil"}), 3, "../../evil"),
    "H15 etag": (lambda h: head(h, ETag='"../../../evil"'), 3, "../../../evil"),
    "no hash": (lambda h: said(h, siblings=[{"rfilename": "config.json", "size": 3, "blobId": "../x"}]), 3, "no hash"),
    "huge": (lambda h: said(h, siblings=[{"rfilename": "config.json", "size": 1 << 40, "blobId": "a" * 40}]), 2,
             "1,099,511,627,776 bytes, which no model has"),
}  # fmt: skip
BAD = "Invalid credentials in Authorization header"


def gate(h):
    published(h, "you/model")
    h.repos["you/model"].gated = True


def disable(h):
    published(h, "you/model")
    h.repos["you/model"].disabled = True


def busy(h):
    h.misbehave(429, "/api/", headers={"Retry-After": "7"})


def said(h, **changes):
    commit = published(h, "you/model")
    h.misbehave("json", "/api/models/you", body=json.dumps({"id": "you/model", "sha": commit, **changes}).encode())


def head(h, **headers):
    published(h, "you/model")
    h.misbehave("headers", "/resolve/", 99, headers=headers)


@pytest.mark.parametrize("name", SAID)
def test_what_the_hub_says_is_told_apart_in_one_line_soon(hub, ganzoo, tmp_path, name):
    arrange, status, words = SAID[name]
    arrange(hub)
    start = time.monotonic()
    refused(ganzoo("pull", "hf:you/model"), status, words)
    assert time.monotonic() - start < 3
    assert not [path for path in tmp_path.rglob("*") if "evil" in path.name or "incomplete" in path.name]


def test_a_private_repository_without_a_token_asks_for_one(hub, ganzoo, monkeypatch):
    hub.create("me/secret", private=True)
    monkeypatch.delenv("HF_TOKEN")
    refused(ganzoo("pull", "hf:me/secret"), 3, "not found, or private", "hf auth login")


def test_h03_a_revision_that_is_not_there(hub, ganzoo):
    published(hub)
    refused(ganzoo("pull", "hf:me/model@nowhere"), 2, "me/model", "'nowhere'")
    refused(ganzoo("pull", f"hf:me/model@{'b' * 40}"), 2, "b" * 40)


@pytest.mark.parametrize(
    "source", ["hf:../x", "hf:a", "hf:a/b/c", "hf:a/b@../c", "hf:a/b@", "hf:a//b", "hf:a/b\x1b", "hf:", "hf:/etc/evil",
               "hf:a\\..\\b", "hf:a/b@x..y", f"hf:a/{'b' * 99}", "hf:a/b.git", "hf:a--b/c"],
)  # fmt: skip
def test_h17_names_that_are_none_cost_no_request(hub, ganzoo, source):
    refused(ganzoo("pull", source), 2, "Expected hf:owner/name")
    assert hub.requests == []


def test_files_of_other_names_are_never_written(hub, ganzoo, tmp_path):
    commit = published(hub)
    evil = ["../../evil", "/etc/evil", "a\\..\\..\\evil", "sub/model.safetensors"]
    tree = hub.repos["me/model"].trees[commit]
    tree |= dict.fromkeys(evil, b"evil")
    assert ganzoo("pull", "hf:me/model").status == 0
    assert not [path for path in hub.paths() if "evil" in path or "sub/" in path]
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize("kind", ["cut", "reset", "short", "long"])
def test_h07_transfers_that_break_off_leave_nothing_wrong(hub, ganzoo, tmp_path, kind):
    """A cut connection is resumed by the client; a reset is not, and bodies of another length are refused."""
    published(hub)
    hub.misbehave(kind, "/cdn/", method="GET")
    done = ganzoo("pull", "hf:me/model")
    if kind == "cut":
        assert done.status == 0, done.err
    else:
        refused(done, 3)
    assert not list((tmp_path / "home").rglob("*.incomplete"))
    assert ganzoo("pull", "hf:me/model").status == 0


@pytest.mark.parametrize("where", ["/api/", "/cdn/"])
def test_h09_a_server_that_trickles_ends_at_the_time_limit(hub, tmp_path, monkeypatch, where):
    published(hub)
    monkeypatch.setenv("GANZOO_HUB_TIMEOUT", "1")
    monkeypatch.setattr("ganzoo_core.hub.client.SLOWEST", 1 << 30)
    hub.misbehave("trickle", where, 99, method="GET")
    start = time.monotonic()
    refused(apart("pull", "hf:me/model"), 3, "did not finish within 1 s")
    assert time.monotonic() - start < 5
    assert not list((tmp_path / "home").rglob("*.incomplete"))


def test_h09_the_process_ends_too(hub, tmp_path):
    """Nothing that is left of the transfer keeps it from ending."""
    published(hub)
    hub.misbehave("slow", "/api/", seconds=30)
    start = time.monotonic()
    done = process("pull", "hf:me/model", GANZOO_HUB_TIMEOUT="1")
    assert done.returncode == 3 and "did not finish within 1 s" in done.stderr
    assert time.monotonic() - start < 15


def test_h12_the_token_goes_to_the_hub_and_to_no_other_host(hub, ganzoo):
    published(hub)
    assert ganzoo("pull", "hf:me/model").status == 0
    assert {request.token != "" for request in hub.requests if request.path.startswith("/cdn/")} == {False}
    assert all(request.token for request in hub.requests if not request.path.startswith("/cdn/"))


def test_h19_a_killed_pull_leaves_no_debris_after_the_next(hub, ganzoo, tmp_path):
    published(hub)
    hub.misbehave("trickle", "/cdn/", method="GET")
    child = subprocess.Popen([sys.executable, "-m", "ganzoo_core", "pull", "hf:me/model"], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not [path for path in hub.paths("GET") if path.startswith("/cdn/")] and time.monotonic() < deadline:
        time.sleep(0.05)
    child.kill()
    child.wait()
    assert list((tmp_path / "home").rglob("*.incomplete"))
    assert ganzoo("pull", "hf:me/model").status == 0
    assert not list((tmp_path / "home").rglob("*.incomplete"))


def test_h19_four_pulls_at_once_agree(hub):
    commit = published(hub)
    command = [sys.executable, "-m", "ganzoo_core", "pull", "hf:me/model"]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    outs = {child.communicate()[0] for child in children}
    assert len(outs) == 1 and f"hf:me/model@{commit}" in outs.pop()
    assert [child.returncode for child in children] == [0] * 4


def test_h20_a_cache_that_cannot_be_written_is_named(hub, ganzoo, tmp_path):
    published(hub)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "hub").write_text("a file where the cache should be")
    refused(ganzoo("pull", "hf:me/model"), 3, str(tmp_path / "home" / "hub"))


def test_h20_a_full_disk_is_named_with_the_bytes(hub, ganzoo, tmp_path, monkeypatch):
    published(hub)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 100})())
    refused(ganzoo("pull", "hf:me/model"), 3, "bytes are needed, 100 are free", str(tmp_path / "home" / "hub"))


def test_a_missing_plugin_is_named_with_its_install_line(hub, ganzoo):
    config = json.loads((MODEL / "config.json").read_text())
    for part in ("networks", "objective"):
        config[part] |= {"family": "stranger", "plugin": "ganzoo-stranger"}
    published(hub, config__json=json.dumps(config).encode())
    done = ganzoo("pull", "hf:me/model")
    assert done.status == 0 and "ganzoo install --yes ganzoo-stranger" in done.err
    refused(ganzoo("verify", "hf:me/model"), 2, "stranger", "ganzoo-stranger")


def test_future_formats_and_unknown_keys_are_refused_before_the_weights_are_fetched(hub, ganzoo):
    for changes, words in (
        ({"format": 4}, "reads 1, 2, 3"),
        ({"extra": 1}, "unknown key 'extra'"),
        ({"dtype": 5}, "dtype"),
    ):
        published(hub, config__json=config_with(**changes))
        refused(ganzoo("pull", "hf:me/model"), 2, words)
    assert not [path for path in hub.paths() if path.startswith("/cdn/")]


def test_every_command_takes_it(hub, ganzoo, tmp_path):
    commit = published(hub)
    done = ganzoo("sample", f"hf:me/model@{commit}", "-n", 4, "-o", tmp_path / "a.png")
    assert done.status == 0, done.err
    assert ganzoo("sample", MODEL, "-n", 4, "-o", tmp_path / "b.png").status == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_cache_without_links_works_and_is_checked(hub, tmp_path):
    commit = published(hub)
    done = process("pull", "hf:me/model", HF_HUB_DISABLE_SYMLINKS="1")
    assert done.returncode == 0, done.stderr
    path = snapshot(tmp_path / "home", commit) / "model.safetensors"
    assert not path.is_symlink()
    path.write_bytes(bytes(path.stat().st_size))
    done = process("pull", f"hf:me/model@{commit}", HF_HUB_DISABLE_SYMLINKS="1")
    assert done.returncode == 5 and not path.exists()


@pytest.mark.parametrize("text", ["hf:me/model", "me/model", "hf:me/model@main"])
def test_a_repository_is_parsed(text):
    assert parse(text) == ("me/model", "main")


def test_python_gets_the_same_errors(hub):
    with pytest.raises(GanzooError, match="no such repository"):
        gz.load("hf:me/nothing")
    hub.misbehave(500, "/api/")
    with pytest.raises(ExternalError, match="in trouble"):
        gz.load("hf:me/nothing")


def process(*args, **env):
    """The program in a process of its own."""
    command = [sys.executable, "-m", "ganzoo_core", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **env}, timeout=60)


class dead:  # noqa: N801
    """An endpoint that refuses: a port that nobody listens at."""

    def __enter__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def __exit__(self, *fault):
        self.socket.close()

"""What the Hub's tests share: a loopback Hub of one's own, a model to push, the program called in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import processes
import pytest

from ganzoo_core.cli import main
from ganzoo_core.testing.hub import WRITER, LoopbackHub

MODEL = Path(__file__).parent.parent / "plugins" / "ganzoo-wgan" / "ganzoo_wgan" / "weights" / "wgan_gp.mnist"


class Done(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A Hub, and this process its client, with a cache of its own and a token that may write to me/..."""
    with LoopbackHub() as server:
        for key, value in server.environment(tmp_path / "home").items():
            monkeypatch.setenv(key, value)
        for key in ("HF_HUB_OFFLINE", "HF_HUB_CACHE", "TRANSFORMERS_OFFLINE"):
            monkeypatch.delenv(key, raising=False)
        monkeypatch.setenv("GANZOO_HUB_TIMEOUT", "20")
        yield server
        from huggingface_hub.utils import close_session

        close_session()


@pytest.fixture
def ganzoo(capfd: pytest.CaptureFixture[str]):
    """The command line in this process."""

    def run(*args: object) -> Done:
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(arg) for arg in args])
        out, err = capfd.readouterr()
        assert WRITER not in out + err
        return Done(int(end.value.code or 0), out, err)

    return run


def apart(*args: object) -> Done:
    """The command line in a forked process: what a time limit leaves behind of the Hub's client ends with it."""
    done = processes.ganzoo(*args)
    return Done(done.returncode, done.stdout, done.stderr)


def refused(done: Done, status: int, *words: str) -> str:
    """One line on stderr that has the words, nothing on stdout."""
    assert done.status == status, (done.status, done.err)
    assert done.out == ""
    lines = done.err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("ganzoo: error: "), done.err
    for word in words:
        assert word in lines[0]
    return lines[0]


def published(hub: LoopbackHub, name: str = "me/model", **changes: bytes) -> str:
    """A model on the Hub, as somebody else put it there. Its commit."""
    files = {path.name: path.read_bytes() for path in MODEL.iterdir()}
    files |= {"planted.pkl": b"\x80\x04.", "planted.py": b"raise SystemExit('run!')", "README.md": b"# A model\n"}
    return hub.commit(name, {**files, **{k.replace("__", "."): v for k, v in changes.items()}})


def config_with(**changes: object) -> bytes:
    return json.dumps({**json.loads((MODEL / "config.json").read_text()), **changes}).encode()


def snapshot(home: Path, commit: str, name: str = "me/model") -> Path:
    return home / "hub" / f"models--{name.replace('/', '--')}" / "snapshots" / commit

"""Two machines, made of network namespaces with a cable between them that can be pulled."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ARGS = ["train", "dcgan", "--preset", "tiny", "--data", "digits", "--batch-size", "12", "--precision", "fp32",
        "--device", "cpu", "--checkpoint-every", "240"]  # fmt: skip
HOME, AWAY = "10.213.7.1", "10.213.7.2"

pytestmark = pytest.mark.slow


class Cable:
    """The namespaces `here` and `there`, joined by one veth pair."""

    def __init__(self) -> None:
        self.here, self.there = (f"ganzoo{os.getpid()}{end}" for end in "ab")

    def lay(self) -> None:
        for name in (self.here, self.there):
            ip("netns", "add", name)
        ip("-n", self.here, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", self.there)
        for name, address in ((self.here, HOME), (self.there, AWAY)):
            ip("-n", name, "address", "add", f"{address}/24", "dev", "cable")
            for device in ("lo", "cable"):
                ip("-n", name, "link", "set", device, "up")

    def pull(self) -> None:
        """Nobody is told: packets are lost from now on."""
        ip("-n", self.there, "link", "set", "cable", "down")

    def remove(self) -> None:
        for name in (self.here, self.there):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@pytest.fixture
def cable() -> Iterator[Cable]:
    made = Cable()
    try:
        if not shutil.which("ip"):
            pytest.skip("there is no `ip` (iproute2)")
        try:
            made.lay()
        except subprocess.CalledProcessError as fault:
            pytest.skip(f"network namespaces are not allowed here: {fault.stderr.strip()}")
        yield made
    finally:
        made.remove()


def start(machines: list[str], port: int, *extra: object) -> list[subprocess.Popen[str]]:
    """One process of the run in each of the named namespaces, the first one's address being that of rank 0."""
    told = {"WORLD_SIZE": str(len(machines)), "MASTER_ADDR": HOME, "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1",
            "GLOO_SOCKET_IFNAME": "cable", "CUDA_VISIBLE_DEVICES": ""}  # fmt: skip
    return [
        subprocess.Popen(
            ["ip", "netns", "exec", name, sys.executable, "-m", "ganzoo_core", *ARGS, *map(str, extra)],
            env={**os.environ, **told, "RANK": str(rank), "LOCAL_RANK": "0"}, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        for rank, name in enumerate(machines)
    ]  # fmt: skip


def test_one_of_four_is_cut_off_and_three_go_on(cable: Cable, tmp_path: Path) -> None:
    run = tmp_path / "run"
    machines = [cable.here] * 3 + [cable.there]
    four = start(machines, 29401, "--out", run, "--images", 6000)
    while not any((run / "checkpoints").glob("0*")):
        assert all(process.poll() is None for process in four), [p.communicate()[1] for p in four if p.poll()]
        time.sleep(0.05)
    cable.pull()
    for process in four:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 3, said
        last = said.strip().splitlines()[-1]
        assert last.startswith("ganzoo: error: another process of this run is gone") and "Traceback" not in said

    again = start(machines[:3], 29402, "--out", run, "--resume")
    for process in again:
        _, said = process.communicate(timeout=240)
        assert process.returncode == 0, said
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert rows[-1]["images"] == 6000

"""Every command that writes, where it cannot: on a read-only disk and on a full one, exit 3 in one line.

Real file systems, mounted in a name space of the test's own; left out where the system does not let us.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ENV = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
PROGRAM = """
import json, sys
from processes import ganzoo
results = {}
for line in json.loads(sys.argv[1]):
    done = ganzoo(*line.split())
    results[line] = [done.returncode, done.stdout, done.stderr]
print(json.dumps(results))
"""
COMMANDS = (
    "new my-gan --in disk",
    "sample dcgan.mnist -n 2 -o disk/out.png",
    "sample dcgan.mnist -n 2 -o disk/folder",
    "interpolate dcgan.mnist --seeds 1,2 --steps 1 -o disk/out.gif",
    "export dcgan.mnist disk/model",
    "eval disk/kept --publish --metric nearest -n 8 --data digits",
    "report disk/run",
    "registry build --file disk/registry.toml",
    "train dcgan --preset tiny --images 64 --batch-size 16 --out disk/new",
)
DISKS = {
    "read-only": "mount --bind disk disk && mount -o remount,ro,bind disk",
    # what is there is copied into a file system that holds nothing more
    "full": "cp -r disk kept && mount -t tmpfs -o size=16m tmpfs disk && cp -r kept/. disk && "
    "{ dd if=/dev/zero of=disk/filler bs=4k status=none 2> errors || true; }",
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model and a run in `disk`."""
    from processes import ganzoo

    folder = tmp_path_factory.mktemp("disks")
    (folder / "disk").mkdir()
    for line in ("export dcgan.mnist disk/kept",
                 "train dcgan --preset tiny --images 64 --batch-size 16 --out disk/run"):  # fmt: skip
        done = ganzoo(*line.split(), cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("disk", DISKS)
def test_what_cannot_be_written_is_one_line(prepared: Path, disk: str) -> None:
    program = [sys.executable, "-c", PROGRAM, json.dumps(COMMANDS)]
    script = f'{DISKS[disk]} && exec "$@"'
    command = ["unshare", "-rm", "bash", "-c", script, "bash", *program]
    tests = str(Path(__file__).parent)
    path = ":".join([tests, *sys.path])
    try:
        done = subprocess.run(command, cwd=prepared, capture_output=True, text=True, env={"PYTHONPATH": path, **ENV})
    except FileNotFoundError:
        pytest.skip("no unshare here")
    if done.returncode and "Traceback" not in done.stderr:
        pytest.skip(f"no mounts here: {done.stderr}")
    results = json.loads(done.stdout)
    assert set(results) == set(COMMANDS)
    for line, (status, out, err) in results.items():
        last = err.strip().splitlines()[-1]
        assert status == 3 and out == "" and "Traceback" not in err, (line, status, err)
        assert last.startswith("ganzoo: error: "), (line, err)


def test_a_full_stdout_is_one_line() -> None:
    command = [sys.executable, "-m", "ganzoo_core", "list"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 3 and len(done.stderr.splitlines()) == 1, done.stderr

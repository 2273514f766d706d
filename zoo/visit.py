"""A visit to a card: measure, test, then train for what is left; every result is saved as soon as it is there.

Nothing is installed. It ends by itself, within its minutes, whatever goes wrong on the way.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ganzoo_core.errors import GanzooError, tell_user
from zoo.manifest import MIB, ROOT, Entry
from zoo.places import Places
from zoo.side_by_side import best, measure

TRAVEL = 60 * MIB  # what the checkout and the data may weigh together
FILE, GROUPS = 15 * MIB, 5  # what comes back in one piece, and in how many: with the three records there may be 8
BENCH, TESTS, CLOSING = 120.0, 120.0, 20.0  # seconds
REHEARSAL = Entry("gan.rehearsal", family="gan", preset="tiny", data="digits", images=256)


@dataclass(frozen=True)
class Visit:
    """One stay: where results go, on which device, and when it is over (time.monotonic)."""

    out: Path
    device: str
    end: float
    small: bool  # a rehearsal

    def left(self, at_most: float = 1e9) -> float:
        return max(1.0, min(at_most, self.end - time.monotonic() - CLOSING))

    def run(self, name: str, words: Sequence[str], seconds: float) -> str:
        """What a command prints, which is added to visit.txt; it is ended when its time is over."""
        env = {**os.environ, "GANZOO_TEST_DEVICE": self.device, "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
        limit = ["timeout", "--kill-after=5", f"{seconds:.0f}"]
        done = subprocess.run([*limit, *words], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = done.stdout.decode(errors="replace")
        with open(self.out / "visit.txt", "a") as log:
            log.write(f"== {name}: ended with {done.returncode}\n{said}\n")
        tell_user(f"{name}: ended with {done.returncode}; {self.left():.0f} s are left")
        return said

    def note(self, **facts: object) -> None:
        """Add to visit.json, at once."""
        path = self.out / "visit.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**known, **facts}, indent=1) + "\n")


def visit(entries: Sequence[Entry], out: Path, minutes: float, device: str, small: bool) -> None:
    """The whole stay. Errors: GanzooError where too much would have to travel."""
    out.mkdir(parents=True, exist_ok=True)
    if not small:  # a rehearsal goes nowhere
        check_travel()
    stay = Visit(out, device, time.monotonic() + 60 * minutes, small)
    bench(stay)
    tests(stay)
    train([entry for entry in entries if entry.device == "cuda" and not entry.frozen], stay)


def check_travel() -> None:
    """The checkout as it would travel."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True)
    files = [ROOT / os.fsdecode(name) for name in done.stdout.split(b"\0") if name] if done.returncode == 0 else []
    size = sum(file.stat().st_size for file in files if file.is_file())
    if size > TRAVEL:
        raise GanzooError(
            f"{size / MIB:.0f} MiB would travel, more than {TRAVEL // MIB}",
            "Leave trained weights behind: git ls-files 'plugins/*.safetensors' | xargs rm, and git checkout after.",
        )


def bench(stay: Visit) -> None:
    """Ratios of our loop to a plain one."""
    script, seconds = ROOT / "tests" / "benchmarks" / "bench_device.py", stay.left(BENCH)
    words = [sys.executable, str(script), "--device", stay.device, "--out", str(stay.out / "bench.json")]
    words += [f"--seconds={seconds - 15:.0f}", *(["--small"] if stay.small else [])]
    stay.run("bench", words, seconds)


def tests(stay: Visit) -> None:
    """The tests that want a card, and in visit.json what became of each: those that the time did not reach, too."""
    pytest = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "cuda", "tests/test_cuda.py"]
    pytest += ["-k", "two_trainings"] if stay.small else ["-n", "12"]
    collected = stay.run("collected", [*pytest, "--collect-only", "-q"], stay.left(30)).splitlines()
    said = stay.run("tests", [*pytest, "-v"], stay.left(TESTS)).splitlines()
    became = {name: word for name, word in map(outcome, said) if name}
    table = {line.strip(): became.get(line.strip(), "not reached") for line in collected if "::" in line}
    stay.note(tests=table)
    tell_user(f"tests: {sum(word == 'PASSED' for word in table.values())} of {len(table)} passed")


def outcome(line: str) -> tuple[str, str]:
    """The test and the word in a line of `pytest -v`, with workers or without; two empty ones in other lines."""
    words = line.split()
    names = [word for word in words if "::" in word]
    verdicts = [word for word in words if word in ("PASSED", "FAILED", "ERROR", "SKIPPED")]
    return (names[0], verdicts[0]) if names and verdicts else ("", "")


def train(entries: Sequence[Entry], stay: Visit) -> None:
    """As many trainings side by side as the card does best, until the time is over; then what there is comes back."""
    places = Places(stay.out / "work")
    waiting, number = ([REHEARSAL], 1) if stay.small else (list(entries), side_by_side(stay))
    running: list[subprocess.Popen[bytes]] = []
    while (waiting or running) and stay.left() > 5:
        while waiting and len(running) < number:
            running.append(begun(waiting.pop(0), places, stay))
        time.sleep(1)
        running = [child for child in running if child.poll() is None]
    end(running)
    pack(places, stay)


def side_by_side(stay: Visit) -> int:
    """How many."""
    rates = measure(stay.device)
    stay.note(images_per_second_side_by_side=rates)
    return best(rates)


def end(running: Sequence[subprocess.Popen[bytes]]) -> None:
    """SIGTERM saves and ends; what does not listen is killed."""
    for child in running:
        child.terminate()
    for child in running:
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()


def begun(entry: Entry, places: Places, stay: Visit) -> subprocess.Popen[bytes]:
    places.log(entry.id).parent.mkdir(parents=True, exist_ok=True)
    places.run(entry.id).parent.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-m", "ganzoo_core", *entry.train(places.run(entry.id)), f"--device={stay.device}"]
    with open(places.log(entry.id), "ab") as log:
        return subprocess.Popen(words, cwd=ROOT, stdout=log, stderr=log)


def pack(places: Places, stay: Visit) -> None:
    """The runs in few .tar files, each light enough to come back, and the ends of their logs in visit.json."""
    groups: list[list[Path]] = [[]]
    for run in sorted((places.home / "runs").glob("*")):
        for older in sorted((run / "checkpoints").glob("[0-9]*"))[:-1]:
            shutil.rmtree(older)
        if weight(run) > FILE:
            shutil.rmtree(run / "checkpoints")  # the model and the log alone
        if groups[-1] and sum(map(weight, groups[-1])) + weight(run) > FILE:
            groups.append([])
        groups[-1].append(run)
    for number, group in enumerate(groups[:GROUPS]):
        with tarfile.open(stay.out / f"models{number}.tar", "w") as tar:
            for run in group:
                tar.add(run, run.name)
    stay.note(trainings={log.name: log.read_text(errors="replace")[-1000:] for log in places.home.glob("logs/*.log")})
    shutil.rmtree(places.home, ignore_errors=True)


def weight(folder: Path) -> int:
    """What a folder weighs in a .tar."""
    return sum(file.stat().st_size + 1024 for file in folder.rglob("*"))

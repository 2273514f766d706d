"""A clone and an environment of a named commit, and the worker in them: what is edited meanwhile does not reach it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from ganzoo_core.errors import GanzooError, tell_user
from zoo.manifest import ROOT
from zoo.places import Places

# Nice alone still takes turns with whoever waits for a moment: threads that meet at barriers would starve beside it.
LAST = ["nice", "-n", "19", *(["chrt", "--idle", "0"] if shutil.which("chrt") else [])]


def start(places: Places, commit: str) -> None:
    """Start the worker in the background. Errors: GanzooError where the commit is none."""
    named = git("rev-parse", "--short=12", f"{commit}^{{commit}}")
    home = places.home / "commits" / named
    clone(home, named)
    environment(home)
    command = [*LAST, str(home / ".venv" / "bin" / "python"), "-m", "zoo", "work"]
    with open(places.home / "worker.log", "ab") as log:
        child = subprocess.Popen(command, cwd=home, env=surroundings(), stdout=log, stderr=log, start_new_session=True)
    yield_to_others(child.pid)
    tell_user(f"process {child.pid} trains in {places.home}, from commit {named}; `make zoo-status` shows how far")


def yield_to_others(pid: int) -> None:
    """Linux gives each session the same share, whatever the niceness of its processes; the session has one of its own.

    Without it a queue takes half of a core from a test suite, as was measured here.
    """
    group = Path(f"/proc/{pid}/autogroup")
    if group.exists():
        with suppress(OSError):
            group.write_text("19")


def git(*words: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True)
    if done.returncode:
        raise GanzooError(f"git {words[0]}: {done.stderr.strip()}", "Name a commit: make zoo COMMIT=...")
    return done.stdout.strip()


def clone(home: Path, commit: str) -> None:
    """The checkout of one commit; those of others, which nobody needs any more, go with their environments."""
    for other in home.parent.glob("*") if home.parent.exists() else ():
        if other != home:
            shutil.rmtree(other)
    if not (home / "zoo.toml").exists():
        shutil.rmtree(home, ignore_errors=True)
        home.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "clone", "--quiet", "--no-checkout", str(ROOT), str(home)], check=True)
        subprocess.run(["git", "-C", str(home), "checkout", "--quiet", "--detach", commit], check=True)


def environment(home: Path) -> None:
    """`make setup` in the clone; some minutes, once for a commit."""
    tell_user("the environment of the commit: some minutes, once")
    done = subprocess.run(["make", "--silent", "setup", f"PYTHON={sys.executable}"], cwd=home)
    if done.returncode:
        raise GanzooError("`make setup` in the clone did not succeed", "It said why above.")


def surroundings() -> dict[str, str]:
    """One thread: two starve as soon as anything else runs."""
    made = {**os.environ, "OMP_NUM_THREADS": "1"}
    made.pop("VENV", None)
    data = ROOT.parent / "shared" / "data"
    if "GANZOO_DATA" not in made and data.is_dir():
        made["GANZOO_DATA"] = str(data)
    return made

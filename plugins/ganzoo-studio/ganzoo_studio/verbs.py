"""Commands that search for long: each in a process of its own, which is ended when its time is over.

So what a page shows is what the command writes, no visitor's search holds up another's for ever, and its memory goes
back to the machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ganzoo_core.errors import GanzooError
from ganzoo_studio.limits import SECONDS


def run(words: list[str], folder: Path) -> str:
    """`ganzoo WORDS` in a folder; what it says. Errors: GanzooError with its own line, or for one that takes long."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ganzoo_core", *words],
            cwd=folder, env={**os.environ, "PYTHONSAFEPATH": "1"}, capture_output=True, text=True, timeout=SECONDS,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise GanzooError(f"this took more than {SECONDS} seconds", "Ask for fewer steps.") from None
    said = [line.removeprefix("ganzoo: ") for line in done.stderr.splitlines() if line.startswith("ganzoo: ")]
    if done.returncode:
        raise GanzooError((said[-1] if said else f"it ended with code {done.returncode}").removeprefix("error: "))
    return "\n".join(said)

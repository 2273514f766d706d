"""What the light verbs cost in CPU time, beside the bare interpreter: minimum and median of several runs.

Budgets: `ganzoo --help` 70 ms, `ganzoo list --json` 100 ms, compiled.
"""

from __future__ import annotations

import argparse
import compileall
import resource
import statistics
import subprocess
import sys
from pathlib import Path

import ganzoo_core

COMMANDS = {
    "python -c pass": (["-c", "pass"], None),
    "ganzoo --help": (["-m", "ganzoo_core", "--help"], 70),
    "ganzoo list --json": (["-m", "ganzoo_core", "list", "--json"], 100),
    "ganzoo info dcgan.mnist": (["-m", "ganzoo_core", "info", "dcgan.mnist"], None),
}


def cpu_ms(args: list[str]) -> float:
    """User and system time of one run, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *args], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=15, help="runs of each")
    runs = parser.parse_args().n
    compileall.compile_dir(Path(ganzoo_core.__file__).parent, quiet=1)
    print(f"{'CPU time, ms':26}{'min':>6}{'median':>8}{'budget':>8}")
    for name, (args, budget) in COMMANDS.items():
        times = [cpu_ms(args) for _ in range(runs + 1)][1:]  # the first warms the file cache
        print(f"{name:26}{min(times):6.0f}{statistics.median(times):8.0f}{budget or '':>8}")


if __name__ == "__main__":
    main()

"""What the light verbs cost in CPU time, compiled: minimum and median of several runs.

Each is also given as a ratio to `python -c "import click, pluggy"`, of the medians; `list --json` may cost 2.2 of it,
also in a zoo of 250 families and 300 models, whose index this makes from the rows of the real one.
"""

from __future__ import annotations

import argparse
import compileall
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import ganzoo_core
from ganzoo_core.registry.index import INDEX

YARDSTICK = "import click, pluggy"
# The command line over another index than the one that is shipped.
OTHER_INDEX = """
import sys
from pathlib import Path
from ganzoo_core.registry import index
index.INDEX = Path(sys.argv.pop(1))
from ganzoo_core.cli import main
main()
"""


def grown(index: Path, families: int, models: int) -> dict[str, dict[str, Any]]:
    """An index of that many families and trained models: the rows of a real one again and again, renamed."""
    real = json.loads(index.read_bytes())
    rows, trained = list(real["families"].values()), list(real["weights"].values())
    names = [f"{rows[i % len(rows)]['name']}_{i}" for i in range(families)]
    ids = [f"{names[i % families]}.{trained[i % len(trained)]['id'].partition('.')[2]}_{i}" for i in range(models)]
    return {
        "plugins": real["plugins"],
        "families": {n: {**rows[i % len(rows)], "name": n} for i, n in enumerate(names)},
        "weights": {
            n: {**trained[i % len(trained)], "id": n, "family": n.partition(".")[0]} for i, n in enumerate(ids)
        },
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
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "index.json"
        large.write_text(json.dumps(grown(INDEX, 250, 300)), "utf-8")
        commands = {
            YARDSTICK: ["-c", YARDSTICK],
            "ganzoo --help": ["-m", "ganzoo_core", "--help"],
            "ganzoo list --json": ["-m", "ganzoo_core", "list", "--json"],
            "the same, 250 families": ["-c", OTHER_INDEX, str(large), "list", "--json"],
            "ganzoo info dcgan.mnist": ["-m", "ganzoo_core", "info", "dcgan.mnist"],
        }
        times = {name: [cpu_ms(args) for _ in range(runs + 1)][1:] for name, args in commands.items()}
    unit = statistics.median(times[YARDSTICK])
    print(f"{'CPU time, ms':26}{'min':>6}{'median':>8}{'ratio':>8}")
    for name, taken in times.items():
        print(f"{name:26}{min(taken):6.0f}{statistics.median(taken):8.0f}{statistics.median(taken) / unit:8.2f}")


if __name__ == "__main__":
    main()

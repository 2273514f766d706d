"""Makes the packages of a checkout importable without pip: prints the PYTHONPATH under which Python finds them.

A distribution is found by its metadata, which pip would write; these few lines write as much of it. Only the standard
library is imported, and nothing outside the given folder is touched.
"""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def describe(project: Path, folder: Path) -> None:
    """The metadata and the entry points of one distribution."""
    facts = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    info = folder / f"{facts['name'].replace('-', '_')}-{facts['version']}.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    wants = "".join(f"Requires-Dist: {need}\n" for need in facts.get("dependencies", []))
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {facts['name']}\nVersion: {facts['version']}\n{wants}", encoding="utf-8"
    )
    lines = []
    for group, points in facts.get("entry-points", {}).items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


def paths(folder: Path) -> str:
    """Everything that `import` and the registry need, as PYTHONPATH has it."""
    projects = [ROOT, *sorted(path.parent for path in ROOT.glob("plugins/ganzoo-*/pyproject.toml"))]
    for project in projects:
        describe(project, folder)
    return os.pathsep.join(map(str, [folder, *projects]))


if __name__ == "__main__":
    print(paths(Path(sys.argv[1]).resolve()))

"""Makes distributions with real entry points, in a folder for PYTHONPATH: good plugins and every kind of bad one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

GOOD = """
from ganzoo_core.plugin import (
    BatchKey, CallbackEntry, Command, DatasetEntry, Family, KindEntry, Metric, Paper, Preset, Task, View, Weights,
    hookimpl,
)

@hookimpl
def ganzoo_families():
    return [Family("{name}", "a plugin of the tests", Paper("A paper", ("Nobody",), 2026, ""),
                   "ganzoo_dcgan.objective:DCGAN", "ganzoo_dcgan.networks:networks",
                   {{"paper": Preset(), "tiny": Preset({{"image_size": 16, "channels": 1, "width": 8}})}})]
"""


def write(folder: Path, name: str, code: str, *, dist: str = "", target: str = "", requires: str = "", entry: str = ""):
    """One distribution with one plugin: its dist-info and its module."""
    dist = dist or f"ganzoo_{name}"
    info = folder / f"{dist}-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {dist.replace('_', '-')}\nVersion: 1.0\nSummary: of the tests\n"
        + (f"Requires-Dist: {requires}\n" if requires else "")
    )
    (info / "entry_points.txt").write_text(f"[ganzoo.plugins]\n{entry or name} = {target or f'plugin_of_{dist}'}\n")
    (folder / f"plugin_of_{dist}.py").write_text(code.format(name=name) if code is GOOD else code)


def ganzoo(folder: Path, *args: object, **env: str) -> subprocess.CompletedProcess[str]:
    """The program with these plugins beside the installed ones."""
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))
    return subprocess.run(
        [sys.executable, "-m", "ganzoo_core", *map(str, args)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path, **env},
        timeout=120,
    )

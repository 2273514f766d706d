"""A new game on the networks of a family that stands: one file of science, and at most 20 lines of packaging."""

import pytest
from distributions import ganzoo

PYPROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "ganzoo-cubic"
version = "1.0"
dependencies = ["ganzoo-core>=0.2,<0.3", "ganzoo-dcgan>=0.2,<0.3"]

[project.entry-points."ganzoo.plugins"]
cubic = "ganzoo_cubic"
"""
DECLARED = """from ganzoo_core.plugin import Family, Paper, hookimpl


@hookimpl
def ganzoo_families():
    paper = Paper("A paper", ("Nobody",), 2026, "")
    return [Family("cubic", "cubic scores", paper, "ganzoo_cubic.objective:Cubic", "dcgan")]
"""
SCIENCE = '''"""A game of the tests: the hinge, and D pays for the cube of its scores."""

from typing import Annotated

from torch import Tensor

from ganzoo_core.objectives import Terms, TwoPlayerAdam, hinge


class Cubic(TwoPlayerAdam):
    """d = E max(0, 1 - r) + E max(0, 1 + s) + c E |r|^3,  g = -E s"""

    loss = hinge
    c: Annotated[float, "weight of the cube"] = 0.01

    def penalty(self, x: Tensor, fake: Tensor) -> Terms:
        return {"cube": self.c * self.D(x).abs().pow(3).mean()}
'''


def installed(folder):
    """The plugin as an installer would leave it: its package, and the entry point of its pyproject.toml."""
    package, info = folder / "ganzoo_cubic", folder / "ganzoo_cubic-1.0.dist-info"
    package.mkdir()
    info.mkdir()
    (package / "__init__.py").write_text(DECLARED)
    (package / "objective.py").write_text(SCIENCE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ganzoo-cubic\nVersion: 1.0\nSummary: of the tests\n")
    (info / "entry_points.txt").write_text("[ganzoo.plugins]\ncubic = ganzoo_cubic\n")


def test_it_is_short():
    assert len((PYPROJECT + DECLARED).splitlines()) <= 20 and len(SCIENCE.splitlines()) <= 35


@pytest.mark.slow
def test_it_trains_with_the_presets_of_the_networks_that_it_borrows(tmp_path):
    installed(tmp_path)
    done = ganzoo(
        tmp_path, "train", "cubic", "--preset", "tiny", "--images", "64", "-c", "c=0.5", "--out", tmp_path / "r"
    )
    assert done.returncode == 0, done.stderr
    assert '"D/cube"' in (tmp_path / "r" / "log.jsonl").read_text()
    assert ganzoo(tmp_path, "sample", tmp_path / "r", "-n", "4", "-o", tmp_path / "4.png").returncode == 0
    assert "weight of the cube" in ganzoo(tmp_path, "info", "cubic").stdout

"""Every card's code runs as it stands there: Python and shell, of every shipped model."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image
from processes import ganzoo

from ganzoo_core.models import card
from ganzoo_core.weights.config import read_config

ROOT = Path(__file__).parent.parent
FOLDERS = sorted(ROOT.glob("plugins/*/*/weights/*.*"))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the lines ask for: a picture and a mask."""
    folder = tmp_path_factory.mktemp("desk")
    gray = Image.radial_gradient("L").resize((64, 64))
    gray.convert("RGB").save(folder / "picture.png")
    gray.point(lambda value: 255 if value < 60 else 0).save(folder / "mask.png")
    return folder


def code_of(folder: Path, language: str) -> str:
    """The first block of the card's code in a language, as a model directory elsewhere has it."""
    text = card.card(card.CardData(read_config(folder), [], folder.name, True))
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)[0]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_its_python_runs(folder: Path, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    names: dict[str, object] = {}
    exec(code_of(folder, "python"), names)
    assert len(names["samples"]) in (1, 16)  # type: ignore[arg-type]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_its_line_of_the_shell_runs(folder: Path, desk: Path) -> None:
    (line,) = code_of(folder, "sh").splitlines()
    done = ganzoo(*shlex.split(line)[1:], "--force", cwd=desk)
    assert done.returncode == 0, f"{line}: {done.stderr}"

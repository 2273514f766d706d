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


@pytest.fixture
def desk(folder: Path, tmp_path: Path) -> Path:
    """A folder with what the lines ask for: a picture, a mask and a clip, as large as the model takes them."""
    config = read_config(folder)
    pictures = [field["shape"] for field in config["inputs"].values() if "shape" in field and len(field["shape"]) > 2]
    side = (pictures or [config["output"]["shape"]])[0][-1] or 64
    gray = Image.radial_gradient("L").resize((side, side))
    gray.convert("RGB").save(tmp_path / "picture.png")
    gray.point(lambda value: 255 if value < 60 else 0).save(tmp_path / "mask.png")
    frames = [gray.rotate(10 * i) for i in range(16)]
    frames[0].save(tmp_path / "clip.gif", save_all=True, append_images=frames[1:])
    return tmp_path


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


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_its_line_of_the_shell_runs(folder: Path, desk: Path) -> None:
    (line,) = code_of(folder, "sh").splitlines()
    done = ganzoo(*shlex.split(line)[1:], "--force", cwd=desk)
    assert done.returncode == 0, f"{line}: {done.stderr}"

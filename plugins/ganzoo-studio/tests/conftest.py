"""A studio that is really served, and a real browser before it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MODELS = ["dcgan.mnist", "cgan.mnist", "stylegan2.emoji32", "pix2pix.edges2emoji", "context_encoder.emoji",
          "srgan.kodak_lite0", "gan_cls.shapes", "ctgan.people", "cyclegan.noto2blob", "dual_motion.moving_mnist",
          "infogan.mnist", "biggan.mnist", "singan.gravel"]  # fmt: skip
PATIENCE = int(os.environ.get("GANZOO_PATIENCE", 60)) * 1000  # milliseconds: the machine may be busy


class Served:
    """A studio in a process of its own."""

    def __init__(self, *sources: str) -> None:
        pytest.importorskip("gradio", reason="no gradio: the studio is left out")
        command = [sys.executable, "-m", "ganzoo_core", "studio", "--port", "0", *sources]
        self.rooms = Path(tempfile.mkdtemp())  # where it makes its own
        env = {**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(self.rooms)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        assert self.address.startswith("http://127.0.0.1:"), self.process.stderr.read() if self.process.stderr else ""

    def given(self) -> list[str]:
        """What lies there of visitors, by name; gradio makes an empty folder of its own. Files may go meanwhile."""
        return [name for _, _, names in os.walk(self.rooms) for name in names]

    def close(self) -> None:
        """It takes away what it has made, told to end as by Ctrl-C."""
        self.process.terminate()
        self.process.communicate(timeout=60)
        assert list(self.rooms.glob("ganzoo-studio-*")) == []
        shutil.rmtree(self.rooms)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory of a tiny DCGAN."""
    import ganzoo_core as gz

    folder = tmp_path_factory.mktemp("studio") / "digits"
    gz.fit(gz.create("dcgan", preset="tiny"), "digits", images=640, batch_size=16, out=folder)
    return folder


@pytest.fixture(scope="session")
def sound_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of sounds, and a run directory of them."""
    import ganzoo_core as gz

    folder = tmp_path_factory.mktemp("studio") / "tones"
    gz.fit(gz.create("wavegan", preset="tiny"), "tones", images=64, batch_size=16, out=folder)
    return folder


@pytest.fixture(scope="session")
def vocoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is given a sound, as a file."""
    import ganzoo_core as gz

    folder = tmp_path_factory.mktemp("studio") / "vocoder"
    gz.fit(gz.create("melgan", preset="tiny"), "mel:tiny:tones", images=16, batch_size=16, out=folder)
    return folder / "model"


@pytest.fixture(scope="session")
def served(run_folder: Path, sound_folder: Path, vocoder_folder: Path) -> Iterator[Served]:
    studio = Served(*MODELS, str(run_folder), str(sound_folder / "model"), str(vocoder_folder))
    yield studio
    studio.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    driver = pytest.importorskip("playwright.sync_api", reason="no playwright: browser tests are left out")
    if CHROMIUM is None:
        pytest.skip("no chromium: browser tests are left out")
    with driver.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


class Visitor:
    """One person before one page: whatever the page asks of another host is refused, and told of at the end."""

    def __init__(self, browser: Any, width: int = 1200, height: int = 900) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.strangers: list[str] = []
        self.faults: list[str] = []
        self.context.route("**/*", self.admit)
        self.page.on("pageerror", lambda fault: self.faults.append(str(fault)))

    def admit(self, route: Any) -> None:
        address = route.request.url
        if address.startswith(("http://127.0.0.1:", "data:", "blob:", "file:")):
            route.continue_()
        else:
            self.strangers.append(address)
            route.abort()

    def picture(self, name: str) -> None:
        """A screenshot, where somebody wants to look: $GANZOO_SCREENSHOTS is a folder."""
        if folder := os.environ.get("GANZOO_SCREENSHOTS"):
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.fixture
def visitor(browser: Any) -> Iterator[Visitor]:
    person = Visitor(browser)
    yield person
    person.context.close()
    assert person.strangers == [] and person.faults == []


@pytest.fixture
def phone(browser: Any) -> Iterator[Visitor]:
    person = Visitor(browser, 390, 844)
    yield person
    person.context.close()
    assert person.strangers == [] and person.faults == []


@pytest.fixture
def visitors(browser: Any) -> Iterator[tuple[Visitor, Visitor]]:
    people = Visitor(browser), Visitor(browser)
    yield people
    for person in people:
        person.context.close()
        assert person.strangers == [] and person.faults == []

"""Every page opened and used in a real browser; what it shows is what the command line makes."""

from __future__ import annotations

import base64
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("studio")]
CANVAS = "[role=tabpanel]:visible .gz-canvas"
SHOWN = "[role=tabpanel]:visible .gz-figure img"


def opened(visitor: Any, served: Any, model: str, tab: str = "") -> Any:
    """The page of a model, at one of its tabs."""
    page = visitor.page
    page.goto(f"{served.address}?model={model}")
    page.wait_for_selector("[role=tab]")
    page.wait_for_function(f"document.querySelector('#gz-model input').value === '{model}'")
    page.wait_for_timeout(500)
    if tab:
        choose(page, tab)
    return page


ENTRY = ".overflow-dropdown button:visible"


def choose(page: Any, tab: str) -> None:
    """A tab; those that find no room stand in a menu."""
    name = re.compile(f"^\\s*{re.escape(tab)}\\s*$")
    there = page.locator("[role=tab]:visible", has_text=name)
    if there.count() == 0:
        page.wait_for_timeout(1500)  # until it is known which find room
    if there.count() == 0:
        open_menu(page)
        there = page.locator(ENTRY, has_text=name)
    there.first.click()


def open_menu(page: Any) -> None:
    if page.locator(ENTRY).count() == 0:
        page.locator(".overflow-menu > button:visible").first.click()
        page.locator(ENTRY).first.wait_for()


def tabs_of(page: Any) -> list[str]:
    """All of them, also those in the menu."""
    page.wait_for_timeout(1500)
    names = page.locator("[role=tab]:visible").all_inner_texts()
    if page.locator(".overflow-menu > button:visible").count():
        open_menu(page)
        names += page.locator(ENTRY).all_inner_texts()
    return list(dict.fromkeys(name.strip() for name in names))


def commands(page: Any) -> str:
    """The command line that stands below what is shown."""
    return codes(page)[0]


def codes(page: Any) -> list[str]:
    """The command line, and the Python."""
    return page.locator("[role=tabpanel]:visible .cm-content:visible").all_inner_texts()


def file_of(page: Any, image: str = SHOWN) -> bytes:
    """The bytes that are shown."""
    source = page.locator(image).first.get_attribute("src")
    return base64.b64decode(source.partition("base64,")[2])


def carried_out(command: str, folder: Path) -> bytes:
    """What the command that a page shows writes."""
    words = shlex.split(command.replace("\n", " "))
    assert words[0] == "ganzoo"
    run(["-m", "ganzoo_core", *words[1:]], folder)
    return (folder / words[-1]).read_bytes()


def run(words: list[str], folder: Path) -> None:
    """Python, with as many threads as the studio has."""
    folder.mkdir(exist_ok=True)
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr


def made_again(page: Any, folder: Path) -> None:
    """Both the command and the Python that are shown write the bytes that are shown; what was given lies in folder."""
    shell, python = codes(page)
    shown = file_of(page, f"{SHOWN} >> nth=-1")
    name = shlex.split(shell.replace("\n", " "))[-1]
    given = [path for path in folder.iterdir() if path.is_file()]
    for how in ("shell", "python"):
        (folder / how).mkdir()
        for path in given:
            (folder / how / path.name).write_bytes(path.read_bytes())
    assert carried_out(shell, folder / "shell") == shown
    run(["-c", python], folder / "python")
    assert (folder / "python" / name).read_bytes() == shown


def press(page: Any, button: str) -> None:
    """A button of the tab that is open, and what it makes."""
    page.locator(f"{button}:visible").click()
    page.wait_for_selector(SHOWN)


def upload(page: Any, picture: Image.Image) -> None:
    made = io.BytesIO()
    picture.save(made, "PNG")
    given = {"name": "mine.png", "mimeType": "image/png", "buffer": made.getvalue()}
    page.wait_for_selector(f"{CANVAS} canvas:visible")
    page.wait_for_timeout(1000)
    page.locator(f"{CANVAS} input[type=file]").first.set_input_files(given)
    page.wait_for_timeout(2000)


def face(side: int = 64) -> Image.Image:
    picture = Image.new("RGB", (side, side), "white")
    pen = ImageDraw.Draw(picture)
    pen.ellipse((side // 8, side // 8, side * 7 // 8, side * 7 // 8), outline="black", width=2)
    pen.ellipse((side // 3, side // 3, side // 3 + 6, side // 3 + 6), fill="black")
    pen.ellipse((side * 3 // 5, side // 3, side * 3 // 5 + 6, side // 3 + 6), fill="black")
    pen.arc((side // 3, side // 2, side * 2 // 3, side * 3 // 4), 0, 180, "black", 2)
    return picture


def test_a_sample_is_the_command_lines(visitor, served, tmp_path):
    page = opened(visitor, served, "dcgan.mnist", "One that does not exist")
    page.locator("[role=tabpanel]:visible input[type=number]").fill("7")
    press(page, "#gz-make")
    visitor.picture("make")
    assert commands(page) == "ganzoo sample dcgan.mnist -n 1 --seed 7 -o sample.png"
    assert file_of(page) == carried_out(commands(page), tmp_path)
    with page.expect_download() as download:
        page.locator("[role=tabpanel]:visible a[download]").first.click()
    assert Path(download.value.path()).read_bytes() == file_of(page)


def test_another_is_another(visitor, served):
    page = opened(visitor, served, "dcgan.mnist")
    press(page, "#gz-another")
    first, old = file_of(page), page.locator(SHOWN).first.get_attribute("src")
    page.locator("#gz-another:visible").click()
    changed = "old => document.querySelector('.gz-figure img').src !== old"
    page.wait_for_function(changed, arg=old)
    assert file_of(page) != first


@pytest.mark.parametrize(
    ("model", "tab", "button"),
    [
        ("biggan.mnist", "Grid", "#gz-grid"),
        ("cgan.mnist", "Every class", "#gz-classes"),
        ("dcgan.mnist", "Walk", "#gz-walk"),
        ("stylegan2.emoji32", "Mix styles", "#gz-mix"),
        ("infogan.mnist", "One that does not exist", "#gz-make"),
        ("singan.gravel", "One that does not exist", "#gz-make"),
    ],
)
def test_pages_that_need_nothing(visitor, served, tmp_path, model, tab, button):
    page = opened(visitor, served, model, tab)
    press(page, button)
    visitor.picture(f"{tab}-{model}")
    made_again(page, tmp_path)


def test_translate_what_is_uploaded(visitor, served, tmp_path):
    page = opened(visitor, served, "pix2pix.edges2emoji", "Translate")
    upload(page, face())
    press(page, "#gz-make")
    visitor.picture("translate")
    before, _ = page.locator(SHOWN).all()
    given = base64.b64decode(before.get_attribute("src").partition("base64,")[2])
    (tmp_path / "input.png").write_bytes(given)
    made_again(page, tmp_path)
    assert Image.open(io.BytesIO(given)).getbbox() is not None


def test_a_picture_is_drawn(visitor, served):
    page = opened(visitor, served, "pix2pix.edges2emoji", "Translate")
    canvas = page.locator("[role=tabpanel]:visible .gz-canvas canvas:visible").first
    canvas.wait_for()
    page.wait_for_timeout(1500)
    page.locator("[role=tabpanel]:visible .gz-canvas").get_by_label("Brush").first.click()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 220, box["y"] + 200, steps=12)
    page.mouse.up()
    page.wait_for_timeout(500)
    press(page, "#gz-make")
    visitor.picture("drawn")
    assert Image.open(io.BytesIO(file_of(page))).convert("L").getextrema()[0] < 128  # the stroke came through


def test_both_directions(visitor, served):
    page = opened(visitor, served, "cyclegan.noto2blob", "Translate")
    page.locator("#gz-net label").nth(1).click()
    page.wait_for_timeout(1500)
    upload(page, face())
    press(page, "#gz-make")
    assert "--net F" in commands(page)


def test_super_resolution_has_a_slider(visitor, served):
    page = opened(visitor, served, "srgan.kodak_lite0", "Translate")
    upload(page, face(48))
    press(page, "#gz-make")
    slider = page.locator("[role=tabpanel]:visible .gz-slide input")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".gz-slide:visible").evaluate("e => e.style.getPropertyValue('--at')") == "51%"
    boxes = [image.bounding_box() for image in page.locator("[role=tabpanel]:visible .gz-slide img").all()]
    assert (
        boxes[0] == boxes[1] and slider.bounding_box()["y"] >= boxes[0]["y"] + boxes[0]["height"]
    )  # nothing is covered
    visitor.picture("enlarged")


def test_a_hole_is_brushed_out(visitor, served, tmp_path):
    page = opened(visitor, served, "context_encoder.emoji", "Fill a hole")
    upload(page, face())
    canvas = page.locator("[role=tabpanel]:visible .gz-canvas canvas:visible").first
    page.locator("[role=tabpanel]:visible .gz-canvas").get_by_label("Brush").first.click()
    box = canvas.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(middle[0] - 5, middle[1])
    page.mouse.down()
    page.mouse.move(middle[0] + 5, middle[1], steps=6)
    page.mouse.up()
    page.wait_for_timeout(500)
    press(page, "#gz-make")
    visitor.picture("hole")
    assert "--mask mask.png" in commands(page)


def test_words(visitor, served, tmp_path):
    page = opened(visitor, served, "gan_cls.shapes", "Say it")
    page.locator("[role=tabpanel]:visible textarea").first.fill("a red circle")
    press(page, "#gz-make")
    visitor.picture("words")
    made_again(page, tmp_path)


def test_a_table(visitor, served):
    page = opened(visitor, served, "ctgan.people", "Grid")
    page.locator("#gz-grid:visible").click()
    page.wait_for_selector("[role=tabpanel]:visible .gz-scroll td")
    visitor.picture("table")
    assert page.locator("[role=tabpanel]:visible .gz-scroll th").first.inner_text() != ""


def test_compare(visitor, served, tmp_path):
    page = opened(visitor, served, "dcgan.mnist", "Compare")
    press(page, "#gz-compare")
    page.wait_for_function("document.querySelectorAll('.gz-pair img').length === 2")
    visitor.picture("compare")
    lines, python = codes(page)
    first, second = (file_of(page, f".gz-pair img >> nth={k}") for k in (0, 1))
    assert [carried_out(line, tmp_path) for line in lines.splitlines()] == [first, second]
    run(["-c", python], tmp_path / "python")
    assert [(tmp_path / "python" / f"{name}.png").read_bytes() for name in ("first", "second")] == [first, second]


@pytest.mark.parametrize(
    ("tab", "button"),
    [("Directions", "#gz-directions"), ("Dissect", "#gz-dissect"), ("Drag points", "#gz-drag")],
)
def test_inside_the_latent_space(visitor, served, tmp_path, tab, button):
    visitor.page.set_viewport_size({"width": 1600, "height": 900})  # all tabs find room
    page = opened(visitor, served, "stylegan2.emoji32", tab)
    press(page, button)
    visitor.picture(tab)
    made_again(page, tmp_path)


def test_a_direction_is_followed(visitor, served, tmp_path):
    page = opened(visitor, served, "stylegan2.emoji32", "Directions")
    press(page, "#gz-move")
    first = file_of(page)
    slider = page.locator("#gz-far:visible input[type=range]")
    slider.focus()
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    slider.dispatch_event("pointerup")
    page.locator("#gz-move:visible").click()
    page.wait_for_function("[...document.querySelectorAll('.cm-content')].some(e => e.innerText.includes('1:2.0'))")
    visitor.picture("direction")
    assert file_of(page) != first
    made_again(page, tmp_path)


def test_units_are_switched_off(visitor, served, tmp_path):
    page = opened(visitor, served, "stylegan2.emoji32", "Dissect")
    press(page, "#gz-units")
    first = file_of(page)
    page.locator("[role=tabpanel]:visible input[type=checkbox]").first.check()
    page.wait_for_function(
        "[...document.querySelectorAll('.cm-content')].some(e => /', \\[[0-9]+\\]/.test(e.innerText))"
    )
    assert file_of(page) != first
    visitor.picture("units")
    made_again(page, tmp_path)


def test_a_picture_is_found_and_moved(visitor, served, tmp_path):
    """What one page finds, another takes up: the point is downloaded, and given."""
    page = opened(visitor, served, "dcgan.mnist", "Find my picture")
    upload(page, face(32))
    press(page, "#gz-project")
    visitor.picture("project")
    assert "mean squared error" in page.locator("[role=tabpanel]:visible .gz-view").first.inner_text()
    for name in ("input.png", "found.safetensors"):
        with page.expect_download() as download:
            page.locator(f"[role=tabpanel]:visible a[download='{name}']").click()
        (tmp_path / name).write_bytes(Path(download.value.path()).read_bytes())
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "input.png").write_bytes((tmp_path / "input.png").read_bytes())
    made_again(page, tmp_path / "a")
    choose(page, "Directions")
    page.locator("[role=tabpanel]:visible .gz-given input[type=file]").set_input_files(tmp_path / "found.safetensors")
    page.wait_for_selector("[role=tabpanel]:visible .gz-given a")
    page.wait_for_timeout(1500)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "point.safetensors").write_bytes((tmp_path / "found.safetensors").read_bytes())
    for _ in range(2):  # the second press sends the same point: the page has kept it
        press(page, "#gz-move")
        page.wait_for_function("document.body.innerText.includes('point.safetensors')")
    made_again(page, tmp_path / "b")


def test_uploads_go_with_the_answer_that_used_them(visitor, served):
    """A picture on a canvas, twice: nothing that a press has named is left; nor, soon, what gradio sends besides."""
    page, named = opened(visitor, served, "pix2pix.edges2emoji", "Translate"), []

    def note(request):
        if "queue/join" in request.url:
            named.extend(re.findall(r'"path":"([^"]*)"', request.post_data or ""))

    page.on("request", note)
    upload(page, face())
    for times in (1, 2):
        press(page, "#gz-make")
        page.wait_for_timeout(1500)
        paths = [Path(path) for path in named]
        assert len(paths) >= 3 * times and all(path.is_relative_to(served.rooms) for path in paths)
        assert not any(path.exists() or path.parent.exists() for path in paths)
    for _ in range(60):
        if not served.given():
            break
        page.wait_for_timeout(1000)
    assert served.given() == []


def test_a_sound_is_given_and_heard(visitor, served, vocoder_folder, tmp_path):
    """The file is read once and deleted; the page keeps it, so that it can be used again."""
    import wave

    with wave.open(str(tmp_path / "mine.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(np.round(9000 * np.sin(np.arange(8000) / 4)).astype("<i2").tobytes())
    page = opened(visitor, served, str(vocoder_folder), "Translate")
    page.locator("[role=tabpanel]:visible .gz-given input[type=file]").set_input_files(tmp_path / "mine.wav")
    page.wait_for_selector("[role=tabpanel]:visible .gz-given a")
    page.wait_for_timeout(1500)
    assert not any(name.endswith(".wav") for name in served.given())
    for _ in range(2):
        page.locator("#gz-make:visible").click()
        player = page.locator("[role=tabpanel]:visible audio")
        player.wait_for()
    page.wait_for_function("document.querySelector('audio').duration > 0.5")
    visitor.picture("sound")
    made = base64.b64decode(player.get_attribute("src").partition("base64,")[2])
    with page.expect_download() as download:
        page.locator("[role=tabpanel]:visible a[download='mel.wav']").click()
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "mel.wav").write_bytes(Path(download.value.path()).read_bytes())
    assert carried_out(commands(page), tmp_path / "given") == made


def test_sounds_have_a_player(visitor, served, sound_folder):
    """On the page of samples, and on the card."""
    page = opened(visitor, served, str(sound_folder / "model"), "Grid")
    page.locator("#gz-grid:visible").click()
    page.locator("[role=tabpanel]:visible audio").wait_for()
    page.wait_for_function("document.querySelector('audio').duration > 0")
    assert page.locator("[role=tabpanel]:visible audio").get_attribute("aria-label").startswith("16 samples of")
    choose(page, "Card")
    page.locator("[role=tabpanel]:visible audio").wait_for()
    visitor.picture("sound-card")


def test_no_script_runs_but_the_pages_own(visitor, served):
    """Whatever gets into the markup of a page stays markup."""
    page = opened(visitor, served, "dcgan.mnist")
    page.evaluate(
        """() => { const made = document.createElement('div');
        made.innerHTML = '<img src="data:," onerror="window.hit = 1">' +
            '<a id=gz-trap href="javascript:window.hit = 2">x</a>';
        document.body.append(made);
        const script = document.createElement('script'); script.textContent = 'window.hit = 3';
        document.body.append(script); document.querySelector('#gz-trap').click(); }"""
    )
    page.wait_for_timeout(500)
    assert page.evaluate("window.hit") is None


def test_the_card(visitor, served):
    page = opened(visitor, served, "dcgan.mnist", "Card")
    page.wait_for_selector(".gz-facts")
    visitor.picture("card")
    assert "CC" in page.locator(".gz-facts").first.inner_text() and "fid[mnist-cnn]" in page.content()


def test_a_run_is_watched(visitor, served):
    page = opened(visitor, served, "dcgan.mnist")
    page.get_by_text("Watch a run").click()
    page.wait_for_selector("#gz-watch iframe")
    inside = page.frame_locator("#gz-watch iframe")
    inside.locator("h1").wait_for()
    assert "dcgan on digits" in inside.locator("h1").inner_text()
    visitor.picture("watch")


def test_faults_are_one_line(visitor, served):
    page = opened(visitor, served, "pix2pix.edges2emoji", "Translate")
    page.locator("#gz-make:visible").click()
    toast = page.locator(".toast-body")
    toast.wait_for()
    assert "no picture is given. Upload one, or draw." in toast.inner_text()
    assert "Traceback" not in page.content()


def test_on_a_phone_by_keyboard(phone, served):
    page = opened(phone, served, "cgan.mnist")
    page.locator("#gz-make:visible").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(SHOWN)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390  # nothing sticks out
    assert page.locator(SHOWN).get_attribute("alt").startswith("A sample of cgan.mnist")
    phone.picture("phone")


NAMELESS = """[...document.querySelectorAll('input, select, textarea, button, audio, img')].filter(e =>
    e.offsetParent && !(e.labels && e.labels.length) && !e.getAttribute('aria-label') && !e.alt && !e.title &&
    !e.getAttribute('aria-labelledby') && !e.innerText.trim()).map(e => e.outerHTML.slice(0, 200))"""


@pytest.mark.parametrize("model", ["stylegan2.emoji32", "context_encoder.emoji", "infogan.mnist", "gan_cls.shapes"])
def test_every_page_has_names_and_fits_a_phone(phone, served, model):
    """Each control and picture says what it is, and nothing sticks out."""
    page = opened(phone, served, model)
    tabs = tabs_of(page)
    for tab in tabs:
        choose(page, tab)
        page.wait_for_timeout(700)
        phone.picture(f"phone-{model}-{tab}")
        assert page.evaluate(NAMELESS) == [], tab
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, tab
    assert len(tabs) >= 2 and "Card" in tabs


def test_all_is_reached_by_the_keyboard(visitor, served):
    """From the top: the model, the tabs, the seed, the button; and what it makes is announced where it stands."""
    page = opened(visitor, served, "cgan.mnist")
    page.evaluate("document.activeElement.blur()")
    met = []
    for _ in range(40):
        page.keyboard.press("Tab")
        met.append(page.evaluate(
            "(e => e.closest('#gz-model') ? 'model' : e.id === 'gz-make' ? 'make' : "
            "e.getAttribute('role') || e.type)(document.activeElement)"
        ))  # fmt: skip
        if met[-1] == "make":
            break
    assert [met.index(name) for name in ("model", "tab", "number", "make")] == sorted(
        met.index(name) for name in ("model", "tab", "number", "make")
    )
    page.keyboard.press("Enter")
    page.wait_for_selector(SHOWN)


def test_a_path_is_no_upload(visitor, served, tmp_path):
    """Whoever names a file of the machine where the form has an upload gets nothing of it."""
    secret = tmp_path / "secret.png"
    Image.new("RGBA", (64, 64), "red").save(secret)
    forged = []

    def forge(route):
        sent = route.request.post_data or ""
        if ".png" in sent:
            forged.append(re.sub(r'"path":"[^"]*"', f'"path":"{secret}"', sent))
            return route.continue_(post_data=forged[-1])
        return route.continue_()

    page = opened(visitor, served, "pix2pix.edges2emoji", "Translate")
    upload(page, face())
    page.route("**/queue/join*", forge)
    page.locator("#gz-make:visible").click()
    page.locator(".toast-body").wait_for()
    assert forged and page.locator(SHOWN).count() == 0


def test_two_visitors_do_not_meet(visitors, served):
    """What one of them chooses and makes stays in that one's page."""
    first, second = visitors
    pages = [opened(first, served, "dcgan.mnist"), opened(second, served, "cgan.mnist")]
    for seed, page in enumerate(pages, 3):
        page.locator("[role=tabpanel]:visible input[type=number]").fill(str(seed))
    for page in pages:
        page.locator("#gz-make:visible").click()
    for page in pages:
        page.wait_for_selector(SHOWN)
    said = [commands(page) for page in pages]
    assert said[0] == "ganzoo sample dcgan.mnist -n 1 --seed 3 -o sample.png"
    assert said[1].startswith("ganzoo sample cgan.mnist -n 1 --seed 4 --label")


def test_the_gallery(visitor, tmp_path):
    done = subprocess.run([sys.executable, "-m", "ganzoo_core", "gallery", "-o", str(tmp_path)], capture_output=True)
    assert done.returncode == 0
    page = visitor.page
    page.goto((tmp_path / "index.html").as_uri())
    assert page.locator("article:visible img").count() >= 40
    page.get_by_label("Task").select_option("translation")
    names = page.locator("article:visible h2").all_inner_texts()
    assert "pix2pix.edges2emoji" in names and "dcgan.mnist" not in names
    page.get_by_label("Task").select_option("")
    page.get_by_label("Name").fill("deep convolutional")
    assert page.locator("article:visible h2").all_inner_texts() == ["dcgan.mnist"]
    assert "1 shown" in page.locator("output").inner_text()
    page.locator("article:visible button").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("getSelection().toString()").startswith("ganzoo sample dcgan.mnist")
    page.get_by_label("Name").fill("")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    visitor.picture("gallery")

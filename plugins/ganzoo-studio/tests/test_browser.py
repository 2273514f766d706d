"""Every page opened and used in a real browser; what it shows is what the command line makes."""

from __future__ import annotations

import base64
import io
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


def choose(page: Any, tab: str) -> None:
    """A tab; those that find no room stand in a menu."""
    there = (
        page.locator("[role=tab]:visible")
        .get_by_text(tab, exact=True)
        .or_(page.locator("[role=tab]:visible", has_text=re.compile(f"^\\s*{tab}\\s*$")))
    )
    if there.count() == 0:
        page.locator(".overflow-menu > button").click()
        there = page.get_by_role("tab", name=tab, exact=True)
    if there.count() == 0:
        page.wait_for_timeout(1500)  # until it is known which find room
        page.locator(".overflow-menu > button").click()
        there = page.locator(".overflow-dropdown button:visible", has_text=tab)
    there.first.click()


def commands(page: Any) -> str:
    """The command line that stands below what is shown."""
    return page.locator("[role=tabpanel]:visible .cm-content:visible").first.inner_text()


def file_of(page: Any, image: str = SHOWN) -> bytes:
    """The bytes that are shown."""
    source = page.locator(image).first.get_attribute("src")
    return base64.b64decode(source.partition("base64,")[2])


def carried_out(command: str, folder: Path) -> bytes:
    """What the command that a page shows writes."""
    words = shlex.split(command.replace("\n", " "))
    assert words[0] == "ganzoo"
    done = subprocess.run([sys.executable, "-m", "ganzoo_core", *words[1:]], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return (folder / words[-1]).read_bytes()


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
    assert file_of(page) == carried_out(commands(page), tmp_path)


def test_translate_what_is_uploaded(visitor, served, tmp_path):
    page = opened(visitor, served, "pix2pix.edges2emoji", "Translate")
    upload(page, face())
    press(page, "#gz-make")
    visitor.picture("translate")
    before, after = page.locator(SHOWN).all()
    given = base64.b64decode(before.get_attribute("src").partition("base64,")[2])
    (tmp_path / "input.png").write_bytes(given)
    shown = base64.b64decode(after.get_attribute("src").partition("base64,")[2])
    assert shown == carried_out(commands(page), tmp_path)
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
    assert file_of(page) == carried_out(commands(page), tmp_path)


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
    assert file_of(page) == carried_out(commands(page).splitlines()[0], tmp_path)


@pytest.mark.parametrize(
    ("tab", "button"),
    [("Directions", "#gz-directions"), ("Dissect", "#gz-dissect"), ("Drag points", "#gz-drag")],
)
def test_inside_the_latent_space(visitor, served, tmp_path, tab, button):
    visitor.page.set_viewport_size({"width": 1600, "height": 900})  # all tabs find room
    page = opened(visitor, served, "stylegan2.emoji32", tab)
    press(page, button)
    visitor.picture(tab)
    assert within_a_level(file_of(page), carried_out(commands(page), tmp_path))  # the studio's process has more threads


def within_a_level(one, other):
    a, b = (np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=int) for data in (one, other))
    return a.shape == b.shape and abs(a - b).max() <= 1


def test_units_are_switched_off(visitor, served):
    page = opened(visitor, served, "stylegan2.emoji32", "Dissect")
    press(page, "#gz-units")
    first = file_of(page)
    page.locator("[role=tabpanel]:visible input[type=checkbox]").first.check()
    page.wait_for_function(
        "[...document.querySelectorAll('.cm-content')].some(e => /', \\[[0-9]+\\]/.test(e.innerText))"
    )
    assert file_of(page) != first
    visitor.picture("units")


def test_a_picture_is_found(visitor, served, tmp_path):
    page = opened(visitor, served, "dcgan.mnist", "Find my picture")
    upload(page, face(32))
    press(page, "#gz-project")
    visitor.picture("project")
    assert "mean squared error" in page.locator("[role=tabpanel]:visible .gz-view").first.inner_text()


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


def test_every_control_has_a_name(visitor, served):
    page = opened(visitor, served, "biggan.mnist", "Grid")
    nameless = page.evaluate(
        """[...document.querySelectorAll('input, select, textarea, button')].filter(e => e.offsetParent &&
        !(e.labels && e.labels.length) && !e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby') &&
        !e.title && !e.innerText.trim()).map(e => e.outerHTML.slice(0, 200))"""
    )
    assert nameless == []


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

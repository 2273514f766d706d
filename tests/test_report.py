"""The report of a run: whole in one page, whatever its files hold, and nothing in them becomes markup."""

import base64
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from PIL import Image

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.report import charts, read_run
from ganzoo_core.report import page as report

HOSTILE = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>'\x1b[31m\x00\u202e&amp;"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]  # fmt: skip


EMBEDDED = {"img": "data:image/png;base64,", "audio": "data:audio/wav;base64,"}


class Page(HTMLParser):
    """Every tag with its attributes, and all text."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def harmless(source):
    """The page, which loads nothing, runs nothing and holds no control characters."""
    page = Page(source)
    assert not {"script", "iframe", "object", "embed", "link", "base", "form", "a"} & {tag for tag, _ in page.tags}
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("href", "srcset", "action")]
        assert all(v.startswith(EMBEDDED.get(tag, "nothing")) for k, v in attributes.items() if k == "src")
    assert "url(" not in source and "@import" not in source
    assert re.search(r"[^\n\x20-\x7e\xa0-\U0010ffff]|\u202e", source) is None
    (policy,) = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv")]
    assert policy.startswith("default-src 'none'; img-src data:;")
    return page


def ganzoo(*args):
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "ganzoo_core", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, env=env)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A run directory of a tiny DCGAN."""
    folder = tmp_path_factory.mktemp("report") / "run"
    gz.fit(gz.create("dcgan", preset="tiny"), "digits", images=1600, batch_size=16, out=folder)
    return folder


@pytest.fixture
def made(tmp_path):
    """A run directory that is written by hand: `made(**changes of run.json)`."""

    def make(log=(), health=None, **changes):
        recipe = {"family": "toy", "networks": None, "preset": "tiny", "args": {"width": 8}}
        run = {"format": 1, "recipe": recipe, "data": {"name": "ring", "licence": "CC0-1.0"}, "seed": 3, "images": 1000}
        (tmp_path / "run.json").write_text(json.dumps({**run, **changes}))
        (tmp_path / "log.jsonl").write_text("".join(f"{x if isinstance(x, str) else json.dumps(x)}\n" for x in log))
        if health is not None:
            (tmp_path / "health.jsonl").write_text("".join(json.dumps(x) + "\n" for x in health))
        return tmp_path

    return make


def entry(images, phase="main", **losses):
    return {"images": images, "phase": phase, "losses": losses or {"D/real": 1.0, "G/adv": 2.0 / images}}


def render(folder):
    return harmless(report.page(read_run.read(folder)))


# ---- what it tells ---------------------------------------------------------------------------------------------------
def test_a_real_run_is_told_whole(real):
    source = report.page(read_run.read(real))
    page = harmless(source)
    for told in ("dcgan on digits", "finished, 1,600 images", "seed 0", "CC-BY-4.0", "image_size", "torch", "0.0002"):
        assert told in page.text, told
    charts = ["Player D: loss", "Player G: loss", "Variety of the samples: share of the data's"]
    assert [s["aria-label"] for s in page.all("svg")] == [f"{chart} over images" for chart in charts]
    images = page.all("img")
    assert len(images) == 21 and images[0]["alt"] == "G at 64 images" and images[1]["alt"] == "G at 1,600 images"
    assert "no warning was raised" in page.text and "MiB" in page.text
    assert len(source) < 2**20


def test_the_verb(real, tmp_path):
    done = ganzoo("report", real)
    assert done.returncode == 0 and done.stdout.strip() == str(real / "report.html") and done.stderr == ""
    assert ganzoo("report", real).returncode == 0  # a run's own report is made anew
    out = tmp_path / "page.html"
    document = json.loads(ganzoo("report", real, "-o", out, "--json").stdout)
    assert document["schema"] == 1 and document["report"] == str(out) and document["finished"]
    assert document["images"] == document["total"] == 1600 and document["warnings"] == []
    assert set(document["losses"]) == {"D/real", "D/fake", "G/adv"} and document["checkpoints"][-1] == 1600
    assert out.read_text() == (real / "report.html").read_text()


def test_the_verb_does_not_overwrite(real, tmp_path):
    out = tmp_path / "page.html"
    out.write_text("mine")
    done = ganzoo("report", real, "-o", out)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1 and "--force" in done.stderr
    assert out.read_text() == "mine"
    assert ganzoo("report", real, "-o", out, "--force").returncode == 0 and "<!doctype" in out.read_text()
    done = ganzoo("report", real, "-o", tmp_path, "--force")
    assert done.returncode == 2 and "is a directory" in done.stderr


def test_it_imports_no_torch():
    program = "import sys, ganzoo_core.cli.report_, ganzoo_core.report.page; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_phases_are_marked(made):
    page = render(made([entry(i, "first" if i < 500 else "second") for i in range(10, 1000, 10)]))
    assert page.text.count("first") == 2 and page.text.count("second") == 2  # once in each chart
    assert len([a for a in page.all("line") if a["class"] == "phase"]) == 4
    assert "99% done" in page.text
    assert "first" not in render(made([entry(i, "first") for i in range(10, 1000, 10)])).text


def test_warnings_and_metrics_are_shown(made):
    folder = made([entry(10)], [{"images": 500, "variety": 0.5, "warnings": ["the sky falls. Look up."]}])
    (folder / "model").mkdir()
    metric = {"name": "fid[mnist-cnn]", "value": 12.3456, "protocol": {"n": 10_000, "split": "test"}}
    (folder / "model" / "metrics.json").write_text(json.dumps({"metrics": [metric]}))
    page = render(folder)
    for told in ("at 500 images", "the sky falls. Look up.", "fid[mnist-cnn]", "12.35", "n 10000, split test"):
        assert told in page.text
    assert report.summary(read_run.read(folder))["warnings"] == [{"images": 500, "text": "the sky falls. Look up."}]


def test_the_first_and_the_last_picture_are_always_there(made, monkeypatch):
    folder = made([entry(10)])
    (folder / "samples").mkdir()
    for images in range(100, 1100, 100):
        Image.effect_noise((64, 64), 50).save(folder / "samples" / f"{images:010d}-G.png")
    size = (folder / "samples" / "0000000100-G.png").stat().st_size
    monkeypatch.setattr(report, "BUDGET", 4.5 * size)
    page = render(folder)
    shown = [img["alt"] for img in page.all("img")]
    assert shown[:2] == ["G at 100 images", "G at 1,000 images"] and 4 <= len(shown) <= 6
    assert f"{10 - len(shown)} more are in samples/" in page.text
    monkeypatch.setattr(report, "BUDGET", 0)
    assert len(render(folder).all("img")) == 2


def test_what_can_be_heard_has_a_player_beside_the_first_and_the_last_picture(made):
    """A WAV file that lies beside a picture of samples/; what only pretends to be one, or is large, is left out."""
    folder, names = made([entry(10)]), ["0000000100-G", "0000000200-G", "0000000300-G", "0000000400-G"]
    (folder / "samples").mkdir()
    for name in names:
        Image.new("RGB", (32, 16), "navy").save(folder / "samples" / f"{name}.png")
        (folder / "samples" / f"{name}.wav").write_bytes(b"RIFF\x24\0\0\0WAVE" + name.encode())
    sounds = [base64.b64decode(one["src"].partition(",")[2]) for one in render(folder).all("audio")]
    assert sounds == [b"RIFF\x24\0\0\0WAVE" + name.encode() for name in (names[0], names[-1])]
    (folder / "samples" / f"{names[0]}.wav").write_bytes(b"<script>")
    (folder / "samples" / f"{names[-1]}.wav").write_bytes(b"RIFF\0\0\0\0WAVE" + bytes(read_run.SOUND))
    assert render(folder).all("audio") == []


# ---- what must not harm it -------------------------------------------------------------------------------------------
def test_nothing_in_the_files_becomes_markup(made):
    losses = {f"{HOSTILE}/{HOSTILE}": 1.0, "D/<b>": 2.0}
    folder = made(
        [entry(10, HOSTILE, **losses), entry(20, "</svg><script>", **losses), entry(990, HOSTILE, **losses)],
        [{"images": 5, "variety": 0.1, "warnings": [HOSTILE]}],
        recipe={"family": HOSTILE, "networks": HOSTILE, "preset": HOSTILE, "args": {HOSTILE: HOSTILE, "b": [HOSTILE]}},
        data={"name": HOSTILE, "licence": HOSTILE}, source=HOSTILE, command=HOSTILE, seed=HOSTILE, device=HOSTILE,
        versions={HOSTILE: HOSTILE}, precision=HOSTILE, threads=[HOSTILE], images=HOSTILE,
    )  # fmt: skip
    (folder / "model").mkdir()
    metric = {"name": HOSTILE, "value": HOSTILE, "protocol": {HOSTILE: HOSTILE}}
    (folder / "model" / "metrics.json").write_text(json.dumps({"metrics": [metric]}))
    (folder / "samples").mkdir()
    Image.new("L", (4, 4)).save(folder / "samples" / "10-\"'><script>x.png")
    page = render(folder)
    assert page.text.count("<script>alert(1)</script>") > 10 and "\\x1b[31m\\x00\\u202e&amp;" in page.text
    assert [tag for tag, _ in page.tags].count("img") == 1 and page.all("img")[0]["alt"].startswith("\"'><script>x at")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        ("{", "damaged"),
        ("[1]", "describes no run"),
        ('{"format": 1}', "describes no run"),
        ("[" * 100_000, "damaged"),
        (b"\xff\xfe", "damaged"),
    ],
)
def test_what_is_no_run_is_refused_in_one_line(tmp_path, content, said):
    if content is not None:
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / "run.json").write_bytes(data)
    with pytest.raises(GanzooError, match=said) as fault:
        read_run.read(tmp_path)
    assert "\n" not in str(fault.value)


def test_the_verb_refuses_in_one_line(tmp_path):
    done = ganzoo("report", tmp_path / "nothing\x1b[31m")
    assert done.returncode == 2 and done.stdout == "" and "\x1b" not in done.stderr
    assert done.stderr.startswith("ganzoo: error: ") and done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


BAD = [
    "", "{", "[]", "5", "null", '{"images": "many"}', '{"images": -5}', '{"images": true}', '{"images": 1e400}',
    '{"images": 9e99}', '{"losses": {}}', "[" * 50_000, "é" * 300, '"' * 2_000_000, "\x00",
]  # fmt: skip


def test_damaged_lines_are_left_out_and_counted(made):
    folder = made([*BAD, entry(10), '{"images": 20, "losses": {"D/real": NaN, "D/fake": Infinity, "G/adv": "x"}}',
                   entry(30), '{"images": 40, "phase": "main", "losses": {"D/re'])  # fmt: skip
    found = read_run.read(folder)
    assert [e.images for e in found.log] == [10, 20, 30]
    assert found.damaged >= len(BAD) + 1 and "damaged lines" in render(folder).text


@pytest.mark.parametrize("values", [[0.0, 0.0], [1e299, -1e299], [5.0], [1e-300, 2e-300], [3.0, 3.0, 3.0, 3.0 + 1e-12]])
def test_any_numbers_can_be_drawn(made, values):
    page = render(made([entry(10 + i, **{"D/real": v}) for i, v in enumerate(values)]))
    assert not re.search(r"nan|inf", " ".join(a["d"] for a in page.all("path")))


def test_the_emptiest_run_has_a_page(tmp_path):
    (tmp_path / "run.json").write_text('{"recipe": null}')
    assert "A game on data" in render(tmp_path).text
    for name in ("log.jsonl", "health.jsonl", "samples", "checkpoints"):
        (tmp_path / name).touch()
    assert "holds nothing yet" in render(tmp_path).text


def test_tables_of_the_wrong_kind_are_tolerated(made):
    folder = made([entry(10)], [{"images": 7, "warnings": "x"}, {"images": 8, "variety": "y"}],
                  recipe=[], data="x", versions=[1], command=None, images=-1, source={"a": 1})  # fmt: skip
    (folder / "model").mkdir()
    (folder / "model" / "metrics.json").write_text('[{"value": null}, 3]')
    render(folder)


def test_what_only_pretends_to_be_a_picture_is_left_out(made, tmp_path):
    folder = made([entry(10)])
    (folder / "samples").mkdir()
    (folder / "samples" / "0000000010-G.png").write_text("<script>")
    (folder / "samples" / "0000000020-G.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(4) + b"IHDR" + b"\xff" * 8)
    (folder / "samples" / "0000000030-G.png").mkdir()
    (folder / "samples" / "0000000040-G.png").symlink_to("nowhere")
    assert not render(folder).all("img")


def test_a_huge_log_makes_a_small_page(made):
    folder = made()
    with open(folder / "log.jsonl", "w") as file:
        for i in range(1, 60_001):
            file.write(f'{{"images": {i}, "phase": "p{i % 300}", "losses": {{"D/real": {i % 7}, "G/adv": 1}}}}\n')
    found = read_run.read(folder)
    assert len(found.log) <= 2 * read_run.POINTS + 1 and found.log[-1].images == 60_000
    assert len(report.page(found)) < 500_000
    many = {f"P{i}/t{j}": 1.0 for i in range(40) for j in range(40)}
    page = render(made([entry(10, **many), entry(20, **many)]))
    assert len(page.all("svg")) == report.PLAYERS and "and 28 more" in page.text


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3, 7), (0, 20_000), (1e-9, 2e-9), (0, 1e15), (5, 5.0001)])
def test_ticks_are_few_round_and_inside(low, high):
    ticks = charts.ticks(low, high, 6)
    assert 2 <= len(ticks) <= 8
    assert all(low - 1e-9 * abs(high) <= t <= high * (1 + 1e-9) for t in ticks)


def test_running_means_keep_a_straight_line():
    line = [(i, 2.0 * i) for i in range(200)]
    middle = charts.smooth(line)[20:-20]
    assert all(abs(y - 2 * x) < 1e-9 for x, y in middle)
    assert charts.smooth([(1, 5.0)]) == [(1, 5.0)]


# ---- in a browser ----------------------------------------------------------------------------------------------------
@pytest.fixture
def server():
    """A web server on this machine that writes down what it is asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}", asked
        httpd.shutdown()


def browse(path):
    """The page as the browser understood it, and what it complained of."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            CHROMIUM,
            *QUIET,
            f"--user-data-dir={profile}",
            "--enable-logging=stderr",
            "--dump-dom",
            path.as_uri(),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return Page(done.stdout), [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium to look at the page with")
def test_a_browser_shows_it_and_asks_for_nothing(real, server, tmp_path):
    address, asked = server
    control = tmp_path / "control.html"
    control.write_text(f"<img src={address}/control>")
    browse(control)
    assert asked == ["/control"]
    hostile = f'"><img src={address}/img><script src={address}/script></script>'
    found = read_run.read(real)
    recipe = {**found.run["recipe"], "preset": hostile, "args": {hostile: hostile}}
    path = tmp_path / "report.html"
    path.write_text(report.page(replace(found, run={**found.run, "recipe": recipe, "command": hostile})))
    page, complaints = browse(path)
    assert "dcgan on digits" in page.text and len(page.all("svg")) == 3 and len(page.all("img")) == 21
    assert asked == ["/control"] and complaints == []


def test_a_run_that_was_stopped_early_says_how_far_it_came(tmp_path):
    """Before its first log entry there may be a checkpoint; a run that was stopped has a model, and is not over."""
    options = {"images": 160_000, "batch_size": 16, "checkpoint_every": 32, "precision": "fp32"}
    for seen in gz.train(gz.create("dcgan", preset="tiny"), "digits", out=tmp_path / "run", **options):
        if seen.position.images == 48:
            break
    assert (tmp_path / "run" / "model" / "config.json").exists()
    (tmp_path / "run" / "log.jsonl").unlink()
    text = harmless(report.page(read_run.read(tmp_path / "run"))).text
    assert "0.03% done" in text and "48 images" in text and "finished" not in text


@pytest.mark.parametrize(
    ("done", "said"), [(0, "0%"), (1, "0.001%"), (50_000, "50%"), (99_999, "99%"), (100_000, "100%")]
)
def test_what_has_begun_is_not_nothing(done, said):
    assert report.share(done, 100_000) == said


def test_scores_and_whether_it_repeats(real, tmp_path):
    folder = shutil.copytree(real, tmp_path / "run")
    rows = [{"images": i, "name": HOSTILE, "value": v} for i, v in ((160, 9.0), (320, "x"), (480, 7.0), (0, 1.0))]
    (folder / "evals.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\nhalf a li")
    page = render(folder)
    assert "Scores" in page.text and len(page.all("svg")) == 4 and "bit for bit" in page.text
    described = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**described, "deterministic": False}))
    assert "--fast" in render(folder).text

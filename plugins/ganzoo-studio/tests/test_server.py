"""What is served and what is refused: over plain HTTP, as somebody who means no good would ask."""

import base64
import http.client
import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import threading
import urllib.parse
import zipfile
from pathlib import Path

import pytest

from ganzoo_core.errors import ExternalError, GanzooError

pytest.importorskip("gradio", reason="no gradio: the studio is left out")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("studio")]
SECRET = "nobody outside may read this"


def ask(served, path, body=None, method="", headers=()):
    """(status, headers, body) of a request whose path is sent as it stands."""
    host, port = urllib.parse.urlsplit(served.address).netloc.split(":")
    line = http.client.HTTPConnection(host, int(port), timeout=60)
    line.request(method or ("POST" if body is not None else "GET"), path, body, dict(headers))
    answer = line.getresponse()
    found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    line.close()
    return found


def test_the_page_names_no_other_host(served):
    status, headers, body = ask(served, "/")
    page = body.decode()
    assert status == 200 and "ganzoo studio" in page
    assert re.findall(r"""<[^>]*\b(?:src|href|content)\s*=\s*["']?(?:https?:)?//[^>]*>""", page) == []
    assert (
        "default-src 'self'" in headers["content-security-policy"] and "http" not in headers["content-security-policy"]
    )
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert not urllib.parse.urlsplit(address).netloc
        if address.endswith((".js", ".css")):
            assert ask(served, "/" + address.lstrip("./"))[0] == 200
    assert '"analytics_enabled":false' in page.replace(" ", "")


def test_no_file_of_the_machine_is_read(served, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    here = Path(__file__).resolve()
    for target in (secret, here, Path("/etc/passwd"), here.parents[3] / "README.md", Path.cwd() / "Makefile"):
        up = "../" * 12 + str(target).lstrip("/")
        twice = urllib.parse.quote(urllib.parse.quote(up, safe=""), safe="")
        once = urllib.parse.quote(up, safe="")
        direct = [
            f"/gradio_api/file={name}" for name in (target, up, once, twice, f"file://{target}", f"{target}%00.png")
        ]
        served_by = ("/file=", "/static/", "/assets/", "/svelte/", "/", "/custom_component/x/client/component/")
        others = [f"{route}{up}" for route in served_by]
        streams = [f"/gradio_api/stream/x/y/z/{up}", f"/gradio_api/proxy=file://{target}"]
        for path in (*direct, *others, *streams):
            status, _, body = ask(served, path)
            assert status in (400, 403, 404, 405, 422, 500) or target.read_bytes()[:40] not in body, path
            assert SECRET.encode() not in body and b"root:x:0" not in body, path


def test_nothing_is_fetched_for_anybody(served):
    """An address where a file should be is never asked."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.settimeout(1)
        address = f"http://127.0.0.1:{stranger.getsockname()[1]}/x.png"
        for key in ("path", "url"):
            given = {"path": "x.png", key: address, "meta": {"_type": "gradio.FileData"}}
            body = json.dumps({"data": [given], "fn_index": 0, "session_hash": "mallory"})
            status, _, said = ask(
                served, "/gradio_api/queue/join?", body, headers={"content-type": "application/json"}.items()
            )
            assert (status, said) == (400, b"files of other hosts are not fetched")
        assert ask(served, f"/gradio_api/proxy={address}")[0] == 404
        with pytest.raises(TimeoutError):
            stranger.accept()


def test_what_is_large_is_refused(served):
    status, _, said = ask(served, "/gradio_api/upload", b"x" * (8 * 2**20 + 1))
    assert (status, said) == (413, b"more than 8 MiB")


@pytest.mark.parametrize(
    "path", ["/docs", "/openapi.json", "/monitoring", "/gradio_api/reload", "/gradio_api/startup-events"]
)
def test_what_nobody_needs_is_closed(served, path):
    assert ask(served, path)[0] == 404


def test_a_taken_port_is_one_line(served):
    from ganzoo_studio.server import listen

    with pytest.raises(ExternalError, match="Choose another --port, or 0"):
        listen("127.0.0.1", urllib.parse.urlsplit(served.address).port or 0)


def test_it_listens_on_loopback_and_says_so_when_it_does_not():
    command = [sys.executable, "-m", "ganzoo_core", "studio", "dcgan.mnist", "--port", "0", "--host", "0.0.0.0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    assert process.stderr.readline().startswith("ganzoo: listening on 0.0.0.0: whoever reaches this machine")
    process.kill()
    process.communicate()


# ---- many visitors ---------------------------------------------------------------------------------------------------
USERS = 20
PICTURES = """
import sys
import ganzoo_core as gz
model = gz.load("dcgan.mnist")
for seed in map(int, sys.argv[1:]):
    model.generator.output.picture(model.sample(1, seed=seed)).save(f"{seed}.png")
"""


def test_twenty_visitors_at_once_get_each_their_own(served, tmp_path):
    """Nothing is lost and nothing is mixed: everybody is shown the picture of the seed that he has asked for."""
    path = Path(__file__).parents[3] / "tests" / "benchmarks" / "bench_studio.py"
    spec = importlib.util.spec_from_file_location("bench_studio", path)
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    visitors, shown = [bench.Visitor(served.address) for _ in range(USERS)], {}
    visitors[0].open()
    for visitor in visitors[1:]:
        visitor.open()
    together = threading.Barrier(USERS)

    def use(seed):
        together.wait()
        answer = visitors[seed].ask(visitors[seed].press_id, [seed], visitors[seed].trigger)
        shown[seed] = base64.b64decode(re.search(r"data:image/png;base64,([\w+/=]+)", str(answer["data"]))[1])

    threads = [threading.Thread(target=use, args=(seed,)) for seed in range(USERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    command = [sys.executable, "-c", PICTURES, *map(str, range(USERS))]
    subprocess.run(command, cwd=tmp_path, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert shown == {seed: (tmp_path / f"{seed}.png").read_bytes() for seed in range(USERS)}
    assert len(set(shown.values())) == USERS


def test_scripts_run_by_a_number_that_each_answer_has_anew(served):
    first, second = (ask(served, "/") for _ in range(2))
    numbers = [re.search(r"script-src 'self' 'nonce-([\w-]{20,})'", headers["content-security-policy"])[1]
               for _, headers, _ in (first, second)]  # fmt: skip
    assert numbers[0] != numbers[1]
    for number, (_, headers, body) in zip(numbers, (first, second), strict=True):
        scripts = re.findall(r"<script\b[^>]*>", body.decode())
        assert len(scripts) >= 4 and all(f'nonce="{number}"' in script for script in scripts)
        (allowed,) = re.findall(r"script-src [^;]*", headers["content-security-policy"])
        assert "unsafe-inline" not in allowed
        assert not re.search(r"<[^>]*\son\w+\s*=", body.decode().split("window.gradio_config")[0])
    assert ask(served, "/ganzoo.js")[1]["content-type"].startswith("text/javascript")


def test_it_takes_its_room_away_however_it_is_ended(tmp_path):
    import signal

    for number in (signal.SIGTERM, signal.SIGINT):
        command = [sys.executable, "-m", "ganzoo_core", "studio", "dcgan.mnist", "--port", "0"]
        env = {**os.environ, "TMPDIR": str(tmp_path)}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        assert process.stdout is not None and process.stdout.readline().startswith("http://127.0.0.1:")
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith("ganzoo-studio-")]
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        assert not [path.name for path in tmp_path.iterdir() if path.name.startswith("ganzoo-studio-")]
        assert "Traceback" not in said, said


# ---- a Space ---------------------------------------------------------------------------------------------------------
def wheel(folder, name, *requires):
    path = folder / f"{name.replace('-', '_')}-0.2.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        lines = "".join(f"Requires-Dist: {line}\n" for line in requires)
        archive.writestr(
            f"{name.replace('-', '_')}-0.2.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\n{lines}"
        )


def test_a_space_has_all_that_it_needs(tmp_path):
    from ganzoo_studio.space import write_space

    wheels = tmp_path / "dist"
    wheels.mkdir()
    wheel(wheels, "ganzoo-core", "torch>=2.10", "numpy>=2", 'onnx; extra == "onnx"')
    wheel(wheels, "ganzoo-studio", "ganzoo-core>=0.2", "ganzoo-latent>=0.2", 'gradio>=6; extra == "gradio"')
    wheel(wheels, "ganzoo-latent", "ganzoo-core>=0.2", "numpy<3")
    wheel(wheels, "ganzoo-dcgan", "ganzoo-core>=0.2")
    wheel(wheels, "ganzoo-cgan", "ganzoo-core>=0.2")
    made = write_space(["dcgan.mnist"], wheels, tmp_path / "space")
    names = sorted(path.name.split("-")[0] for path in (made / "wheels").iterdir())
    assert names == ["ganzoo_core", "ganzoo_dcgan", "ganzoo_latent", "ganzoo_studio"]
    assert (made / "requirements.txt").read_text().split() == ["numpy<3,>=2", "torch>=2.10"]
    compile((made / "app.py").read_text(), "app.py", "exec")
    assert "serve(['dcgan.mnist']" in (made / "app.py").read_text()
    assert (made / "README.md").read_text().startswith("---\ntitle: ganzoo studio\nsdk: gradio\nsdk_version: 6.")
    with pytest.raises(GanzooError, match="is no installed model"):
        write_space([str(tmp_path)], wheels, tmp_path / "other")
    with pytest.raises(GanzooError, match="ganzoo-acgan: its wheel is not there"):
        write_space(["acgan.mnist"], wheels, tmp_path / "other")
    with pytest.raises(GanzooError, match="`make dist` builds them"):
        write_space(["dcgan.mnist"], tmp_path / "space", tmp_path / "other")


def test_a_space_starts(tmp_path):
    """With wheels that are really built, unpacked and served from: the app alone, in an environment without ours."""
    from ganzoo_studio.space import write_space

    root = Path(__file__).resolve().parents[3]
    for source in (root, *(root / "plugins" / f"ganzoo-{name}" for name in ("studio", "latent", "metrics", "dcgan"))):
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
        subprocess.run(command, cwd=source, check=True, capture_output=True)
    made = write_space(["dcgan.mnist"], tmp_path / "dist", tmp_path / "space")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {
        **os.environ,
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GANZOO_PLUGINS": "dcgan,studio,latent,metrics",
    }
    process = subprocess.Popen(
        [sys.executable, str(made / "app.py")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
    )
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    assert any(line.startswith("http://127.0.0.1:") for line in lines)
    assert (made / "unpacked" / "ganzoo_core" / "__init__.py").exists()
    process.kill()
    process.communicate()

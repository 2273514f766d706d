"""Promises about the repository itself: its layers, its documents, its files."""

import ast
import importlib
import inspect
import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pictures import same_picture
from PIL import Image
from processes import ganzoo

import ganzoo_core as gz
from ganzoo_core.models.export import drawn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs"))
import generate  # noqa: E402

CORE = ROOT / "ganzoo_core"


ROOMS = list(generate.ROOMS)


def imported(path):
    """Modules of the core that a file imports anywhere: inside functions and for types, too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ganzoo_core":
            for alias in node.names:
                inside = f"{node.module}.{alias.name}".split(".")[1:]
                place = CORE.joinpath(*inside)
                is_module = place.with_suffix(".py").exists() or (place / "__init__.py").exists()
                yield tuple(inside if is_module else inside[:-1])


def module_of(path):
    return tuple(part for part in path.relative_to(CORE).with_suffix("").parts if part != "__init__")


def room_of(module):
    """Which room a module is in; 0 is beside all of them."""
    return ROOMS.index(module[0]) + 1 if module and module[0] in ROOMS else 0


FILES = sorted(
    path
    for path in CORE.rglob("*.py")
    if path not in (CORE / "__init__.py", CORE / "__main__.py") and "template" not in path.parts
)


def test_a_newcomer_sees_rooms_and_few_modules():
    folders = {path.name for path in CORE.iterdir() if (path / "__init__.py").exists()}
    assert folders == set(ROOMS) and len(list(CORE.glob("*.py"))) <= 9
    for room in ROOMS:
        said = ast.get_docstring(ast.parse((CORE / room / "__init__.py").read_text("utf-8")))
        assert said and len(said) > 60, room


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(CORE)))
def test_rooms_import_one_way(path):
    own = module_of(path)
    for module in imported(path):
        assert room_of(module) <= room_of(own), f"{'.'.join(own)} imports {'.'.join(module)}"


def test_no_modules_import_each_other():
    """Neither at once nor by way of others, nor inside functions, nor for types."""
    edges = {module_of(path): set(imported(path)) for path in FILES if path.name != "__init__.py"}
    done = set()

    def visit(module, way):
        assert module not in way, " -> ".join(".".join(m) for m in [*way[way.index(module) :], module])
        if module not in done:
            for other in edges.get(module, ()):
                visit(other, [*way, module])
            done.add(module)

    for module in edges:
        visit(module, [])


PLUGIN_FILES = sorted(
    path
    for path in [*(ROOT / "plugins").rglob("*.py"), *(CORE / "plugin" / "template").rglob("*.py")]
    if "tests" not in path.parts and "experiments" not in path.parts
)


@pytest.mark.parametrize("path", PLUGIN_FILES, ids=lambda p: p.name)
def test_plugins_import_the_public_api_only(path):
    public = {f"ganzoo_core.{name}" for name in generate.PUBLIC} | {"ganzoo_core"}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ganzoo_core":
            assert node.module in public, f"{path.name} imports {node.module}"
            names = {alias.name for alias in node.names}
            exported = getattr(importlib.import_module(node.module), "__all__", None)
            assert node.module in ("ganzoo_core.errors", "ganzoo_core.testing") or names <= set(exported), names


@pytest.mark.parametrize("name", generate.PUBLIC)
def test_public_names_are_there_and_documented(name):
    package = importlib.import_module(f"ganzoo_core.{name}")
    assert package.__doc__
    for member in getattr(package, "__all__", ()):
        found = getattr(package, member)
        assert not (inspect.isclass(found) or inspect.isfunction(found)) or found.__doc__, member


def test_only_one_module_imports_torch_distributed():
    users = [
        p.name
        for p in CORE.rglob("*.py")
        if "torch.distributed" in "".join(re.findall("^ *(?:import|from) .*$", p.read_text("utf-8"), re.M))
    ]
    assert users == ["distributed.py"]


IMPORT = ("torch_files.py", "worker.py", "formats.py")


def test_nothing_unpickles():
    """But two files that are published as pickles, once their hash is right: CIFAR's, and lite0's, of tensors only.

    And torch's files that a user imports: tensors only, in a process of its own behind limits (tests of ganzoo-import).
    """
    words = re.compile(r"\bpickle\b|(?<!safetensors\.)torch\.(?:load|save)\(|\bmarshal\b|\beval\(|\bexec\(")
    for path in [*CORE.rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]:
        if path.name in ("cifar.py", "lite0.py", "header.py", *IMPORT) or "tests" in path.parts:
            continue
        code = ast.unparse(without_docstrings(ast.parse(path.read_text("utf-8"))))
        found = [m for m in words.findall(code.replace(".eval()", "").replace("def eval(", ""))]
        assert not found, path


def without_docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(None)
    return tree


def test_documents_are_as_generated():
    done = subprocess.run([sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_register_is_as_the_plugins_say():
    done = subprocess.run([sys.executable, "-m", "ganzoo_core", "registry", "check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_plugin_folder_is_installed_and_registered():
    rows = tomllib.loads((ROOT / "registry.toml").read_text("utf-8"))["plugin"]
    assert {row["dist"] for row in rows} == {path.name for path in (ROOT / "plugins").glob("ganzoo-*")}


@pytest.mark.slow
@pytest.mark.parametrize("number", range(2))
def test_python_of_the_readme_runs(number, tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert len(blocks) == 2
    done = subprocess.run([sys.executable, "-c", blocks[number]], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_python_of_serving_runs(tmp_path, monkeypatch):
    """The server's only where FastAPI is installed, which nothing here needs."""
    shared, server = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "serving.md").read_text("utf-8"), re.S)
    names = {}
    exec(shared, names)
    assert len(names["pictures"]) == 8
    pytest.importorskip("fastapi")
    exec(server, names)
    (sample,) = (route.endpoint for route in names["app"].routes if route.path == "/sample.png")
    assert sample("7").body.startswith(b"\x89PNG")
    with pytest.raises(names["HTTPException"], match="seven"):
        sample("seven")


@pytest.mark.slow
def test_the_notebook_runs(tmp_path):
    """Its cells, one after the other, as plain Python."""
    cells = json.loads((ROOT / "docs" / "first-hour.ipynb").read_text("utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert len(code) >= 8 and not any(cell.get("outputs") for cell in cells)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "\n".join(code)], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "first-hour" / "digits.pt2").exists() and "differs by" in done.stdout


def test_shell_of_the_readme_runs(tmp_path):
    """Every ganzoo line of the README, trainings made short; those on data that is not here are left out."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    lines = [line for line in lines if line.startswith("ganzoo")]
    assert len(lines) >= 9
    for name, size in (("sketch", 100), ("face", 64), ("hole", 64), ("photo", 40)):
        Image.radial_gradient("L").resize((size, size)).point(lambda value: 255 if value < 60 else 0).save(
            tmp_path / f"{name}.png"
        )
    for line in lines:
        if ("mnist" in line and any(word in line for word in ("train", "eval", "--metrics"))) or "path/to" in line:
            continue
        short = " --preset tiny --images 64 --batch-size 16" if "train" in line and "--resume" not in line else ""
        done = ganzoo(*shlex.split(line)[1:], *shlex.split(short), cwd=tmp_path)
        assert done.returncode == 0, f"{line}: {done.stderr}"
    (shown,) = ROOT.glob("plugins/*/*/weights/fastgan.emoji_faces64/samples.png")
    assert same_picture((tmp_path / "faces.png").read_bytes(), shown.read_bytes())


@pytest.mark.elsewhere
@pytest.mark.parametrize("folder", sorted(ROOT.glob("plugins/*/*/weights/*")), ids=lambda folder: folder.name)
def test_shipped_samples_are_what_the_shipped_weights_draw(folder):
    """Within a level of gray; what shows answers to pictures or words is left out."""
    if picture := drawn(gz.load(folder).generator):
        assert same_picture(picture, (folder / "samples.png").read_bytes())


def test_shipped_weights_are_small():
    files = [path for path in ROOT.glob("plugins/*/*/weights/*/*")]
    assert files and max(path.stat().st_size for path in files) <= 8 << 20
    assert sum(path.stat().st_size for path in files) <= 120 << 20


def test_pictures_stay_small():
    pictures = [*ROOT.glob("plugins/**/*.png"), *ROOT.glob("plugins/**/*.gif"), *ROOT.glob("docs/*.png")]
    assert pictures and sum(path.stat().st_size for path in pictures) <= 25 << 20
    assert all(path.stat().st_size <= 500_000 for path in pictures if path.suffix == ".gif")


def test_the_wheel_carries_the_register(tmp_path):
    import zipfile

    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", tmp_path, ROOT]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("ganzoo_core-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("ganzoo_core/registry.toml") == (ROOT / "registry.toml").read_bytes()
        assert "ganzoo_core/py.typed" in archive.namelist()

"""Plugins through real entry points: good ones, every kind of bad one (bad-inputs.md, P), and registers (R)."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from distributions import GOOD, ganzoo, write

from ganzoo_core.errors import GanzooError
from ganzoo_core.plugin.scaffold import scaffold
from ganzoo_core.registry import build_index, index

ADD = Path(__file__).parent.parent / "docs" / "add-a-family.md"
HOOK = "from ganzoo_core.plugin.hooks import hookimpl\n@hookimpl\ndef ganzoo_families():\n    "
BAD = {  # name of the plugin: its code, words of the reason
    "p01": ("import no_such_module", "no_such_module"),
    "p02": ("def f(:\n", "SyntaxError"),
    "p03": ("raise SystemExit(0)", "SystemExit"),
    "p03b": ("import sys\nsys.exit('bye')", "bye"),
    "p05": (HOOK + "raise ValueError('broken \\x1b[31mhook')", r"broken \x1b[31mhook"),
    "p06a": (HOOK + "return 42", "42, not an iterable"),
    "p06c": (HOOK + "return ['dcgan']", "'dcgan', not a Family"),
    "p06d": (HOOK + "yield 1 / 0", "division by zero"),
    "p06e": (HOOK + "return 'dcgan'", "not an iterable"),
    "p07": (HOOK + "raise SystemExit(3)", "SystemExit"),
    "p08": ("from ganzoo_core.plugin import hookimpl\n@hookimpl\ndef ganzoo_familys(): return []", "ganzoo_familys"),
    "p08b": ("from ganzoo_core.plugin.hooks import hookimpl\n@hookimpl\ndef ganzoo_families(zoo): return []", "zoo"),
    "memory": ("raise MemoryError", "MemoryError"),
    "base": ("class Odd(BaseException): pass\nraise Odd('very')", "very"),
    "name": ("from ganzoo_core.plugin.records import *\nfrom ganzoo_core.plugin.hooks import hookimpl\n"
             "Family('Bad Name', '', None, 'a:b', 'a:b', {'tiny': None})", "Bad Name"),
    "tinyless": ("from ganzoo_core.plugin.records import Family\nFamily('x', '', None, 'a:b', 'a:b')", "no preset"),
    "recursion": ("def f(): f()\nf()", "RecursionError"),
    "unicode": ("raise ValueError('\\u202e\\x00')", r"\u202e\x00"),
}  # fmt: skip


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A folder of 20 broken plugins and one good."""
    folder = tmp_path_factory.mktemp("plugins")
    for name, (code, _) in BAD.items():
        write(folder, name, code)
    write(folder, "p11", "x = 1", target="plugin_of_ganzoo_p11:missing.attribute")
    write(folder, "gate", GOOD, requires="ganzoo-core>=7,<8")
    write(folder, "p17", GOOD, requires="torch<2")
    write(folder, "fine", GOOD, requires="ganzoo-core>=0.2,<0.3")
    return folder


def test_with_20_broken_plugins_everything_else_works(many):
    done = ganzoo(many, "list", "--json")
    assert done.returncode == 0, done.stderr
    families = {f["name"] for f in json.loads(done.stdout)["families"]}
    assert {"gan", "dcgan", "fine"} <= families
    warnings = [line for line in done.stderr.splitlines() if line.startswith("ganzoo: warning: plugin ")]
    for name in [*BAD, "p11", "p17", "gate"]:
        mine = [line for line in warnings if line.startswith(f"ganzoo: warning: plugin {name} (")]
        assert len(mine) == 1, f"{name}: {done.stderr}"
        assert f"uninstall ganzoo-{name}" in mine[0]
    assert len(warnings) == len(BAD) + 3 >= 20
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("name", [*BAD, "p17", "gate"])
def test_each_is_named_with_its_reason(many, name, broken):
    gates = {"gate": "requires ganzoo-core<8,>=7, and this is", "p17": "requires torch<2, and this is"}
    words = gates.get(name) or BAD[name][1]
    assert words in broken[name]["error"]


@pytest.fixture(scope="module")
def broken(many):
    rows = json.loads(ganzoo(many, "plugins", "--json").stdout)["plugins"]
    return {row["name"]: row for row in rows if row["status"] == "broken"}


def test_a_light_verb_does_not_import_plugins_at_all(many):
    done = ganzoo(many, "--help")
    assert done.returncode == 0 and done.stderr == ""


def test_an_allow_list_admits_only_what_it_names(many):
    done = ganzoo(many, "list", "--json", GANZOO_PLUGINS="dcgan,fine")
    assert {f["name"] for f in json.loads(done.stdout)["families"] if f["installed"]} == {"dcgan", "fine"}
    assert done.stderr == ""
    done = ganzoo(many, "list", "--json", GANZOO_PLUGINS="")
    assert not [f for f in json.loads(done.stdout)["families"] if f["installed"]]


def test_p09_what_a_plugin_prints_goes_to_stderr(tmp_path):
    code = "import os\nprint('banner \\x1b[31m')\nos.write(1, b'raw banner')\n" + GOOD.format(name="noisy")
    write(tmp_path, "noisy", code)
    done = ganzoo(tmp_path, "list", "--json")
    assert "noisy" in {f["name"] for f in json.loads(done.stdout)["families"]}
    assert "banner" in done.stderr and "raw banner" in done.stderr


def test_p10_two_distributions_with_one_plugin_name_are_both_named(tmp_path):
    write(tmp_path, "twin", GOOD, dist="ganzoo_twin_a")
    write(tmp_path, "twin", GOOD, dist="ganzoo_twin_b")
    done = ganzoo(tmp_path, "train", "twin")
    assert done.returncode == 2
    assert "ganzoo-twin-a and ganzoo-twin-b" in done.stderr


def test_p14_a_family_of_two_plugins_belongs_to_neither(tmp_path):
    write(tmp_path, "dcgan", GOOD, dist="ganzoo_other", entry="other")
    done = ganzoo(tmp_path, "train", "dcgan")
    assert done.returncode == 2 and "ganzoo-dcgan and ganzoo-other" in done.stderr
    assert (
        ganzoo(tmp_path, "train", "gan", "--preset", "tiny", "--images", "32", "--out", tmp_path / "r").returncode == 0
    )


NAMES_OF_OURS = """
from ganzoo_core.plugin import DatasetEntry, View, hookimpl
@hookimpl
def ganzoo_datasets(): return [DatasetEntry("digits", "others", ("x",), "MIT", "elsewhere:digits")]
@hookimpl
def ganzoo_views(): return [View("masked", "others", "elsewhere:Masked", ("mask",))]
"""


@pytest.mark.parametrize(("data", "name"), [("digits", "digits"), ("masked:mnist", "masked")])
def test_a_data_set_or_view_of_two_plugins_belongs_to_neither(tmp_path, data, name):
    write(tmp_path, "more", NAMES_OF_OURS)
    done = ganzoo(tmp_path, "data", data)
    assert done.returncode == 2 and f"{name}: contributed by ganzoo-core and ganzoo-more" in done.stderr


@pytest.mark.slow
def test_p13_a_plugin_that_hangs_does_not_stop_doctor(tmp_path):
    write(tmp_path, "hangs", "import time\ntime.sleep(600)")
    start = time.monotonic()
    done = ganzoo(tmp_path, "doctor", "--json", "--timeout", "15", GANZOO_PLUGINS="hangs,dcgan")
    assert time.monotonic() - start < 110
    rows = {row["name"]: row for row in json.loads(done.stdout)["plugins"]}
    assert "takes more than 15 s" in rows["hangs"]["remark"] and rows["dcgan"]["status"] == "loads"


@pytest.mark.slow
def test_p15_doctor_tells_of_a_plugin_that_changes_what_is_everybodys(tmp_path):
    write(tmp_path, "patches", "import json, torch\njson.loads = torch.load = print\n" + GOOD.format(name="patches"))
    done = ganzoo(tmp_path, "doctor", "--json", GANZOO_PLUGINS="patches")
    assert "torch.load" in json.loads(done.stdout)["plugins"][0]["remark"]


@pytest.mark.parametrize("returns", ["0.5", "[torch.ones(())]", "{'adv': torch.ones(2)}", "{'adv': 0.5}", "None"])
def test_p19_a_loss_that_returns_no_named_scalars_is_refused_before_the_first_step(tmp_path, returns):
    code = GOOD.format(name="odd").replace("ganzoo_dcgan.objective:DCGAN", "plugin_of_ganzoo_odd:Odd") + (
        "\ndef __getattr__(name):\n"  # torch is loaded with the objective, not with the plugin
        "    import torch\n    from ganzoo_dcgan.objective import DCGAN\n"
        f"    class Odd(DCGAN):\n        def g_loss(self, batch): return {returns}\n"
        "    if name == 'Odd': return Odd\n    raise AttributeError(name)\n"
    )
    write(tmp_path, "odd", code)
    done = ganzoo(tmp_path, "train", "odd", "--preset", "tiny", "--images", "32", "--out", tmp_path / "run")
    assert done.returncode == 2, done.stderr
    assert "Odd.g_loss: returns" in done.stderr and not (tmp_path / "run").exists()


def test_p18_directory_handlers_generators_and_dtype_are_restored(tmp_path):
    code = "import os, random, signal, torch\nos.chdir('/')\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    code += "random.seed(5)\ntorch.manual_seed(5)\ntorch.set_default_dtype(torch.float64)\n" + GOOD.format(name="rude")
    write(tmp_path, "rude", code)
    program = (
        "import os, random, signal, torch\n"
        "look = lambda: (os.getcwd(), signal.getsignal(signal.SIGINT), random.getstate(), "
        "torch.get_rng_state().sum(), torch.get_default_dtype())\n"
        "before = look()\nfrom ganzoo_core.registry.plugins import registry\nassert 'rude' in registry().families\n"
        "assert look() == before"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path), "PATH": ""}
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_plugins_command_data_set_and_mirror_are_found(tmp_path):
    code = GOOD.format(name="rich") + (
        "import click\n@click.command()\ndef hello(): print('hello from a plugin')\n"
        "@hookimpl\ndef ganzoo_commands(): return [Command('hello', 'Say hello.', 'plugin_of_ganzoo_rich:hello')]\n"
        "@hookimpl\ndef ganzoo_datasets():\n"
        "    return [DatasetEntry('mine', 'digits', ('x',), 'MIT', 'ganzoo_core.data.sets.digits:open_digits')]\n"
    )
    write(tmp_path, "rich", code)
    assert ganzoo(tmp_path, "hello").stdout == "hello from a plugin\n"
    done = ganzoo(
        tmp_path, "train", "rich", "--preset", "tiny", "--data", "mine", "--images", "32", "--out", tmp_path / "r"
    )
    assert done.returncode == 0, done.stderr


REGISTERS = {  # bad-inputs.md, section R: what to do to a good register, words of the answer
    "R01 syntax": (lambda t: t + "\nname = = 3\n", "line"),
    "R02 not UTF-8": (lambda t: t.encode() + b"\xff", "utf-8"),
    "R03 BOM": (lambda t: "\ufeff" + t, "line 1"),
    "R05 twice": (lambda t: t + "\n" + t.split("\n\n")[1], "twice"),
    "R06 unknown plugin": (lambda t: t.replace('plugin = "dcgan"', 'plugin = "dcgna"'), "Did you mean dcgan"),
    "R07 other core": (lambda t: t.replace("<0.3,>=0.2", ">=7"), "wants ganzoo-core>=7, and this is"),
    "R09 no commit": (lambda t: t.replace('where = "package"', 'where = "hf:me/model@main"'), "'main' is no commit"),
    "R10 bad repo": (lambda t: t.replace('where = "package"', f'where = "hf:../x@{"a" * 40}"'), "no owner/name"),
    "R11 unknown key": (lambda t: t.replace("\nsummary =", "\nsumary =", 1), "Did you mean summary"),
    "R13 nesting": (lambda t: t + "\nx = " + "[" * 100_000, "nesting"),
    "R14 dots": (lambda t: t + "\n" + "a." * 20_000 + "a = 1\n", "key"),
    "R15 escape": (lambda t: t.replace('name = "dcgan"', 'name = "dc\\u001b[31m"'), r"\x1b"),
    "R17 large": (lambda t: t + "#" * (1 << 20), "at most"),
    "no licence": (lambda t: t.replace('licence = "Apache-2.0"', 'licence = ""', 1), "licence"),
    "no hash": (lambda t: t.replace('"sha256" = "', '"sha256" = "x', 1), "sha256"),
}


@pytest.mark.parametrize("name", REGISTERS)
def test_a_bad_register_is_refused_in_one_line(name, tmp_path):
    spoil, words = REGISTERS[name]
    text = index.REGISTRY.read_text("utf-8")
    bad = spoil(text)
    assert bad != text
    path = tmp_path / "registry.toml"
    path.write_bytes(bad if isinstance(bad, bytes) else bad.encode())
    with pytest.raises(GanzooError) as refused:
        build_index.check(path)
    assert words in str(refused.value) and "\n" not in str(refused.value) and "\x1b" not in str(refused.value)


def test_r18_a_register_that_is_a_directory_is_refused(tmp_path):
    with pytest.raises(GanzooError, match="is no file"):
        build_index.check(tmp_path)


def test_registry_check_finds_drift_and_build_mends_it(tmp_path):
    path = tmp_path / "registry.toml"
    path.write_text(index.REGISTRY.read_text("utf-8").replace("Convolutional", "Convoluted").replace("2015", "2016"))
    done = ganzoo(tmp_path, "registry", "check", "--file", path)
    assert done.returncode == 2 and "2016" in done.stderr and "registry build" in done.stderr
    assert ganzoo(tmp_path, "registry", "build", "--file", path).returncode == 0
    assert ganzoo(tmp_path, "registry", "check", "--file", path).returncode == 0


def test_search_and_info_know_every_named_gan():
    from ganzoo_core.registry import gan_names

    assert len(gan_names.named()) == 501
    assert len({(row.name, row.arxiv) for row in gan_names.named()}) == 501
    assert {row.name for row in gan_names.search("wasserstein gan")} >= {"WGAN", "WGAN-GP"}
    assert gan_names.search("WASSERSTEIN") == gan_names.search("wässerstein")
    assert gan_names.called("dcgan")[0].family == "dcgan"
    assert [row.name for row in gan_names.called("wgan div")] == ["EnergyWGAN"]  # the list's own name for it
    assert gan_names.called("vanilla gan")[0].family == "gan"


@pytest.mark.slow
def test_info_of_a_gan_that_is_not_here_says_so_and_shows_all_of_that_name(tmp_path):
    done = ganzoo(tmp_path, "info", "catgan")
    assert done.returncode == 0
    assert "1511.06390" in done.stdout and "1711.08904" in done.stdout
    done = ganzoo(tmp_path, "info", "cgan")  # one of these is a family of ours
    assert "1411.1784" in done.stdout and "1708.00598" in done.stdout
    done = ganzoo(tmp_path, "info", "maskgan", "--json")
    assert json.loads(done.stdout)["named"][0]["arxiv"] == "1801.07736"


@pytest.fixture
def beside(tmp_path):
    """A virtual environment on top of ours, where installing changes nothing for others."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    (site,) = venv.glob("lib/python*/site-packages")
    ours = [p for p in sys.path if p.endswith("site-packages")]
    (site / "ours.pth").write_text("".join(f"import site; site.addsitedir({p!r})\n" for p in ours))

    def run(*args, program=("-m", "ganzoo_core")):
        return subprocess.run(
            [venv / "bin" / "python", *program, *map(str, args)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=300,
        )

    return run


def test_what_new_writes_is_short(tmp_path):
    written = [p for p in scaffold("my-gan", tmp_path).rglob("*") if p.suffix in {".py", ".toml"}]
    assert 80 < sum(len(p.read_text("utf-8").splitlines()) for p in written) <= 110


def test_new_makes_a_plugin_that_installs_trains_samples_and_conforms(beside, tmp_path):
    done = beside("new", "Toy GAN")
    assert done.returncode == 0 and done.stdout.strip() == "ganzoo-toy-gan"
    done = beside("install", "--no-build-isolation", "-e", "--yes", "ganzoo-toy-gan")
    assert done.returncode == 0, done.stderr
    assert "toy_gan" in {f["name"] for f in json.loads(beside("list", "--json").stdout)["families"]}
    done = beside("train", "toy_gan", "--preset", "tiny", "--images", "64", "--out", "run")
    assert done.returncode == 0, done.stderr
    assert beside("sample", "run", "-n", "4", "-o", "grid.png").returncode == 0
    code = re.search(r"## Weights.*?```python\n(.*?)```", ADD.read_text("utf-8"), re.S)[1].replace("my_gan", "toy_gan")
    done = beside("-c", code.replace("ganzoo_toy_gan/", "ganzoo-toy-gan/ganzoo_toy_gan/"), program=())
    assert done.returncode == 0, done.stderr
    assert "toy_gan.digits" in {m["id"] for m in json.loads(beside("list", "--json").stdout)["models"]}
    done = beside("-q", "-p", "no:cacheprovider", "ganzoo-toy-gan", program=("-m", "pytest"))
    assert done.returncode == 0 and "passed" in done.stdout, done.stdout
    assert "ganzoo-toy-gan==0.1.0" in beside("plugins", "--freeze").stdout
    assert beside("uninstall", "toy_gan").returncode == 0
    assert "toy_gan" not in beside("list", "--json").stdout


@pytest.mark.slow
def test_install_reads_what_freeze_wrote(beside, tmp_path):
    (tmp_path / "zoo.txt").write_text("# frozen\nganzoo-gan==0.1.0\n")
    done = beside("install", "--no-build-isolation", "-r", "zoo.txt")
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("venv/lib/python*/site-packages/ganzoo_gan/plugin.py"))
    (tmp_path / "zoo.txt").write_text("a-stranger==1.0\n")
    done = beside("install", "-r", "zoo.txt")
    assert done.returncode == 2 and "unknown plugin 'a-stranger'" in done.stderr


def test_install_and_uninstall_take_uv_where_there_is_no_pip(tmp_path):
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    (site,) = venv.glob("lib/python*/site-packages")
    for path in Path(pytest.__file__).parent.parent.iterdir():  # all of ours, but pip and the plugin itself
        if path.name.startswith(("pip", "ganzoo_dcgan", "_editable_impl_ganzoo_dcgan", "__pycache__")):
            continue
        if path.suffix == ".dist-info":
            shutil.copytree(path, site / path.name)  # uv sees no links
        else:
            (site / path.name).symlink_to(path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").symlink_to(Path(sys.executable).with_name("uv"))

    def run(*args):
        environment = {**os.environ, "PATH": str(tmp_path / "bin"), "UV_OFFLINE": "1"}
        program = [venv / "bin" / "python", "-m", "ganzoo_core", *args]
        return subprocess.run(program, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=300)

    done = run("install", "--no-build-isolation", "dcgan")
    assert done.returncode == 0, done.stderr
    assert (site / "ganzoo_dcgan" / "plugin.py").exists()
    done = run("uninstall", "dcgan")
    assert done.returncode == 0 and not (site / "ganzoo_dcgan").exists(), done.stderr
    (tmp_path / "bin" / "uv").unlink()
    done = run("install", "dcgan")
    assert done.returncode == 3 and "neither pip nor uv is here" in done.stderr


@pytest.mark.parametrize("name", ["", "../x", "9lives", "x" * 100, "a/b"])
def test_new_refuses_what_is_no_name(tmp_path, name):
    done = ganzoo(tmp_path, "new", name, "--in", tmp_path)
    assert done.returncode == 2 and not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["ganzoo", "GanZoo", "numpy", "--index-url=x"])
def test_install_refuses_what_is_not_of_the_zoo(tmp_path, name):
    done = ganzoo(tmp_path, "install", "--", name)
    assert done.returncode == 2 and done.stderr.count("\n") == 1


def test_completion_is_there_for_three_shells(tmp_path):
    for shell in ("bash", "zsh", "fish"):
        done = ganzoo(tmp_path, _GANZOO_COMPLETE=f"{shell}_source")
        assert "ganzoo" in done.stdout
    done = ganzoo(tmp_path, _GANZOO_COMPLETE="bash_complete", COMP_WORDS="ganzoo train dc", COMP_CWORD="2")
    assert "dcgan" in done.stdout


def test_hooks_are_documented():
    from ganzoo_core.plugin import hooks

    text = (Path(__file__).parent.parent / "docs" / "hooks.md").read_text("utf-8")
    names = [name for name in vars(hooks) if name.startswith("ganzoo_")]
    assert len(names) == 12
    assert all(f"## {name}" in text for name in names)


def test_pins_are_written_kept_and_checked(tmp_path):
    path, where = tmp_path / "r.toml", f"hf:me/digits@{'0a' * 20}"
    done = ganzoo(tmp_path, "registry", "build", "--file", path, "--pin", f"dcgan.mnist={where}")
    assert done.returncode == 0, done.stderr
    assert index.parse(path).weights["dcgan.mnist"]["where"] == where
    assert build_index.drift(path) == ""
    assert build_index.text(build_index.pinned(path)) == path.read_text("utf-8")  # built again, it is still there
    for bad in ("dcgan.mnist=hf:me/digits@main", "dcgan.mnist=hf:../x@" + "0" * 40, "dcgan.nope=" + where):
        with pytest.raises(GanzooError):
            build_index.pinned(path, [bad])


def test_a_damaged_register_is_built_anew(tmp_path):
    (tmp_path / "r.toml").write_text("[[plugin]\n")
    done = ganzoo(tmp_path, "registry", "build", "--file", tmp_path / "r.toml")
    assert done.returncode == 0 and "its pins are lost" in done.stderr
    assert build_index.drift(tmp_path / "r.toml") == ""

"""ganzoo import from files of every kind, in real processes; what is a trap is refused, and nothing of it runs."""

import copy
import hashlib
import json
import os
import pickle
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from ganzoo_import import fetch, sandbox
from ganzoo_import.readers import formats
from hubs import hub  # noqa: F401  a fixture
from processes import ganzoo, refused

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError, IntegrityError
from ganzoo_core.models import Foreign
from ganzoo_core.registry.recipes import build_networks
from ganzoo_core.training.checkpoint import newest

TINY = dict(Foreign("dcgan").recipe(Foreign("dcgan").presets["tiny"]).args)
LIMIT = 64 << 20
SAID = ("--license", "MIT", "--source", "a test")


class Bomb:
    """What runs code where it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch CANARY",)


@pytest.fixture(scope="module")
def networks():
    torch.manual_seed(0)
    return {name: net.eval() for name, net in build_networks("dcgan", TINY).items()}


def saved(content, path, **options):
    torch.save(content, path, **options)
    return path


# Traps


def legacy_bomb(path):
    saved({"w": torch.ones(2), "bomb": Bomb()}, path, _use_new_zipfile_serialization=False)


def zip_bomb_of_pickles(path):
    saved({"w": torch.ones(2), "bomb": Bomb()}, path)


def plain_pickle(path):
    path.write_bytes(pickle.dumps(Bomb()))


def old_pickle(path):
    path.write_bytes(b"cos\nsystem\n(S'touch CANARY'\ntR.")


def objects_in_npz(path):
    with path.open("wb") as file:
        np.savez(file, w=np.array([Bomb()], dtype=object))


def torchscript(path):
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)), str(path))


def way_out(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../data.pkl", b"\x80\x02.")


def link(path):
    info = zipfile.ZipInfo("x/data.pkl")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "/etc/passwd")


def compressed(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", b"\x80\x02." + bytes(1000))


def zip_bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w.npy", bytes(LIMIT + 1))


def stretched(path):
    saved({"w": torch.zeros(1).expand(1 << 40)}, path)


TRAPS = {
    legacy_bomb: "pickled object", zip_bomb_of_pickles: "pickled object", plain_pickle: "pickled object",
    old_pickle: "a pickle of text", objects_in_npz: "pickled objects", torchscript: "a program with weights",
    way_out: "leads out of it", link: "is a link", compressed: "compressed zip", zip_bomb: "unpacks to",
    stretched: "more than",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*torch.jit", "ignore:Detected pickle protocol")
@pytest.mark.parametrize("make", TRAPS, ids=lambda make: make.__name__)
def test_a_trap_is_refused_by_the_readers_and_nothing_of_it_runs(make, tmp_path, monkeypatch):
    """The readers by themselves, so that it is they who refuse and not only the worker's walls."""
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "trap.pth")
    with pytest.raises(IntegrityError, match=TRAPS[make]):
        _kind, content = formats.read(tmp_path / "trap.pth", LIMIT)
        from ganzoo_import.worker import packed

        packed(content, LIMIT)
    assert not list(tmp_path.rglob("CANARY"))


WATCHED = """
import os, pickle, sys, _pickle
import torch

SEEN = []

def never(*args, **kwargs):
    SEEN.append("called")
    raise AssertionError("the program itself never unpickles")

class Never(pickle.Unpickler):
    load = never

for module in (pickle, _pickle):
    module.load = module.loads = never
    module.Unpickler = Never
torch.load = never

def watch(event, args):
    if event == "pickle.find_class" or (event == "import" and args[1] and "planted" in str(args[1])):
        SEEN.append((event, str(args)))
    if event == "subprocess.Popen" and "ganzoo_import.worker" not in " ".join(map(str, args[1])):
        SEEN.append((event, str(args)))
sys.addaudithook(watch)

from ganzoo_core.cli import main
for line in open("lines").read().splitlines():
    try:
        main(line.split())
    except SystemExit as end:
        print(f"EXIT {end.code or 0} {line}", flush=True)
print("SEEN", SEEN)
"""


def test_the_program_never_unpickles_and_no_strangers_code_runs(tmp_path, networks):
    """The proof of tests/test_trust.py, for import: an audit hook watches, planted code and raising pickles wait."""
    import subprocess

    here = tmp_path / "planted"
    here.mkdir()
    for make in (legacy_bomb, zip_bomb_of_pickles):
        make(here / f"{make.__name__}.pth")
    for name in ("torch.py", "sitecustomize.py", "ganzoo_import.py", "numpy.py"):
        (here / name).write_text("open('CANARY', 'w')")
    saved({"netG": networks["G"].state_dict()}, here / "good.pth")
    out = f"--family dcgan --license MIT --source test -o {here}"
    lines = [
        f"import legacy_bomb.pth {out}/a", f"import zip_bomb_of_pickles.pth {out}/b", f"import good.pth {out}/c",
    ]  # fmt: skip
    (here / "lines").write_text("\n".join(lines))
    (tmp_path / "watched.py").write_text(WATCHED)
    environment = {**os.environ, "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1", "HF_TOKEN": "hf_" + "x" * 30}
    command = [sys.executable, "-P", str(tmp_path / "watched.py")]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, env=environment, timeout=110)
    exits = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("EXIT")]
    assert exits == [5, 5, 0], done.stderr
    assert "SEEN []" in done.stdout
    assert not list(tmp_path.rglob("CANARY"))


def test_the_worker_has_neither_network_nor_processes(tmp_path):
    """The last wall, behind the readers: what a hostile library call would try."""
    import subprocess

    program = (
        "import ganzoo_import.worker as w, os, socket, subprocess, sys\n"
        "print('fault', repr(w.without_network()))\n"
        "w.only_reading()\n"
        "for what in (lambda: os.system('touch CANARY'), lambda: subprocess.run(['true']),\n"
        "             lambda: socket.create_connection(('127.0.0.1', 9)), lambda: os.remove('x')):\n"
        "    try: what(); print('did')\n"
        "    except PermissionError as fault: print('refused', fault)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.count("refused") == 4 and "did" not in done.stdout, done.stdout + done.stderr
    assert not (tmp_path / "CANARY").exists()


# Files that are read


def test_a_generator_and_its_discriminator_out_of_one_wrapper(tmp_path, networks):
    """module., halves, an optimiser beside it: the same pictures, D included, and the card says where it is from."""
    wrapped = {
        "epoch": 3,
        "netG_state_dict": {f"module.{k}": v for k, v in networks["G"].state_dict().items()},
        "netD_state_dict": networks["D"].state_dict(),
        "optimizer": torch.optim.Adam(networks["G"].parameters()).state_dict(),
    }
    path = saved(wrapped, tmp_path / "checkpoint.pth")
    done = ganzoo("import", path, "--family", "dcgan", *SAID, "-o", tmp_path / "m", "--id", "dcgan.theirs")
    assert done.returncode == 0, done.stderr
    model = gz.load(tmp_path / "m")
    z = torch.randn(4, TINY["z_dim"])
    with torch.no_grad():
        assert torch.equal(model.generator(z), networks["G"](z))
    assert torch.equal(model.discriminators["D"].state_dict()["main.0.weight"], networks["D"].main[0].weight)
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    assert config["imported"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert config["imported"]["mapping"]["G.main.0.weight"] == "main.0.weight"
    card = (tmp_path / "m" / "README.md").read_text()
    assert "Others have trained these weights: a test" in card and (tmp_path / "m" / "samples.png").exists()
    assert ganzoo("verify", tmp_path / "m").returncode == 0
    goes_on(tmp_path / "m", tmp_path / "run")


def goes_on(model, run):
    """Both networks of an imported model are where training begins."""
    args = ("--preset", "tiny", "--data", "digits", "--images", "16", "--batch-size", "16", "-c", "lr=0")
    sizes = [part for key in ("width", "z_dim", "image_size") for part in ("-c", f"{key}={TINY[key]}")]
    done = ganzoo("train", "dcgan", *args, *sizes, "--init", model, "--out", run, "--ema-images", "0")
    assert done.returncode == 0, done.stderr
    before, after = gz.load(model), gz.load(run / "model")
    for kind in ("networks", "discriminators"):
        for name, net in getattr(before, kind).items():
            again = dict(getattr(after, kind)[name].named_parameters())
            assert all(torch.equal(value, again[key]) for key, value in net.named_parameters()), (kind, name)


def moved(net, times):
    """Adam after some steps, and what the weights have become."""
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(times):
        for weight in net.parameters():
            weight.grad = torch.randn_like(weight)
        optimizer.step()
    return optimizer.state_dict()


@pytest.mark.parametrize("counts", [lambda step: step, int], ids=["torch's", "older"])
def test_what_adam_knew_comes_along_and_training_goes_on_with_it(counts, tmp_path, networks):
    nets = {name: copy.deepcopy(net) for name, net in networks.items()}
    states = {name: moved(net, 7) for name, net in nets.items()}
    for one in (one for state in states.values() for one in state["state"].values()):
        one["step"] = counts(one["step"])
    wrapped = {f"net{name}_state_dict": net.state_dict() for name, net in nets.items()}
    path = saved({**wrapped, "optimizerG": states["G"], "optimizerD": states["D"]}, tmp_path / "checkpoint.pth")
    done = ganzoo("import", path, "--family", "dcgan", *SAID, "-o", tmp_path / "m", "--id", "dcgan.theirs")
    assert done.returncode == 0 and "what Adam knew of G, D comes along" in done.stderr, done.stderr
    moments = gz.load(tmp_path / "m").moments
    for name, net in nets.items():
        for i, (key, _) in enumerate(net.named_parameters()):
            for kind in ("exp_avg", "exp_avg_sq"):
                assert torch.equal(moments[f"{name}.{key}.{kind}"], states[name]["state"][i][kind])
    assert ganzoo("verify", tmp_path / "m").returncode == 0
    goes_on(tmp_path / "m", tmp_path / "run")
    reached, _ = newest(tmp_path / "run" / "checkpoints")
    assert {float(v) for state in reached.optimizers.values() for k, v in state.items() if k.endswith("step")} == {8.0}
    first, begun = reached.optimizers["0.G"]["0.exp_avg"], moments["G.main.0.weight.exp_avg"]
    assert not torch.equal(first, begun) and torch.corrcoef(torch.stack([first.flatten(), begun.flatten()]))[0, 1] > 0.5


def test_moments_of_no_certain_weights_are_left_out(tmp_path, networks):
    """One optimiser for both networks: whose its numbers are would have to be guessed."""
    nets = {name: copy.deepcopy(net) for name, net in networks.items()}
    both = torch.nn.ModuleList(nets.values())
    wrapped = {f"net{name}_state_dict": net.state_dict() for name, net in nets.items()}
    path = saved({**wrapped, "optimizer": moved(both, 1)}, tmp_path / "checkpoint.pth")
    done = ganzoo("import", path, "--family", "dcgan", *SAID, "-o", tmp_path / "m", "--id", "dcgan.theirs")
    assert done.returncode == 0 and "its order and shapes are no network's" in done.stderr, done.stderr
    assert gz.load(tmp_path / "m").moments == {} and not (tmp_path / "m" / "moments.safetensors").exists()


def half(x):
    return x.half() if x.is_floating_point() else x


def as_torch_zip(state, folder):
    return saved(state, folder / "w.bin"), "torch, zip"


def as_legacy(state, folder):
    return saved(state, folder / "w.tar", _use_new_zipfile_serialization=False), "torch, legacy"


def as_safetensors(state, folder):
    safetensors.torch.save_file({k: v.clone() for k, v in state.items()}, folder / "w")
    return folder / "w", "safetensors"


def as_npz(state, folder):
    np.savez_compressed(folder / "w.npz", **{k: v.numpy() for k, v in state.items()})
    return folder / "w.npz", "npz"


@pytest.mark.parametrize("write", [as_torch_zip, as_legacy, as_safetensors, as_npz], ids=lambda f: f.__name__)
def test_every_format_gives_back_the_same_numbers(write, tmp_path, networks):
    state = {name: half(value) for name, value in networks["G"].state_dict().items()}
    path, kind = write(state, tmp_path)
    found, content = formats.read(path, LIMIT)
    assert found == kind and content.keys() == state.keys()
    assert all(torch.equal(content[name], value) for name, value in state.items())


@pytest.mark.parametrize("whole", [True, False], ids=["fp32", "fp16"])
def test_ncnns_two_files(tmp_path, whole):
    """One convolution with three weights a row, so that half precision is padded."""
    (tmp_path / "w.param").write_text(
        "7767517\n3 2\nInput in 0 1 a\nConvolution conv 1 1 a b 0=1 1=3 5=1 6=9\nReLU r 1 1 b c 0=0.2\n"
    )
    numbers = np.arange(9)
    body = numbers.astype("<f4").tobytes() if whole else numbers.astype("<f2").tobytes() + bytes(2)
    tag = 0 if whole else 0x01306B47
    (tmp_path / "w.bin").write_bytes(struct.pack("<I", tag) + body + struct.pack("<f", 0.5))
    kind, content = formats.read(tmp_path / "w.param", LIMIT)
    assert kind == "ncnn" and content["conv.weight"].shape == (1, 1, 3, 3)
    assert content["conv.weight"].flatten().tolist() == [*range(9)] and content["conv.bias"].tolist() == [0.5]
    (tmp_path / "w.bin").write_bytes(struct.pack("<I", tag) + body)
    with pytest.raises(GanzooError, match="ends before"):
        formats.read(tmp_path / "w.param", LIMIT)


@pytest.mark.parametrize("data", [b"", b"<!DOCTYPE html>", b"\x1f\x8b123", b"PK\x03\x04", b"\x89HDF", bytes(100)])
def test_what_is_no_weights_is_one_error(data, tmp_path):
    (tmp_path / "w").write_bytes(data)
    with pytest.raises(GanzooError):
        formats.read(tmp_path / "w", LIMIT)


# The command line


@pytest.mark.slow
def test_what_fits_in_order_and_shapes_alone_is_shown_and_not_assumed(tmp_path):
    net = build_networks("gan", dict(Foreign("gan").recipe(Foreign("gan").presets["tiny"]).args))["G"]
    state = {f"layer{i}": value for i, value in enumerate(net.state_dict().values())}
    path = saved(state, tmp_path / "w.pth")
    asked = ganzoo("import", path, "--family", "gan", *SAID, "-o", tmp_path / "m")
    assert asked.returncode == 2 and "layer0 -> G." in asked.stderr and "say --yes" in asked.stderr
    done = ganzoo("import", path, "--family", "gan", *SAID, "-o", tmp_path / "m", "--yes")
    assert done.returncode == 0, done.stderr


def test_what_fits_nothing_is_told_what_is_nearest(tmp_path, networks):
    state = {k.replace("main.0", "main.9"): v for k, v in networks["G"].state_dict().items()}
    path = saved(state, tmp_path / "w.pth")
    line = ganzoo("import", path, "--family", "dcgan", *SAID, "-o", tmp_path / "m")
    assert line.returncode == 2 and "main.0.weight" in line.stderr


def test_usage_is_said_before_anything_is_read(tmp_path):
    missing = tmp_path / "none.pth"
    assert "--license" in refused(ganzoo("import", missing, "--family", "dcgan"))
    assert "Did you mean dcgan" in refused(ganzoo("import", missing, "--family", "dcgam"))
    assert "unknown licence" in refused(
        ganzoo("import", missing, "--family", "dcgan", *SAID, "-o", "m", "--license", "X")
    )


def test_files_are_bounded_hashed_and_fetched_by_https_only(tmp_path):
    (tmp_path / "w").write_bytes(bytes(100))
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(GanzooError, match="more than 99 bytes"):
        fetch.fetch(str(tmp_path / "w"), out, 99)
    with pytest.raises(IntegrityError, match="sha256 differs"):
        fetch.fetch(str(tmp_path / "w"), out, 100, "0" * 64)
    os.mkfifo(tmp_path / "pipe")
    for where, words in (
        ("http://example.org/w", "https"), ("ftp://x/y", "https"), ("file:///etc/passwd", "https"),
        (str(tmp_path / "pipe"), "not a regular file"),
        (str(tmp_path), "regular|directory"),
        (str(tmp_path / "no"), "No such file"),
        ("hf:owner", "repository"), ("hf:me/model/../x", "file's path"),
    ):  # fmt: skip
        with pytest.raises(GanzooError, match=words):
            fetch.fetch(where, out, 100)


def test_a_file_of_the_hub_at_a_commit(tmp_path, hub):  # noqa: F811
    commit = hub.commit("me/gan", {"weights/w.bin": b"12345", "README.md": b"# x"})
    got = fetch.fetch(f"hf:me/gan/weights/w.bin@{commit}", tmp_path, 100)
    assert got.path.read_bytes() == b"12345" and got.name == "w.bin"
    with pytest.raises(GanzooError, match="at most 3"):
        fetch.fetch(f"hf:me/gan/weights/w.bin@{commit}", tmp_path, 3)


def test_licences_that_restrict_are_warned_of(tmp_path, networks):
    path = saved(networks["G"].state_dict(), tmp_path / "w.pth")
    done = ganzoo(
        "import", path, "--family", "dcgan", "--license", "CC-BY-NC-4.0", "--source", "t", "-o", tmp_path / "m"
    )
    assert done.returncode == 0 and "no commercial use" in done.stderr
    pushed = ganzoo("push", tmp_path / "m", "me/m", "--license", "LicenseRef-unknown", "--dry-run")
    assert "warning: licence" in pushed.stderr


def test_the_worker_is_bounded_in_memory(tmp_path, monkeypatch):
    """A file whose reading takes more than it may ends in one error, not in a machine without memory."""
    monkeypatch.setattr(sandbox, "MEMORY_TIMES", 0)
    monkeypatch.setattr(sandbox, "MEMORY_MORE", 32 << 20)
    path = saved({"w": torch.zeros(64 << 20, dtype=torch.uint8)}, Path(tmp_path) / "w.pth")
    with pytest.raises(GanzooError):
        sandbox.read(path, 1 << 30)

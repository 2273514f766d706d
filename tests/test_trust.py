"""What comes from elsewhere is data: never code, never pickle, never a name of a file, and never a token of ours.

GANZOO_FUZZ=100000 fuzzes as many headers as the promise says; the suite runs a tenth of it.
"""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors
import torch
from hubs import MODEL, published, refused

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.testing.hub import WRITER, LoopbackHub
from ganzoo_core.weights.config import parse_config
from ganzoo_core.weights.header import read_header

FUZZ = int(os.environ.get("GANZOO_FUZZ", "10000"))
WEIGHTS = (MODEL / "model.safetensors").read_bytes()
CONFIG = json.loads((MODEL / "config.json").read_text())


def file_of(header: object, data: bytes = b"", *, raw: bytes | None = None) -> bytes:
    text = json.dumps(header).encode() if raw is None else raw
    return len(text).to_bytes(8, "little") + text + data


def tensor(dtype="F32", shape=(1,), offsets=(0, 4), **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets), **more}


# Headers


def test_fuzzed_headers_raise_only_our_own_error():
    """What is taken, the library takes too and reads alike; all else is one GanzooError."""
    rng, taken = random.Random(0), 0
    for _ in range(FUZZ):
        data = mutated(rng)
        try:
            entries = read_header(data, "fuzz")
        except GanzooError as fault:
            assert "\n" not in str(fault) and "\x1b" not in str(fault) and len(str(fault)) < 2000
            continue
        taken += 1
        theirs = {name: (t["dtype"], tuple(t["shape"])) for name, t in safetensors.deserialize(data)}
        assert theirs == {name: tuple(entry) for name, entry in entries.items()}
    assert FUZZ // 50 < taken < FUZZ // 2


NASTY = [
    None, True, False, 0, -1, 1, 3, 4, 5, 8, 2**31, 2**53, 2**62, 2**63, 2**64, -(2**63), 10**400, 0.5, 1e308, "",
    "F32", "f32", "F31", "I64", "BOOL", "F16", [], [0], [0, 4], [4, 0], [0, 8], [4, 8], [2**62, 4], [1.0], [True],
    [[1]], [0] * 9, {}, {"a": 1}, "../../x", "a\x1b[31m", "\x00", "a" * 600, "ä", "\ud800", "__metadata__",
]  # fmt: skip


def mutated(rng: random.Random) -> bytes:
    """A small file of weights, damaged: in its tree, in its text or in its bytes."""
    header = {f"G.{i}": tensor(offsets=(4 * i, 4 * i + 4)) for i in range(rng.randrange(1, 4))}
    size = 4 * len(header)
    for _ in range(rng.choice((0, 1, 1, 1, 2))):
        damage(rng, header)
    text = json.dumps(header).encode()
    if rng.random() < 0.3:
        text = bytearray(text)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(text))
            text[at : at + rng.randrange(2)] = bytes([rng.choice(b'{}[]",:0 \x00\xff\\ue-')])
        text = bytes(text)
    length = len(text) if rng.random() < 0.9 else rng.choice((0, 1, 7, len(text) - 1, len(text) + 1, 10**8, 2**64 - 1))
    data = length.to_bytes(8, "little") + text + bytes(max(0, size + rng.choice((0, 0, 0, 0, 0, 0, 0, -1, 1, 8))))
    return data if rng.random() < 0.95 else data[: rng.randrange(len(data))]


def damage(rng: random.Random, header: dict) -> None:
    name = rng.choice([*header, "__metadata__", "new"])
    kind = rng.randrange(6)
    if kind == 0:
        header[name] = rng.choice(NASTY)
    elif kind == 1:
        header[str(rng.choice(NASTY))] = header.pop(name, tensor())
    elif kind == 2 and isinstance(header.get(name), dict):
        header[name][rng.choice(("dtype", "shape", "data_offsets", "extra"))] = rng.choice(NASTY)
    elif kind == 3 and isinstance(header.get(name), dict):
        header[name].pop(rng.choice(("dtype", "shape", "data_offsets")), None)
    elif kind == 4:
        header["__metadata__"] = {str(rng.choice(NASTY)): rng.choice(NASTY)}
    else:
        header[f"G.{rng.randrange(5)}"] = tensor(
            rng.choice(("F32", "I8")), (rng.randrange(3), 2), (0, rng.randrange(9))
        )


def test_fuzzed_configs_raise_only_our_own_error():
    rng = random.Random(1)
    for _ in range(FUZZ // 5):
        config = json.loads(json.dumps(CONFIG))
        for _ in range(rng.randrange(1, 3)):
            place = config
            while rng.random() < 0.6 and isinstance(place, dict) and place:
                inner = place[rng.choice(list(place))]
                place = inner if isinstance(inner, dict) else place
            if rng.random() < 0.3 and place:
                place.pop(rng.choice(list(place)))
            else:
                place[rng.choice([*place, "new"])] = rng.choice(NASTY)
        try:
            made = parse_config(Path("config.json"), json.dumps(config).encode())
            assert made == config
        except GanzooError as fault:
            assert "\n" not in str(fault) and "\x1b" not in str(fault)


# Weights (bad-inputs.md, B)

ONE = tensor()
BAD_WEIGHTS = {  # what: its bytes, words of the answer
    "B01 empty": (b"", "truncated at 0"),
    "B01 7 bytes": (b"1234567", "truncated at 7"),
    "B02 8 bytes": ((9).to_bytes(8, "little"), "does not fit"),
    "B03 101 MB": ((101 << 20).to_bytes(8, "little") + b"{}", "does not fit"),
    "B03 u64": (b"\xff" * 8 + b"{}", "does not fit"),
    "B05 short": (file_of({"a": ONE}, bytes(3)), "holds 3 bytes of tensors where its header promises 4"),
    "B05 long": (file_of({"a": ONE}, bytes(5)), "holds 5 bytes"),
    "B06 polyglot": (file_of({"a": ONE}, bytes(4)) + b"PK\x03\x04", "holds 8 bytes"),
    "B07 utf-8": (file_of(0, raw=b"{\xff}"), "damaged"),
    "B07 two": (file_of(0, raw=b"{}{}"), "damaged"),
    "B09 none": (file_of({}), "missing tensor"),
    "B10 space": (file_of(0, raw=b" {}"), "does not begin with {"),
    "B11 twice": (file_of(0, bytes(4), raw=b'{"a":%s,"a":%s}' % ((json.dumps(ONE).encode(),) * 2)), "duplicate key"),
    "B13 metadata twice": (file_of(0, raw=b'{"__metadata__":{},"__metadata__":{}}'), "duplicate key"),
    "B14 extra": (file_of({"a": {**ONE, "x": 1}}, bytes(4)), "not exactly"),
    "B15 metadata": (file_of({"__metadata__": {"a": {"b": "c"}}}), "table of strings"),
    "B17 F31": (file_of({"a": tensor("F31")}, bytes(4)), "dtype F31"),
    "B17 dtype list": (file_of({"a": tensor([])}, bytes(4)), "dtype"),
    "B18 missing": (file_of({"a": {"dtype": "F32", "shape": [1]}}, bytes(4)), "not exactly"),
    "B18 float": (file_of({"a": tensor(offsets=(0.0, 4))}, bytes(4)), "offsets"),
    "B18 reversed": (file_of({"a": tensor(offsets=(4, 0))}, bytes(4)), "offsets"),
    "B19 overlap": (file_of({"a": ONE, "b": ONE}, bytes(4)), "overlap"),
    "B21 negative": (file_of({"a": tensor(shape=(-1,))}, bytes(4)), "shape"),
    "B21 wrap": (file_of({"a": tensor(shape=(2**32, 2**32, 1))}, bytes(4)), "offsets"),
    "B22 misfit": (file_of({"a": tensor(shape=(2,))}, bytes(4)), "offsets"),
    "B23 past": (file_of({"a": tensor(offsets=(4, 8))}, bytes(4)), "gap"),
    "B25 zero": (file_of({"a": tensor(shape=(0, 2**62), offsets=(0, 0))}), "tensor"),
    "B26 nesting": (file_of(0, raw=b'{"a":' + b"[" * 100_000 + b"}"), "damaged"),
    "B27 many": (file_of({f"t{i}": tensor("U8", (0,), (0, 0)) for i in range(20_001)}), "at most 20000"),
    "B29 metadata": (file_of({"__metadata__": {"a": "b" * (9 << 20)}}), "does not fit"),
    "B30 path": (file_of({"../../etc/passwd": ONE}, bytes(4)), "tensor name"),
    "B30 escape": (file_of({"a\x1b[31m\r": ONE}, bytes(4)), r"\\x1b"),
    "B30 empty": (file_of({"": ONE}, bytes(4)), "tensor name"),
    "B31 surrogate": (file_of(0, bytes(4), raw=b'{"\\ud800":%s}' % json.dumps(ONE).encode()), "tensor name"),
    "B38 F8": (file_of({"a": tensor("F8_E8M0", (4,))}, bytes(4)), "F8_E8M0"),
    "B41 pickle": (b"\x80\x04\x95" + bytes(20), "a pickle file"),
    "B41 zip": (b"PK\x03\x04" + bytes(20), "a zip"),
    "B41 html": (b"<!DOCTYPE html><html></html>", "an HTML page"),
    "B41 lfs": (b"version https://git-lfs.github.com/spec/v1\noid", "a Git LFS pointer"),
    "B41 gzip": (b"\x1f\x8b" + bytes(20), "a gzip"),
}  # fmt: skip


def with_weights(folder: Path, data: bytes) -> Path:
    """A model directory whose config.json promises exactly these bytes."""
    shutil.copytree(MODEL, folder)
    (folder / "model.safetensors").write_bytes(data)
    files = {"model.safetensors": {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}}
    (folder / "config.json").write_text(json.dumps({**CONFIG, "files": files}))
    return folder


@pytest.mark.parametrize("name", BAD_WEIGHTS)
def test_bad_weights_with_the_right_hash_are_one_line(name, tmp_path, ganzoo):
    data, words = BAD_WEIGHTS[name]
    refused(ganzoo("verify", with_weights(tmp_path / "m", data)), 2, words)


def changed(change) -> bytes:
    tensors = safetensors.torch.load(WEIGHTS)
    first = next(name for name, value in tensors.items() if value.is_floating_point() and value.ndim)
    change(tensors, first)
    return safetensors.torch.save(tensors)


OTHER_TENSORS = {
    "B33 shape": (lambda t, k: t.update({k: t[k][:-1].contiguous()}), "expected F16"),
    "B34 missing": (lambda t, k: t.pop(k), "missing tensor"),
    "B34 unexpected": (lambda t, k: t.update(x=torch.ones(1)), "unexpected tensor x"),
    "B35 dtype": (lambda t, k: t.update({k: t[k].double()}), "found F64"),
    "B35 int": (lambda t, k: t.update({k: t[k].to(torch.int8)}), "found I8"),
    "B37 infinite": (lambda t, k: t.update({k: t[k] * float("inf")}), "infinite"),
    "NaN": (lambda t, k: t.update({k: t[k] * float("nan")}), "infinite or undefined"),
}


@pytest.mark.parametrize("name", OTHER_TENSORS)
def test_tensors_that_are_not_the_networks_are_one_line(name, tmp_path, ganzoo):
    change, words = OTHER_TENSORS[name]
    refused(ganzoo("verify", with_weights(tmp_path / "m", changed(change))), 2, words)


def test_b42_a_huge_sparse_file_is_refused_before_it_is_read(tmp_path, ganzoo):
    folder = shutil.copytree(MODEL, tmp_path / "m")
    with open(folder / "model.safetensors", "r+b") as file:
        file.truncate(20 << 30)
    refused(ganzoo("verify", folder), 2, "has 21474836480 bytes, config.json promises 256626")


@pytest.mark.parametrize("kind", ["directory", "fifo", "zero", "nothing"])
def test_b45_what_is_no_file_is_never_waited_for(tmp_path, ganzoo, kind):
    folder = shutil.copytree(MODEL, tmp_path / "m")
    path = folder / "model.safetensors"
    path.unlink()
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "zero":
        path.symlink_to("/dev/zero")
    refused(ganzoo("verify", folder), 2, "model.safetensors")


# config.json (bad-inputs.md, C)


def config(**changes: object) -> bytes:
    return json.dumps({**CONFIG, **changes}).encode()


def part(name: str, **changes: object) -> bytes:
    return config(**{name: {**CONFIG[name], **changes}})


def args(**changes: object) -> bytes:
    return part("networks", args={**CONFIG["networks"]["args"], **changes})


BAD_CONFIGS = {
    "C02 empty": (b"", "config.json"),
    "C03 not JSON": (b"{", "config.json"),
    "C05 twice": (b'{"format": 1, "format": 1}', "duplicate key 'format'"),
    "C06 NaN": (args(width=float("nan")), "NaN is not a number"),
    "C06 1e999": (json.dumps(CONFIG).replace("128", "1e999").encode(), "not finite"),
    "C07 5000 digits": (json.dumps(CONFIG).replace("150048", "1" * 5000).encode(), "config.json"),
    "C09 surrogate": (config(licence="\ud800"), "config.json"),
    "C10 unknown": (config(extra=1), "unknown key 'extra'"),
    "C10 unknown arg": (args(widht=1), "Did you mean width"),
    "C11 text": (args(width="64"), "networks.args.width: expected int, found '64'"),
    "C11 true": (args(width=True), "networks.args.width: expected int, found True"),
    "C11 format": (config(format=True), "format: expected int, found True"),
    "C11 seed": (part("training", seed="0"), "training.seed: expected int, found '0'"),
    "C11 bytes": (config(files={"model.safetensors": {"sha256": "a" * 64, "bytes": "9"}}), "bytes: expected 0 to"),
    "C11 sha256": (config(files={"model.safetensors": {"sha256": "a" * 63 + "g", "bytes": 9}}), "64 hex digits"),
    "C11 files": (config(files={"../x": {"sha256": "a" * 64, "bytes": 9}}), "files: expected"),
    "C13 zero": (args(image_size=0), "image_size 0"),
    "C13 odd": (args(image_size=31), "image_size 31"),
    "C13 negative": (args(image_size=-32), "image_size -32"),
    "C13 huge": (args(width=10**12), "config.json: networks.args"),
    "C14 stranger": (part("objective", family="stranger", plugin="ganzoo-stranger"), "ganzoo install --yes"),
    "C15 family": (part("objective", family="../../x"), r"objective.family: '../../x'"),
    "C15 NUL": (part("objective", family="a\0"), r"\\x00"),
    "C15 plugin": (part("networks", plugin="-rx /etc"), "no plugin's name"),
    "C15 id": (config(id="/abs/x"), "id: expected family.tag"),
    "C15 long": (config(id="a." + "x" * 5000), "id: expected family.tag"),
    "C17 future": (config(format=4), "format 4, and this ganzoo reads 1, 2, 3. Update ganzoo-core"),
    "C18 8 MB": (config(licence="x" * (8 << 20)), "at most"),
    "inputs": (config(inputs={"z": 3}), "inputs.z: expected dict, found 3"),
    "input's name": (config(inputs={"a\n```": {}}), "is no name of an argument"),
    "output": (config(output={"shape": 3}), "output.shape: expected list, found 3"),
    "nesting": (b'{"a":' * 100_000, "config.json"),
    "a list": (b"[]", "is not a table"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_CONFIGS)
def test_a_bad_config_is_one_line_with_its_key(name, tmp_path, ganzoo):
    data, words = BAD_CONFIGS[name]
    folder = shutil.copytree(MODEL, tmp_path / "m")
    (folder / "config.json").write_bytes(data)
    refused(ganzoo("verify", folder), 2, words)


@pytest.mark.parametrize(
    "rows", ['{"metrics": 3}', "[]", '{"metrics": [{"name": "fid"}]}', '{"metrics": [{"value": "3"}]}',
             '{"metrics": [{"name": 1, "value": 1, "protocol": {}}]}', '{"metrics": [[1]]}', "{", '{"metrics": NaN}'],
)  # fmt: skip
def test_metrics_that_are_no_scores_are_one_line(rows, tmp_path, ganzoo):
    folder = shutil.copytree(MODEL, tmp_path / "m")
    (folder / "metrics.json").write_text(rows)
    refused(ganzoo("verify", folder), 2, "metrics.json")


def test_the_bytes_of_an_id_are_those_of_the_register(tmp_path, ganzoo, monkeypatch):
    """config.json is pinned too: weights and config that agree with each other are not enough."""
    from ganzoo_core.registry import index

    register = index.load_index()
    rows = {**register.weights}
    rows["wgan_gp.mnist"] = {**rows["wgan_gp.mnist"], "files": {"config.json": {"sha256": "0" * 64, "bytes": 1}}}
    monkeypatch.setattr(index, "load_index", lambda: register._replace(weights=rows))
    refused(ganzoo("verify", "wgan_gp.mnist"), 5, "config.json: sha256 differs: expected " + "0" * 64)


# Code and pickles lie beside everything, and every command runs

PLANTED = {
    "planted.pt": b"PK\x03\x04", "planted.pkl": b"cos\nsystem\n(S'touch CANARY'\ntR.",
    "pytorch_model.bin": b"\x80\x04.",
    **dict.fromkeys(["modeling.py", "sitecustomize.py", "torch.py", "config.py"], b"open('CANARY', 'w')"),
    "model.pth": b"\x80\x04.", "optimizer.pt": b"\x80\x04.",
}  # fmt: skip
WATCHED = """
import marshal, os, pickle, sys, traceback
import torch, _pickle

ROOT, VIOLATIONS = os.path.realpath(sys.argv[1]), []

def never(*args, **kwargs):
    VIOLATIONS.append("called")
    raise AssertionError("no pickle, no torch.load, no marshal")

loads = marshal.loads
def only_the_import_system(*args):
    if "importlib" not in sys._getframe(1).f_code.co_filename:
        never()
    return loads(*args)

class Never(pickle.Unpickler):
    load = never

for module in (pickle, _pickle):
    module.load = module.loads = never
    module.Unpickler = Never
torch.load, marshal.load, marshal.loads = never, never, only_the_import_system

def watch(event, args):
    if event == "open" and isinstance(args[0], (str, bytes, os.PathLike)):
        path = os.path.realpath(os.fsdecode(args[0]))
        if path.startswith(ROOT) and path.endswith((".pt", ".pth", ".pkl", ".bin", ".py", ".pyc")):
            if "new-plugin" not in path:
                VIOLATIONS.append(f"opened {path}")
    elif event == "import" and args[1] and os.path.realpath(str(args[1])).startswith(ROOT):
        VIOLATIONS.append(f"imported {args[0]} from {args[1]}")
    elif event == "pickle.find_class":
        VIOLATIONS.append(f"unpickled {args}")
sys.addaudithook(watch)

from ganzoo_core.cli import main
for line in open(sys.argv[2]).read().splitlines():
    try:
        main(line.split())
    except SystemExit as end:
        print(f"EXIT {end.code or 0} {line}", flush=True)
    except Exception:  # --debug shows it
        traceback.print_exc()
print("VIOLATIONS", VIOLATIONS)
"""


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """Every command, one after the other in one watched process, beside planted files, with a token set."""
    root = tmp_path_factory.mktemp("trust")
    here = root / "here"
    model = shutil.copytree(MODEL, here / "model")
    for folder in (here, model):
        for name, data in PLANTED.items():
            (folder / name).write_bytes(data)
    with LoopbackHub() as hub:
        published(hub, "me/model", **{name.replace(".", "__"): data for name, data in PLANTED.items()})
        lines = [
            "list", "list --json", "info dcgan", "info dcgan.mnist", "search wasserstein", "search --hub model",
            "plugins",
            "train dcgan --preset tiny --images 64 --batch-size 16 --checkpoint-every 32 --out run",
            "train dcgan --resume --images 96 --preset tiny --batch-size 16 --out run", "report run",
            "sample run -n 4 -o a.png", "sample wgan_gp.mnist -n 4 -o b.png", "sample model -n 4 -o c.png",
            "sample hf:me/model -n 4 -o d.png", "eval run --data digits --metric nearest -n 16",
            "verify run model wgan_gp.mnist hf:me/model", "pull hf:me/model",
            "export model out", "push model me/mine --license mit", "push run me/run --license mit --create-pr",
            "push run me/run --license mit", "pull hf:me/run hf:me/mine", "pull hf:me/nothing",
            "push model you/x --license mit",
            "registry build --file registry.toml", "new new-plugin", "--debug pull hf:me/leaky", "doctor --json",
        ]  # fmt: skip
        (root / "lines").write_text("\n".join(lines))
        (root / "watched.py").write_text(WATCHED)
        leak = {"X-Error-Message": f"bad token {WRITER}", "X-HF-Warning": f"t; {WRITER}"}
        hub.misbehave(403, "/me/leaky", 99, headers=leak)
        environment = {**os.environ, **hub.environment(root / "home"), "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"}
        environment["GANZOO_PLUGINS"] = "dcgan,metrics,wgan"  # doctor imports each in a process of its own
        command = [sys.executable, "-P", root / "watched.py", here, root / "lines"]
        done = subprocess.run(command, cwd=here, capture_output=True, text=True, env=environment, timeout=200)
    return root, lines, done


FAIL = {"push run me/run --license mit --create-pr": 2, "pull hf:me/nothing": 2, "push model you/x --license mit": 3,
        "new new-plugin": None, "doctor --json": None, "--debug pull hf:me/leaky": None}  # fmt: skip


def test_every_command_runs_beside_planted_files_and_opens_none(watched):
    root, lines, done = watched
    exits = {
        line.split(" ", 2)[2]: int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("EXIT")
    }
    for line in lines:
        if FAIL.get(line, 0) is not None:
            assert exits.get(line) == FAIL.get(line, 0), f"{line}: {done.stderr[-2000:]}"
    assert "VIOLATIONS []" in done.stdout, done.stdout[-3000:]
    assert not list(root.rglob("CANARY"))


def test_the_watch_would_have_seen_it(tmp_path):
    """The same program, with a plugin of its own that opens a planted file and unpickles."""
    (tmp_path / "planted.py").write_text("x = 1")
    (tmp_path / "lines").write_text("list")
    program = WATCHED.replace("from ganzoo_core.cli import main\n", "open(sys.argv[1] + '/planted.py').close()\n"
        "try: pickle.loads(b'')\nexcept AssertionError: pass\nfrom ganzoo_core.cli import main\n")  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, tmp_path, tmp_path / "lines"], capture_output=True, text=True
    )
    assert "opened" in done.stdout and "'called'" in done.stdout


def test_the_token_is_nowhere(watched):
    root, _, done = watched
    assert WRITER not in done.stdout + done.stderr
    assert "hf_***" in done.stderr  # where a server says it back
    for path in root.rglob("*"):
        if path.is_file() and path.suffix != ".py":
            assert WRITER.encode() not in path.read_bytes(), path
    assert gz.load(MODEL)  # and all of this without one


@pytest.mark.parametrize("length", [0x80, 0x180, 0x680, 0x8B1F])
def test_a_header_whose_length_looks_like_another_file_is_read(length):
    """The file's first bytes are the header's length: one of 128 begins as a pickle does, one of 35,615 as gzip."""
    entry = b'"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
    data = length.to_bytes(8, "little") + (b"{" + entry + b"}").ljust(length) + bytes(8)
    assert read_header(data, "w")["w"].shape == (2,)

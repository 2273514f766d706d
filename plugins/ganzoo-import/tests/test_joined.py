"""A network that its authors keep in several files: SinGAN's folder of a trained picture."""

import json
from pathlib import Path

import pytest
import torch
from ganzoo_import.assemble import all_families, fitting, of_family
from ganzoo_import.cli import apart
from ganzoo_import.sandbox import Content
from ganzoo_import.unwrap import joined
from ganzoo_import.worker import leaves
from processes import ganzoo
from torch.nn.functional import batch_norm, conv2d, leaky_relu, pad

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.registry.recipes import build_networks, recipe

SAID = ("--family", "singan", "--license", "MIT", "--source", "a test")
SIZE = (30, 44)
BORDER = 5


@pytest.fixture(scope="module")
def nets():
    torch.manual_seed(3)
    made = build_networks("singan", recipe("singan", given={"longest_side": 44}).args)
    for net in made["G"].modules():
        if isinstance(net, torch.nn.BatchNorm2d):
            net.running_mean.normal_(0, 0.1), net.running_var.uniform_(0.5, 2)
    made["G"].stand_at(SIZE)
    made["G"].amp[1:] = torch.rand(len(made["G"].amp) - 1)
    return {name: net.eval() for name, net in made.items()}


def theirs_of(net, tail):
    """A scale's state by the authors' names."""
    named = {}
    for ours, tensor in net.state_dict().items():
        part, *more, last = ours.split(".")
        block = "head" if more[:1] == ["0"] else f"body.block{more[0]}" if more else ""
        named[f"{block}.{'norm' if more[1] == '1' else 'conv'}.{last}" if part == "body" else f"{tail}.{last}"] = tensor
    return named


@pytest.fixture(scope="module")
def folder(nets, tmp_path_factory):
    """As the authors' code leaves it; Gs.pth, which is pickled modules, is not there to be named."""
    made, g = tmp_path_factory.mktemp("TrainedModels") / "picture", nets["G"]
    for n in range(g.scales):
        (made / str(n)).mkdir(parents=True)
        torch.save(theirs_of(g.nets[n], "tail.0"), made / f"{n}/netG.pth")
        torch.save(theirs_of(nets["D"].nets[n], "tail"), made / f"{n}/netD.pth")
    torch.save([torch.rand(1, 3, *size) for size in g.sizes()], made / "reals.pth")
    torch.save([1, *g.amp[1 : g.scales]], made / "NoiseAmp.pth")
    h, w = g.sizes()[0]
    z = pad(g.z_star[: h * w].reshape(1, 1, h, w).expand(1, 3, h, w), (BORDER,) * 4)
    torch.save([z, *[torch.zeros(1, 3, h + 10, w + 10) for h, w in g.sizes()[1:]]], made / "Zs.pth")
    return made


def files(folder):
    return sorted(str(path) for path in folder.rglob("*.pth"))


@pytest.mark.slow
def test_scales_amplitudes_noise_and_sizes_become_one_model(nets, folder, tmp_path):
    done = ganzoo("import", *files(folder), *SAID, "-o", str(tmp_path / "m"))
    assert done.returncode == 0, done.stderr
    g, ours = gz.load(str(tmp_path / "m")).generator, nets["G"]
    assert (g.sizes(), g.finest) == (ours.sizes(), ours.scales - 1)
    assert torch.equal(g.amp[: g.scales], ours.amp[: g.scales])
    for n in range(g.scales):
        assert all(
            torch.equal(a, b)
            for a, b in zip(g.nets[n].state_dict().values(), ours.nets[n].state_dict().values(), strict=True)
        )
    assert torch.allclose(g.reconstruction(), by_hand(folder), atol=1e-4)
    told = json.loads((tmp_path / "m/config.json").read_text())
    assert told["imported"]["mapping"]["G.nets.1.body.2.0.weight"] == "1/netG.pth/body.block2.conv.weight"


def by_hand(folder):
    """The authors' way up from z*, with their tensors by their names."""
    reals, amps, Zs = (torch.load(folder / f"{name}.pth", weights_only=True) for name in ("reals", "NoiseAmp", "Zs"))
    y = torch.zeros_like(reals[0])
    for n, (real, amp, z) in enumerate(zip(reals, amps, Zs, strict=True)):
        if y.shape != real.shape:
            y = torch.nn.functional.interpolate(y, size=real.shape[2:], mode="bicubic", antialias=True)
        w = torch.load(folder / f"{n}/netG.pth", weights_only=True)
        x = amp * z + pad(y, (BORDER,) * 4)
        for layer in ("head", *(f"body.block{i}" for i in (1, 2, 3))):
            x = conv2d(x, w[f"{layer}.conv.weight"], w[f"{layer}.conv.bias"])
            stats = [w[f"{layer}.norm.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
            x = leaky_relu(batch_norm(x, *stats), 0.2)
        y = y + torch.tanh(conv2d(x, w["tail.0.weight"], w["tail.0.bias"]))
    return y


@pytest.fixture(scope="module")
def read(folder):
    """What the files hold, as the worker hands it over."""
    made = {}
    for path in map(Path, files(folder)):
        held = dict(leaves(torch.load(path, weights_only=True)))
        tensors = {way: leaf for way, leaf in held.items() if isinstance(leaf, torch.Tensor)}
        values = {way: str(leaf) for way, leaf in held.items() if way not in tensors}
        made[str(path.relative_to(folder))] = Content("torch, zip", tensors, values, "")
    return made


def test_without_a_family_singan_is_found(read):
    found = all_families([joined(read)])
    assert [(one.family.name, set(one.chosen)) for one in found if fitting(one)] == [("singan", {"G", "D"})]


def test_what_is_missing_is_named(read):
    with pytest.raises(GanzooError, match=r"NoiseAmp\.pth/0"):
        of_family("singan", [joined({k: v for k, v in read.items() if k != "NoiseAmp.pth"})], {})


def test_scales_of_other_sizes_are_refused(read):
    reals = read["reals.pth"]
    changed = reals._replace(tensors={**reals.tensors, ("2",): torch.rand(1, 3, 30, 60)})
    with pytest.raises(GanzooError, match="no pyramid"):
        of_family("singan", [joined({**read, "reals.pth": changed})], {})


def test_files_are_told_apart_by_what_their_paths_do_not_share():
    assert apart(["a/b/0/netG.pth", "a/b/1/netG.pth", "a/b/Zs.pth"]) == ["0/netG.pth", "1/netG.pth", "Zs.pth"]
    assert apart(["hf:o/r/0/netG.pth@main", "hf:o/r/1/netG.pth@main"]) == ["0/netG.pth", "1/netG.pth"]
    assert apart(["a/b.pth"]) == [""]

"""GAN compression: which channels are kept, what students begin as, their losses, and models that are ordinary ones."""

from __future__ import annotations

import json

import pytest
import torch
from ganzoo_compress.distil.measures import cost
from ganzoo_compress.distil.objective import Lesson, looking
from ganzoo_compress.distil.pruning import PICTURE, chosen, inherit, magnitude, plan, taps
from ganzoo_compress.distil.students import student_of
from processes import ganzoo
from torch import nn

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError

TEACHERS = {"pix2pix": {"norm": "instance"}, "cyclegan": {}}


def data() -> list[dict[str, torch.Tensor]]:
    rng = torch.Generator().manual_seed(0)
    return [{key: 2 * torch.rand(4, 3, 16, 16, generator=rng) - 1 for key in "ab"} for _ in range(4)]


@pytest.fixture(scope="module", params=list(TEACHERS))
def teacher(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param) / "run"
    made = gz.create(request.param, preset="tiny", **TEACHERS[request.param])
    gz.fit(made, data(), images=16, batch_size=4, out=folder)
    return gz.load(folder)


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_a_student_as_wide_is_its_teacher(norm):
    x = torch.rand(1, 3, 16, 16) * 2 - 1
    for family, args in (("pix2pix", {"norm": norm}), ("cyclegan", {})):
        one, other = (gz.create(family, preset="tiny", seed=seed, **args).G.eval() for seed in (0, 1))
        assert not torch.equal(one(x), other(x))
        inherit(other, one)
        torch.testing.assert_close(one(x), other(x))


def test_channels_that_do_nothing_are_the_first_to_go():
    """A wide U-Net, half of whose channels are dead, is its own half."""
    wide, narrow = (gz.create("pix2pix", preset="tiny", norm="batch", width=width).G.eval() for width in (8, 4))
    layers = plan(wide)
    with torch.no_grad():
        for layer in layers:
            if layer.makes == PICTURE:
                continue
            conv, norm = wide.get_submodule(layer.conv), layer.norm and wide.get_submodule(layer.norm)
            conv.weight[
                (slice(None), slice(0, None, 2)) if isinstance(conv, nn.ConvTranspose2d) else slice(0, None, 2)
            ] = 0
            if norm:
                norm.bias[::2] = 0
    inherit(narrow, wide)
    x = torch.rand(2, 3, 16, 16) * 2 - 1
    torch.testing.assert_close(narrow(x), wide(x), atol=1e-5, rtol=1e-4)


def test_a_residual_stream_keeps_the_same_channels_everywhere():
    wide, narrow = (gz.create("cyclegan", preset="tiny", width=width, blocks=2).G for width in (4, 2))
    layers = plan(wide)
    kept = chosen(narrow, wide, layers)
    stream = next(layer.makes for layer in layers if layer.conv == "main.6")
    makers = [layer for layer in layers if layer.makes == stream]
    assert [layer.conv for layer in makers] == ["main.6", "main.9.main.3", "main.10.main.3"]
    total = sum(magnitude(wide, layer) for layer in makers)
    assert set(kept[stream].tolist()) == set(total.topk(8).indices.tolist())
    assert kept[PICTURE].tolist() == [0, 1, 2]
    assert kept[stream].tolist() == sorted(kept[stream].tolist())


def test_what_has_no_plan_is_refused():
    with pytest.raises(GanzooError, match="nobody knows which of its channels"):
        plan(nn.Linear(2, 2))
    narrow, wide = (gz.create("cyclegan", preset="tiny", width=width).G for width in (2, 4))
    with pytest.raises(GanzooError, match="a student is no wider"):
        inherit(wide, narrow)


def test_a_lesson_compares_maps_through_1x1s():
    wide, narrow = (gz.create("pix2pix", preset="tiny", norm="instance", width=width).G.eval() for width in (8, 4))
    lesson = Lesson(narrow, wide)
    x = torch.rand(2, 3, 16, 16) * 2 - 1
    made, drawn, seen = lesson(narrow, x)
    assert torch.equal(made, narrow(x)) and torch.equal(drawn, wide(x))
    names = taps(wide)
    assert len(names) == 4
    maps = [looking(net, x, names)[1] for net in (narrow, wide)]
    expected = sum((f(n) - w).square().mean() for f, n, w in zip(lesson.f, *maps, strict=True))
    torch.testing.assert_close(seen, expected)
    assert [f.weight.shape[:2] for f in lesson.f] == [(w.shape[1], n.shape[1]) for n, w in zip(*maps, strict=True)]
    lesson.train()
    assert not lesson.teacher.training and not any(w.requires_grad for w in lesson.teacher.parameters())


def test_losses_are_those_of_the_paper(teacher):
    width = teacher.config["networks"]["args"]["width"] // 2
    game = student_of(teacher, width, recon=9.0, distill=2.0).eval()
    batch = data()[0]
    terms = game.g_loss(batch)
    a, b = batch["a"], batch["b"]
    if teacher.config["objective"]["family"] == "pix2pix":
        made, _, seen = game.lessons["G"](game.G, a)
        torch.testing.assert_close(terms["recon"], 9 * (made - b).abs().mean())
        torch.testing.assert_close(terms["adv"], -game.D(made, a).sigmoid().log().mean())
        torch.testing.assert_close(terms["distill"], 2 * seen)
        real, fake = game.D(b, a).sigmoid(), game.D(made, a).sigmoid()
        judged = game.d_loss(batch)
        torch.testing.assert_close(judged["real"] + judged["fake"], -(real.log().mean() + (1 - fake).log().mean()) / 2)
    else:
        made, drawn, seen = game.lessons["F"](game.F, b)
        assert torch.equal(drawn, teacher.networks["F"](b))
        torch.testing.assert_close(terms["recon_f"], 9 * (made - drawn).abs().mean())
        torch.testing.assert_close(terms["distill_f"], 2 * seen)
        torch.testing.assert_close(terms["adv_f"], (game.D_X(made) - 1).square().mean())
        torch.testing.assert_close(game.d_loss(batch)["x_fake"], game.D_X(made).square().mean() / 2)


def test_judges_are_the_teachers(teacher):
    game = student_of(teacher, 2)
    for name, net in teacher.discriminators.items():
        for one, other in zip(net.parameters(), getattr(game, name).parameters(), strict=True):
            assert torch.equal(one, other)


def test_a_student_is_an_ordinary_model(teacher, tmp_path):
    game = student_of(teacher, 2)
    before = {name: w.clone() for name, w in game.lessons.state_dict().items() if ".teacher." in name}
    gz.fit(game, data(), images=16, batch_size=4, out=tmp_path / "small")
    student = gz.load(tmp_path / "small")
    assert student.config["objective"] == {**teacher.config["objective"]}
    assert student.config["networks"]["args"] == {**teacher.config["networks"]["args"], "width": 2}
    assert all(torch.equal(w, game.lessons.state_dict()[name]) for name, w in before.items())
    assert cost(student.generator, 16).weights < cost(teacher.generator, 16).weights


def test_a_student_is_drawn_from_its_seed(teacher):
    """Whatever has been drawn before; and the draws of the caller stay as they were."""
    torch.manual_seed(5)
    one, before = student_of(teacher, 2).state_dict(), torch.get_rng_state()
    torch.manual_seed(6)
    same, other = student_of(teacher, 2).state_dict(), student_of(teacher, 2, seed=1).state_dict()
    assert all(torch.equal(w, same[name]) for name, w in one.items())
    assert any(not torch.equal(w, other[name]) for name, w in one.items() if name.startswith("lessons"))
    torch.manual_seed(5)
    assert torch.equal(before, torch.get_rng_state())


def test_a_broken_lesson_goes_on(teacher, tmp_path):
    whole = gz.fit(student_of(teacher, 2), data(), images=16, batch_size=4, out=tmp_path / "whole")
    for report in gz.train(student_of(teacher, 2), data(), images=16, batch_size=4, out=tmp_path / "broken"):
        if report.position.images == 8:
            break
    rest = gz.fit(student_of(teacher, 2), data(), images=16, batch_size=4, out=tmp_path / "broken", resume=True)
    assert whole is not None and rest is not None
    one, other = (gz.load(tmp_path / name).generator.state_dict() for name in ("whole", "broken"))
    assert all(torch.equal(w, other[name]) for name, w in one.items())


def test_costs_are_counted():
    """One 3x3 of 4 channels from 3 at 8 x 8: 108 weights and 4 biases, 64 x 108 multiply-adds."""
    net = gz.create("cyclegan", preset="tiny").G
    net.main = nn.Conv2d(3, 4, 3, padding=1)
    found = cost(net, 8)
    assert (found.weights, found.macs) == (112, 64 * 108)
    assert found.milliseconds > 0


@pytest.mark.parametrize("teacher", ["pix2pix"], indirect=True)
def test_compress_as_users_call_it(teacher, tmp_path):
    words = ["--data", "shapes:pairs", "--images", "8", "-n", "4", "--metric", "l1", "--width", "2"]
    done = ganzoo("compress", teacher.folder, *words, "-o", tmp_path / "small")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "small" / "compressed.json").read_text())
    assert found["after"]["costs"]["G"]["macs"] < found["before"]["costs"]["G"]["macs"]
    assert found["after"]["scores"]["l1"] > 0
    assert "weights" in done.stderr and "multiply-adds" in done.stderr
    done = ganzoo("compress", teacher.folder, *words[:-1], "64", "-o", tmp_path / "wide")
    assert done.returncode == 2 and "width 64: not from 1 to 7" in done.stderr
    done = ganzoo("compress", "gan.mnist", *words, "-o", tmp_path / "none")
    assert done.returncode == 2 and "no translator that can be compressed" in done.stderr

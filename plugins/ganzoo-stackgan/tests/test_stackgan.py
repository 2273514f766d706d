"""GAN-CLS and StackGAN: the reference's tensors, closed forms of the losses, words."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from ganzoo_stackgan.objective import divergence
from ganzoo_stackgan.stages import StageII
from ganzoo_stackgan.words import TextEncoder, joint_embedding, read, shifted, spelt
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import interpolate

import ganzoo_core as gz
from ganzoo_core.cli import main
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import encode_text
from ganzoo_core.objectives import Objective
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic

# The reference implementations' parameters, in their order

Shapes = list[tuple[int, ...]]


def conv(f: int, g: int, k: int) -> Shapes:
    """A convolution f -> g with batch norm."""
    return [(g, f, k, k), (g,), (g,)]


def stage1_g() -> Shapes:
    fc: Shapes = [(256, 1024), (256,), (24576, 228), (24576,), (24576,)]
    ups = [shape for f in (1536, 768, 384, 192) for shape in conv(f, f // 2, 3)]
    return [*fc, *ups, (3, 96, 3, 3)]


def stage2_g() -> Shapes:
    own: Shapes = [(256, 1024), (256,), (192, 3, 3, 3), *conv(192, 384, 4), *conv(384, 768, 4), *conv(896, 768, 3)]
    blocks = [shape for _ in range(4) for shape in conv(768, 768, 3)]
    ups = [shape for f in (768, 384, 192, 96) for shape in conv(f, f // 2, 3)]
    return [*own, *blocks, *ups, (3, 48, 3, 3)]


def head() -> Shapes:
    return [*conv(896, 768, 3), (1, 768, 4, 4), (1,)]


def stage1_d() -> Shapes:
    return [(96, 3, 4, 4), *conv(96, 192, 4), *conv(192, 384, 4), *conv(384, 768, 4), *head()]


def stage2_d() -> Shapes:
    down = [shape for f in (96, 192, 384, 768, 1536) for shape in conv(f, 2 * f, 4)]
    return [(96, 3, 4, 4), *down, *conv(3072, 1536, 3), *conv(1536, 768, 3), *head(), (1, 768, 4, 4), (1,)]


def cls_g() -> Shapes:
    ups: Shapes = [(228, 512, 4, 4)]
    for f in (512, 256, 128):
        ups += [(f,), (f,), (f, f // 2, 4, 4)]
    return [(128, 1024), (128,), (128,), (128,), *ups, (64,), (64,), (64, 3, 4, 4)]


def cls_d() -> Shapes:
    down = [shape for f in (64, 128, 256) for shape in conv(f, 2 * f, 4)]
    return [(64, 3, 4, 4), *down, (128, 1024), (128,), (128,), (128,), (1, 640, 4, 4)]


PAPER = {
    "stackgan": {"G.G1": (20_020_832, stage1_g()), "G.G2": (37_130_480, stage2_g()),
                 "D1": (12_407_425, stage1_d()), "D2": (159_889_538, stage2_d())},
    "gan_cls": {"G": (4_756_736, cls_g()), "D": (2_899_072, cls_d())},
}  # fmt: skip


@pytest.mark.parametrize("family", PAPER)
def test_paper_networks_are_the_references(family: str) -> None:
    with torch.device("meta"):
        objective = build(recipe(family, preset="paper"))
    for name, (count, shapes) in PAPER[family].items():
        own = [w for key, w in objective.get_submodule(name).named_parameters() if not key.startswith("T.")]
        assert [tuple(w.shape) for w in own] == shapes and sum(w.numel() for w in own) == count


# Losses


def born(family: str) -> tuple[Objective, dict[str, Tensor]]:
    made = recipe(family, preset="tiny")
    objective = build(made)
    return objective, dict(next(synthetic(objective.needs, made.args)(start=0, batch_size=4)))


def test_the_divergence_is_that_of_gaussians() -> None:
    mu, logvar = torch.randn(5, 7), torch.randn(5, 7)
    ours = torch.distributions.Normal(mu, (logvar / 2).exp())
    true = torch.distributions.kl_divergence(ours, torch.distributions.Normal(torch.zeros(5, 7), torch.ones(5, 7)))
    torch.testing.assert_close(divergence(mu, logvar), true.mean())
    assert divergence(torch.zeros(2, 3), torch.zeros(2, 3)) == 0


def test_a_pair_should_fit_better_than_others_by_a_margin() -> None:
    v, t = torch.eye(3), torch.eye(3)
    same = torch.eye(3, dtype=torch.bool)
    assert all(term == 0 for term in joint_embedding(v, t, same).values())  # F is 10 for pairs and 0 for others
    worst = joint_embedding(v, t.roll(1, 0), same)
    # of picture n, one caption of the two others fits by 10 and one by 0, as its own does: (1 + 10 - 0, 1 + 0 - 0)
    assert float(worst["picture"]) == pytest.approx((11 + 1) / 2) and float(worst["caption"]) == pytest.approx(6)
    alike = torch.ones(3, 3, dtype=torch.bool)
    assert all(term == 0 for term in joint_embedding(v, t.roll(1, 0), alike).values())  # one caption: nothing to learn


@pytest.mark.parametrize("family", ["gan_cls", "stackgan"])
def test_all_scores_zero_means_all_losses_log_2(family: str) -> None:
    objective, batch = born(family)
    for name, module in objective.named_modules():
        if name.startswith("D") and name.endswith(("score", "lone")):
            for w in module.parameters():
                nn.init.zeros_(w)
    log2 = torch.tensor(2.0).log()
    phases = {phase.name: phase for phase in objective.phases()}
    main = phases["stage1" if family == "stackgan" else "main"]
    d, g = (step.loss(batch) for step in main.steps)
    for name, factor in (("real", 1), ("wrong", 0.5), ("fake", 0.5)):
        torch.testing.assert_close(d[name], factor * log2)
    torch.testing.assert_close(g["adv"], log2)
    if family == "stackgan":
        d, g = (step.loss(batch) for step in phases["stage2"].steps)
        for name, factor in (("real", 1), ("wrong", 1 / 3), ("fake", 2 / 3)):
            torch.testing.assert_close(d[name], factor * log2)
        torch.testing.assert_close(g["adv"], 2 * log2)
    else:
        torch.testing.assert_close(g["int"], log2)


def test_later_phases_leave_earlier_networks_alone() -> None:
    objective, _ = born("stackgan")
    words, stage1, stage2 = objective.phases()
    owned = [{id(w) for player in phase.players for w in player.parameters()} for phase in (words, stage1, stage2)]
    assert not owned[0] & owned[1] and not owned[1] & owned[2] and not owned[0] & owned[2]
    assert owned[0] == {id(w) for net in (objective.G.T, objective.V) for w in net.parameters()}  # type: ignore[union-attr]


# Words


def test_padding_and_capitals_mean_nothing() -> None:
    T = TextEncoder(8, 12)
    a, b, c = (
        T(encode_text([words], n)) for words, n in (("a red heart", 11), ("a red heart", 80), ("A Red Heart", 90))
    )
    assert torch.equal(a, b) and torch.equal(b, c)
    assert not torch.equal(a, T(encode_text(["a blue heart"], 80)))
    torch.testing.assert_close(a.norm(dim=1), torch.tensor([12**0.5]))
    with pytest.raises(GanzooError, match="more than 80 bytes"):
        T(encode_text(["x" * 81], 81))


def test_words_do_not_see_each_other() -> None:
    T = TextEncoder(8, 12)
    a, b, c = T(encode_text(["red heart", "heart: red", "  (heart,)   red"], 80))
    torch.testing.assert_close(a, b)
    torch.testing.assert_close(a, c)
    letters, word = spelt(encode_text(["ab (c): d"], 80).long())
    assert bytes(letters[0, letters[0] > 0].tolist()) == b"abcd"
    assert [int(n) for n in word[0] if n] == [1, 1, 2, 3]


def test_stage_two_begins_with_what_it_keeps() -> None:
    small, e = torch.rand(2, 3, 8, 8) * 1.9 - 0.95, torch.randn(2, 12)
    G2 = StageII(8, 16, 3, 4, 12, 6, 1, keep=1.0)
    nn.init.zeros_(G2.image.weight)
    enlarged = interpolate(small.atanh(), scale_factor=2, mode="bilinear").tanh()
    torch.testing.assert_close(G2(small, e)[0], enlarged)


def test_g_does_not_move_what_d_is_told() -> None:
    """Else G learns to tell D nothing: the condition's mean has no slope where the picture does not depend on it."""
    objective, batch = born("stackgan")
    G1 = objective.G.G1  # type: ignore[union-attr]
    G1.forward = lambda e, z, spread=1.0: (torch.zeros(len(e), 3, 8, 8), *G1.ca(e, spread)[1:])  # type: ignore[assignment, method-assign, operator, union-attr]
    loss = objective.g1_loss(batch)["adv"]  # type: ignore[operator, union-attr]
    assert torch.autograd.grad(loss, [*objective.D1.parameters(), G1.ca.fc.weight], allow_unused=True)[-1] is None  # type: ignore[union-attr]


def test_it_knows_which_words_it_never_met() -> None:
    T = TextEncoder(8, 12)
    T.meet(encode_text(["a red heart", "blue car"], 80))
    assert T.strangers(encode_text(["Blue heart", "zebra car"], 80)) == ["zebra"]
    assert read(encode_text(["Füchse"], 80)) == ["füchse"]


def test_new_words_are_named_and_drawn_all_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    objective, _ = born("stackgan")
    G = objective.G
    G.T.meet(encode_text(["a red heart"], 80))  # type: ignore[union-attr, operator]
    assert G.sample(1, seed=0, text="a red heart").shape == (1, 3, 16, 16)  # type: ignore[union-attr, operator]
    assert not capfd.readouterr().err
    G.sample(1, seed=0, text="a red zebra")  # type: ignore[union-attr, operator]
    assert "never met in training: zebra" in capfd.readouterr().err


@pytest.mark.parametrize("family", ["gan_cls", "stackgan"])
def test_embeddings_take_the_place_of_words(family: str) -> None:
    objective, _ = born(family)
    G = objective.exported_networks()["G"]
    e = G.T(encode_text(["a red heart"], 80)).detach()  # type: ignore[operator, union-attr]
    by_words = G.sample(3, seed=5, text="a red heart")  # type: ignore[operator, union-attr]
    torch.testing.assert_close(by_words, G.sample(3, seed=5, embedding=e))  # type: ignore[operator, union-attr]


@pytest.mark.parametrize("family", ["gan_cls", "stackgan"])
def test_the_way_from_one_caption_to_another(family: str) -> None:
    objective, _ = born(family)
    G = objective.exported_networks()["G"]
    way = G.sample(5, seed=5, text="a red heart", towards="blue car")  # type: ignore[operator, union-attr]
    steps = (way[1:] - way[:-1]).flatten(1).norm(dim=1)
    assert len(way) == 5 and (steps > 0).all()
    back = G.sample(5, seed=5, text="blue car", towards="a red heart")  # type: ignore[operator, union-attr]
    torch.testing.assert_close(way.flip(0), back)
    with pytest.raises(GanzooError, match="one text to begin with"):
        G.sample(5, seed=5, towards="blue car")  # type: ignore[operator, union-attr]


def test_both_stages_side_by_side() -> None:
    objective, _ = born("stackgan")
    G = objective.exported_networks()["G"]
    both = G.sample(2, seed=1, text="a red heart", stages=True)  # type: ignore[operator, union-attr]
    assert both.shape == (2, 3, 16, 32)
    assert torch.equal(both[..., 16:], G.sample(2, seed=1, text="a red heart"))  # type: ignore[operator, union-attr]


@pytest.mark.parametrize("options,width", [([], 32), (["-c", "stages=false"], 16)])
def test_the_command_line_shows_both_stages(tmp_path: Path, options: list[str], width: int) -> None:
    objective = gz.create("stackgan", preset="tiny", words_images=8, stage1_images=8)
    gz.fit(objective, "shapes:captions", images=24, batch_size=8, precision="fp32", out=tmp_path / "run")
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as end:
        main(["sample", str(tmp_path / "run"), "--text", "a red heart", "-n", "1", *options, "-o", str(out)])
    (picture,) = out.iterdir()
    with Image.open(picture) as drawn:
        assert not end.value.code and drawn.size == (width, 16)


def test_only_a_mixture_of_picture_and_words_can_tell_whether_they_fit() -> None:
    x, e = torch.randn(2, 3, 16, 16), torch.randn(2, 12)
    for mix in (0, 1):
        made = recipe("gan_cls", preset="tiny", given={"mix": mix})
        D = build(made).get_submodule("D").eval()
        a, b = D(x, e).detach(), D(x, e.flip(0)).detach()  # the same pictures, the same words, paired otherwise
        apart = float((a.sum() - b.sum()).abs() / a.abs().max())
        assert (apart > 1e-4) == bool(mix), apart


def test_misfits_are_the_words_of_others() -> None:
    e = torch.arange(4.0)[:, None]
    assert (shifted(e) != e).all() and sorted(shifted(e).flatten().tolist()) == [0, 1, 2, 3]

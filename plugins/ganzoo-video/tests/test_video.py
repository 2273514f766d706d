"""MoCoGAN, Dual Motion GAN, VGAN and TGAN: counts, every loss in closed form, and what is special about each."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from ganzoo_metrics.extractors import Extractor
from ganzoo_video import scores
from ganzoo_video.dual_motion.networks import ConvLSTM, FlowEstimator
from ganzoo_video.dual_motion.objective import judged, kl
from ganzoo_video.dual_motion.warping import warp
from ganzoo_video.flows import ILK, TVL1, Raft, RaftNetwork, resized_flow
from ganzoo_video.prediction import parted, without_model
from ganzoo_video.prediction import scores as compared
from ganzoo_video.tgan.objective import clip_layer, clipped
from ganzoo_video.vgan.networks import Streams
from ganzoo_video.windows import any_frame, windows
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, grid_sample, sigmoid
from torchvision.models.optical_flow import raft_small

from ganzoo_core.data import DATASETS, open_dataset
from ganzoo_core.errors import GanzooError, IntegrityError
from ganzoo_core.objectives import Objective, nonsaturating
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic

FAMILIES = ("mocogan", "dual_motion", "vgan", "tgan")


def tiny(family: str, **given: object) -> Objective:
    return build(recipe(family, preset="tiny", given=given))


def batch_for(game: Objective, n: int = 4) -> dict[str, Tensor]:
    return dict(next(synthetic(game.needs, game.recipe.args)(start=0, batch_size=n)))


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


# Sizes


@pytest.mark.parametrize(
    "family,given,sizes",
    [
        ("mocogan", {}, {"G": 3298836, "D_I": 663296, "D_V": 11253504}),
        ("mocogan", {"categories": 0}, {"D_I": 663296, "D_V": 11056896}),
        ("vgan", {}, {"G": 16245383, "D": 11057858}),
        (
            "tgan",
            {},
            {"G": 986368 + 4900643, "D": 11033409 - 2 * 64},
        ),  # the code holds one batch norm that it never uses
    ],
)
def test_paper_has_the_published_sizes(family: str, given: dict[str, int], sizes: dict[str, int]) -> None:
    with torch.device("meta"):
        game = build(recipe(family, preset="paper", given=given))
    assert {name: count(getattr(game, name)) for name in sizes} == sizes


@pytest.mark.parametrize(
    "family,given",
    [("mocogan", {"frames": 3}), ("vgan", {"frames": 6}), ("tgan", {"frames": 6}), ("dual_motion", {"frames": 2}),
     ("mocogan", {"g_widths": (8,)}), ("vgan", {"g_widths": (8,)}), ("tgan", {"g_widths": (8,)}),
     ("dual_motion", {"image_size": 18})],
)  # fmt: skip
def test_sizes_that_do_not_fit_are_one_line(family: str, given: dict[str, object]) -> None:
    with pytest.raises(GanzooError) as fault:
        tiny(family, **given)
    assert "\n" not in str(fault.value) and fault.value.hint


# Windows


def test_windows_are_frames_in_a_row_and_what_lies_between_them() -> None:
    torch.manual_seed(0)
    video = torch.arange(8.0).expand(60, 8)[..., None, None, None].clone()
    between = torch.arange(7.0).expand(60, 7).clone()
    found, steps = windows(3, video, between)
    start = found[:, 0].flatten()
    assert set(start.tolist()) == {0, 1, 2, 3, 4, 5}
    assert torch.equal(found.flatten(1), start[:, None] + torch.arange(3)) and torch.equal(
        steps, found.flatten(1)[:, :2]
    )
    assert set(any_frame(video).flatten().tolist()) == set(range(8))
    with pytest.raises(GanzooError, match="-c frames=8"):
        windows(9, video)


# MoCoGAN


def test_a_longer_clip_begins_as_the_shorter_one() -> None:
    G = tiny("mocogan").G.eval()
    short, long = (G.sample(3, seed=1, frames=frames) for frames in (4, 9))
    assert long.shape == (3, 9, 1, 16, 16) and G.frames == 5 and G.output.shape[0] == 5
    torch.testing.assert_close(long[:, :4], short)
    with pytest.raises(GanzooError, match="frames -1"):
        G.sample(1, seed=0, frames=-1)


def test_content_and_motion_are_shared_as_asked() -> None:
    G = tiny("mocogan").G.eval()
    G.forward = (
        lambda content, category, motion: torch.cat(  # type: ignore[method-assign]
            [content[:, :1], category[:, None].float(), motion[:, 0]], 1
        )
    )
    free, content, motion = (G.sample(4, seed=2, same=same) for same in ("nothing", "content", "motion"))
    assert len(set(free[:, 0].tolist())) == 4
    assert torch.equal(content[:, 0], free[:1, 0].expand(4)) and torch.equal(content[:, 1:], free[:, 1:])
    assert torch.equal(motion[:, 1:], free[:1, 1:].expand(4, -1)) and torch.equal(motion[:, 0], free[:, 0])


def test_every_frame_has_the_content_the_category_and_the_next_state() -> None:
    G = tiny("mocogan").G
    z = G.priors(2)
    code = torch.eye(3)[z["category"]]
    h, cell = z["motion"][:, 0], G.R_M
    seen = list[Tensor]()
    G.frames_of = lambda rows: seen.append(rows) or torch.zeros(len(rows), 1, 16, 16)  # type: ignore[assignment, func-returns-value]
    G(*z.values())
    for t in range(5):
        h = cell(z["motion"][:, t + 1], h)
        torch.testing.assert_close(seen[0].view(2, 5, -1)[:, t], torch.cat([z["content"], code, h], 1))


def test_mocogan_losses_are_those_of_two_discriminators_and_the_categories() -> None:
    game = tiny("mocogan", info=0.5).eval()
    batch = batch_for(game)
    torch.manual_seed(3)
    terms = game.dv_loss(batch)
    torch.manual_seed(3)
    real, _ = windows(5, batch["video"])[0], None
    z = game.G.priors(4)
    r, (s, said) = game.D_V(real), game.D_V.score_and_features(game.G(*z.values()))
    torch.testing.assert_close(terms["real"], -sigmoid(r).log().mean())
    torch.testing.assert_close(terms["fake"], -(1 - sigmoid(s)).log().mean())
    torch.testing.assert_close(terms["category"], 0.5 * cross_entropy(said, z["category"]))
    assert game.g_loss(batch).keys() == {"frames", "clips", "category"} and said.shape == (4, 3)
    assert game.di_loss(batch).keys() == {"real", "fake"}
    assert tiny("mocogan", categories=0).g_loss(batch).keys() == {"frames", "clips"}


def test_mocogan_may_pay_for_slopes_in_place_of_batch_norm() -> None:
    """gamma / 2 E ||grad D_V(x)||^2, the sum of all that D_V says of a clip."""
    game = tiny("mocogan", gamma=3.0, dv_norm="none", sigma=0.0)
    video = batch_for(game)["video"][:, : game.G.frames].requires_grad_()
    slope = torch.autograd.grad(game.D_V(video).sum(), video)[0]
    torch.testing.assert_close(
        game.dv_loss({"video": video.detach()})["r1"], 1.5 * slope.square().flatten(1).sum(1).mean()
    )
    with pytest.raises(GanzooError, match="batch norm"):
        tiny("mocogan", gamma=3.0, dv_widths=(8, 8), frames=7)


def test_labels_of_the_data_can_be_the_categories() -> None:
    game = tiny("mocogan", classes=4).eval()
    assert game.needs == {"video", "label"} and game.G.categories == 4
    batch = batch_for(game)
    said = game.D_V.score_and_features(batch["video"])[1]
    torch.testing.assert_close(game.dv_loss(batch)["category"], cross_entropy(said, batch["label"]))


# VGAN


def test_streams_are_put_together_by_the_mask() -> None:
    mask = torch.zeros(1, 2, 1, 4, 4)
    mask[:, 1, :, :2] = 1
    video = Streams(torch.ones(1, 2, 3, 4, 4), -torch.ones(1, 1, 3, 4, 4), mask).video
    assert torch.equal(video, (2 * mask - 1).expand(-1, -1, 3, -1, -1))


def test_streams_can_be_seen_alone() -> None:
    G = tiny("vgan").G.eval()
    whole, f, b, m = (G.sample(2, seed=0, stream=s) for s in ("video", "foreground", "background", "mask"))
    assert whole.shape == f.shape == b.shape == m.shape == (2, 4, 1, 16, 16)
    torch.testing.assert_close(whole, (m + 1) / 2 * f + (1 - m) / 2 * b)
    assert torch.equal(b[:, 0], b[:, 3]) and not torch.equal(f[:, 0], f[:, 3])


def test_the_score_of_two_logits_is_their_cross_entropy() -> None:
    D, x = tiny("vgan").D.eval(), torch.randn(3, 4, 1, 16, 16)
    logits = D.last(D.layers(x.transpose(1, 2))).flatten(1)
    as_real = cross_entropy(logits, torch.zeros(3, dtype=torch.int64))
    torch.testing.assert_close(nonsaturating.g(D(x), None), as_real)


def test_vgan_may_pay_for_slopes_in_place_of_batch_norm() -> None:
    """5 E ||grad D(x)||^2 beside the game's own terms."""
    game = tiny("vgan", d_norm="none", regularise=("r1:10",))
    video = batch_for(game)["video"].requires_grad_()
    slope = torch.autograd.grad(game.D(video).sum(), video)[0]
    terms = game.phases()[0].steps[0].loss({"video": video.detach()})
    assert terms.keys() == {"real", "fake", "r1"}
    torch.testing.assert_close(terms["r1"], 5 * slope.square().flatten(1).sum(1).mean())
    assert not any("norm" in name for name in {type(layer).__name__.lower() for layer in game.D.modules()})


def test_the_mask_is_paid_for() -> None:
    game = tiny("vgan", lam=0.3).eval()
    torch.manual_seed(0)
    terms = game.g_loss(batch_for(game))
    torch.manual_seed(0)
    made = game.G.streams(game.G.prior(4))
    torch.testing.assert_close(terms["mask"], 0.3 * made.mask.mean())
    torch.testing.assert_close(terms["adv"], nonsaturating.g(game.D(made.video), None))


# TGAN


def test_singular_values_above_one_become_one() -> None:
    u, v = (torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64)).Q.float() for _ in range(2))
    weight = (u * torch.tensor([3.0, 1.5, 1.0, 0.4, 0.1])) @ v
    torch.testing.assert_close(clipped(weight), (u * torch.tensor([1.0, 1.0, 1.0, 0.4, 0.1])) @ v, atol=1e-5, rtol=1e-4)
    kernel = torch.randn(4, 3, 2, 2, 2)
    assert clipped(kernel).shape == kernel.shape
    assert torch.linalg.svdvals(clipped(kernel).flatten(1)).max() <= 1 + 1e-5


def test_gains_are_clipped_to_running_deviations() -> None:
    norm = nn.BatchNorm3d(3)
    norm.weight.data, norm.running_var = torch.tensor([5.0, 0.5, -1.0]), torch.tensor([4.0, 4.0, 1.0])
    clip_layer(norm)
    torch.testing.assert_close(norm.weight.data, torch.tensor([2.0, 0.5, 0.0]), atol=1e-4, rtol=1e-4)


def test_the_critic_is_clipped_by_a_move_of_its_own() -> None:
    game = tiny("tgan", every=7)
    (phase,) = game.phases()
    move, *steps = phase.steps
    assert move.every == 7 and [s.repeat for s in steps] == [2, 1] and move.player is steps[0].player
    for w in game.D.parameters():
        w.data.mul_(50)
    move.loss({})
    for layer in game.D.modules():
        if isinstance(layer, (nn.Conv2d, nn.Conv3d)):
            assert torch.linalg.svdvals(layer.weight.flatten(1)).max() <= 1 + 1e-4


def test_each_frame_is_made_of_the_slow_code_and_its_own() -> None:
    G = tiny("tgan").G.eval()
    z = G.prior(2)
    codes = G.G_0(z)
    assert codes.shape == (2, 4, 8) and codes.abs().max() <= 1 and z.abs().max() <= 1
    torch.testing.assert_close(G(z)[:, 2], G.G_1(z, codes[:, 2]))


# Dual Motion GAN


def test_warping_looks_where_the_flow_says() -> None:
    x = torch.rand(2, 3, 6, 7)
    flow = torch.zeros(2, 2, 6, 7)
    flow[:, 0], flow[:, 1] = 2, -1  # two to the right, one up
    assert torch.equal(warp(x, flow)[:, :, 1:, :5], x[:, :, :-1, 2:])
    flow = 3 * torch.randn(2, 2, 6, 7)
    rows, columns = torch.meshgrid(torch.arange(6), torch.arange(7), indexing="ij")
    grid = torch.stack([columns + flow[:, 0], rows + flow[:, 1]], -1) * 2 / torch.tensor([6, 5]) - 1
    expected = grid_sample(x, grid, align_corners=True, padding_mode="border")
    torch.testing.assert_close(warp(x, flow), expected, atol=1e-5, rtol=1e-4)


def test_warping_hands_on_gradients_of_flow() -> None:
    x, flow = torch.rand(1, 1, 5, 5, dtype=torch.float64), torch.rand(1, 2, 5, 5, dtype=torch.float64) * 0.8 + 0.1
    flow = flow.float().requires_grad_()
    warp(x.float(), flow).square().sum().backward()
    assert flow.grad is not None and flow.grad.abs().sum() > 0


def test_convlstm_is_that_of_its_equations() -> None:
    torch.manual_seed(0)
    net, x, h, c = ConvLSTM(2), *torch.randn(3, 1, 2, 4, 4)
    i, f, o, g = net.gates(torch.cat([x, h], 1)).chunk(4, 1)
    expected = sigmoid(f) * c + sigmoid(i) * torch.tanh(g)
    h_next, c_next = net(x, (h, c))
    torch.testing.assert_close(c_next, expected)
    torch.testing.assert_close(h_next, sigmoid(o) * torch.tanh(expected))


def test_the_first_of_many_frames_is_that_of_one() -> None:
    G, video = tiny("dual_motion").G.eval(), 2 * torch.rand(3, 4, 1, 16, 16) - 1
    one, three = (G.sample(3, seed=0, video=video, steps=steps) for steps in (1, 3))  # of the last three frames
    torch.testing.assert_close(three[:, :1], one)
    z = torch.zeros(3, 2, *G.place)
    expected = G(video, z)
    torch.testing.assert_close(G(torch.cat([video, expected[:, :1]], 1), z[:, :1]), expected[:, 1:])
    assert torch.equal(G.sample(3, seed=0, video=video[:, 1:], steps=2, spread=0.0), G(video[:, 1:], z))
    assert not torch.equal(one, G.sample(3, seed=1, video=video, steps=1))


def test_fusing_begins_as_the_mean() -> None:
    G = tiny("dual_motion", channels=3).G
    x, z = torch.rand(2, 3, 16, 16), torch.randn(2, *G.place)
    future = G.future(x, z)
    torch.testing.assert_close(future.fused, (future.drawn + future.warped) / 2)
    torch.testing.assert_close(future.warped, warp(x, future.flow))


def test_each_generator_is_trained_by_both_discriminators() -> None:
    game, batch = tiny("dual_motion"), None
    batch = batch_for(game)
    for name, parts in {"adv_warped": "G_F", "adv_implied": "G_I", "adv_drawn": "G_I", "adv_flow": "G_F"}.items():
        game.zero_grad()
        game.g_loss(batch)[name].backward()
        for part in ("G_I", "G_F"):
            reached = any(w.grad is not None and w.grad.abs().sum() > 0 for w in getattr(game.G, part).parameters())
            assert reached == (part == parts), (name, part)


def test_dual_motion_terms_are_means_over_what_is_foretold() -> None:
    game = tiny("dual_motion", flow=0.5, kl=0.1, adv=0.01).eval()
    batch = batch_for(game)
    torch.manual_seed(5)
    terms = game.g_loss(batch)
    torch.manual_seed(5)
    told = game.told(batch)
    assert torch.equal(told.last.view(4, 2, 1, 16, 16), batch["video"][:, 1:3])
    assert torch.equal(told.true.view(4, 2, 1, 16, 16), batch["video"][:, 2:])
    assert torch.equal(told.true_flow.view(4, 2, 2, 16, 16), batch["flow"][:, 1:])
    expected = {
        "drawn": (told.future.drawn - told.true).square().mean(),
        "fused": (told.future.fused - told.true).square().mean(),
        "flow": 0.5 * (told.future.flow - told.true_flow).square().mean(),
        "implied_flow": 0.5 * (game.Q(told.last, told.future.drawn) - told.true_flow).square().mean(),
        "kl": 0.1 * kl(told.mean, told.logvar),
        "adv_warped": 0.01 * nonsaturating.g(game.D_I(told.future.warped), None),
    }
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value)


def test_kl_is_that_of_normal_distributions() -> None:
    mean, logvar = torch.tensor([0.5, -1.0]), torch.tensor([0.2, -0.7])
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(normal(mean, (logvar / 2).exp()), normal(torch.zeros(2), 1.0)).mean()
    torch.testing.assert_close(kl(mean, logvar), expected)


def test_a_discriminator_hears_of_both_that_are_made() -> None:
    class Sum(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sum(1)

    real, one, other = torch.randn(3, 4, 2)
    terms = judged(Sum(), "frame", real, one, other)  # type: ignore[arg-type]
    fake = torch.cat([one, other]).sum(1)
    torch.testing.assert_close(terms["real_frame"], -sigmoid(real.sum(1)).log().mean())
    torch.testing.assert_close(terms["fake_frame"], -(1 - sigmoid(fake)).log().mean())


def test_the_flow_estimator_keeps_the_size() -> None:
    assert FlowEstimator(3, (4, 6, 8))(*torch.rand(2, 5, 3, 16, 16)).shape == (5, 2, 16, 16)


# Views of flow


def test_without_scikit_image_the_view_says_what_it_needs() -> None:
    data = open_dataset("shapes:motion", datasets={d.name: d for d in DATASETS}, image_size=32)
    with pytest.raises(GanzooError, match="has no clips"):
        TVL1(open_dataset("shapes", datasets={d.name: d for d in DATASETS}))
    if importlib.util.find_spec("skimage") is None:
        with pytest.raises(GanzooError, match=r"ganzoo-video\[flow\]"):
            ILK(data)


@pytest.mark.parametrize("view", [TVL1, ILK])
def test_classical_flow_finds_a_planted_motion(view: type) -> None:
    pytest.importorskip("skimage")
    data = open_dataset("shapes:motion", datasets={d.name: d for d in DATASETS}, image_size=32)
    flowing = view(data)
    rows, columns = np.mgrid[:32, :32]
    frames = [np.exp(-((columns - 12 - t) ** 2 + (rows - 16) ** 2) / 40) for t in range(3)]
    flow = flowing.of_clip(torch.tensor(np.stack(frames)[:, None], dtype=torch.float32))
    middle = flow[:, :, 12:20, 10:18].mean((0, 2, 3))
    assert flow.shape == (2, 2, 32, 32) and middle[0].item() == pytest.approx(-1, abs=0.3)  # it came from the left
    assert middle[1].item() == pytest.approx(0, abs=0.2)
    batch = flowing.fetch([0, 1, 0])
    assert batch["flow"].shape == (3, 7, 2, 32, 32) and torch.equal(batch["flow"][0], batch["flow"][2])
    assert "flow" in flowing.info.keys and flowing.info.fingerprint != data.info.fingerprint


def test_flow_of_enlarged_frames_is_in_the_small_ones_pixels() -> None:
    class Constant(nn.Module):
        def forward(self, pairs: Tensor) -> Tensor:
            assert pairs.shape[1:] == (2, 3, 128, 128)
            return torch.full((len(pairs), 2, 128, 128), 4.0)

    flow = resized_flow(Constant(), torch.rand(3, 1, 32, 32))
    torch.testing.assert_close(flow, torch.ones(2, 2, 32, 32))


def test_raft_asks_for_its_file_and_takes_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HOME", str(tmp_path))
    data = open_dataset("shapes:motion", datasets={d.name: d for d in DATASETS}, image_size=32)
    with pytest.raises(GanzooError, match=r"RAFT.*was not found.*tvl1:DATA"):
        Raft(data)
    (tmp_path / "extractors").mkdir()
    (tmp_path / "extractors" / "raft_small_C_T_V2-01064c6d.pth").write_bytes(b"other bytes")
    with pytest.raises(IntegrityError):
        Raft(data).fetch([0])


def test_raft_looks_at_both_frames() -> None:
    net = raft_small().eval()
    flow = RaftNetwork().look(net, torch.rand(1, 2, 3, 128, 128))
    assert flow.shape == (1, 2, 128, 128)


# Scores


class Mean(Extractor):
    """A stand-in whose features are the means of the colours."""

    name, image_size, channels, dim, classes, sha256 = "mean", 8, 3, 3, (), ""

    def maps(self, x: Tensor) -> list[Tensor]:
        return [x]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.mean((2, 3)), x.mean((2, 3))


def test_distances_of_contents_within_and_between_clips() -> None:
    values = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 3.0]])  # of two clips' three frames
    clips = values[:, :, None, None, None].expand(-1, -1, 3, 8, 8)
    net = Mean()
    net.register_parameter("w", nn.Parameter(torch.zeros(1)))
    seen = scores.looked_at(net, clips.split(1))
    assert scores.within(seen.features) == pytest.approx((0 + (0 + 2 + 2) * 2 / 6 * 3**0.5) / 2, rel=1e-4)
    assert scores.between(seen.features) == pytest.approx((1 + 1 + 3) / 3 * 3**0.5, rel=1e-4)
    assert seen.motion.shape == (2, 2, 4, 4) and seen.motion[1, :, 0, 0].tolist() == [0, 2]
    assert scores.differing(seen.motion) == pytest.approx(1)
    torch.testing.assert_close(seen.rows()[1], torch.tensor([5 / 3] * 3 + [1.0] * 3))


def test_answers_without_a_model_repeat_or_move_the_last_frame() -> None:
    video, flow = torch.zeros(1, 9, 1, 16, 16), torch.zeros(1, 8, 2, 16, 16)
    for t in range(9):
        video[0, t, 0, 5, t + 2] = 1
    flow[:, :, 0] = -1
    past, future = parted(video)
    answers = without_model(past, flow)
    assert past.shape[1] == 4 and future.shape[1] == 5
    perfect, still = (compared(answers[which], future) for which in ("[last flow]", "[last frame]"))
    assert perfect["next_mse"] == perfect["fifth_mse"] == 0 and still["next_mse"] == pytest.approx(2 / 256)
    assert still["next_psnr"] == pytest.approx(10 * np.log10(4 * 256 / 2), rel=1e-4) and perfect["fifth_ssim"] > 0.999
    with pytest.raises(GanzooError, match="too short"):
        parted(video[:, :5])

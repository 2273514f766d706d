"""Clips by residual frames: what is coded, the loop that mends its own errors, files, and what stands beside them."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import PIL.Image
import pytest
import torch
from ganzoo_compress.files import HEAD, code, identity, pack, unpack
from ganzoo_compress.ordinary import decoded_clip, nearest_clip
from ganzoo_compress.residual.networks import LONGEST, lacking, moved_on
from processes import ganzoo

import ganzoo_core as gz
from ganzoo_core import imaging
from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalConfig, evaluate

pytest.importorskip("constriction")
OURS = b"\x00\x01\x02\x03"


def codec(**args: int) -> torch.nn.Module:
    """A fresh codec whose codes are not all 0."""
    net = gz.create("residual_compress", preset="tiny", **args).G.eval()
    for layer in net.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.xavier_uniform_(layer.weight, 1.0)
    return net


def clip(frames: int, height: int = 16, width: int = 16) -> torch.Tensor:
    """A square that moves, over noise that stays."""
    rng = torch.Generator().manual_seed(0)
    video = (torch.rand(1, 1, 3, height, width, generator=rng) - 0.5).repeat(1, frames, 1, 1, 1)
    for t in range(frames):
        video[0, t, :, 2 + t % 8 : 6 + t % 8, 3:8] = 1
    return video


def test_a_residual_lies_where_a_picture_lies():
    before, x = torch.full((1, 3, 4, 4), -1.0), torch.full((1, 3, 4, 4), 1.0)
    assert lacking(before, x).unique().tolist() == [1.0]
    assert torch.equal(moved_on(before, lacking(before, x)), x)
    assert moved_on(x, torch.ones(1)).max() == 1  # a frame is a picture


def test_each_frame_is_coded_by_what_the_receiver_lacks():
    """x^_t = x^_{t-1} + 2 G_r(q(E_r((x_t - x^_{t-1}) / 2))), x^ being what comes through, not what went in."""
    net, video = codec(), clip(4)
    made = net(video)
    assert torch.equal(made[:, 0], net.first(video[:, 0]))
    for t, (before, after) in enumerate(pairwise(made.unbind(1)), 1):
        rest = net.rest.G(net.rest.q(net.rest.E((video[:, t] - before) / 2)))
        assert torch.equal(after, (before + 2 * rest).clamp(-1, 1))
    assert (made[:, 1] - made[:, 0]).abs().max() > 0.01


@pytest.mark.parametrize(("frames", "height", "width"), [(1, 16, 16), (5, 16, 16), (3, 13, 18)])
def test_a_file_becomes_the_very_clip_that_is_sampled(frames, height, width):
    net, video = codec(), clip(frames, height, width)
    packed = pack(net, OURS, video=video)
    assert packed.picture.shape == (frames, 3, height, width)
    assert torch.equal(unpack(net, OURS, packed.data), packed.picture)


def test_frames_in_which_nothing_is_lacking_cost_next_to_nothing():
    """Equal symbols of five kinds, in two planes of 39 frames of 16: the coder learns over all frames at once."""
    net = codec()
    with torch.no_grad():
        net.rest.E[-1].weight.zero_()  # nothing that is lacking is seen
    video = clip(40)
    one, forty = (len(code(net, [video[:, :n]])) for n in (1, 40))
    exact = 2 * sum(math.log2((i + 5) / (i + 1)) for i in range(39 * 16))  # bits: counts begin at 1
    assert abs(8 * (forty - one) - exact) <= 64


def test_too_long_a_clip_is_refused():
    with pytest.raises(GanzooError, match="257 frames: more than 256"):
        code(codec(), [clip(1).expand(-1, LONGEST + 1, -1, -1, -1)])
    with pytest.raises(GanzooError, match="nothing follows the first"):
        gz.create("residual_compress", preset="tiny", frames=1)


def test_losses_look_at_all_frames():
    objective = gz.create("residual_compress", preset="tiny", frames=3)
    video = clip(3).repeat(2, 1, 1, 1, 1)
    terms = objective.g_loss({"video": video})
    made = objective.G(video)
    torch.testing.assert_close(terms["mse"], objective.mse * (made - video).square().mean())
    maps = [said[-1] for said in objective.D.maps(made.flatten(0, 1), made.flatten(0, 1)[:, :0])]
    torch.testing.assert_close(terms["adv"], torch.stack([(m - 1).square().mean() for m in maps]).sum())
    assert 0 <= float(terms["entropy"]) <= 2.33  # log2 5


def test_moving_webp_of_a_size():
    video = clip(6)[0]
    small, large = (nearest_clip(video, size) for size in (1, 10**6))
    assert len(small) < len(large)
    assert decoded_clip(large, 6, 3).shape == video.shape
    assert (decoded_clip(large, 6, 3) - video).abs().mean() < (decoded_clip(small, 6, 3) - video).abs().mean()
    assert decoded_clip(nearest_clip(video[:1].expand(6, -1, -1, -1), 500), 6, 3).shape == video.shape  # still


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clips") / "run"
    objective = gz.create("residual_compress", preset="tiny", lr=1e-3)
    gz.fit(objective, [{"video": clip(6).repeat(4, 1, 1, 1, 1)}] * 8, images=32, batch_size=4, out=folder)
    return folder


def test_pack_and_unpack(run, tmp_path):
    imaging.save_clip(clip(6)[0], tmp_path / "in.gif")
    packed = ganzoo("pack", run, tmp_path / "in.gif", "-o", tmp_path / "small.gzc")
    assert packed.returncode == 0, packed.stderr
    assert "6 frames of 16x16 px" in packed.stderr
    assert ganzoo("unpack", run, tmp_path / "small.gzc", "-o", tmp_path / "out.png").returncode == 0
    assert ganzoo("sample", run, "--input", tmp_path / "in.gif", "-o", tmp_path / "same.png").returncode == 0
    out, same = (PIL.Image.open(tmp_path / name).tobytes() for name in ("out.png", "same.png"))
    assert out == same
    assert ganzoo("unpack", run, tmp_path / "small.gzc", "-o", tmp_path / "out.gif").returncode == 0
    assert ganzoo("unpack", run, tmp_path / "small.gzc", "-o", tmp_path / "out.jpg").returncode == 2


def test_rates_stand_beside_what_takes_no_residuals(run, tmp_path):
    for i in range(2):
        imaging.save_clip(clip(16)[0], tmp_path / f"{i}.gif")
    model = gz.load(run)
    scores = {s.name: s.value for s in evaluate(model, EvalConfig(f"videos:{tmp_path}", ("clip_rate",), n=2))}
    assert {f"{what}{who}" for what in ("bpp", "clip_psnr") for who in ("", "[alone]", "[still]", "[webp]")} == set(
        scores
    )
    video = clip(16)
    assert scores["bpp"] >= 8 * HEAD.size / (16 * 16 * 16)
    assert len(pack(model.generator, identity(model.config), video=video).data) > HEAD.size
    assert scores["bpp[still]"] < scores["bpp[alone]"]
    with pytest.raises(GanzooError, match="writes no clips"):
        evaluate(gz.load("dual_motion.moving_mnist"), EvalConfig(f"videos:{tmp_path}", ("clip_rate",), n=1))

"""Ways through latent space: their closed forms, their ends, and `ganzoo interpolate`."""

from __future__ import annotations

import math

import pytest
import torch
from PIL import Image
from processes import ganzoo, refused

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError, UnknownNameError
from ganzoo_core.nn import Category, Generator, Latent, Points
from ganzoo_core.nn.interpolation import lerp, slerp
from ganzoo_core.nn.walk import interpolate_seeds


def test_an_arc_turns_evenly_and_keeps_the_length():
    a, b = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 4.0]])
    for t in (0.0, 0.25, 0.5, 1.0):
        angle, length = t * math.pi / 2, 2 + 2 * t
        expected = torch.tensor([[length * math.cos(angle), length * math.sin(angle)]])
        torch.testing.assert_close(slerp(a, b, t), expected, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(lerp(a, b, 0.25), torch.tensor([[1.5, 1.0]]))


def test_where_there_is_no_arc_it_is_straight():
    a = torch.randn(3, 2, 5)
    torch.testing.assert_close(slerp(a, a, 0.3), a)
    assert slerp(a, -a, 0.25).isfinite().all()
    torch.testing.assert_close(slerp(a, 2 * a, 0.5), 1.5 * a)


class Mixed(Generator):
    """Shows what it is given."""

    def __init__(self):
        super().__init__()
        self.inputs = {
            "z": Latent((2,)), "u": Latent((2,), (-1.0, 1.0)), "c": Category(10),
        }  # fmt: skip
        self.output = Points((5,), (-1.0, 1.0))
        self.w = torch.nn.Parameter(torch.zeros(()))

    def forward(self, z, u, c):
        return torch.cat([z, u, c[:, None].float()], 1) + self.w


def test_every_kind_goes_its_own_way():
    net = Mixed()
    ends = [net.sample(1, seed=s)[0] for s in (3, 4)]
    (way,) = interpolate_seeds(net, (3, 4), 4)
    torch.testing.assert_close(way[0], ends[0])
    torch.testing.assert_close(way[-1], ends[1])
    torch.testing.assert_close(way[2, 2:4], (ends[0] + ends[1])[2:4] / 2)  # uniform: straight
    torch.testing.assert_close(way[2, :2], slerp(ends[0][None, :2], ends[1][None, :2], 0.5)[0])
    assert way[:2, 4].tolist() == [ends[0][4]] * 2 and way[2:, 4].tolist() == [ends[1][4]] * 3
    (straight,) = interpolate_seeds(net, (3, 4), 4, "linear")
    torch.testing.assert_close(straight[2, :2], (ends[0] + ends[1])[:2] / 2)


def test_a_loop_comes_home():
    legs = interpolate_seeds(Mixed(), (1, 2, 3), 2, loop=True)
    assert len(legs) == 3
    torch.testing.assert_close(legs[-1][-1], legs[0][0])


def test_what_cannot_be_walked_is_said():
    with pytest.raises(GanzooError, match="two at least"):
        interpolate_seeds(Mixed(), (1,), 4)
    with pytest.raises(UnknownNameError, match="w"):
        interpolate_seeds(Mixed(), (1, 2), 4, "w")


def test_a_leg_begins_and_ends_with_what_sample_draws():
    net = gz.load("biggan.mnist").generator
    (way,) = interpolate_seeds(net, (5, 9), 3, label=7)
    for k, seed in ((0, 5), (-1, 9)):
        torch.testing.assert_close(way[k], net.sample(1, seed=seed, label=7)[0], atol=1e-4, rtol=0)
    assert way.shape == (4, 1, 32, 32)


def test_a_strip_and_a_clip(tmp_path):
    for name in ("a.png", "b.png"):
        done = ganzoo("interpolate", "dcgan.mnist", "--seeds", "1,2,3", "--steps", "4", "-o", tmp_path / name)
        assert done.returncode == 0 and "2 legs of 4 steps" in done.stderr
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as strip:
        assert strip.size == (5 * 34 + 2, 2 * 34 + 2)
    ganzoo("interpolate", "dcgan.mnist", "--seeds", "1,2,3", "--steps", "4", "-o", tmp_path / "c.gif")
    with Image.open(tmp_path / "c.gif") as clip:
        assert clip.n_frames == 12 and clip.size == (32, 32)


BAD = {
    "one seed": (["--seeds", "1", "-o", "x.png"], "two at least"),
    "no numbers": (["--seeds", "1,two", "-o", "x.png"], "not whole numbers"),
    "huge": (["--seeds", f"1,{10**30}", "-o", "x.png"], "not whole numbers"),
    "ending": (["--seeds", "1,2", "-o", "x.bmp"], "is no picture and no clip"),
    "way": (["--seeds", "1,2", "--how", "sphere", "-o", "x.png"], "Did you mean spherical"),
}


@pytest.mark.parametrize("case", BAD)
def test_one_line_says_what_is_wrong(case, tmp_path):
    words, expected = BAD[case]
    assert expected in refused(ganzoo("interpolate", "dcgan.mnist", *words, cwd=tmp_path))
    assert not list(tmp_path.iterdir())

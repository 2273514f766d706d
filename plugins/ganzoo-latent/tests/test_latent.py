"""Every tool on generators of which one knows what every point paints."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from ganzoo_latent import arithmetic, blending, dissection, files, flow, measures
from ganzoo_latent.activations import changed, layer_of, layers, maps
from ganzoo_latent.concepts import Colours
from ganzoo_latent.constraints import Colour, Edges, Warp, brush, edit
from ganzoo_latent.directions import (
    Effect,
    boundary,
    conditional,
    effect,
    first_weights,
    pca,
    sefa,
    strip,
    strongest,
    unit,
)
from ganzoo_latent.dragging import drag
from ganzoo_latent.encoder import published, teach
from ganzoo_latent.likeness import Likeness
from ganzoo_latent.manipulation import pasted
from ganzoo_latent.painter import Painter
from ganzoo_latent.project import project, unlike_noise
from ganzoo_latent.tuning import tune
from ganzoo_latent.walking import legs
from torch import Tensor, nn

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError, UnknownNameError
from ganzoo_core.nn import Category, Generator, Image, Images, Latent, Points

# Generators of which one knows what every point paints

SIDE = 8
SHADES = torch.tensor([[-0.28, -1.68, 0.0], [-1.7, -1.38, 0.0], [-1.7, -0.3, 0.0]])  # of white: red, blue


class Linear(Generator):
    """x = A z: what is found can be compared with linear algebra."""

    def __init__(self, d: int = 4, channels: int = 1) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((d,))}, Images((channels, SIDE, SIDE))
        torch.manual_seed(0)
        self.A = nn.Linear(d, channels * SIDE * SIDE, bias=False)
        nn.init.normal_(self.A.weight, std=0.2)

    def forward(self, z: Tensor) -> Tensor:
        return self.A(z).unflatten(1, self.output.shape)


class Blob(Generator):
    """A bright blob at (z_0, z_1) of a dark picture, as bright as exp(z_2 / 4); a convolution makes it a picture."""

    def __init__(self, side: int = 16) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((3,))}, Images((1, side, side))
        self.draw, self.show = Bump(side), nn.Conv2d(1, 1, 1)
        nn.init.constant_(self.show.weight, 2.0)
        nn.init.constant_(self.show.bias, -1.0)  # type: ignore[arg-type]

    def forward(self, z: Tensor) -> Tensor:
        return self.show(self.draw(z))


class Bump(nn.Module):
    """[n, 3] -> [n, 1, side, side]"""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side, self.w = side, nn.Parameter(torch.ones(()))

    def forward(self, z: Tensor) -> Tensor:
        at = torch.arange(self.side, device=z.device).float()
        middle = self.side / 2
        x, y = (middle + self.side / 6 * z[:, i, None] for i in (0, 1))
        across, down = (-(at - c).square() / 8 for c in (x, y))
        return self.w * (down[:, :, None] + across[:, None]).exp()[:, None] * (z[:, 2] / 4).exp().view(-1, 1, 1, 1)


class Painted(Generator):
    """Two units: the first draws red on the left half, the second blue on the right; a third does nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((2,))}, Images((3, SIDE, SIDE))
        self.units, self.show = Halves(), nn.Conv2d(3, 3, 1)
        with torch.no_grad():  # white, less what is not the colour
            self.show.weight.copy_(SHADES[..., None, None])
            nn.init.ones_(self.show.bias)  # type: ignore[arg-type]

    def forward(self, z: Tensor) -> Tensor:
        return self.show(self.units(z))


class Halves(nn.Module):
    """[n, 2] -> [n, 3, 4, 4] enlarged to the side: each unit fills its half where its number is above -0.5."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(()))

    def forward(self, z: Tensor) -> Tensor:
        on = (z > -0.5).float() * self.w
        left = (torch.arange(SIDE, device=z.device) < SIDE // 2).float()
        maps = torch.stack([on[:, :1] * left, on[:, 1:] * (1 - left), torch.zeros(len(z), SIDE, device=z.device)], 1)
        return maps[:, :, None].expand(-1, -1, SIDE, -1).clone()


class Noisy(Linear):
    """x = A z + noise that is drawn inside."""

    def forward(self, z: Tensor) -> Tensor:
        x = super().forward(z)
        return x + 0.1 * torch.randn_like(x)


# What all look through


def test_a_painter_paints_what_the_model_samples() -> None:
    net = Linear()
    painter = Painter(net, seed=3)
    assert torch.allclose(painter.pictures(painter.draw(2)), net.sample(2, seed=3).clamp(-1, 1), atol=1e-6)


def test_noise_inside_is_held_still_and_nobodys_random_numbers_move() -> None:
    painter, state = Painter(Noisy()), torch.random.get_rng_state()
    point = painter.draw(1)
    assert painter.random
    assert torch.equal(painter(point), painter(point))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not Painter(Linear()).random


def test_the_model_is_left_alone() -> None:
    net = Linear().train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    painter = Painter(net)
    tune(painter, painter.draw(1), Likeness(torch.zeros(1, 1, SIDE, SIDE)), steps=3)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert net.training
    assert all(w.requires_grad for w in net.parameters())


class Coded(Generator):
    """z, and a category that is drawn too."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs = {"c": Category(3), "z": Latent((2,))}
        self.output, self.w = Images((1, 4, 4)), nn.Parameter(torch.ones(()))

    def forward(self, c: Tensor, z: Tensor) -> Tensor:
        return self.w * (c.float()[:, None] / 10 + z[:, :1] / 100).view(-1, 1, 1, 1).expand(-1, 1, 4, 4)


def test_other_inputs_stay_what_they_are() -> None:
    painter = Painter(Coded(), seed=1)
    values = painter(torch.zeros(5, 2))[:, 0, 0, 0]
    assert len(set(values.tolist())) == 1
    assert torch.allclose(Painter(Coded(), c=2)(torch.zeros(1, 2)), torch.tensor(0.2))
    with pytest.raises(UnknownNameError, match="colour"):
        Painter(Coded(), colour=2)


class Translator(Generator):
    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"x": Image((1, 4, 4))}, Images((1, 4, 4))
        self.w = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.w * x


class Scattered(Generator):
    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output, self.w = {"z": Latent((2,))}, Points((2,)), nn.Parameter(torch.ones(()))

    def forward(self, z: Tensor) -> Tensor:
        return self.w * z


def test_what_cannot_be_looked_into_is_refused() -> None:
    with pytest.raises(GanzooError, match="draws no latent"):
        Painter(Translator())
    with pytest.raises(GanzooError, match="makes points"):
        Painter(Scattered())
    with pytest.raises(UnknownNameError, match="w"):
        Painter(Linear(), "w")


# Walking and arithmetic


def test_a_line_and_an_arc() -> None:
    a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    (line,), (arc,) = legs([a, b], 2, "linear"), legs([a, b], 2, "spherical")
    assert torch.allclose(line[1], torch.tensor([0.5, 0.5]))
    assert torch.allclose(arc[1], torch.tensor([0.5, 0.5]).sqrt(), atol=1e-6)
    assert len(legs([a, b, a], 2, loop=True)) == 3
    with pytest.raises(GanzooError, match="two at least"):
        legs([a], 2)


def test_arithmetic_adds_what_a_linear_generator_paints() -> None:
    painter = Painter(Linear())
    a, b, c = (painter.draw(3, seed) for seed in (1, 2, 3))
    made = painter(arithmetic.answer([a, c], [b]))
    expected = painter(a).mean(0) - painter(b).mean(0) + painter(c).mean(0)
    assert torch.allclose(made[0], expected, atol=1e-5)


def test_a_neighbourhood_has_the_answer_in_its_middle() -> None:
    painter, point = Painter(Linear()), torch.ones(1, 4)
    around = arithmetic.neighbourhood(painter, point, 0.25)
    deviation = painter.spread()[1]
    assert torch.equal(around[4:5], point)
    assert 0 < (around - point).abs().max() <= 0.25 * deviation
    assert torch.equal(around, arithmetic.neighbourhood(painter, point, 0.25))


def test_groups_are_those_of_the_highest_scores() -> None:
    points = torch.arange(5.0)[:, None]
    assert arithmetic.alike(Painter(Linear()), -points[:, 0], points, 2).flatten().tolist() == [0, 1]
    with pytest.raises(GanzooError, match="--draws"):
        arithmetic.alike(Painter(Linear()), points[:, 0], points, 6)


# Projection


def test_projection_finds_the_least_squares_point() -> None:
    painter = Painter(Linear())
    target = painter(torch.tensor([[0.5, -1.0, 0.2, 1.5]])) + 0.05 * torch.randn(1, 1, SIDE, SIDE)
    A = painter.net.A.weight  # type: ignore[union-attr]
    expected = torch.linalg.lstsq(A, target.flatten()[:, None]).solution.T
    found = project(painter, Likeness(target), draws=20, steps=100)
    assert torch.allclose(found.point, expected, atol=1e-3)
    assert found.pixels == pytest.approx(float((found.picture - target).square().mean()), abs=1e-6)


def test_what_is_masked_need_not_be_alike() -> None:
    painter, hole = Painter(Linear()), torch.zeros(1, 1, SIDE, SIDE)
    hole[..., : SIDE // 2] = 1
    truth = painter(torch.tensor([[0.5, -1.0, 0.2, 1.0]]))
    spoilt = torch.where(hole == 1, torch.ones(()), truth)
    filled = blending.inpainted(painter, spoilt, hole)
    assert torch.allclose(filled, truth.clamp(-1, 1), atol=1e-2)


def test_an_encoder_learns_the_way_back_and_a_search_goes_on_from_there() -> None:
    painter = Painter(Blob())
    encoder = teach(painter, steps=120, batch=16)
    truth = torch.tensor([[0.5, -0.5, 0.0]])
    likeness = Likeness(painter(truth))
    told = project(painter, likeness, encoder=encoder, search=False)
    both = project(painter, likeness, encoder=encoder, steps=50)
    assert told.pixels < 0.5 * float(likeness.pixels(painter(torch.zeros(1, 3))))
    assert both.pixels < 0.1 * told.pixels
    assert torch.allclose(both.point[:, :2], truth[:, :2], atol=0.05)
    with pytest.raises(GanzooError, match="neither"):
        project(painter, likeness, search=False)


class Inverse(Generator):
    """z of a picture x = A z: what a model publishes beside `Linear`."""

    def __init__(self, net: Linear) -> None:
        super().__init__()
        self.inputs, self.output = {"x": Image(net.output.shape)}, Points(net.inputs["z"].shape)
        self.A = nn.Parameter(torch.linalg.pinv(net.A.weight.detach()))

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.A.T


def test_the_encoder_that_a_model_publishes_is_found_by_what_it_takes_and_makes() -> None:
    net = Linear()
    painter, other = Painter(net), Inverse(Linear(d=5))
    encoder = published({"G": net, "F": other, "E": Inverse(net)}, painter)
    assert encoder is not None and published({"G": net, "F": other}, painter) is None
    truth = torch.tensor([[0.5, -1.0, 0.2, 1.0]])
    found = project(painter, Likeness(painter(truth)), encoder=encoder, search=False)
    torch.testing.assert_close(found.point, truth, atol=1e-4, rtol=1e-4)


def test_white_noise_is_noise_and_stripes_are_not() -> None:
    torch.manual_seed(0)
    white, stripes = torch.randn(64, 64), torch.ones(64, 64)
    stripes[::2] = -1
    assert unlike_noise(white) < 0.05 * unlike_noise(stripes)


def test_noise_maps_take_what_a_style_cannot() -> None:
    net = gz.create("stylegan2", preset="tiny").G
    nn.init.constant_(next(w for name, w in net.named_parameters() if name.endswith("conv.strength")), 1.0)
    painter = Painter(net, "w+")
    target = torch.rand(1, *net.output.shape) * 2 - 1
    plain = project(painter, Likeness(target), draws=8, starts=1, steps=20)
    fitted = project(painter, Likeness(target), draws=8, starts=1, steps=20, noise=True)
    assert fitted.pixels < plain.pixels
    assert all(abs(float(map.mean())) < 1e-3 and abs(float(map.std()) - 1) < 1e-2 for map in painter.space.details)
    with pytest.raises(GanzooError, match="no noise maps"):
        project(Painter(Linear()), Likeness(torch.zeros(1, 1, SIDE, SIDE)), draws=4, starts=1, steps=2, noise=True)


def test_spaces_of_styles_paint_alike() -> None:
    net = gz.create("stylegan2", preset="tiny").G
    painters = [Painter(net, name, seed=5) for name in ("z", "w", "w+")]
    first, *others = [painter.pictures(painter.draw(2)) for painter in painters]
    assert all(torch.allclose(first, other, atol=1e-5) for other in others)
    assert torch.allclose(first, net.sample(2, seed=5, noise="const"), atol=1e-5)
    assert Painter(net).name == "w"


def test_a_bent_generator_paints_the_picture_and_elsewhere_the_old_ones() -> None:
    painter, plain = Painter(Linear()), Painter(Linear())
    pivot, far = torch.tensor([[2.0, 0.0, 0.0, 0.0]]), torch.tensor([[0.0, 2.0, 0.0, 0.0]])
    target = torch.rand(1, 1, SIDE, SIDE) - 0.5
    likeness = Likeness(target)
    before = float(likeness(painter(pivot)))
    tune(painter, pivot, likeness, steps=200, rate=5e-3, locality=1.0)
    assert float(likeness(painter(pivot))) < 0.05 * before
    assert (painter(far) - plain(far)).square().mean() < 0.2 * (painter(pivot) - plain(pivot)).square().mean()


# Blending


def test_styles_of_fine_layers_and_differences() -> None:
    a, b, c = (torch.full((1, 4, 2), float(i)) for i in (1, 2, 5))
    assert blending.with_style(a, b, 2)[0, :, 0].tolist() == [1, 1, 2, 2]
    assert torch.equal(blending.with_expression(a, b, c), c + 1)
    assert blending.morph(a, c, 4)[:, 0, 0].tolist() == [1, 2, 3, 4, 5]
    with pytest.raises(GanzooError, match="no such layer"):
        blending.with_style(a[:, 0], b[:, 0], 1)


def test_a_crossover_has_both_halves() -> None:
    painter, mask = Painter(Linear(32)), torch.zeros(1, 1, SIDE, SIDE)
    mask[..., SIDE // 2 :] = 1
    a, b = painter.draw(1, 1) / 3, painter.draw(1, 2) / 3
    found = blending.crossover(painter, a, b, mask, steps=300)
    wanted = torch.lerp(painter(a), painter(b), mask)
    assert (found.picture - wanted).square().mean() < 0.6 * (painter(b) - wanted).square().mean()


# Editing


def test_a_colour_where_the_brush_has_been() -> None:
    painter, start = Painter(Blob()), torch.tensor([[-1.0, -1.0, 0.0]])
    mask = brush((16, 16), [(11, 11)], 1)
    found = edit(painter, start, [Colour(mask, torch.tensor([1.0]))], steps=150, near=0.001)
    assert painter(start)[0, 0, 11, 11] < -0.8
    assert painter(found)[0, 0, 11, 11] > 0.5


def test_what_is_warped_is_found_there() -> None:
    painter, start = Painter(Blob()), torch.zeros(1, 3)
    warp = Warp(painter.pictures(start)[0], (8, 8), (11, 8), 2)
    found = edit(painter, start, [warp], steps=150, near=0.001)
    peak = painter(found)[0, 0].flatten().argmax().item()
    assert abs(peak % 16 - 11) <= 1
    assert abs(peak // 16 - 8) <= 1
    with pytest.raises(GanzooError, match="outside"):
        Warp(painter.pictures(start)[0], (8, 8), (16, 8), 2)(painter(start))


def test_edges_are_asked_for_where_they_are_drawn() -> None:
    painter = Painter(Blob())
    wanted = painter.pictures(torch.tensor([[1.0, 0.5, 0.0]]))[0, 0]
    sketch = (wanted > 0).float()
    mask = torch.nn.functional.max_pool2d(sketch[None, None], 7, 1, 3)[0, 0]
    start = torch.tensor([[0.2, 0.0, 0.0]])
    found = edit(painter, start, [Edges(mask, sketch)], steps=200, near=0.0)
    away = (found - torch.tensor([[1.0, 0.5, 0.0]]))[:, :2].norm()
    assert away < 0.5 * (start - torch.tensor([[1.0, 0.5, 0.0]]))[:, :2].norm()
    with pytest.raises(GanzooError, match="nothing is asked"):
        edit(painter, start, [])


def test_near_the_start_means_near() -> None:
    painter, start = Painter(Blob()), torch.zeros(1, 3)
    asked = [Colour(brush((16, 16), [(12, 12)], 1), torch.tensor([1.0]))]
    free, held = (edit(painter, start, asked, steps=60, near=near) for near in (0.0, 10.0))
    assert (held - start).norm() < 0.2 * (free - start).norm()


def test_motion_and_colour_go_over_to_the_photograph() -> None:
    """The generator's blob went three pixels to the right and darker; so does what only the photograph shows."""
    at = torch.arange(32.0)
    blob = lambda x, y: (-((at - x) ** 2)[None] / 30 - ((at - y) ** 2)[:, None] / 30).exp()[None, None]  # noqa: E731
    before, after = 2 * blob(15, 16) - 1, 0.8 * (2 * blob(18, 16) - 1)
    photograph = before + 0.3 * blob(15, 10)
    moved = flow.transferred(photograph, before, after, smooth=0.1)
    expected = 0.8 * (2 * blob(18, 16) - 1 + 0.3 * blob(18, 10))
    assert (moved - expected).square().mean() < 0.25 * (photograph - expected).square().mean()


def test_a_dragged_point_arrives() -> None:
    painter = Painter(Blob(32))
    start = torch.tensor([[-0.5, 0.0, 0.0]])
    peak = painter(start)[0, 0].flatten().argmax().item()
    handle, target = (peak % 32, peak // 32), (peak % 32 + 5, peak // 32)
    found, (where,) = drag(painter, start, "draw", [handle], [target], steps=150)
    arrived = painter(found)[0, 0].flatten().argmax().item()
    assert math.dist(where, target) <= 1.5
    assert math.dist((arrived % 32, arrived // 32), target) <= 2


def test_a_pasted_box_is_painted_elsewhere() -> None:
    painter = Painter(Painted())
    both, none = torch.tensor([[1.0, 1.0]]), torch.tensor([[-1.0, -1.0]])
    made = pasted(painter, "units", both, none, (0, 0, 0.25, 0.25), (0.75, 0.75))
    changed_at = (made - painter.pictures(none)).abs().sum((0, 1)) > 1e-3
    assert changed_at[6:, 6:].all()
    assert int(changed_at.sum()) == 4
    with pytest.raises(GanzooError, match="outside"):
        pasted(painter, "units", both, none, (0, 0, 0.5, 0.5), (0.75, 0.75))


# Layers


def test_layers_are_those_that_make_maps() -> None:
    painter = Painter(Painted())
    assert list(layers(painter)) == ["units", "show"]
    assert layer_of(painter, "units") == "units"
    with pytest.raises(UnknownNameError, match="layer"):
        layer_of(painter, "nowhere")
    with pytest.raises(GanzooError, match="no layers"):
        layer_of(Painter(Linear()))


def test_a_layer_can_be_made_to_say_something_else() -> None:
    painter, point = Painter(Painted()), torch.tensor([[1.0, 1.0]])
    plain = painter(point)
    with changed(painter.net, "units", lambda h: 0 * h):
        assert torch.allclose(painter(point), torch.ones(1, 3, SIDE, SIDE), atol=1e-6)
    assert torch.equal(painter(point), plain)
    assert maps(painter, "units", point).shape == (1, 3, SIDE, SIDE)


# Directions


def test_sefa_finds_what_the_matrix_turns_most() -> None:
    """Rows of unit length: the first right singular vectors of A."""
    painter = Painter(Linear())
    A = painter.net.A.weight.detach()  # type: ignore[union-attr]
    _, _, V = torch.linalg.svd(A / A.norm(dim=1, keepdim=True))
    found = sefa(painter, 2)
    assert torch.allclose((found * V[:2]).sum(1).abs(), torch.ones(2), atol=1e-4)


def test_sefa_of_transposed_convolutions_and_of_styles() -> None:
    dcgan = Painter(gz.create("dcgan", preset="tiny").G)
    first = dcgan.net.main[0].weight.detach()  # type: ignore[union-attr,index]
    A = first.movedim(0, -1).reshape(-1, first.shape[0])
    A = A / A.norm(dim=1, keepdim=True)
    assert torch.allclose((sefa(dcgan, 1)[0] * torch.linalg.svd(A)[2][0]).sum().abs(), torch.tensor(1.0), atol=1e-3)
    G = gz.create("stylegan2", preset="tiny").G
    assert sefa(Painter(G, "w+"), 3).shape == (3, *Painter(G, "w+").space.shape)
    assert sefa(Painter(G, "z"), 3).shape == (3, *Painter(G, "z").space.shape)  # z is normalised first: only scaled


def test_sefa_finds_a_point_beside_a_class() -> None:
    """[class, z] goes through one matrix: the columns for z are what counts, whatever those for the class are."""

    class Beside(Linear):
        def __init__(self) -> None:
            super().__init__()
            self.both = nn.Linear(3 + 4, SIDE * SIDE, bias=False)

        def forward(self, z: Tensor) -> Tensor:
            known = torch.tensor([0.0, 1.0, 0.0], device=z.device).expand(len(z), 3)
            return self.both(torch.cat([known, 5 * z], 1)).unflatten(1, self.output.shape)

    painter = Painter(Beside())
    (A,) = first_weights(painter)
    assert torch.equal(A, painter.net.both.weight[:, 3:])  # type: ignore[union-attr,index]
    A = A.detach() / A.detach().norm(dim=1, keepdim=True)
    assert torch.allclose((sefa(painter, 1)[0] * torch.linalg.svd(A)[2][0]).sum().abs(), torch.tensor(1.0), atol=1e-4)


def test_where_no_layer_is_given_a_point_components_are_the_strongest() -> None:
    """Its two halves go different ways."""

    class Split(Linear):
        def __init__(self) -> None:
            super().__init__(8)
            self.output = Images((1, 16, 16))
            self.halves = nn.ModuleList(nn.Linear(4, 64, bias=False) for _ in range(2))
            self.show = nn.Conv2d(4, 1, 1)

        def forward(self, z: Tensor) -> Tensor:
            made = sum(half(part) for half, part in zip(self.halves, z.split(4, 1), strict=True))
            return self.fold(self.show(made.view(-1, 4, 4, 4)))  # type: ignore[union-attr]

        def fold(self, x: Tensor) -> Tensor:
            return torch.nn.functional.interpolate(x, (16, 16))

    painter = Painter(Split())
    assert first_weights(painter) == []
    with pytest.raises(GanzooError, match="another --space"):
        sefa(painter, 3)
    assert torch.equal(strongest(painter, 2), pca(painter, 2, layer_of(painter), n=500))
    straight = Painter(Linear())
    assert torch.equal(strongest(straight, 2), sefa(straight, 2))


class Stretched(Linear):
    """The maps vary most along z_1."""

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z * torch.tensor([0.1, 3.0, 0.1, 0.1], device=z.device))


def test_principal_components_of_activations_are_carried_back() -> None:
    class Shown(Stretched):
        def __init__(self) -> None:
            super().__init__()
            self.show = nn.Identity()

        def forward(self, z: Tensor) -> Tensor:
            return self.show(super().forward(z))

    found = pca(Painter(Shown()), 1, "show", n=200)
    assert abs(float(found[0, 1])) > 0.98
    with pytest.raises(GanzooError, match="fewer"):
        pca(Painter(Linear()), 9, n=50)


def test_a_boundary_is_square_to_what_is_measured() -> None:
    painter = Painter(Blob())
    points = painter.draw(600)
    normal = boundary(painter, points, measures.across(painter.pictures(points)))
    assert abs(float(normal[0, 0])) > 0.9
    with pytest.raises(GanzooError, match="too few"):
        boundary(painter, points[:50], points[:50, 0])


def test_conditional_directions_share_nothing() -> None:
    n, other = unit(torch.tensor([[1.0, 1.0, 0.0]])), unit(torch.tensor([[0.0, 1.0, 0.0]]))
    assert torch.allclose(conditional(n, [other]), torch.tensor([[1.0, 0.0, 0.0]]), atol=1e-6)


def test_an_effect_is_counted_in_deviations() -> None:
    """From 1.5 deviations behind to 1.5 ahead, the blob moves by three of its own."""
    painter = Painter(Blob())
    found = effect(painter, torch.tensor([1.0, 0.0, 0.0]), {"across": measures.across, "down": measures.down}, 0.5)
    assert found.moves["across"] == pytest.approx(1.0, abs=0.15)
    assert abs(found.moves["down"]) < 0.1
    assert Effect({"a": 2.0, "b": -1.0, "c": 0.0}).entanglement("a") == 0.25
    assert strip(painter, torch.zeros(1, 3), torch.tensor([1.0, 0, 0]), 3.0, 7).shape == (7, 1, 16, 16)


def test_measures_of_a_bar() -> None:
    x = -torch.ones(1, 1, 16, 16)
    for row in range(2, 14):
        x[0, 0, row, 10 - row // 2] = 1.0
    assert float(measures.slant(x)) == pytest.approx(0.5, abs=0.05)
    assert float(measures.slant(x.flip(3))) == pytest.approx(-0.5, abs=0.05)
    assert float(measures.area(x)) == pytest.approx(12 / 256, abs=1e-4)
    assert float(measures.height(x)) > float(measures.width(x))
    with pytest.raises(UnknownNameError, match="measure"):
        measures.one("beauty", measures.SHAPES)


# Dissection

PALETTE = Colours({"white": (1.0, 1.0, 1.0), "red": (0.86, 0.15, 0.15), "blue": (0.16, 0.31, 0.85)})


def test_units_lie_on_what_they_draw() -> None:
    found = dissection.dissect(Painter(Painted()), "units", PALETTE, 64, quantile=0.4)
    assert found.iou[0, 1] > 0.8
    assert found.iou[1, 2] > 0.8
    assert found.iou[2].max() == 0
    assert (found.best(1, 1), found.best(2, 1)) == ([0], [1])


def test_without_its_unit_a_colour_is_gone_and_others_stay() -> None:
    lost = dissection.effects(Painter(Painted()), "units", [0], PALETTE).lost()
    assert lost[1] > 0.95
    assert abs(lost[2]) < 0.02


def test_the_cause_is_found_by_descent() -> None:
    painter = Painter(Painted())
    assert dissection.causal(painter, "units", 1, PALETTE, 1, steps=30) == [0]
    assert dissection.causal(painter, "units", 2, PALETTE, 1, steps=30) == [1]


def test_what_is_inserted_stands_where_it_was_asked_for() -> None:
    painter, none = Painter(Painted()), torch.tensor([[-1.0, -1.0]])
    found = dissection.dissect(painter, "units", PALETTE, 64, quantile=0.4)
    made = dissection.inserted(painter, "units", [0], found.there[[0], 1], none, (0.75, 0.25), 0.25)
    red = PALETTE(made)[0, 1] > 0.5
    assert red[1:3, 5:7].all()
    assert int(red.sum()) == 4


# Files


def test_points_come_back(tmp_path: Path) -> None:
    painter, path = Painter(Linear()), tmp_path / "p.safetensors"
    files.write(files.Point(painter.draw(2), "z", "a.model"), path)
    assert torch.equal(files.placed(files.read(path), painter, path), painter.draw(2))
    G = gz.create("stylegan2", preset="tiny").G
    with pytest.raises(GanzooError, match="lies in z of a"):
        files.placed(files.read(path), Painter(G), path)


def test_fitted_noise_comes_back(tmp_path: Path) -> None:
    G, path = gz.create("stylegan2", preset="tiny").G, tmp_path / "p.safetensors"
    first, second = Painter(G), Painter(G)
    for map in first.space.details:
        map.mul_(-1)
    files.write(files.Point(first.draw(1), "w", "s", first.space.details), path)
    point = files.placed(files.read(path), second, path)
    assert torch.equal(first(point), second(point))


@pytest.mark.parametrize("content", [b"", b"no safetensors", b"\xff" * 64])
def test_what_is_no_point_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p.safetensors"
    path.write_bytes(content)
    with pytest.raises(GanzooError, match="holds no point"):
        files.read(path)
    with pytest.raises(GanzooError, match="no such file"):
        files.read(tmp_path / "none")


def test_without_no_unit_nothing_is_missing():
    painter = Painter(gz.load("dcgan.mnist").generator)
    points = painter.draw(2)
    assert torch.equal(dissection.ablated(painter, layer_of(painter), [], points), painter.pictures(points))

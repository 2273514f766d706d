"""Sampling is exact: the same images however many are asked for, and nothing else changes by it."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as fn

from ganzoo_core.errors import GanzooError, UnknownNameError
from ganzoo_core.nn import (
    Category,
    Code,
    Discriminator,
    Generator,
    Image,
    Images,
    Label,
    Latent,
    Points,
    sample_deterministic,
)
from ganzoo_core.nn.inputs import cycled
from ganzoo_core.objectives import Objective, Phase, Player, Step, adam
from ganzoo_core.training.trainer import Alternating

CLASSES = 3


class Noisy(Generator):
    """What could make a sample depend on its neighbours: batch norm, dropout, inner noise, spectral norm, labels."""

    inputs = {"z": Latent((4,)), "label": Label(CLASSES)}
    output = Images((3, 8, 8))

    def __init__(self):
        super().__init__()
        self.first = nn.utils.parametrizations.spectral_norm(nn.Linear(4 + CLASSES, 64))
        self.norm, self.drop, self.last = nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Conv2d(4, 3, 3, padding=1)

    def forward(self, z, label):
        h = self.first(torch.cat([z, fn.one_hot(label, CLASSES).float()], 1)).unflatten(1, (4, 4, 4))
        h = fn.interpolate(self.drop(self.norm(h)), scale_factor=2)
        return self.last(h + torch.randn_like(h)).tanh()


class Plain(Generator):
    """A latent and nothing else."""

    output = Points((2,))

    def __init__(self, latent):
        super().__init__()
        self.inputs = {"z": latent}
        self.net = nn.Linear(latent.shape[0], 2)

    def forward(self, z):
        return self.net(z)


class Critic(Discriminator):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(192, 1), nn.Dropout(0.3))

    def forward(self, x):
        return self.net(x)


class Game(Objective):
    def __init__(self):
        super().__init__()
        self.G, self.D = Noisy(), Critic()

    def phases(self):
        G = Player("G", [self.G], adam(1e-2))
        return [Phase("main", [Step(G, self.g_loss)], 5 * 8)]

    def g_loss(self, batch):
        label = torch.randint(CLASSES, (len(batch["x"]),))
        return {"adv": fn.mse_loss(self.D(self.G(self.G.prior(len(label)), label)), torch.ones(len(label), 1))}


def feed(*, start, batch_size, rank, world):
    while True:
        yield {"x": torch.zeros(batch_size, 3, 8, 8)}


@pytest.fixture
def net():
    torch.manual_seed(0)
    net = Noisy()
    for _ in range(3):
        net(net.prior(8), torch.arange(8) % CLASSES)  # some running statistics
    return net


@pytest.mark.parametrize("n", [1, 2, 8, 16, 17, 33])
def test_n_samples_are_the_first_n_of_64(net, n):
    whole = net.sample(64, seed=5, label=1)
    assert whole.shape == (64, 3, 8, 8) and whole.dtype == torch.float32 and not whole.requires_grad
    assert torch.equal(net.sample(n, seed=5, label=1), whole[:n])
    assert torch.equal(net.sample(n, seed=5, label=torch.ones(n)), whole[:n])


def test_samples_and_seeds_differ(net):
    flat = torch.cat([net.sample(20, seed=5, label=0), net.sample(20, seed=6, label=0)]).flatten(1)
    assert len(flat.unique(dim=0)) == 40


def test_each_sample_has_a_latent_of_its_own_whatever_the_chunk(monkeypatch):
    net = Plain(Latent((4,)))
    whole = net.sample(40, seed=0)
    assert len(whole.unique(dim=0)) == 40
    monkeypatch.setattr(Plain, "sample_batch_size", 7)
    torch.testing.assert_close(net.sample(40, seed=0), whole)


def test_each_sample_has_its_own_label(net):
    mixed = net.sample(20, seed=5, label=[0, 1] * 10)
    for label in (0, 1):
        assert torch.equal(mixed[label::2], net.sample(20, seed=5, label=label)[label::2])


@pytest.mark.parametrize("training", [True, False])
def test_sampling_changes_nothing(net, training):
    net.train(training)
    net.drop.eval()  # a mixture of modes is restored as it was
    state = {k: v.clone() for k, v in net.state_dict().items()}
    modes = [m.training for m in net.modules()]
    rng = torch.get_rng_state()
    first = net.sample(3, seed=1, label=0)
    assert all(torch.equal(v, state[k]) for k, v in net.state_dict().items())
    assert [m.training for m in net.modules()] == modes
    assert torch.equal(torch.get_rng_state(), rng)
    torch.rand(5)
    assert torch.equal(net.sample(3, seed=1, label=0), first)


def test_modes_are_restored_when_a_network_fails(net):
    net.last = nn.Conv2d(1, 1, 1)
    with pytest.raises(RuntimeError):
        net.sample(1, seed=0, label=0)
    assert net.training and net.norm.training


def test_a_run_that_is_looked_at_equals_one_that_is_not():
    runs = []
    for look in (False, True):
        torch.manual_seed(0)
        game, losses = Game(), []
        for report in Alternating(batch_size=8, ema_images=16).run(game, feed):
            losses.append(report.losses["G/adv"])
            if look:
                for shown in game.exported_networks().values():
                    shown.sample(4, seed=report.iteration, label=2)
        runs.append((torch.stack(losses), game.state_dict()))
    assert torch.equal(runs[0][0], runs[1][0])
    assert all(torch.equal(v, runs[1][1][k]) for k, v in runs[0][1].items())


def test_sampling_is_float32_inside_autocast(net):
    expected = net.sample(2, seed=0, label=0)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(net.sample(2, seed=0, label=0), expected)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "^label: is missing"),
        ({"label": 3}, r"out of range. It must lie in 0\.\.2"),
        ({"label": -1}, "out of range"),
        ({"label": [0, 1, 5]}, "out of range"),
        ({"label": [0, 1]}, "label: 2 given for 3 samples"),
        ({"label": 0, "lable": 1}, "unknown sampling option 'lable'. Did you mean label"),
        ({"label": 0, "z": torch.zeros(3, 5)}, "latent z: 5 numbers, not 4"),
    ],
)
def test_wrong_conditions_are_refused_in_one_line(net, given, says):
    with pytest.raises(GanzooError, match=says) as refused:
        net.sample(3, seed=0, **given)
    assert "\n" not in str(refused.value) and refused.value.exit_code == 2
    assert isinstance(refused.value, UnknownNameError) == ("unknown" in says)


class Coded(Generator):
    inputs = {"z": Latent((4,)), "code": Code((2,), (-1.0, 1.0), default=0.0)}
    output = Points((2,))

    def __init__(self):
        super().__init__()
        self.net = nn.Linear(6, 2)

    def forward(self, z, code):
        return self.net(torch.cat([z, code], 1))


def test_one_number_stands_for_a_whole_code():
    net = Coded()
    assert torch.equal(net.sample(3, seed=0), net.sample(3, seed=0, code=torch.zeros(2)))


def test_a_code_may_be_in_float64():
    net = Coded()
    code = torch.rand(3, 2)
    assert torch.equal(net.sample(3, seed=0, code=code.double()), net.sample(3, seed=0, code=code))


@pytest.mark.parametrize("code", ["high", [[0.0, 0.0, 0.0]] * 3, float("nan")])
def test_a_code_that_does_not_fit_is_refused(code):
    with pytest.raises(GanzooError, match="code"):
        Coded().sample(3, seed=0, code=code)


@pytest.mark.parametrize("label", [1.5, "cat", [[0], [1], [2]]])
def test_a_label_that_is_no_class_is_refused(net, label):
    with pytest.raises(GanzooError, match="label"):
        net.sample(3, seed=0, label=label)


@pytest.mark.parametrize("n", [0, -1])
def test_less_than_one_sample_is_refused(net, n):
    with pytest.raises(GanzooError):
        net.sample(n, seed=0, label=0)


def test_each_latent_of_several_is_drawn_in_its_own_shape():
    net = Coded()
    net.inputs = {"z": Latent((4,)), "code": Latent((2,), (-1.0, 1.0))}
    assert net.sample(3, seed=0).shape == (3, 2)


def test_a_default_stands_in_for_what_is_not_said(net):
    net.inputs = net.inputs | {"label": Label(CLASSES, default=2)}
    assert torch.equal(net.sample(3, seed=0), net.sample(3, seed=0, label=2))


@pytest.mark.parametrize("range_", [None, (-1.0, 1.0), (0.0, 2.0)])
def test_a_latent_is_uniform_in_its_range_and_normal_without_one(range_):
    torch.manual_seed(0)
    z = Plain(Latent((50,), range_)).prior(400)
    assert z.shape == (400, 50)
    if range_ is None:
        assert abs(z.mean()) < 0.03 and abs(z.std() - 1) < 0.03 and z.abs().max() > 3
        return
    low, high = range_
    assert low <= z.min() < low + 0.01 and high - 0.01 < z.max() <= high
    assert abs(z.mean() - (low + high) / 2) < 0.03 and abs(z.std() - (high - low) / 12**0.5) < 0.03


def test_a_prior_can_be_drawn_from_a_stream_of_its_own():
    net, state = Plain(Latent((4,))), torch.get_rng_state()
    a, b = (net.prior(3, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(a, b) and torch.equal(torch.get_rng_state(), state)


def test_a_free_size_of_a_latent_is_1():
    assert Plain(Latent((4, None, None))).prior(2).shape == (2, 4, 1, 1)


def test_what_a_network_does_not_have_is_said_in_one_line(net):
    net.inputs = {"image": Image((3, 8, 8))}
    for call in (lambda: net.prior(1), lambda: Critic().features(torch.zeros(1, 3, 8, 8))):
        with pytest.raises(GanzooError, match=r"^(Noisy: takes no latent|Critic: has no features)"):
            call()


class Drawn(Generator):
    """A latent, a categorical and a continuous code: all drawn unless they are given."""

    inputs = {
        "z": Latent((4,)),
        "c": Category(3),
        "u": Code((1,), (-1.0, 1.0)),
    }
    output = Points((6,))

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, z, c, u):
        return self.scale * torch.cat([z, c[:, None].float(), u], 1)


def test_codes_are_drawn_from_their_priors_and_may_be_given():
    net = Drawn()
    drawn = net.sample(300, seed=1)
    assert set(drawn[:, 4].tolist()) == {0.0, 1.0, 2.0}
    assert drawn[:, 5].min() < -0.9 and drawn[:, 5].max() > 0.9
    given = net.sample(300, seed=1, c=2, u=0.5)
    assert torch.equal(given[:, :4], drawn[:, :4])  # what is not given is drawn as before
    assert set(given[:, 4].tolist()) == {2.0} and set(given[:, 5].tolist()) == {0.5}
    with pytest.raises(GanzooError, match="out of range"):
        net.sample(2, seed=0, c=3)


def test_a_latent_that_is_given_is_used():
    net = Drawn()
    z = torch.randn(3, 4)
    assert torch.equal(net.sample(3, seed=0, z=z)[:, :4], z)


def test_sheets_show_all_classes(net):
    assert cycled(net, 5)["label"].tolist() == [0, 1, 2, 0, 1]
    assert cycled(Plain(Latent((2,))), 5) == {} == cycled(Critic(), 5)
    game = Game()
    made = game.sample({"x": torch.zeros(4, 1)})["G"]
    assert torch.equal(made, game.G.sample(4, seed=0, label=[0, 1, 2, 0]))


def test_a_list_of_one_is_one_for_all(net):
    assert torch.equal(net.sample(3, seed=0, label=[2]), net.sample(3, seed=0, label=2))


def test_latents_may_be_drawn_otherwise(net):
    """As truncation does: each sample still from its own stream."""

    def small(n, rng):
        return {name: z / 100 for name, z in net.priors(n, rng).items()}

    five = sample_deterministic(net, net, 5, 0, {"label": 0}, small)
    assert torch.equal(five[:2], sample_deterministic(net, net, 2, 0, {"label": 0}, small))
    assert not torch.equal(five, net.sample(5, seed=0, label=0))


def test_classes_may_be_given_by_name():
    net = Noisy()
    net.inputs = net.inputs | {"label": Label(3, names=("Cat", "dog", "7"))}
    by_number = net.sample(3, seed=0, label=[0, 1, 2])
    assert torch.equal(net.sample(3, seed=0, label=["cat", "DOG", "7"]), by_number)
    assert torch.equal(net.sample(3, seed=0, label="1"), net.sample(3, seed=0, label=1))
    with pytest.raises(UnknownNameError, match=r"unknown label 'dgo'. Did you mean dog"):
        net.sample(3, seed=0, label="dgo")

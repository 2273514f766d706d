"""Runs that are broken on purpose are found out; runs that are well are left alone."""

import json

import pytest
import torch
from torch import nn

import ganzoo_core as gz
from ganzoo_core.nn import Discriminator, Generator, Latent, Points
from ganzoo_core.objectives import Objective, Phase, Player, Step, adam, nonsaturating, sgd
from ganzoo_core.training.callbacks import health

RUN = {"images": 1600, "batch_size": 16, "precision": "fp32"}


class G(Generator):
    """Two numbers from four; collapsed, they are the same two whatever the latent is."""

    inputs = {"z": Latent((4,))}
    output = Points((2,), (-1.0, 1.0))

    def __init__(self, collapsed=False):
        super().__init__()
        self.collapsed = collapsed
        self.net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, z):
        return self.net(z * 1e-3 if self.collapsed else z)


class D(Discriminator):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x):
        return self.net(x).flatten()


class Toy(Objective):
    """The game of 2014 on points in the plane."""

    def __init__(self, d_optim=None, g_optim=None, collapses_at=2.0, first_d_alone=0):
        super().__init__()
        self.G, self.D = G(collapses_at == 0), D()
        self.d_optim, self.g_optim = d_optim or adam(1e-3), g_optim or adam(1e-3)
        self.collapses_at, self.first_d_alone = collapses_at, first_d_alone

    def phases(self):
        D, G = Player("D", [self.D], self.d_optim), Player("G", [self.G], self.g_optim)
        alone = [Phase("alone", [Step(D, self.d_loss)], self.first_d_alone)] if self.first_d_alone else []
        return [*alone, Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], 1600, on_step_end=self.after)]

    def after(self, u):
        self.G.collapsed = u >= self.collapses_at

    def d_loss(self, batch):
        x = batch["x"]
        return nonsaturating.d(self.D(x), self.D(self.G(self.G.prior(len(x)))))

    def g_loss(self, batch):
        return {"adv": nonsaturating.g(self.D(self.G(self.G.prior(len(batch["x"])))), None)}


def toy(seed=0, **options):
    torch.manual_seed(seed)
    return Toy(**options)


def looks(folder):
    return [json.loads(line) for line in (folder / "health.jsonl").read_text().splitlines()]


def train(objective, data, folder, **options):
    gz.fit(objective, data, out=folder, **{**RUN, **options})
    return {text: look["images"] for look in looks(folder) for text in look["warnings"]}


def test_a_discriminator_that_has_won(tmp_path, capsys):
    objective = toy(d_optim=adam(0.05), g_optim=adam(1e-7))
    with torch.no_grad():
        objective.G.net[-1].bias.fill_(10.0)  # far from all data
    said = train(objective, "ring", tmp_path)
    text = next(text for text in said if "has won" in text)
    assert "discriminator D has won" in text and "Lower its learning rate" in text
    assert capsys.readouterr().err.count(f"ganzoo: warning: {text}") == 1


def test_a_discriminator_of_images_that_has_won(tmp_path):
    objective = gz.create("dcgan", preset="tiny")
    kind = type(objective)

    class Unfair(kind):
        def phases(self):
            D, G = Player("D", [self.D], adam(5e-3)), Player("G", [self.G], adam(1e-9))
            return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], 1600)]

    objective.__class__ = Unfair
    assert any("D has won" in text for text in train(objective, "digits", tmp_path))


def test_samples_that_are_all_alike(tmp_path, capsys):
    said = train(toy(collapses_at=0.5), "grid", tmp_path)
    (text,) = said
    assert "nearly all alike" in text and "another seed" in text
    assert 0.5 * RUN["images"] < said[text] <= 0.6 * RUN["images"]
    assert "warning" in capsys.readouterr().err


def test_samples_that_never_differ(tmp_path, monkeypatch):
    assert not train(toy(collapses_at=0), "grid", tmp_path / "young")
    monkeypatch.setattr(health, "LATE", 60)
    said = train(toy(collapses_at=0), "grid", tmp_path / "late")
    assert list(said.values()) == [60 * RUN["batch_size"]] and "nearly all alike" in next(iter(said))


@pytest.mark.parametrize("optim", [sgd(0.0), adam(0.0)])
def test_a_generator_that_stands_still(tmp_path, optim):
    (text,) = train(toy(g_optim=optim), "ring", tmp_path)
    assert "no longer moves" in text and "Raise its learning rate" in text


def test_a_generator_that_nobody_plays_yet_does_not_stand_still(tmp_path):
    assert not train(toy(first_d_alone=1600), "grid", tmp_path, images=3200)
    assert {look["phase"] for look in looks(tmp_path)} == {"alone", "main"}


HEALTHY = [
    *[("gan", "digits", seed) for seed in range(4)],
    *[("dcgan", "digits", seed) for seed in range(6)],
    *[("toy", "ring", seed) for seed in range(5)],
    *[("toy", "grid", seed) for seed in range(5)],
]


@pytest.mark.parametrize(("game", "data", "seed"), HEALTHY)
def test_healthy_runs_are_left_alone(tmp_path, game, data, seed):
    objective = toy(seed) if game == "toy" else gz.create(game, preset="tiny", seed=seed)
    assert train(objective, data, tmp_path, seed=seed) == {}
    assert len(looks(tmp_path)) >= 15


@pytest.mark.parametrize("cut", [304, 496, 880])
def test_a_resumed_run_remembers(tmp_path, cut):
    """Cut between two looks, it goes on to look as the unbroken one did, and says nothing twice."""
    options = {"checkpoint_every": 48, **RUN}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(toy(collapses_at=0.5, g_optim=sgd(0.0)), "ring", whole, **options)
    for report in gz.train(toy(collapses_at=0.5, g_optim=sgd(0.0)), "ring", out=broken, **options):
        if report.position.images == cut:
            break
    said = train(toy(3, collapses_at=0.5, g_optim=sgd(0.0)), "ring", broken, resume=True, **options)
    assert (broken / "health.jsonl").read_bytes() == (whole / "health.jsonl").read_bytes()
    assert len(said) == 2


def test_without_a_run_directory_it_only_speaks(capsys):
    gz.fit(toy(g_optim=sgd(0.0)), "ring", **RUN)
    assert capsys.readouterr().err.count("no longer moves") == 1


def test_losses_that_may_be_negative_are_no_victory():
    losses = [{"D/real": torch.tensor(-0.5), "D/fake": torch.tensor(0.001)}] * health.MEMORY
    assert health.won(losses) == []
    assert health.won([{"D/real": torch.tensor(0.001), "D/fake": torch.tensor(0.001)}]) == ["D"]
    assert health.won([{"D/real": torch.tensor(0.001)}]) == []
    assert health.won([{"G/adv": torch.tensor(0.0)}]) == []


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_fingerprints_see_every_bit(dtype):
    w = torch.randn(3, 4, 2, 2).to(dtype)
    scalar = torch.zeros((), dtype=dtype)
    same = health.fingerprint([w.clone(memory_format=torch.channels_last), scalar])
    assert health.fingerprint([w, scalar]) == same
    w.view(-1)[5] *= 1 + 2 * torch.finfo(dtype).eps
    assert health.fingerprint([w, scalar]) != same


def test_a_beaten_generator_is_found_in_its_first_minutes(tmp_path):
    """Long before the first twentieth of the run, at which the looks begin to be even."""
    objective = toy(d_optim=adam(0.01), g_optim=adam(1e-6))
    with torch.no_grad():
        objective.G.net[-1].bias.fill_(3.0)
    for report in gz.train(objective, "ring", out=tmp_path, **{**RUN, "images": 15_000_000}):
        if report.position.images >= 4096:
            break
    said = [text for look in looks(tmp_path) for text in look["warnings"]]
    assert any("far ahead" in text or "has won" in text for text in said)


def test_what_is_far_ahead():
    good, beaten = {"D/real": 0.02, "D/fake": 0.03, "G/adv": 2.0}, {"D/real": 0.02, "D/fake": 0.03, "G/adv": 6.0}
    assert health.ahead([good]) == [] and health.ahead([beaten]) == ["D"]
    assert health.ahead([{**beaten, "D/fake": 0.2}]) == [] and health.ahead([{"G/adv": 7.0}]) == []

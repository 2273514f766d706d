"""Where a game can reach into the update, and what beside its losses a run can be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Growing, Images, Latent, Pretrained
from ganzoo_core.nn.standing import with_standing_statistics
from ganzoo_core.objectives import Batch, Move, Objective, Phase, Player, Step, Terms, sgd
from ganzoo_core.objectives.arguments import declared_arguments, network_names
from ganzoo_core.training.trainer import Alternating


def ones(*, start: int, batch_size: int, rank: int = 0, world: int = 1, **_: object):
    while True:
        yield {"x": torch.ones(batch_size, 2)}


class Line(Objective):
    """w . x is to be as large as may be: the gradient of the loss is -x everywhere."""

    lr: Annotated[float, "SGD's step"] = 1.0

    def __post_init__(self) -> None:
        self.net = nn.Linear(2, 1, bias=False)
        nn.init.zeros_(self.net.weight)
        self.seen: list[Tensor] = []

    exported = ()

    def phases(self) -> Sequence[Phase]:
        return [Phase("main", [Step(self.player(), self.loss)], 4)]

    def player(self) -> Player:
        return Player("P", [self.net], sgd(self.lr))

    def loss(self, batch: Batch) -> Terms:
        score = self.net(batch["x"]).mean()
        return {"up": -score, "twice": -2 * score}


class Clipped(Line):
    def player(self) -> Player:
        return Player("P", [self.net], sgd(self.lr), on_gradients=lambda weights: clip_grad_norm_(weights, 0.5))


class FirstOnly(Line):
    """Of several losses it follows one: what they do to each other's gradients is the player's affair."""

    def player(self) -> Player:
        return Player("P", [self.net], sgd(self.lr), backward=lambda terms, weights: terms["up"].backward())


class Searching(Line):
    """Moved by no gradient: each move adds one to every weight."""

    def phases(self) -> Sequence[Phase]:
        return [Phase("main", [Move(Player("P", [self.net]), self.move)], 4)]

    def move(self, batch: Batch) -> Terms:
        assert not torch.is_grad_enabled()
        self.net.weight += 1
        return {"norm": self.net.weight.norm()}


@pytest.mark.parametrize(
    ("game", "weight"),
    [(Line, 3.0), (Clipped, 0.5 / 2**0.5), (FirstOnly, 1.0), (Searching, 1.0)],
)
def test_one_update(game: type[Line], weight: float) -> None:
    played = game()
    (report,) = list(Alternating(batch_size=4).run(played, ones))
    torch.testing.assert_close(played.net.weight.detach(), torch.full((1, 2), weight))
    assert set(report.losses) == ({"P/norm"} if game is Searching else {"P/up", "P/twice"})


def test_a_player_that_searches_is_saved_and_goes_on() -> None:
    whole, broken = Searching(), Searching()
    list(Alternating(batch_size=4, images=12).run(whole, ones))
    kept = next(iter(Alternating(batch_size=4, images=12).run(broken, ones))).checkpoint()
    other = Searching()
    list(Alternating(batch_size=4, images=12).run(other, ones, kept))
    assert torch.equal(whole.net.weight, other.net.weight) and not kept.optimizers


def test_the_half_life_of_averages_ramps_up() -> None:
    trainer = Alternating(ema_images=1000, ema_rampup=0.05)
    assert trainer.ema_beta(10, 0) == 0.0  # at the start the average is the network itself
    assert trainer.ema_beta(10, 2_000) == 0.5 ** (10 / 100)
    assert trainer.ema_beta(10, 10**9) == 0.5 ** (10 / 1000) == Alternating(ema_images=1000).ema_beta(10, 0)


def test_a_game_can_be_handed_the_numbers_of_its_examples() -> None:
    class Numbered(Line):
        needs = frozenset({"x", "index"})

        def loss(self, batch: Batch) -> Terms:
            self.seen.append(batch["index"])
            return {"up": -self.net(batch["x"].flatten(1)[:, :2]).mean()}

    game = Numbered()
    list(gz.train(game, data="digits", images=64, batch_size=16, device="cpu", precision="fp32"))
    numbers = torch.cat(game.seen)
    assert len(numbers.unique()) == 64 and numbers.dtype == torch.int64 and int(numbers.max()) < 1797


class Normed(Generator):
    """z through batch norm: what it makes depends on the statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((4,))}, Images((1, 2, 2), None)
        self.scale, self.norm = nn.Parameter(torch.tensor(3.0)), nn.BatchNorm1d(4)

    def forward(self, z: Tensor) -> Tensor:
        return self.norm(self.scale * z + 5).unflatten(1, (1, 2, 2))


def test_standing_statistics_are_those_of_many_samples() -> None:
    net = Normed()
    rng = torch.get_rng_state()
    made = with_standing_statistics(net, 50)
    assert torch.equal(rng, torch.get_rng_state()) and net.norm.running_mean.eq(0).all() and net.norm.momentum == 0.1
    torch.testing.assert_close(made.norm.running_mean, torch.full((4,), 5.0), atol=0.3, rtol=0)
    torch.testing.assert_close(made.norm.running_var, torch.full((4,), 9.0), atol=1.0, rtol=0)
    assert made.norm.momentum == 0.1 and torch.equal(
        made.norm.running_mean, with_standing_statistics(net, 50).norm.running_mean
    )
    assert with_standing_statistics(net, 0) is net


class Eye(Pretrained):
    reads = 0

    def read(self) -> nn.Module:
        type(self).reads += 1
        return nn.Linear(2, 3)

    def look(self, net: nn.Module, x: Tensor) -> Tensor:
        assert x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
        return net(x)


def test_a_network_of_others_is_read_once_and_belongs_to_nobody() -> None:
    import copy

    game = Line()
    game.eye = Eye()
    before = set(game.state_dict())
    with torch.autocast("cpu", torch.bfloat16):
        assert game.eye(torch.ones(1, 2, dtype=torch.bfloat16)).shape == (1, 3)
    game.eye(torch.ones(1, 2))
    assert Eye.reads == 1 and set(game.state_dict()) == before and not list(game.eye.parameters())
    assert copy.deepcopy(game).eye is game.eye and not game.eye.on(torch.device("cpu")).training


class Grown(Growing):
    def __init__(self) -> None:
        super().__init__()
        self.declare(3)


def test_depth_and_alpha_are_numbers_that_buffers_mirror() -> None:
    net, other = Grown(), Grown()
    assert net.grown() == (3, 1.0)
    net.grow(1, 0.25)
    assert net.grown() == (1, 0.25) and (int(net.depth), float(net.alpha)) == (1, 0.25)
    other.load_state_dict(net.state_dict())
    assert other.grown() == (1, 0.25)
    other.depth.fill_(2)
    assert other.grown() == (2, 0.25)


class Base(Objective):
    """Arguments are inherited, the most basic first; a plain default replaces one."""

    G: nn.Linear
    D: Discriminator
    lr: Annotated[float, "a step"] = 0.1
    name: str = "no argument"

    def phases(self) -> Sequence[Phase]:
        return []


class Derived(Base):
    Q: nn.Linear
    lr = 0.2
    k: Annotated[int, "how often"] = 3


def test_arguments_are_declared_and_inherited() -> None:
    found = declared_arguments(Derived)
    assert {n: (a.type, a.default, a.meaning) for n, a in found.items()} == {
        "lr": (float, 0.2, "a step"), "k": (int, 3, "how often"),
    }  # fmt: skip
    assert list(found) == ["lr", "k"] and network_names(Derived) == ("G", "D", "Q")
    nets = [nn.Linear(1, 1) for _ in range(3)]
    game = Derived(*nets, k=5)
    assert (game.lr, game.k) == (0.2, 5) and nets == [game.G, game.D, game.Q]
    with pytest.raises(TypeError, match="network Q is missing"):
        Derived(*nets[:2])
    with pytest.raises(TypeError, match="unexpected argument lam"):
        Derived(*nets, lam=1)


# Discriminators


def test_discriminators_are_written_read_and_trained_on(tmp_path, capsys) -> None:
    given = {"device": "cpu", "precision": "fp32", "batch_size": 16}
    game = gz.create("dcgan", preset="tiny")
    gz.fit(game, data="digits", images=64, out=tmp_path / "run", **given)
    model = gz.load(tmp_path / "run")
    assert set(model.config["files"]) == {"model.safetensors", "discriminators.safetensors"}
    for name, value in game.D.state_dict().items():
        assert torch.equal(value, model.discriminator.state_dict()[name])
    start = gz.create("dcgan", preset="tiny", seed=5)
    report = next(iter(gz.train(start, data="digits", images=16, init=str(tmp_path / "run"), **given)))
    assert report.iteration == 0
    assert "run: G, D begin with its weights\n" in capsys.readouterr().err
    moved = (start.D.main[0].weight - model.discriminator.main[0].weight).abs().max()
    assert moved < 1e-3  # one step away from where the other ended, and far from where this one was drawn
    wider = gz.create("dcgan", preset="tiny", width=16, lr=1e-3)
    with pytest.raises(GanzooError, match="its G is of another shape") as refused:
        next(iter(gz.train(wider, data="digits", images=16, init=str(tmp_path / "run"), **given)))
    assert "Give -c width=8." in str(refused.value)
    (tmp_path / "run" / "model" / "discriminators.safetensors").unlink()
    with pytest.raises(GanzooError, match="without its discriminator"):
        _ = gz.load(tmp_path / "run").discriminator


def test_sampling_builds_no_discriminator() -> None:
    """D takes no memory: whatever of it is built is built on the meta device."""
    built: list[nn.Module] = []
    from ganzoo_dcgan import networks

    original = networks.D.__init__

    def watched(self: nn.Module, *args: object, **kwargs: object) -> None:
        original(self, *args, **kwargs)
        built.append(self)

    networks.D.__init__ = watched
    try:
        gz.load("dcgan.mnist")
    finally:
        networks.D.__init__ = original
    assert built and all(w.is_meta for net in built for w in net.parameters())


def test_a_push_leaves_them_out_unless_asked(tmp_path) -> None:
    from ganzoo_core.models import push

    game = gz.create("dcgan", preset="tiny")
    gz.fit(game, "digits", images=32, batch_size=16, device="cpu", precision="fp32", out=tmp_path / "run")
    plain = push.prepare(str(tmp_path / "run"), "me/digits", "mit")
    whole = push.prepare(str(tmp_path / "run"), "me/digits", "mit", with_discriminators=True)
    assert set(whole.files) - set(plain.files) == {"discriminators.safetensors"}


@pytest.mark.parametrize(
    ("requires", "says"),
    [(">=9.1,<9.2", "needs ganzoo-dcgan"), ("nonsense", "is no range of versions"), (">=0.0,<0.1", "")],
)
def test_versions_of_plugins_that_a_model_asks_for(requires: str, says: str, tmp_path, capsys) -> None:
    import json
    import shutil
    from pathlib import Path

    folder = tmp_path / "model"
    shutil.copytree(Path(__file__).parent / "fixtures" / "v0_1" / "model", folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["objective"]["requires"] = requires
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    if says:
        with pytest.raises(GanzooError, match=says):
            gz.load(folder)
    else:
        gz.load(folder)
        assert "was made for ganzoo-dcgan" in capsys.readouterr().err


def test_both_spellings_of_licence() -> None:
    assert [i.id for i in gz.list_models("dcgan*", license="Apache-2.0")] == [
        i.id for i in gz.list_models("dcgan*", licence="Apache-2.0")
    ]
    with pytest.raises(GanzooError, match="two licences"):
        gz.list_models(license="MIT", licence="Apache-2.0")

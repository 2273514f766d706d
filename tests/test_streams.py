"""Streams of random numbers: as many as there are samples, and nobody else's generator moves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import dropout

import ganzoo_core as gz
from ganzoo_core.nn import DrawFrom, evaluation_mode, stream
from ganzoo_core.nn.sampling import latents
from ganzoo_core.nn.streams import WORDS
from ganzoo_core.seeds import hash_bytes

CPU = torch.device("cpu")


def test_a_stream_is_the_mersenne_twister_whose_whole_state_is_a_hash() -> None:
    """NumPy's, put into that state, draws the same."""
    twin = np.random.MT19937()
    state = twin.state
    state["state"] = {"key": np.frombuffer(hash_bytes(4 * WORDS, 3, "sample", 5), "<u4").copy(), "pos": WORDS}
    twin.state = state
    drawn = torch.randint(0, 2**20, (2000,), generator=stream(CPU, 3, "sample", 5))
    assert np.array_equal(twin.random_raw(2000) % 2**20, drawn.numpy())


@pytest.mark.parametrize(("one", "other"), [(27_262, 47_368), (69_108, 69_840)])
def test_samples_whose_32_bit_seeds_collide_are_two_pictures(one: int, other: int) -> None:
    net = gz.create("dcgan", preset="tiny").G
    z = latents(net.priors, 0, [one, other])["z"]
    assert not torch.equal(z[0], z[1])


DRAWS = {
    "randn": lambda: torch.randn(5),
    "randn of no generator": lambda: torch.randn(5, generator=None),
    "rand": lambda: torch.rand(5, dtype=torch.float64),
    "randint": lambda: torch.randint(2, 9, (5,)),
    "randn_like": lambda: torch.randn_like(torch.empty(5)),
    "randint_like": lambda: torch.randint_like(torch.empty(5), 9),
    "randperm": lambda: torch.randperm(5),
    "normal": lambda: torch.normal(torch.zeros(5), 1.0),
    "multinomial": lambda: torch.multinomial(torch.ones(9), 5),
    "bernoulli": lambda: torch.bernoulli(torch.full((50,), 0.5)),
    "in place": lambda: torch.empty(5).uniform_(),
    "exponential": lambda: torch.empty(5).exponential_(),
    "dropout": lambda: dropout(torch.ones(50), 0.5),
    "feature dropout": lambda: nn.Dropout2d()(torch.ones(1, 50, 2, 2)),
    "native dropout": lambda: torch.native_dropout(torch.ones(50), 0.5, True)[0],
    "first weights": lambda: nn.Linear(3, 4).weight.detach(),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_whatever_draws_draws_from_its_own_stream(draw) -> None:
    """The numbers that a global generator in the same state would give, and that one stays where it was."""
    before = torch.get_rng_state()
    with DrawFrom(lambda device: stream(device, 0, "a test")):
        found = [draw(), draw()]
        with torch.inference_mode():
            found.append(draw())
    assert torch.equal(before, torch.get_rng_state())
    with torch.random.fork_rng(()):
        torch.set_rng_state(stream(CPU, 0, "a test").get_state())
        assert all(torch.equal(one, draw()) for one in found)


def test_a_generator_that_is_given_is_drawn_from() -> None:
    with DrawFrom(lambda device: stream(device, 0, "a test")):
        found = torch.randn(3, generator=torch.Generator().manual_seed(1))
    assert torch.equal(found, torch.randn(3, generator=torch.Generator().manual_seed(1)))


def test_threads_build_the_weights_of_their_seed_and_leave_the_global_generator() -> None:
    alone = [gz.create("dcgan", preset="tiny", seed=seed).state_dict() for seed in range(2)]
    before = torch.get_rng_state()
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda i: gz.create("dcgan", preset="tiny", seed=i % 2).state_dict(), range(16)))
    assert torch.equal(before, torch.get_rng_state())
    for i, state in enumerate(together):
        assert all(torch.equal(value, alone[i % 2][name]) for name, value in state.items())


def test_a_network_stays_in_evaluation_mode_until_its_last_thread_is_done() -> None:
    whole = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Dropout())).train()
    whole[0].eval()
    first, second, seen = Barrier(2, timeout=10), Barrier(2, timeout=10), []

    def early() -> None:
        with evaluation_mode(whole):
            first.wait()
        second.wait()

    def late() -> None:
        with evaluation_mode(whole[1]):
            first.wait()
            second.wait()
            seen.append([module.training for module in whole.modules()])

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(early), pool.submit(late)]:
            done.result(20)
    assert seen == [[True, False, False, False]]
    assert [module.training for module in whole.modules()] == [True, False, True, True]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("name", ["dcgan.mnist", "stylegan2.emoji32", "pix2pix.edges2emoji"])
def test_threads_draw_the_same_on_a_gpu_and_move_no_generator(name: str) -> None:
    model = gz.load(name, device="cuda")
    given = {"a": torch.zeros(1, 3, 64, 64)} if name.startswith("pix2pix") else {}
    alone = [model.sample(1, seed=seed, **given) for seed in range(4)]
    torch.manual_seed(0)
    before = torch.get_rng_state(), torch.cuda.get_rng_state()
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda i: model.sample(1, seed=i % 4, **given), range(16)))
    assert all(torch.equal(x, alone[i % 4]) for i, x in enumerate(together))
    assert torch.equal(before[0], torch.get_rng_state()) and torch.equal(before[1], torch.cuda.get_rng_state())
    if name == "dcgan.mnist":  # which draws nothing inside: latents come from the CPU, so any device shows the same
        torch.testing.assert_close(alone[0].cpu(), gz.load(name).sample(1, seed=0), atol=0.05, rtol=0)

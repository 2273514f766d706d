"""RelGAN: the published counts, the memory by hand, soft words, the relativistic game, and what it learns."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_text.relgan.memory import RelationalMemory
from ganzoo_text.relgan.objective import RelGAN, relative
from torch import Tensor, nn
from torch.nn.functional import one_hot

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.training.trainer import Alternating


def tiny(**args: object) -> RelGAN:
    made = gz.create("relgan", preset="tiny", **args)
    assert isinstance(made, RelGAN)
    return made


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def test_published_counts() -> None:
    """Beside a port whose memory goes twice through one and the same layer where ours goes through two."""
    with torch.device("meta"):
        game = gz.create("relgan")
    assert count(game.G) == 4_853_386 + 512 * 512 + 512 and count(game.D) == 1_886_801


# The memory


def test_step_by_step_is_all_at_once_and_later_words_change_nothing_before() -> None:
    torch.manual_seed(0)
    net, x = RelationalMemory(7, 4, 2, 2, 3), torch.randint(7, (3, 6))
    told, other = net.told(x), x.clone()
    other[:, 4] = (other[:, 4] + 1) % 7
    word, state = torch.zeros(3, dtype=torch.int64), None
    for t in range(6):
        logits, state = net.step(word, state)
        torch.testing.assert_close(logits, told[:, t])
        word = x[:, t]
    again = net.told(other)
    torch.testing.assert_close(again[:, :5], told[:, :5])
    assert not torch.allclose(again[:, 5], told[:, 5])


def test_attention_by_hand() -> None:
    """One head, norms that are none: softmax(q k^T / sqrt(d)) v."""
    net = RelationalMemory(5, 4, 2, 1, 4)
    net.qkv_norm = nn.Identity()  # type: ignore[assignment]
    M = torch.randn(2, 3, 4)
    q, k, v = net.qkv(M).chunk(3, 2)
    wanted = (q @ k.transpose(1, 2) / math.sqrt(4)).softmax(2) @ v
    torch.testing.assert_close(net.attention(M), wanted)


def test_gates_keep_or_let_in() -> None:
    net = RelationalMemory(5, 4, 1, 1, 4)
    for gates in (net.word_gates, net.memory_gates):
        nn.init.zeros_(gates.weight)
        nn.init.zeros_(gates.bias)
    e, M, new = torch.randn(2, 1, 4), torch.randn(2, 1, 4), torch.randn(2, 1, 4)
    i, f = 0.5, 1 / (1 + math.exp(-1))  # biases 0 and 1
    torch.testing.assert_close(net.gated(e, M, new), i * new.tanh() + f * M)


def test_a_memory_begins_with_a_place_of_its_own_for_each_slot() -> None:
    assert RelationalMemory(5, 4, 2, 1, 3).empty(1).tolist() == [[[1, 0, 0], [0, 1, 0]]]


# The game


def test_soft_words_are_gumbels() -> None:
    """What is largest in them is drawn as the softmax says; the harder beta, the nearer they are to one word."""
    game = tiny(words=4, length=2)
    chances = torch.tensor([0.1, 0.2, 0.3, 0.4])
    game.G.language.step = lambda word, state=None: (chances.log().expand(len(word), 4), None)  # type: ignore[method-assign]
    torch.manual_seed(0)
    y = game.soft(20_000)[:, 0]
    torch.testing.assert_close(y.argmax(1).bincount(minlength=4) / 20_000, chances, atol=0.01, rtol=0)
    torch.testing.assert_close(y.sum(1), torch.ones(20_000))
    torch.manual_seed(0)
    game.harden(1.0)
    hard = game.soft(20_000)[:, 0]
    assert torch.equal(hard.argmax(1), y.argmax(1)) and hard.amax(1).mean() > 0.9 > y.amax(1).mean()
    torch.testing.assert_close(hard, (game.beta_max * y.log()).softmax(1), atol=1e-4, rtol=1e-3)


def test_beta_is_exponential_in_time() -> None:
    game = tiny(beta_max=100.0)
    for u, beta in ((0.0, 1.0), (0.5, 10.0), (1.0, 100.0)):
        game.harden(u)
        assert game.beta.item() == pytest.approx(beta)


def test_the_losses_are_relativistic_over_pairs_and_embeddings() -> None:
    r, s = torch.tensor([[2.0, 0.0]]), torch.tensor([[1.0, -1.0]])
    assert relative(r, s).item() == pytest.approx(math.log(1 + math.exp(-1)))
    game = tiny(length=3).eval()
    x = torch.randint(20, (6, 3))
    torch.manual_seed(1)
    d = game.d_loss({"tokens": x})["pair"]
    torch.manual_seed(1)
    g = game.g_loss({"tokens": x})["adv"]
    torch.manual_seed(1)
    gap = game.D(x) - game.D(game.soft(6))
    assert gap.shape == (6, 4)
    torch.testing.assert_close(d, -gap.sigmoid().log().mean())
    torch.testing.assert_close(g, -(-gap).sigmoid().log().mean())


def test_words_and_hard_soft_words_are_read_alike() -> None:
    game = tiny().eval()
    x = torch.randint(20, (4, 20))
    torch.testing.assert_close(game.D(x), game.D(one_hot(x, 20).float()))


def test_each_embedding_judges_alone() -> None:
    """A change of what one embedding reads changes its score and no other."""
    game, x = tiny().eval(), torch.randint(20, (4, 20))
    before = game.D(x)
    with torch.no_grad():
        game.D.embed.weight[2] += 1  # type: ignore[union-attr,operator]
    moved = (game.D(x) - before).abs().amax(0) > 1e-6
    assert moved.tolist() == [False, False, True, False]


def test_g_learns_through_soft_words_which_word_is_asked_for() -> None:
    torch.manual_seed(0)
    game = tiny(words=5, length=4)
    game.D.forward = lambda x: 6 * x[..., 1].mean(1, keepdim=True) if x.is_floating_point() else torch.zeros(len(x), 1)  # type: ignore[method-assign]
    step = torch.optim.Adam(game.G.parameters(), 0.01)
    for _ in range(60):
        step.zero_grad()
        game.g_loss({"tokens": torch.zeros(32, 4, dtype=torch.int64)})["adv"].backward()
        step.step()
    with torch.no_grad():
        assert (game.G(game.G.prior(200)) == 1).float().mean() > 0.8


def test_likelihood_alone_is_a_game_without_d() -> None:
    game = tiny(words=4, length=3, images=0, mle=256, mle_lr=0.02)
    data = torch.tensor([[1, 2, 3]]).expand(8, 3)

    def feed(*, start: int, batch_size: int, **_: object) -> object:
        while True:
            yield {"tokens": data}

    reports = list(Alternating(batch_size=8, images=256).run(game, feed))  # type: ignore[arg-type]
    assert {report.phase for report in reports} == {"likelihood"}
    assert reports[-1].losses["MLE/nll"] < 0.5 * reports[0].losses["MLE/nll"]


def test_what_cannot_be_is_refused() -> None:
    for given in ({"slots": 0}, {"slots": 99}, {"windows": (50,), "widths": (1,)}, {"windows": (2,)}):
        with pytest.raises(GanzooError) as fault:
            tiny(**given)
        assert "\n" not in str(fault.value)


def test_it_writes_lines_of_a_text(tmp_path: object) -> None:
    game = tiny(words=200, length=10)
    rows: Tensor = game.G.sample(3, seed=0)
    assert rows.shape == (3, 10) and game.G.output.texts(rows)[0].count(" ") == 9

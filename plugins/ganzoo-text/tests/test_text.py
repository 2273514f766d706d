"""Lines as data, the oracle, and SeqGAN: planted cases, closed forms, the published counts."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_text.bleu import References
from ganzoo_text.kinds import Lines
from ganzoo_text.language import Language, at
from ganzoo_text.oracle import Oracle
from ganzoo_text.scores import alike
from ganzoo_text.words import END, UNKNOWN, learnt, spaced, words_of
from torch import nn

import ganzoo_core as gz
from ganzoo_core.data import open_dataset
from ganzoo_core.errors import GanzooError
from ganzoo_core.registry.plugins import registry

FIRST = [101, 21, 199, 61, 178, 116, 28, 88, 39, 147]  # of seqgan.oracle_small
LINES = "the cat sat\n\nthe dog sat down\na cat\n"


def opened(data: str):
    zoo = registry()
    return open_dataset(data, datasets=zoo.datasets, views=zoo.views)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text(LINES)
    return path


def tiny(**args):
    return gz.create("seqgan", preset="tiny", **args)


def weights(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


# Data


def known(tokenizer: str) -> list[str]:
    """The words of a tokenizer by their numbers."""
    made = words_of(tokenizer).tokenizer
    return [made.id_to_token(number) for number in range(made.get_vocab_size())]


def test_lines_are_words_by_their_numbers(file):
    data = opened(f"lines:{file}")
    assert known(data.tokenizer) == [END, UNKNOWN, "▁cat", "▁sat", "▁the", "▁a", "▁dog", "▁down"]
    assert data.tokens.tolist() == [[4, 2, 3, 0], [4, 6, 3, 7], [5, 2, 0, 0]]
    facts = data.facts()
    assert (facts["words"], facts["length"], facts["tokenizer"]) == (8, 4, data.tokenizer)


def test_rare_words_are_one_and_long_lines_are_cut(tmp_path):
    path = tmp_path / "long.txt"
    path.write_text("\n".join(" ".join(f"w{i}" for i in range(start, start + 30)) for start in range(0, 9_000, 15)))
    data = opened(f"lines:{path}")
    assert data.tokens.shape[1] == 20 and len(known(data.tokenizer)) == 5_000
    assert (data.tokens == 1).any() and data.tokens.max() == 4_999


def test_captions_are_lines_too():
    data = opened("words:shapes:captions")
    kind = Lines(data.tokens.shape[1:], data.tokenizer)
    assert len(data) == len(data.lines) > 1 and kind.texts(data.tokens[:9]) == data.lines[:9]
    assert "circle" in " ".join(data.lines) and data.info.licence
    with pytest.raises(GanzooError, match="has no captions"):
        opened("words:digits")


WRITTEN = (
    'the cat, sat (on) the "well-known" mat.', "don't -- ever", "日本語のテキスト。そして",
    "👩‍👩‍👧 family 🇩🇪 flags 👍🏽",
    "naïve café Straße", "العربية نص، هنا", "हिन्दी पाठ", "สวัสดี ชาวโลก", "<end> of <unknown> things", "1,000.50 €",
)  # fmt: skip


@pytest.mark.parametrize("line", WRITTEN)
def test_any_unicode_comes_back_as_it_was(line, tmp_path):
    """Through the numbers of words, a sample and a file."""
    (tmp_path / "in.txt").write_text("\n".join(WRITTEN), "utf-8")
    data = opened(f"lines:{tmp_path / 'in.txt'}")
    row = data.tokens[WRITTEN.index(line)][None].float()
    kind = Lines(data.tokens.shape[1:], data.tokenizer)
    kind.save(row, tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text("utf-8") == line + "\n"
    assert torch.equal(kind.open(tmp_path / "out.txt"), row)


def test_words_are_with_their_marks_apart_and_spaces_single():
    words = words_of(learnt(["a  cat,\ta e\u0301t▁re"], 99))
    assert words.tokenizer.encode("a cat, a  \u00e9t\nre").tokens == ["▁a", "▁cat", ",", "▁a", "▁ét", "▁re"]
    assert words.line(words.numbers("a cat, a dog", 9)) == "a cat, a <unknown>"


def test_a_tokenizer_that_is_none_is_refused_in_one_line():
    for given in ({"tokenizer": "{}", "words": 5}, {"tokenizer": learnt(["a b"], 9), "words": 5}):
        with pytest.raises(GanzooError, match="tokenizer") as fault:
            tiny(**given)
        assert "\n" not in str(fault.value)


def test_models_that_know_words_by_a_list_write_as_before():
    """Those of 0.2.0: words between spaces."""
    game = tiny(words=4, vocabulary=(END, "<unknown>", "cat,", "the"), length=3)
    kind = game.G.output
    assert kind.texts(torch.tensor([[3.0, 2, 0], [1, 3, 2]])) == ["the cat,", "<unknown> the cat,"]
    assert kind.numbers("the cat,") == [3, 2, 0]
    assert words_of(spaced((END, "a"))).unknown is None
    with pytest.raises(ValueError, match="does not know"):
        Lines((3,), spaced((END, "a"))).numbers("b")


def test_the_released_model_draws_what_it_drew():
    """The bits of 0.2.0, which had no tokenizer."""
    model = gz.load("seqgan.oracle_small")
    drawn = model.sample(64, seed=0)
    assert drawn[0].tolist() == FIRST
    assert model.generator.output.texts(drawn[:1]) == [" ".join(f"{int(word)}" for word in FIRST)]


@pytest.mark.parametrize(
    ("data", "words"), [(b"", "fewer than two"), (b"one\n", "fewer than two"), (b"\xff\n\xfe\n", "no UTF-8")]
)
def test_what_is_no_text_is_refused_in_one_line(tmp_path, data, words):
    (tmp_path / "x.txt").write_bytes(data)
    with pytest.raises(GanzooError, match=words):
        opened(f"lines:{tmp_path / 'x.txt'}")
    with pytest.raises(GanzooError, match="no such file"):
        opened(f"lines:{tmp_path}")


def test_the_oracle_knows_its_own_words():
    oracle = Oracle(200, 10)
    ours, others = oracle.sequences(1_000, 1), torch.randint(200, (1_000, 10))
    assert torch.equal(ours, Oracle(200, 10).sequences(1_000, 1)) and not torch.equal(ours, oracle.sequences(1_000, 2))
    assert oracle.nll(ours) < oracle.nll(others) - 1
    assert len(opened("oracle:small_test")) == 10_000


# G


def test_published_counts():
    game = gz.create("seqgan")
    assert (weights(game.G), weights(game.D)) == (333_448, 4_085_282)


def test_words_are_drawn_as_the_softmax_says():
    chances = torch.tensor([0.1, 0.0, 0.6, 0.3])
    u = torch.linspace(0, 0.99999, 10_000)
    drawn = at(chances.log().expand(10_000, 4), u)
    torch.testing.assert_close(drawn.bincount(minlength=4) / 10_000, chances, atol=2e-3, rtol=0)


def test_step_by_step_is_all_at_once():
    torch.manual_seed(0)
    net, x = Language(7, 4, 5), torch.randint(7, (3, 6))
    word, state, found = torch.zeros(3, dtype=torch.int64), None, []
    for t in range(6):
        logits, state = net.step(word, state)
        found.append(logits)
        word = x[:, t]
    torch.testing.assert_close(torch.stack(found, 1), net.told(x))


# The game


def test_a_word_is_paid_by_what_becomes_of_it():
    """Where D looks at the first word alone, every way on is worth what it is worth; and g is -E sum Q log G."""
    game = tiny(words=4, length=5)
    game.D.forward = lambda x: torch.where(x[:, 0] == 2, 3.0, -3.0)
    y = torch.tensor([[2, 0, 1, 3, 0], [1, 2, 2, 2, 2]])
    wanted = torch.tensor([3.0, -3.0]).sigmoid()[:, None].expand(2, 5)
    torch.testing.assert_close(game.rewards(y), wanted)
    game.G.language.out.weight.data.zero_()
    game.G.language.out.bias.data.zero_()
    game.lines = lambda n: y
    paid = game.g_loss({"tokens": y})
    assert paid["adv"].item() == pytest.approx(5 * math.log(4) * wanted[:, 0].mean().item())


def test_rollouts_go_on_from_where_a_line_stands():
    """A language that always says the word after the last one, and a D that wants the fourth to be word 3."""
    game = tiny(words=6, length=4)
    follow = torch.full((6, 6), -50.0)
    follow[torch.arange(6), (torch.arange(6) + 1) % 6] = 50

    def step(word, state=None):
        return follow[word], (torch.zeros(1, len(word), 1), torch.zeros(1, len(word), 1))

    game.R.language.step = step
    game.D.forward = lambda x: torch.where(x[:, 3] == 4, 9.0, -9.0)
    q = game.rewards(torch.tensor([[1, 2, 3, 0], [5, 5, 5, 4]]))
    good, bad = torch.tensor([9.0, -9.0]).sigmoid().tolist()
    torch.testing.assert_close(q, torch.tensor([[good, good, good, bad], [bad, bad, bad, good]]))


def test_the_rollout_policy_follows():
    game = tiny()
    game.G.language.out.bias.data.fill_(1.0)
    game.R.language.out.bias.data.fill_(0.0)
    game.follow(0.5)
    assert game.R.language.out.bias[0].item() == pytest.approx(0.2)
    game.catch_up()
    assert game.R.language.out.bias[0].item() == 1


def test_the_game_learns_which_word_is_asked_for():
    """With a D that likes word 1 alone, G comes to say it."""
    torch.manual_seed(0)
    game = tiny(words=5, length=4)
    game.D.forward = lambda x: 6 * (x == 1).float().mean(1) - 3
    step = torch.optim.Adam(game.G.parameters(), 0.03)
    for _ in range(60):
        game.catch_up()
        step.zero_grad()
        game.g_loss({"tokens": torch.zeros(32, 4, dtype=torch.int64)})["adv"].backward()
        step.step()
    assert (game.lines(200) == 1).float().mean() > 0.8


# Samples


def test_a_model_writes_lines(tmp_path, file):
    """Trained on a file, loaded from its directory alone, it writes lines of its words, and is scored."""
    facts = opened(f"lines:{file}").facts()
    args = {key: facts[key] for key in ("words", "tokenizer", "length")}
    gz.fit(tiny(**args, mle=64, d_first=16, images=32), f"lines:{file}", batch_size=8, out=tmp_path / "run")
    model = gz.load(tmp_path / "run")
    rows = model.sample(12, seed=0)
    kind = model.generator.output
    for suffix in (".txt", ".npy", ".png"):
        kind.save(rows, tmp_path / f"x{suffix}")
    assert torch.equal(kind.open(tmp_path / "x.npy"), rows)
    said = (tmp_path / "x.txt").read_text().splitlines()
    assert len(said) == 12 and set(" ".join(said).split()) <= {*LINES.split(), "<unknown>"}
    (score,) = gz.evaluate(model, data=f"lines:{file}", n=10)
    assert score.name == "nll" and 0 < score.value < 3
    (tmp_path / "held.txt").write_text("the dog sat\na dog sat on the cat down\n")  # other words, and longer
    (held,) = gz.evaluate(model, data=f"lines:{tmp_path / 'held.txt'}", n=10)
    assert held.value > score.value
    with pytest.raises(GanzooError, match="has other words"):
        gz.evaluate(model, data="oracle:small", n=10)


def test_lines_are_opened_as_they_were_written(tmp_path):
    kind = Lines((3,), learnt(["a b", "b"], 9))  # b is more frequent than a
    (tmp_path / "x.txt").write_text("a b\nb\n\n")
    assert kind.open(tmp_path / "x.txt").tolist() == [[3, 2, 0], [2, 0, 0], [0, 0, 0]]
    for text in ("a c\n", "a a a a\n"):
        (tmp_path / "x.txt").write_text(text)
        with pytest.raises(GanzooError):
            kind.open(tmp_path / "x.txt")


def test_samples_of_the_oracle_are_scored():
    game = tiny(words=200, length=10)
    from ganzoo_text.scores import nll_oracle

    from ganzoo_core.metrics import EvalConfig, EvalContext

    class Held:
        networks = {"G": game.G}

        def network(self, name):
            return game.G

    context = EvalContext(Held(), opened("oracle:small"), EvalConfig("oracle:small", n=200), 0, lambda *a: None, None)
    scores = {name: value for name, value, _ in nll_oracle(context)}
    assert scores["nll_oracle"] > scores["nll_oracle[data]"] + 1


# BLEU


def test_bleu_by_hand():
    """Of "a b c" in "a b d" and "c": all words, one of two pairs, and shorter ones where nothing is found."""
    references = References([[1, 2, 4], [3]], 3)
    one, two, three = references.bleu([1, 2, 3])
    assert one == pytest.approx(1) and two == pytest.approx(0.5**0.5) and three == pytest.approx((0.5 * 0.1) ** (1 / 3))
    assert references.bleu([1, 1])[0] == pytest.approx(0.5)  # no reference has it twice; of equal distance, the shorter
    assert References([[1, 2, 3, 4]], 1).bleu([1, 2]) == [pytest.approx(math.exp(1 - 4 / 2))]
    assert references.bleu([9]) == [0, 0, 0] and references.bleu([]) == [0, 0, 0]


def test_lines_are_held_against_all_but_themselves():
    same, other = alike([[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6], [7, 8, 9, 7, 8, 9]]), alike([[1, 2], [3, 4]])
    assert same[0] == pytest.approx([1] * 5) == same[1] and same[2] == [0] * 5 and other == [[0] * 5] * 2


def test_bleu_is_that_of_nltk():
    bleu = pytest.importorskip("nltk.translate.bleu_score")
    rows = torch.randint(6, (40, 9), generator=torch.Generator().manual_seed(0)).tolist()
    lines = [row[: 3 + place % 7] for place, row in enumerate(rows)]
    ours = References(lines[:20], 5)
    smooth = bleu.SmoothingFunction().method1
    for line in lines[20:]:
        for n, value in enumerate(ours.bleu(line), 1):
            theirs = bleu.sentence_bleu(lines[:20], line, [1 / n] * n, smoothing_function=smooth)
            assert value == pytest.approx(theirs, abs=1e-9)
    for place, value in enumerate(alike(lines)):
        others = lines[:place] + lines[place + 1 :]
        theirs = bleu.sentence_bleu(others, lines[place], [1 / 3] * 3, smoothing_function=smooth)
        assert value[2] == pytest.approx(theirs, abs=1e-9)

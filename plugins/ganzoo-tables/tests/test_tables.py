"""Files as tables, tables as data, and the three games: planted cases, closed forms, the published counts."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
import torch
from ganzoo_tables.columns import Category, Number, packed, unpacked
from ganzoo_tables.ctgan.networks import packed as packs_of
from ganzoo_tables.ctgan.transform import Transform
from ganzoo_tables.data import of_frame, people, with_median
from ganzoo_tables.kinds import Condition, Tables
from ganzoo_tables.medgan import codes
from ganzoo_tables.modes import modes_of
from ganzoo_tables.scores import Compared, bins, distance, learnt, of_pairs
from ganzoo_tables.tablegan import squares
from ganzoo_tables.tablegan.objective import excess
from ganzoo_tables.types import MOST, RARE
from torch import nn

import ganzoo_core as gz
from ganzoo_core.data import open_dataset
from ganzoo_core.errors import GanzooError
from ganzoo_core.registry.plugins import registry

ROWS = """born,height,pets,member,kind
1980-01-31,1.80,0,yes,a
1990-12-01,1.65,2,no,a
2001-07-15,?,11,yes,a
1985-03-03,1.72,3,,a
1999-09-09,1.905,7,no,a
"""


def opened(data: str, **options):
    zoo = registry()
    return open_dataset(data, datasets=zoo.datasets, views=zoo.views, **options)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    return path


def refusal(data: str) -> str:
    with pytest.raises(GanzooError) as fault:
        opened(data)
    assert "\n" not in str(fault.value)
    return f"{fault.value} {fault.value.hint}"


# What columns are


def test_columns_are_found(file):
    born, height, pets, member, kind = opened(f"csv:{file}").columns
    assert born == Number("born", 0.0, 7836.0, 0, since="1980-01-31")
    assert (height.low, height.high, height.decimals, height.missing) == (1.65, 1.905, 3, pytest.approx(0.2))
    assert (pets.low, pets.high, pets.decimals) == (0, 11, 0)
    assert member.values == ("", "no", "yes") and member.shares == (0.2, 0.4, 0.4)  # a cell without content is a value
    assert kind.values == ("a",) and "constant" in str(kind)


def test_cells_come_back_as_they_were(file):
    table = opened(f"csv:{file}")
    kind = Tables((5,), packed(table.columns))
    (row, *_), (_, _, third, *_) = kind.texts(table.rows[:1]), kind.texts(table.rows)
    assert row == ["1980-01-31", "1.800", "0", "yes", "a"] and third == ["2001-07-15", "", "11", "yes", "a"]
    timed = Number("seen", 0.0, 1.0, 4, since="2020-02-29")
    assert timed.text(timed.value("2020-02-29 13:45")) == "2020-02-29 13:45"
    assert Number("x", -1.0, 1.0, 1).text(-0.01) == "0.0"


def test_what_was_found_is_overruled(file):
    assert isinstance(opened(f"category:pets,height:csv:{file}").columns[2], Category)
    assert isinstance(opened(f"number:pets:csv:{file}").columns[2], Number)
    assert [c.name for c in opened(f"target:born:drop:height,kind:csv:{file}").columns] == ["pets", "member", "born"]
    assert opened(f"filled:height:csv:{file}").columns[1].missing == 0
    assert with_median(("3", "", "10", "9")) == ("3", "9", "10", "9")
    assert opened(f"drop:kind:csv:{file}").info.name == "drop:kind:csv:rows.csv"


def test_rare_values_are_one(tmp_path):
    path = tmp_path / "many.csv"
    often = [f"often{i % 50}" for i in range(5_000)]
    path.write_text(
        "\n".join(["name,x", *(f"{name},{i}.5" for i, name in enumerate([*often, *map(str, range(1, 400))]))])
    )
    table = opened(f"category:name:csv:{path}")
    assert len(table.columns[0].values) == MOST and RARE in table.columns[0].values
    assert any("rare" in note for note in table.notes)
    assert len(table.rows) == 5_399 and sum(table.columns[0].shares) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "0 rows"),
        ("a,b\n1,2\n", "1 rows"),
        ("a,b\n1,2\n1,2,3\n", "line 3: 3 cells"),
        ("a,a\n1,2\n3,4\n", "comes twice"),
        (",b\n1,2\n3,4\n", "is empty"),
        ("1,2\n3,4\n5,6\n", "no header"),
        ("a,b\n1,x\n2,y\n3,z\nfour,w\n5,v\n", "column a, row 4: 'four' is no number"),
        ("name,b\n" + "".join(f"n{i},1.5\n" for i in range(300)), "drop:name"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path, text, words):
    path = tmp_path / "rows.csv"
    path.write_text(text)
    assert words in refusal(f"csv:{path}") or words in str(opened(f"csv:{path}").rows)


def test_other_refusals(tmp_path, file):
    assert "no such file" in refusal("csv:nowhere.csv") and "no such file" in refusal(f"csv:{tmp_path}")
    assert "is no table" in refusal("target:x:digits")
    assert "column" in refusal(f"target:wieght:csv:{file}") and "part already" in refusal(
        "test_rows:train_rows:table:wine"
    )
    assert "leaves no column" in refusal(f"drop:born,height,pets,member,kind:csv:{file}")
    assert f"Say csv:{file}" in refusal(str(file))
    latin = tmp_path / "latin.csv"
    latin.write_bytes("a,b\nü,1\nö,2\n".encode("latin-1"))
    assert "is no UTF-8" in refusal(f"csv:{latin}")
    texts = packed(opened(f"csv:{file}").columns)
    for family in ("medgan", "tablegan"):
        with pytest.raises(GanzooError, match="column height: numbers are missing"):
            gz.create(family, preset="tiny", columns=texts)


def test_other_delimiters_and_data_frames(tmp_path, file):
    pandas = pytest.importorskip("pandas")
    path = tmp_path / "semicolons.csv"
    path.write_bytes(("\ufeff" + ROWS.replace(",", ";")).encode())
    table = opened(f"csv:{path}")
    assert table.columns == opened(f"csv:{file}").columns
    assert of_frame(pandas.read_csv(file)).columns[0] == table.columns[0]


def test_parquet(tmp_path, file):
    pandas, _ = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    pandas.read_csv(file).to_parquet(tmp_path / "rows.parquet")
    assert len(opened(f"parquet:{tmp_path / 'rows.parquet'}")) == 5
    (tmp_path / "no.parquet").write_text("a,b")
    assert "Parquet" in refusal(f"parquet:{tmp_path / 'no.parquet'}")


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("iris", (150, 5)),
        ("wine", (178, 14)),
        ("diabetes", (442, 11)),
        ("breast_cancer", (569, 31)),
        ("people", (10_000, 6)),
    ],
)
def test_sets_that_come_along(name, shape):
    table = opened(f"table:{name}")
    assert table.rows.shape == shape and table.columns[-1].name == ("owner" if name == "people" else "target")
    train, test = (opened(f"{part}_rows:table:{name}") for part in ("train", "test"))
    assert len(train) + len(test) == len(table) and train.columns == table.columns


# Training by sampling


def test_conditions_are_drawn_by_log_frequency_and_rows_satisfy_them():
    table = opened("drop:age,hours,income:table:people")
    batch = table.fetch_augmented([0] * 20_000, range(20_000))
    starts = np.cumsum([0, *(len(column.values) for column in table.columns)])
    counts = torch.bincount(batch["condition"], minlength=starts[-1]).double() / 20_000
    for place, column in enumerate(table.columns):
        often = torch.tensor([math.log1p(share * len(table)) for share in column.shares], dtype=torch.float64)
        found = counts[starts[place] : starts[place + 1]]
        torch.testing.assert_close(found, often / often.sum() / len(table.columns), atol=0.01, rtol=0)
    place = torch.from_numpy(np.searchsorted(starts, batch["condition"].numpy(), "right") - 1)
    wanted = batch["condition"] - torch.from_numpy(starts)[place]
    assert torch.equal(batch["matching"][torch.arange(20_000), place].long(), wanted)
    again = table.fetch_augmented([5, 6], [7, 8])
    assert torch.equal(again["matching"], table.fetch_augmented([1, 2], [7, 8])["matching"])
    plain = table.fetch(range(6))
    assert torch.equal(plain["row"], plain["matching"])


def test_a_condition_is_drawn_by_its_share_and_given_by_name():
    kind = Condition(3, ("a=x", "a=y", "b=z"), None, (0.1, 0.4, 0.5))
    drawn = kind.draw(20_000, torch.Generator().manual_seed(0), torch.device("cpu"))
    torch.testing.assert_close(drawn.bincount() / 20_000, torch.tensor([0.1, 0.4, 0.5]), atol=0.02, rtol=0)
    assert kind.tensor("condition", kind.parse("b=z"), torch.device("cpu")) == 2
    with pytest.raises(GanzooError, match="c=w"):
        kind.tensor("condition", kind.parse("c=w"), torch.device("cpu"))


# CTGAN


def table_of(numbers: int, categories: list[int]) -> tuple[str, ...]:
    """A table of numbers with one mode each, and of categories of so many values."""
    return packed(
        [Number(f"n{i}", 0.0, 1.0, modes=((1.0, 0.5, 0.1),)) for i in range(numbers)]
        + [Category(f"c{i}", tuple(map(str, range(n))), (1 / n,) * n) for i, n in enumerate(categories)]
    )


def weights(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def test_published_counts():
    """Of tables as wide as those that were counted: 40 of 12 values; 1,071 binary codes; 16 x 16."""
    ctgan = gz.create("ctgan", columns=table_of(14, [5, 4, 3]))
    assert (weights(ctgan.G), weights(ctgan.D)) == (164_872, 199_425)
    medgan = gz.create("medgan", columns=table_of(0, [2] * 1071))
    assert weights(medgan.Enc) + weights(medgan.G.dec) == 275_375
    assert (weights(medgan.G.h), weights(medgan.D)) == (49_920, 581_633)
    tablegan = gz.create("tablegan")
    assert (weights(tablegan.G), weights(tablegan.D), weights(tablegan.C)) == (1_130_113, 4_305_665, 4_305_665)


def test_modes_that_were_planted_are_found():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(-5, 0.5, 3_000), rng.normal(10, 2, 1_000)])
    found = modes_of(x)
    below = [(share, mean) for share, mean, _ in found if mean < 2]
    assert sum(share for share, _ in below) == pytest.approx(0.75, abs=0.01) and len(found) < 10
    assert sum(share * mean for share, mean in below) / 0.75 == pytest.approx(-5, abs=0.1)
    assert modes_of(np.full(50, 3.0))[0][1] == 3


def test_rows_go_into_modes_and_back(file):
    table = opened(f"csv:{file}")
    transform = Transform(table.with_modes)
    t = transform.encode(table.rows)
    assert t.shape == (5, transform.width)
    torch.testing.assert_close(transform.decode(t), table.rows, equal_nan=True, atol=1e-2, rtol=1e-4)
    for span in transform.spans:
        assert torch.equal(t[:, span.choice].sum(1), torch.ones(5))


def test_a_number_belongs_to_its_modes_by_how_likely_they_are():
    column = Number("x", -9.0, 9.0, modes=((0.75, -1.0, 1.0), (0.25, 1.0, 1.0)))
    torch.manual_seed(0)
    t = Transform([column]).encode(torch.zeros(20_000, 1))
    assert t[:, 1].mean() == pytest.approx(0.75, abs=0.02)  # as likely in both: by their shares
    assert set(t[:, 0].abs().tolist()) == {0.25}  # (0 - mu) / (4 sigma)


def test_the_gumbel_softmax_draws_as_the_softmax_says():
    transform = Transform([Category("c", ("a", "b", "c"), (0.2, 0.3, 0.5))])
    torch.manual_seed(0)
    drawn = transform.activated(torch.tensor([0.2, 0.3, 0.5]).log().expand(20_000, 3))
    torch.testing.assert_close(drawn.argmax(1).bincount() / 20_000, torch.tensor([0.2, 0.3, 0.5]), atol=0.02, rtol=0)
    assert drawn.max(1).values.mean() > 0.85


def test_packs():
    x = torch.arange(12.0).view(6, 2)
    assert torch.equal(packs_of(x, 3), x.view(2, 6))
    assert torch.equal(packs_of(x[:2], 4), torch.cat([x[:2], x[:2]]).view(1, 8))


def test_what_was_asked_for_is_paid_for():
    """CE of the value that was asked for, in its column alone."""
    game = gz.create("ctgan", preset="tiny", columns=table_of(1, [2, 4]))
    game.G.out.weight.data.zero_()
    game.G.out.bias.data.zero_()
    m = torch.tensor([0, 1, 2, 5])  # the first two of the column of two, the others of that of four
    paid = game.g_loss({"condition": m})["condition"]
    assert paid.item() == pytest.approx((math.log(2) + math.log(4)) / 2)


def test_tables_without_categories_have_no_condition():
    game = gz.create("ctgan", preset="tiny", columns=table_of(2, []))
    assert set(game.G.inputs) == {"z"} and game.G.sample(3, seed=0).shape == (3, 2)
    rows = torch.rand(4, 2)
    assert set(game.d_loss({"matching": rows, "condition": torch.zeros(4, dtype=torch.int64)})) == {
        "real",
        "fake",
        "gp",
    }


# medGAN, table-GAN


def test_codes_and_squares_come_back():
    columns = unpacked(table_of(2, [2, 3, 1]))
    rows = torch.tensor([[0.25, 1.0, 1, 2, 0], [0.5, 0.0, 0, 0, 0]])
    bits = codes.encode(columns, rows)
    assert bits.shape == (2, 2 + 1 + 3 + 1) and bits[0].tolist() == [0.25, 1, 1, 0, 0, 1, 1]
    torch.testing.assert_close(codes.decode(columns, bits), rows)
    cells = squares.encode(columns, rows, 4)
    assert cells.shape == (2, 1, 4, 4) and cells[0].flatten()[:5].tolist() == [-0.5, 1, 1, 1, -1]
    assert not cells[0].flatten()[5:].any()
    torch.testing.assert_close(squares.decode(columns, cells), rows)


def test_minibatch_averaging_sees_the_batch():
    """D's score of a record depends on the others, through their mean alone."""
    D = gz.create("medgan", preset="tiny").D
    x = torch.rand(4, D.main[0].in_features // 2)
    moved = x.clone()
    moved[1] += 0.1
    moved[2] -= 0.1
    torch.testing.assert_close(D(x)[0], D(moved)[0])
    moved[3] += 1
    assert not torch.allclose(D(x)[0], D(moved)[0])


def test_the_label_is_hidden_from_the_classifier_and_moments_have_room():
    columns = unpacked(table_of(2, [2]))
    label, rest = squares.label(squares.encode(columns, torch.tensor([[0.5, 1.0, 1.0]]), 4), 2)
    assert label.tolist() == [1] and not rest.flatten()[2].any() and rest.flatten()[1] == 1
    assert excess(torch.zeros(4), torch.ones(4), 0.5) == 1.5 and excess(torch.zeros(4), torch.ones(4), 3.0) == 0


# Samples


def test_rows_are_saved_and_opened(tmp_path, file):
    table = opened(f"csv:{file}")
    kind = Tables((5,), packed(table.with_modes))
    for suffix in (".csv", ".npy"):
        kind.save(table.rows, tmp_path / f"x{suffix}")
        torch.testing.assert_close(kind.open(tmp_path / f"x{suffix}"), table.rows, equal_nan=True)
    with (tmp_path / "x.csv").open() as lines:
        assert next(csv.reader(lines)) == ["born", "height", "pets", "member", "kind"]
    assert kind.picture(table.rows).size == kind.picture(table.rows.flip(0)).size
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(GanzooError, match="has the columns a, b"):
        kind.open(tmp_path / "other.csv")
    (tmp_path / "odd.csv").write_text("born,height,pets,member,kind\n1980-01-31,1.8,0,perhaps,a\n")
    with pytest.raises(GanzooError, match="row 1: 'perhaps' is no value of member"):
        kind.open(tmp_path / "odd.csv")


@pytest.mark.parametrize("family", ["ctgan", "medgan", "tablegan"])
def test_a_model_knows_its_table(tmp_path, family):
    """Trained on a file, loaded from its directory alone, it writes rows of that table; and is scored beside it."""
    path = tmp_path / "wine.csv"
    wine = opened("table:wine")
    kind = Tables((14,), packed(wine.columns))
    kind.save(wine.rows, path)
    columns = opened(f"csv:{path}").facts()["columns"]
    game = gz.create(family, preset="tiny", columns=columns)
    gz.fit(game, f"csv:{path}", images=400, batch_size=20, out=tmp_path / "run", callbacks=())
    model = gz.load(tmp_path / "run")
    rows = model.sample(40, seed=0)
    model.generator.output.save(rows, tmp_path / "rows.csv")
    lines = (tmp_path / "rows.csv").read_text().splitlines()
    assert lines[0] == path.read_text().splitlines()[0] and len(lines) == 41
    torch.testing.assert_close(model.generator.output.open(tmp_path / "rows.csv"), rows, atol=0.5, rtol=0)
    assert model.config["output"]["names"][-1] == "target"
    scores = {score.name: score.value for score in gz.evaluate(model, data=f"csv:{path}", n=150)}
    assert scores["tstr[real]"] > 0.9 and scores["columns[real]"] < scores["columns"] and "closest[held out]" in scores
    with pytest.raises(GanzooError, match="the model's column alcohol"):
        gz.evaluate(model, data="table:iris", n=20)


def test_a_sheet_of_the_data_shows_their_cells(tmp_path):
    from click.testing import CliRunner

    from ganzoo_core.cli.data_ import data_

    done = CliRunner().invoke(data_, ["table:iris", "-o", str(tmp_path / "sheet.png")], catch_exceptions=False)
    assert done.exit_code == 0 and "sepal length" in done.output
    assert (tmp_path / "sheet.png").stat().st_size > 2_000


# Scores


def planted(made: np.ndarray) -> Compared:
    rng = np.random.default_rng(1)
    u = rng.random((4_000, 1))
    rows = np.concatenate([u, (u > 0.5).astype(float)], 1)
    columns = (Number("x", 0.0, 1.0), Category("y", ("no", "yes"), (0.5, 0.5)))
    return Compared(columns, made, rows[:3_000], rows[3_000:], made)


def test_scores_know_what_was_planted():
    rng = np.random.default_rng(0)
    alone = np.stack([rng.random(3_000), (rng.random(3_000) > 0.5).astype(float)], 1)
    rows = planted(alone)
    assert learnt(rows.columns, rows.train, rows.test)["auc"] > 0.99
    assert learnt(rows.columns, alone, rows.test)["auc"] < 0.65
    assert of_pairs(rows, rows.test) < 0.1 and of_pairs(rows, alone) > 0.4
    assert distance(rows.columns[0], alone[:, 0], alone[:, 0] / 2) == pytest.approx(0.5, abs=0.02)
    assert distance(rows.columns[1], np.zeros(4), np.array([0.0, 0, 1, 1])) == 0.5
    lost = np.array([np.nan, np.nan, 0.5, 0.7])
    assert distance(rows.columns[0], lost, np.array([0.5, 0.7])) == 0.5  # what is missing counts
    assert bins(rows.columns[0], rows.train[:, 0], lost)[1][0] == 0


def test_people_are_what_the_formulas_say():
    cells = dict(zip(*people(), strict=True))
    income, age = (np.array(cells[name], float) for name in ("income", "age"))
    owner = np.array(cells["owner"]) == "yes"
    assert (
        0.4 < owner.mean() < 0.6
        and income[owner].mean() > income[~owner].mean()
        and age[owner].mean() > age[~owner].mean()
    )

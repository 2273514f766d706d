"""Kinds, tables and tunes; the three games by hand; scores that know the answer; every verb."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from ganzoo_series import midi, scores
from ganzoo_series.data import PixelRows, open_midi, open_sines, open_table, open_tunes
from ganzoo_series.kinds import Notes, Series
from ganzoo_series.timegan import apart, gated, rmse
from processes import ganzoo
from torch.nn.functional import softplus

from ganzoo_core.data import DATASETS, open_dataset
from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import Objective
from ganzoo_core.registry.recipes import build, recipe


def game(family: str, preset: str = "tiny", **given: object) -> Objective:
    return build(recipe(family, preset=preset, given=given))


def count(net: torch.nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


# Kinds and files


@pytest.mark.parametrize("kind", [Series((5, 3)), Notes((5, 4))], ids=["series", "notes"])
def test_samples_are_shown_saved_and_opened(kind: Series, tmp_path: Path) -> None:
    torch.manual_seed(0)
    x = torch.rand(4, *kind.shape) * 2 - 1
    for suffix in (".csv", ".npy"):
        kind.save(x, tmp_path / f"x{suffix}")
        torch.testing.assert_close(kind.open(tmp_path / f"x{suffix}"), x, atol=1e-6, rtol=0)
    header, first = (tmp_path / "x.csv").read_text().splitlines()[:2]
    assert header == ",".join(["sample", "step", *kind.names]) and first.startswith("0,0,")
    kind.save(x, tmp_path / "x.png")
    with PIL.Image.open(tmp_path / "x.png") as picture:
        assert picture.size == (256, 144) and len(picture.getcolors(1 << 16)) > 3
    kind.save_each(x, tmp_path)
    assert {path.name for path in tmp_path.glob("0000*")} == {f"{i:05d}{kind.suffixes[0]}" for i in range(4)}
    with pytest.raises(GanzooError, match=r"not saved as \.gif"):
        kind.save(x, tmp_path / "x.gif")


def test_what_is_no_file_of_series_is_refused(tmp_path: Path) -> None:
    wrong = {
        "a.csv": b"sample,x0\n0,1\n",
        "b.npy": b"no",
        "c.csv": b"x0\n\xff\n",
        "d.csv": b"sample,x0\n0,1\n0,2\n1,1\n",
    }
    for name, data in wrong.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(GanzooError, match=name):
            Series((5, 3)).open(tmp_path / name)
    with pytest.raises(GanzooError, match="cannot be read"):
        Series((5, 3)).open(tmp_path / "gone.csv")


def test_tunes_are_files_of_midi(tmp_path: Path) -> None:
    x = open_tunes(None, "").fetch([0, 1])["notes"]
    assert x.shape == (2, 16, 4) and x.abs().max() <= 1
    kind = Notes((16, 4))
    kind.save(x[:1], tmp_path / "x.mid")
    torch.testing.assert_close(kind.open(tmp_path / "x.mid"), x[:1], atol=0.01, rtol=0)
    data = (tmp_path / "x.mid").read_bytes()
    assert data[:14] == b"MThd\0\0\0\6\0\0\0\1\0\x60" and data[14:18] == b"MTrk"
    assert int.from_bytes(data[18:22], "big") == len(data) - 22  # one track that says how long it is
    kind.save(x, tmp_path / "two.mid")
    assert len(midi.read(tmp_path / "two.mid")) == 32


def test_midi_of_others_is_read(tmp_path: Path) -> None:
    """Running status, a note ended by velocity 0, a text, a programme change; a note that never ends is none."""
    track = bytes.fromhex("00ff010361626300c00500903c40604040603c000040000090414000ff2f00")
    path = tmp_path / "theirs.mid"
    path.write_bytes(b"MThd" + bytes.fromhex("00000006000000010060") + b"MTrk" + len(track).to_bytes(4, "big") + track)
    assert midi.read(path) == [midi.Note(0, 2, 60, 64), midi.Note(1, 1, 64, 64)]
    for wrong, said in ((b"RIFF", "is no MIDI file"), (path.read_bytes()[:14], "has no notes"), (b"MThd\0", "theirs")):
        path.write_bytes(wrong)
        with pytest.raises(GanzooError, match=said):
            midi.read(path)


# Data


def test_a_table_is_cut_into_windows(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("day,high,low\n" + "".join(f"2020-01-{i + 1:02d},{i},{10 - 2 * i}\n" for i in range(6)))
    found = open_table(str(path), {}, "4")
    assert (
        len(found) == 3 and found.facts()["length"] == 4 and found.facts()["features"] == 2 and "day" in found.notes[0]
    )
    torch.testing.assert_close(found.fetch([1])["series"][0, :, 0], torch.arange(1, 5) / 2.5 - 1)
    torch.testing.assert_close(found.fetch([1])["series"][0, :, 1], 1 - torch.arange(1, 5) / 2.5)
    path.write_text("sample,x\n" + "".join(f"{i // 5},{i}\n" for i in range(10)))
    assert len(open_table(str(path), {}, "4")) == 4  # no window reaches from one sample into the next


@pytest.mark.parametrize(
    ("text", "steps", "said"),
    [
        ("x\n1\n2\n", "4", "no series of 4 rows"),
        ("x\n1\n1\n", "2", "column x never changes"),
        ("x,y\n1,2\n2,\n", "2", "row 3, column y: has no number"),
        ("x,y\n1,2\n2\n", "2", "is no table"),
        ("x\nred\nblue\n", "2", "has no column of numbers"),
        ("", "2", "is no table"),
        ("x\n1\n2\n", "many", "windows of many steps"),
    ],
)
def test_tables_that_do_not_fit_are_refused(text: str, steps: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(GanzooError, match=said):
        open_table(str(tmp_path / "mine.csv"), {}, steps)


def test_a_folder_of_midi_is_cut_into_windows(tmp_path: Path) -> None:
    x = open_tunes(None, "").fetch([0, 1])["notes"]
    Notes((16, 4)).save(x, tmp_path / "two.mid")
    found = open_midi(str(tmp_path), {})
    assert len(found) == 17 and found.facts()["length"] == 16
    torch.testing.assert_close(found.fetch([0])["notes"], x[:1], atol=0.01, rtol=0)
    (tmp_path / "two.mid").unlink()
    with pytest.raises(GanzooError, match=r"no \.mid of 16 notes"):
        open_midi(str(tmp_path), {})


def test_sines_are_sines() -> None:
    x = open_sines(None, "").fetch(range(50))["series"].double()
    assert x.shape == (50, 24, 5)
    bent = x[:, 2:] + x[:, :-2]  # sin(a + f) + sin(a - f) = 2 cos f sin a
    ratio = (bent / x[:, 1:-1])[:, 3:]
    assert (ratio.std(1) < 1e-2).all() and (ratio <= 2.001).all()
    assert not torch.equal(open_sines(None, "test").fetch([0])["series"], x[:1].float())
    assert open_sines(None, "waves").fetch([0])["series"].shape == (1, 30, 1)


def test_rows_of_pictures_are_moments() -> None:
    digits = open_dataset("digits", image_size=8, datasets={entry.name: entry for entry in DATASETS})
    rows = PixelRows(digits)
    assert rows.facts()["length"] == rows.facts()["features"] == 8 and rows.info.classes == 10
    one, picture = rows.fetch([3]), digits.fetch([3])
    assert torch.equal(one["series"], picture["x"][:, 0]) and one["label"] == picture["label"]


# Games


def test_timegan_has_the_published_counts() -> None:
    """Of Google's stocks, six columns. Every GRU here has a second bias of 3 x 24 in each layer."""
    with torch.device("meta"):
        made = game("timegan", "paper", features=6)
    nets, layers = (made.E, made.G.R, made.G.main, made.G.S, made.D), (3, 3, 3, 2, 3)
    counts = [count(net) - 72 * n for net, n in zip(nets, layers, strict=True)]
    assert counts == [9_888, 10_734, 9_888, 7_656, 10_609]


def test_timegans_losses_by_hand() -> None:
    made = game("timegan", gamma=2.0, rest=0.0)
    torch.manual_seed(0)
    batch = {"series": torch.rand(16, 8, 3) * 2 - 1}
    x = (batch["series"] + 1) / 2
    with torch.no_grad():
        h = made.E(x)
        foretold = (made.G.S(h)[:, :-1] - h[:, 1:]).square().mean().item()
        recovery = (made.G.R(h) - x).square().mean().sqrt().item()
        torch.manual_seed(1)
        g = {name: term.item() for name, term in made.g_loss(batch).items()}
        torch.manual_seed(1)
        d = {name: term.item() for name, term in made.d_loss(batch).items()}
        torch.manual_seed(1)
        e = made.G.main(made.G.prior(16))
        real, led, alone = made.D(h), made.D(made.G.S(e)), made.D(e)
        series = made.G.R(made.G.S(e))
    assert made.recovery_loss(batch)["recovery"].item() == pytest.approx(10 * recovery, rel=1e-4)
    assert made.supervised_loss(batch)["foretold"].item() == pytest.approx(foretold, rel=1e-4)
    assert made.e_loss(batch)["foretold"].item() == pytest.approx(0.1 * foretold, rel=1e-4)
    assert g["adv"] == pytest.approx(softplus(-led).mean().item(), rel=1e-4)
    assert g["adv_e"] == pytest.approx(2 * softplus(-alone).mean().item(), rel=1e-4)
    assert g["foretold"] == pytest.approx(100 * foretold**0.5, rel=1e-4)
    assert g["moments"] == pytest.approx(100 * apart(series, x).item(), rel=1e-4)
    assert d["real"] + d["fake"] == pytest.approx((softplus(-real).mean() + softplus(led).mean()).item(), rel=1e-4)
    assert d["fake_e"] == pytest.approx(2 * softplus(alone).mean().item(), rel=1e-4)
    z = made.G.prior(4)
    torch.testing.assert_close(made.G(z), 2 * made.G.R(made.G.S(made.G.main(z))) - 1)


def test_moments_are_told_apart_at_every_step() -> None:
    torch.manual_seed(0)
    x = torch.rand(4000, 3, 2)
    assert apart(x, x).item() == 0 and apart(x + 0.5, x).item() == pytest.approx(0.5, abs=1e-4)
    assert apart(3 * (x - 0.5), x - 0.5).item() == pytest.approx(2 * 12**-0.5, abs=0.05)
    assert rmse(x + 0.25, x).item() == pytest.approx(0.25, rel=1e-4)


def test_a_gate_lets_a_gradient_through_or_not() -> None:
    for least, slope in ((0.5, 2.0), (5.0, 0.0)):
        w = torch.tensor(2.0, requires_grad=True)
        terms = gated({"a": 0.5 * w, "b": 1.5 * w - 2}, least)
        sum(terms.values()).backward()
        assert {name: term.item() for name, term in terms.items()} == {"a": 1.0, "b": 1.0}
        assert w.grad is not None and w.grad.item() == slope


def test_rcgan_judges_every_step_with_the_label_beside_it() -> None:
    made = game("rcgan")
    assert made.needs == {"series", "label"} and game("rcgan", classes=0).needs == {"series"}
    torch.manual_seed(0)
    x, y = torch.rand(5, 8, 2) * 2 - 1, torch.tensor([0, 1, 2, 0, 1])
    assert made.D(x, y).shape == (5, 8) and not torch.allclose(made.D(x, y), made.D(x, (y + 1) % 3))
    late = x.clone()
    late[:, 5:] += 1
    torch.testing.assert_close(made.D(late, y)[:, :5], made.D(x, y)[:, :5])  # nobody looks ahead
    with torch.no_grad():
        torch.manual_seed(1)
        d = made.d_loss({"series": x, "label": y})
        torch.manual_seed(1)
        fake = made.G(made.G.prior(5), y)
    assert d["real"].item() == pytest.approx(softplus(-made.D(x, y)).mean().item(), rel=1e-5)
    assert d["fake"].item() == pytest.approx(softplus(made.D(fake, y)).mean().item(), rel=1e-5)


def test_c_rnn_gan_hears_what_it_said() -> None:
    made = game("c_rnn_gan")
    torch.manual_seed(0)
    z = made.G.prior(3)
    with torch.no_grad():
        x = made.G(z)
        torch.testing.assert_close(made.G.told(z, x), x)  # told what it says itself, it goes on as it does alone
        other = x.clone()
        other[:, 2] += 0.5
        told = made.G.told(z, other)
        assert torch.equal(told[:, :3], made.G.told(z, x)[:, :3]) and not torch.allclose(told[:, 3:], x[:, 3:])
        scores, mirrored = made.D(x), made.D(x.flip(1))
    assert scores.shape == (3,) and not torch.allclose(scores, mirrored)
    next_loss = made.next_loss({"notes": x})
    assert next_loss["next"].item() < 0.5 and all(p.name in {"G", "D"} for ph in made.phases() for p in ph.players)


def test_c_rnn_gans_d_rests_while_it_is_ahead() -> None:
    made, notes = game("c_rnn_gan"), {"notes": torch.rand(4, 6, 4) * 2 - 1}
    for ahead, moves in ((0.0, True), (100.0, False)):
        made.ahead = ahead
        made.zero_grad()
        sum(made.d_loss(notes).values()).backward()
        assert bool(made.D.head.weight.grad.abs().sum() > 0) == moves


# Scores


@pytest.mark.slow
def test_scores_know_the_answer() -> None:
    torch.manual_seed(0)
    phase, other = torch.rand(2, 600, 1, 1)
    t = torch.arange(12)[:, None] / 12
    real, again = ((torch.sin(6.28 * (t + p)).repeat(1, 1, 8) + 1) / 2 for p in (phase, other))
    noise = torch.rand(600, 12, 8)
    assert scores.told_apart(real, noise, 0, 200) > 0.95 and scores.told_apart(real, again, 0, 200) < 0.6
    assert scores.foretold(again, real, 0, 200) < 0.9 * scores.foretold(noise, real, 0, 200)
    y = (torch.arange(600) % 2)[:, None, None]
    x, y = noise * 0.5 + 0.5 * y, y.flatten()
    assert scores.named((x[:300], y[:300]), (x[300:], y[300:]), 0, 100) > 0.95
    before = torch.get_rng_state()
    scores.told_apart(real, noise, 1, 2)
    assert torch.equal(before, torch.get_rng_state())


# The command line


@pytest.mark.slow
def test_every_verb_knows_series(tmp_path: Path) -> None:
    """One's own table, from training to files: its length and its columns need not be said."""
    table, run = tmp_path / "mine.csv", tmp_path / "run"
    rows = np.sin(np.arange(200)[:, None] / (3, 5, 9))
    table.write_text("a,b,c\n" + "".join(",".join(f"{v:.5f}" for v in row) + "\n" for row in rows))
    small = [word for pair in ("hidden=6", "layers=1", "images_e=400", "images_s=400") for word in ("-c", pair)]
    words = ("--preset", "paper", "--batch-size", 16, *small, "-c", "images=800")
    done = ganzoo("train", "timegan", "--data", f"windows:12:{table}", *words, "--out", run)
    assert done.returncode == 0, done.stderr
    config = json.loads((run / "model" / "config.json").read_text())
    assert config["output"] == {"kind": "series", "shape": [12, 3], "range": [-1.0, 1.0]}
    done = ganzoo("sample", run, "-n", 3, "-o", tmp_path / "x.csv")
    assert done.returncode == 0 and len((tmp_path / "x.csv").read_text().splitlines()) == 1 + 3 * 12, done.stderr
    assert ganzoo("report", run, "-o", tmp_path / "r.html").returncode == 0
    assert "timegan" in ganzoo("list", "--task", "series").stdout
    said = ganzoo("eval", run, "--data", f"windows:12:{table}", "--metric", "tstr_series")
    assert said.returncode == 2 and "tstr_series: of series that are made for a label" in said.stderr
    said = ganzoo("train", "timegan", "--data", "digits", "--out", tmp_path / "no")
    assert said.returncode == 2 and "Give rows:DATA" in said.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("family", "data"), [("timegan", "sines"), ("c_rnn_gan", "tunes"), ("rcgan", "rows:digits")])
def test_the_commands_of_the_readme(family: str, data: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    given = {"timegan": ["-c", "images_e=640", "-c", "images_s=640"], "c_rnn_gan": ["-c", "images_g=640"]}
    classes = ["-c", "classes=10"] if family == "rcgan" else []
    words = ("-c", "hidden=8", "-c", "images=1280", "--batch-size", 32, *given.get(family, []), *classes)
    done = ganzoo("train", family, "--data", data, "--preset", "paper", *words, "--out", run)
    assert done.returncode == 0, done.stderr
    done = ganzoo("eval", run, "--data", data, "-n", 500, "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["metrics"]
    assert {"discriminative", "predictive", "predictive[data]"} <= {row["name"] for row in rows}


def test_an_array_of_ones_own_as_the_docs_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/own-data.md, with fewer examples."""
    text = (Path(__file__).parents[3] / "docs" / "own-data.md").read_text("utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len([line for line in block.splitlines() if line.strip()]) <= 15
    t, rng = np.arange(20), np.random.default_rng(0)
    np.save(tmp_path / "mine.npy", np.stack([np.stack([np.sin(t * f), 5 + np.cos(t * f)]) for f in rng.random(60)]))
    monkeypatch.chdir(tmp_path)
    exec(block.replace("100_000", "300"), {})
    assert np.load("made.npy").shape == (100, 2, 20)

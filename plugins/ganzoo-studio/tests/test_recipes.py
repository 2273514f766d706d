"""Pages inside a latent space: the command and the Python that they show give the very bytes that they show."""

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from ganzoo_latent import directions
from ganzoo_latent.activations import layer_of
from ganzoo_latent.cli.latent import latent
from ganzoo_latent.dissection import silenced
from ganzoo_studio import recipes
from ganzoo_studio.asking import Ask
from ganzoo_studio.latent import OUT, painter, point_of
from ganzoo_studio.shelf import Seat
from PIL import Image

import ganzoo_core as gz

LABELS = {"cgan.mnist": ("7",), "biggan.mnist": ("7",)}
MODELS = ["dcgan.mnist", "cgan.mnist", "stylegan2.emoji32"]
SPLIT = "biggan.mnist"  # no layer is given its whole point


def begun(source, folder, seed=3):
    """A model and an ask; a picture lies in the folder."""
    net = gz.load(source).generator
    noise = np.random.default_rng(0).integers(0, 255, (32, 32), np.uint8)
    Image.fromarray(noise).save(folder / "input.png")
    return net, Ask(Seat(source, ""), folder, 1, seed, LABELS.get(source, ()))


def by_command(made, folder, monkeypatch):
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    words = shlex.split(made.shell)
    assert words[:2] == ["ganzoo", "latent"] and words[-2:] == ["-o", OUT]
    done = CliRunner().invoke(latent, [*words[2:], "--force"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return Path(OUT).read_bytes()


def by_python(made, folder, monkeypatch):
    monkeypatch.chdir(folder)
    Path(OUT).unlink(missing_ok=True)
    exec(made.python, {})
    return Path(OUT).read_bytes()


SEARCHES = {
    "projection": lambda ask, net: recipes.projection(ask, net, "input.png", [*net.spaces()][-1], 10),
    "strips": lambda ask, net: recipes.strips(ask, net, "4", 2),
    "colours": recipes.colours,
    "drag": lambda ask, net: recipes.drag(ask, net, "4", (8, 8, 20, 12), 10),
}


@pytest.mark.slow
@pytest.mark.parametrize("source", MODELS)
@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_is_made_again_from_python(name, source, tmp_path, monkeypatch):
    net, ask = begun(source, tmp_path)
    made = SEARCHES[name](ask, net)
    assert by_command(made, tmp_path, monkeypatch) == by_python(made, tmp_path, monkeypatch)


@pytest.mark.parametrize("source", MODELS)
def test_what_a_slider_shows_is_made_again(source, tmp_path, monkeypatch):
    net, ask = begun(source, tmp_path)
    made, brush = recipes.movement(ask, net, "3", 2, -1.25), painter(net, ask)
    there = directions.moved(brush, point_of(brush, "3", tmp_path), directions.strongest(brush, 2), [(2, -1.25)])
    assert "data:image/png" in made.save(brush.pictures(there), 1, "moved")
    shown = (tmp_path / OUT).read_bytes()
    assert by_command(made, tmp_path / "again", monkeypatch) == shown
    assert by_python(made, tmp_path / "again", monkeypatch) == shown


@pytest.mark.slow
def test_where_nothing_linear_sees_a_point_pca_finds_ways(tmp_path, monkeypatch):
    net, ask = begun(SPLIT, tmp_path)
    assert not directions.first_weights(painter(net, ask))
    for made in (recipes.strips(ask, net, "3", 2, "pca"), recipes.movement(ask, net, "3", 2, 2.0)):
        assert by_command(made, tmp_path, monkeypatch) == by_python(made, tmp_path, monkeypatch)


@pytest.mark.parametrize("source", MODELS)
@pytest.mark.parametrize("units", [[], [5, 1]])
def test_silenced_units_are_made_again(source, units, tmp_path, monkeypatch):
    net, ask = begun(source, tmp_path)
    brush = painter(net, ask, ask.seed)
    layer = layer_of(brush)
    made = recipes.silence(ask, net, layer, units, 8)
    made.save(silenced(brush, layer, units, brush.draw(8)), 8, "silenced")
    shown = (tmp_path / OUT).read_bytes()
    assert by_command(made, tmp_path / "again", monkeypatch) == shown
    assert by_python(made, tmp_path / "again", monkeypatch) == shown


def test_a_point_that_was_found_goes_on(tmp_path, monkeypatch):
    """What one page has found is where the next begins, for the command and for Python."""
    net, ask = begun("dcgan.mnist", tmp_path)
    by_command(recipes.movement(ask, net, "3", 1, 1.0), tmp_path, monkeypatch)
    (tmp_path / "found.safetensors").rename(tmp_path / "point.safetensors")
    made = recipes.movement(replace(ask, seed=0), net, "point.safetensors", 1, 0.5)
    assert by_command(made, tmp_path, monkeypatch) == by_python(made, tmp_path, monkeypatch)
    brush = painter(net, ask)
    start = point_of(brush, "point.safetensors", tmp_path)
    there = directions.moved(brush, start, directions.strongest(brush, 1), [(1, 0.5)])
    made.save(brush.pictures(there), 1, "moved")
    assert (tmp_path / OUT).read_bytes() == by_command(made, tmp_path, monkeypatch)

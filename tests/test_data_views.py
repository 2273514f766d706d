"""Pairs, unpaired domains, holes, small copies and whole pictures: what families that translate are trained on."""

from __future__ import annotations

import json
import os
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from ganzoo_core.data import DATASETS, STYLES, Dataset, Emoji, how_to_have, open_dataset, stream
from ganzoo_core.data.catalog import EMOJI_PAIRS
from ganzoo_core.data.sets.emoji import is_held_out
from ganzoo_core.data.sets.emoji_pairs import UNPAIRED, edges, gray
from ganzoo_core.data.views.masks import central_box, random_region
from ganzoo_core.data.views.pairs import Augment, Pairs, Unpaired, jittered, mirrored
from ganzoo_core.errors import GanzooError, UnknownNameError

NAMES = {dataset.name: dataset for dataset in DATASETS}
REAL = Path(os.environ.get("GANZOO_DATA", "/nowhere"))


def opened(data: str | Path, **options: object) -> Dataset:
    return open_dataset(str(data), datasets=NAMES, **options)  # type: ignore[arg-type]


def refused(data: str | Path, **options: object) -> str:
    with pytest.raises(GanzooError) as caught:
        opened(data, **options)
    assert caught.value.exit_code == 2 and "\n" not in str(caught.value)
    return str(caught.value)


def drawn(path: Path, size: tuple[int, int] = (32, 32), seed: int = 0) -> Path:
    """A picture (width, height) of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(path)
    return path


def first(source: Dataset, n: int = 4, seed: int = 0, start: int = 0, workers: int = 0) -> dict[str, Tensor]:
    batches = stream(source, batch_size=n, seed=seed, start=start, workers=workers)
    batch = next(batches)
    batches.close()
    return batch


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


# Augmentation


def test_a_jittered_picture_is_a_part_of_the_enlarged_one() -> None:
    x = torch.rand(1, 3, 256, 256) * 2 - 1
    large = interpolate(x, size=(286, 286), mode="bicubic").clamp(-1, 1)
    got = jittered(x, [12345])
    parts = (large[..., t : t + 256, s : s + 256] for t in range(31) for s in range(31))
    assert any(torch.equal(got, part) or torch.equal(got, part.flip(-1)) for part in parts)
    assert torch.equal(got, jittered(x, [12345])) and not torch.equal(got, jittered(x, [12346]))


@pytest.mark.parametrize("augment", [jittered, mirrored])
def test_an_example_is_augmented_by_its_own_number_alone(augment: Augment) -> None:
    x = torch.rand(3, 1, 16, 16)
    together = augment(x, [7, 8, 9])
    assert torch.equal(together[1:2], augment(x[1:2], [8]))


@pytest.mark.parametrize("data", ["shapes:pairs", "masked_regions:digits", "x4:crops:FOLDER", "unpaired:A::B", "A::B"])
def test_a_stream_goes_on_as_if_it_had_never_stopped_and_workers_change_nothing(tmp_path: Path, data: str) -> None:
    for i in range(3):
        for side in "AB":
            drawn(tmp_path / side / f"{i}.png", seed=i)
    for name in ("FOLDER", "A::B", "A", "B"):
        if data.endswith(name):
            place = f"{tmp_path}/A::{tmp_path}/B" if name == "A::B" else f"{tmp_path}/A"
            source = opened(data.removesuffix(name) + place, image_size=16)
            break
    else:
        source = opened(data)
    whole = list(islice(stream(source, batch_size=2, seed=3), 6))
    assert same(whole[4], first(source, 2, seed=3, start=8))
    assert same(whole[0], first(source, 2, seed=3, workers=1))
    again = first(source, 4, seed=3)  # batches are cut otherwise, examples are not
    assert all(torch.equal(again[key], torch.cat([whole[0][key], whole[1][key]])) for key in again)


# Pairs


def test_two_folders_are_paired_by_name(tmp_path: Path) -> None:
    for i, name in enumerate(("one", "two", "three")):
        drawn(tmp_path / "A" / f"{name}.png", seed=i)
        drawn(tmp_path / "B" / f"{name}.bmp", seed=i)
    source = opened(f"{tmp_path}/A::{tmp_path}/B")
    assert isinstance(source, Pairs) and len(source) == 3 and source.info.keys == {"a", "b"}
    batch = source.fetch(range(3))
    assert torch.equal(batch["a"], batch["b"])
    augmented = first(source, 3)
    assert torch.equal(augmented["a"], augmented["b"])  # the same part and the same flip
    assert not any(torch.equal(x, y) for x in augmented["a"] for y in batch["a"])


def test_pictures_without_partners_are_named(tmp_path: Path) -> None:
    drawn(tmp_path / "A" / "one.png")
    drawn(tmp_path / "B" / "two.png")
    text = refused(f"{tmp_path}/A::{tmp_path}/B")
    assert "one.png has no partner" in text and "unpaired:A::B" in text
    drawn(tmp_path / "B" / "one.png")
    assert "1 and 2 images" in refused(f"paired:{tmp_path}/A::{tmp_path}/B")
    assert "not two folders" in refused(f"unpaired:{tmp_path}/A")
    assert "no such" in refused(f"{tmp_path}/A::{tmp_path}/C")


def test_pairs_side_by_side(tmp_path: Path) -> None:
    picture = Image.new("RGB", (64, 32), (255, 0, 0))
    picture.paste((0, 0, 255), (32, 0, 64, 32))
    (tmp_path / "P").mkdir()
    picture.save(tmp_path / "P" / "1.png")
    batch = opened(f"paired:{tmp_path}/P", image_size=16).fetch([0])
    assert batch["a"][0, :, 8, 8].tolist() == [1, -1, -1] and batch["b"][0, :, 8, 8].tolist() == [-1, -1, 1]
    assert batch["a"].shape == (1, 3, 16, 16)


def test_unpaired_domains_are_drawn_apart(tmp_path: Path) -> None:
    for i in range(5):
        drawn(tmp_path / "A" / f"{i}.png", seed=i)
        drawn(tmp_path / "B" / f"{i}.png", seed=i)
    drawn(tmp_path / "B" / "9.png", seed=9)
    source = opened(f"unpaired:{tmp_path}/A::{tmp_path}/B")
    assert isinstance(source, Unpaired) and len(source) == 6
    batch = first(source, 60)
    partners = sum(torch.equal(a, b) for a, b in zip(batch["a"], batch["b"], strict=True))
    assert partners < 10


# Emoji


@pytest.fixture
def emoji(tmp_path: Path) -> Path:
    """Sixty emoji in three styles, in files of the true form."""
    place, rng = tmp_path / "data" / "emoji64", np.random.default_rng(0)
    place.mkdir(parents=True)
    for style in STYLES:
        images = rng.integers(0, 256, (60, 64, 64, 4), dtype=np.uint8)
        np.savez_compressed(place / f"{style}64_rgba.npz", images=images)
    rows = [
        {"id": f"{0x1F4C0 + i:x}", "caption": "animal", "group": None, "noto": i, "twemoji": 59 - i, "blob": i}
        for i in range(60)
    ]
    (place / "captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return place.parent


@pytest.mark.parametrize("variant", EMOJI_PAIRS)
def test_training_and_test_emoji_are_disjoint(emoji: Path, variant: str) -> None:
    held = sum(is_held_out(f"{0x1F4C0 + i:x}") for i in range(60))
    assert 0 < held < 20
    train, test = (opened(f"emoji:{variant}{part}", root=emoji) for part in ("", "_test"))
    assert len(test) == held and (len(train) == 60 - held or variant in UNPAIRED)
    pair = test.fetch(range(held))
    assert same(pair, test.fetch_augmented(range(held), range(held)))  # never augmented
    seen = train.fetch(range(len(train)))
    for key in "ab":
        assert not any(torch.equal(x, y) for x in pair[key] for y in seen[key])


@pytest.mark.parametrize("variant", UNPAIRED)
def test_the_halves_of_unpaired_emoji_share_none(emoji: Path, variant: str) -> None:
    source = opened(f"emoji:{variant}", root=emoji)
    assert isinstance(source, Unpaired)
    assert isinstance(source.a, Emoji) and isinstance(source.b, Emoji)
    a, b = {source.a.ids[i] for i in source.rows_a}, {source.b.ids[i] for i in source.rows_b}
    assert not a & b
    assert len(a) + len(b) == len(opened("emoji:noto_train", root=emoji))


def test_beside_twemoji_nothing_is_enlarged(emoji: Path) -> None:
    """What is drawn is what is fetched, or its mirror image, a and b of a pair alike."""
    source = opened("emoji:twemoji2noto", root=emoji, image_size=16)
    escape, drawn = source.fetch(range(40)), source.fetch_augmented(range(40), range(40))
    turned = [torch.equal(drawn["a"][i], escape["a"][i].flip(-1)) for i in range(40)]
    assert 5 < sum(turned) < 35
    for key in "ab":
        assert all(
            torch.equal(drawn[key][i], escape[key][i].flip(-1) if t else escape[key][i]) for i, t in enumerate(turned)
        )


def test_what_is_left_of_a_drawing() -> None:
    x = torch.ones(1, 3, 8, 8)
    x[:, 1, :, 4:] = -1  # a step in one colour
    line = edges(x)
    assert torch.equal(line[0, 0], line[0, 2])
    assert (line[..., 3:5] == -1).all() and (line[..., :3] == 1).all() and (line[..., 5:] == 1).all()
    assert torch.allclose(gray(x)[0, :, 0, 4], torch.full((3,), 1 - 2 * 0.587))


# Holes


def test_the_box_is_the_middle_half() -> None:
    box = central_box(16)
    assert box.sum() == 64 and (box[0, 4:12, 4:12] == 1).all()
    assert set(opened("masked:digits").info.keys) == {"x", "label", "mask"}


def test_regions_cover_a_quarter_and_differ() -> None:
    masks = [random_region(64, augment_seed) for augment_seed in range(8)]
    assert all(abs(float(mask.mean()) - 0.25) < 0.001 and set(mask.unique().tolist()) == {0.0, 1.0} for mask in masks)
    assert len({mask.numpy().tobytes() for mask in masks}) == 8
    rough = float((masks[0][:, 1:] != masks[0][:, :-1]).float().mean())
    assert rough < 0.1  # regions, not dust
    source = opened("masked_regions:digits")
    assert torch.equal(source.fetch([5])["mask"], source.fetch([5])["mask"])
    assert not torch.equal(first(source, 1, seed=0)["mask"], first(source, 1, seed=1)["mask"])


def test_points_have_nothing_to_mask() -> None:
    assert "no pictures" in refused("masked:ring")


# Small copies and whole pictures


def test_low_is_bicubic_of_eight_bits(tmp_path: Path) -> None:
    path = drawn(tmp_path / "P" / "1.png", (48, 40))
    batch = opened(f"x4:crops:{tmp_path}/P", image_size=32).fetch([0])
    middle = Image.open(path).crop((8, 4, 40, 36))
    small = torch.from_numpy(np.asarray(middle.resize((8, 8), Image.Resampling.BICUBIC)).astype(np.float32))
    assert batch["x"].shape == (1, 3, 32, 32) and batch["low"].shape == (1, 3, 8, 8)
    got = (batch["low"][0].permute(1, 2, 0) + 1) * 127.5
    assert torch.allclose(got, got.round(), atol=1e-3) and (got - small).abs().max() <= 1.001  # Pillow's fixed point


def test_crops_are_views_of_the_picture(tmp_path: Path) -> None:
    drawn(tmp_path / "P" / "1.png", (24, 20))
    source = opened(f"crops:{tmp_path}/P", image_size=16)
    picture = opened(f"{tmp_path}/P", longest_side=0).fetch([0])["x"][0]
    views = set()
    for augment_seed in range(64):
        crop = source.fetch_augmented([0], [augment_seed])["x"][0]
        found = [
            (view, flip)
            for view in range(4)
            for flip in (False, True)
            for top in range(5)
            for left in range(9)
            if torch.equal(turned(picture[:, top : top + 16, left : left + 16], view, flip), crop)
        ]
        assert len(found) == 1
        views |= set(found)
    assert len(views) == 8
    assert "smaller than the 32 px" in raised(lambda: opened(f"crops:{tmp_path}/P", image_size=32).fetch([0]))


def turned(x: Tensor, view: int, flip: bool) -> Tensor:
    return torch.rot90(x.flip(-1) if flip else x, view, (1, 2))


def raised(do: object) -> str:
    with pytest.raises(GanzooError) as caught:
        do()  # type: ignore[operator]
    return str(caught.value)


def test_one_picture_is_served_whole(tmp_path: Path) -> None:
    path = drawn(tmp_path / "1.png", (60, 20))
    assert opened(path, longest_side=30).fetch([0])["x"].shape == (1, 3, 10, 30)
    assert opened(path, longest_side=250).fetch([0, 0])["x"].shape == (2, 3, 20, 60)  # never enlarged
    drawn(tmp_path / "P" / "1.png", (60, 20))
    drawn(tmp_path / "P" / "2.png", (20, 60))
    assert "make no batch" in refused(tmp_path / "P", longest_side=250)


def test_sides_must_be_multiples_of_the_factor() -> None:
    assert "multiples of 4" in refused("x4:digits", image_size=18)
    assert opened("x2:digits", image_size=18).fetch([0])["low"].shape == (1, 1, 9, 9)


def test_missing_photographs_say_what_to_put_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANZOO_DATA", str(tmp_path))
    assert "kodak24/kodim21.png" in refused("kodak:x4_test")


@pytest.mark.skipif(not (REAL / "kodak24").is_dir(), reason="no $GANZOO_DATA")
def test_the_real_photographs() -> None:
    test = opened("kodak:x4_test")
    batch = test.fetch(range(4))
    assert batch["x"].shape == (4, 3, 512, 768) and batch["low"].shape == (4, 3, 128, 192)
    train = opened("kodak:x2", image_size=32)
    assert len(train) == 20 and first(train)["low"].shape == (4, 3, 16, 16)


@pytest.mark.skipif(not (REAL / "emoji64").is_dir(), reason="no $GANZOO_DATA")
def test_the_real_pairs() -> None:
    counts = {v: len(opened(f"emoji:{v}")) for v in ("noto2blob", "noto2blob_test", "edges2noto", "edges2noto_test")}
    assert counts == {"noto2blob": 2500, "noto2blob_test": 213, "edges2noto": 3270, "edges2noto_test": 260}
    pair = opened("emoji:noto2blob_test").fetch(range(213))
    assert float((pair["a"] - pair["b"]).abs().mean()) == pytest.approx(0.2722, abs=1e-4)


def test_unknown_views_and_keys_are_helped() -> None:
    with pytest.raises(UnknownNameError):
        opened("mask:digits")
    assert "masked:DATA" in how_to_have({"mask"}) and "A::B" in how_to_have({"a", "b"})

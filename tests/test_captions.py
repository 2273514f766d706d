"""Pictures with words: CLDR's captions, the colours that they are given, and captions of one's own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganzoo_core.data import DATASETS, Dataset, open_dataset, stream
from ganzoo_core.data.sets.emoji_captions import (
    COLOURS,
    HUES,
    Coloured,
    colour_of,
    hsv,
    recaptioned,
    recoloured,
    spoken,
    turn_hue,
)
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, Images, Text
from ganzoo_core.text import encode_text

NAMES = {dataset.name: dataset for dataset in DATASETS}
REAL = Path(os.environ.get("GANZOO_DATA", "/nowhere"))


def opened(data: str, **options: object) -> Dataset:
    return open_dataset(data, datasets=NAMES, **options)  # type: ignore[arg-type]


def words(text: torch.Tensor) -> list[str]:
    return [bytes(row.tolist()).rstrip(b"\0").decode() for row in text]


def disc(colour: tuple[int, int, int]) -> torch.Tensor:
    """[3, 32, 32]: a coloured square on white."""
    picture = Image.new("RGB", (32, 32), "white")
    picture.paste(colour, (8, 8, 24, 24))
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 127.5 - 1


def test_bytes_are_words_and_back() -> None:
    assert words(encode_text(["a red heart", "café"], 16)) == ["a red heart", "café"]


def test_skin_tones_are_left_out() -> None:
    assert spoken("man: light skin tone, red hair") == "man: red hair"
    assert spoken("kiss: person, person, dark skin tone, medium-light skin tone") == "kiss: person, person"
    assert spoken("person running: medium-dark skin tone, facing right") == "person running: facing right"
    assert spoken("Red Apple") == "red apple"


def test_hues_turn_round() -> None:
    x = torch.rand(3, 9, 9) * 2 - 1
    assert torch.allclose(turn_hue(x, 0.0), x, atol=1e-5) and torch.allclose(turn_hue(x, 1.0), x, atol=1e-5)
    third = turn_hue(x, 1 / 3)
    assert torch.allclose(third, x[[2, 0, 1]], atol=1e-5)  # red is green now, green blue, blue red
    for before, after in zip(hsv(x)[1:], hsv(turn_hue(x, 0.4))[1:], strict=True):
        assert torch.allclose(before, after, atol=1e-4)


@pytest.mark.parametrize("start,word", HUES[:-1])
def test_a_colour_has_a_name(start: int, word: str) -> None:
    red = disc((220, 20, 20))
    middle = (start + next(s for s, _ in [*HUES, (360, "")] if s > start)) / 2
    assert colour_of(turn_hue(red, middle / 360)) == word


def test_what_has_no_colour_has_no_name() -> None:
    assert colour_of(disc((0, 0, 0))) == colour_of(disc((128, 128, 128))) == colour_of(torch.ones(3, 8, 8)) == ""
    both = torch.cat([disc((220, 20, 20)), disc((20, 20, 220)), disc((20, 220, 20))], 2)
    assert colour_of(both) == ""


def test_a_caption_has_one_colour() -> None:
    assert recaptioned("red apple", "blue") == "blue apple"
    assert recaptioned("brown heart", "pink") == "pink heart"
    assert recaptioned("car", "green") == "green car"


def test_all_colours_come_alike_and_are_what_the_word_says() -> None:
    made = [recoloured(disc((220, 20, 20)), augment_seed) for augment_seed in range(500)]
    said = [word for _, word in made]
    assert all(colour_of(x) == word for x, word in made if word)
    assert 70 < said.count("") < 130 and all(25 < said.count(word) < 75 for word in COLOURS if word != "red")
    assert torch.equal(recoloured(disc((220, 20, 20)), 7)[0], recoloured(disc((220, 20, 20)), 7)[0])


def write(folder: Path, rows: list[dict[str, object]]) -> str:
    folder.mkdir(exist_ok=True)
    for i, name in enumerate(("a.png", "b.png")):
        Image.new("RGB", (16, 16), (i * 200, 0, 0)).save(folder / name)
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return f"captions:{folder}"


def test_captions_of_ones_own(tmp_path: Path) -> None:
    data = write(tmp_path / "P", [{"file_name": "b.png", "text": "dark"}, {"file_name": "a.png", "text": "schwärzer"}])
    source = opened(data)
    batch = source.fetch([0, 1])
    assert words(batch["text"]) == ["schwärzer", "dark"] and batch["x"].shape == (2, 3, 16, 16)
    (tmp_path / "P" / "metadata.jsonl").unlink()
    (tmp_path / "P" / "metadata.csv").write_text("file_name,text\na.png,one\nb.png,two\n")
    assert words(opened(data).fetch([1])["text"]) == ["two"]


BAD = {
    "none of one": ([{"file_name": "a.png", "text": "x"}], "says nothing of 1 images: b.png"),
    "no text": ([{"file_name": "a.png"}], "file_name and text"),
    "a number": ([{"file_name": "a.png", "text": 3}, {"file_name": "b.png", "text": "x"}], "no caption"),
    "empty": ([{"file_name": "a.png", "text": " "}, {"file_name": "b.png", "text": "x"}], "no caption"),
    "long": ([{"file_name": "a.png", "text": "x" * 2000}, {"file_name": "b.png", "text": "x"}], "no caption"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_captions_are_refused(tmp_path: Path, case: str) -> None:
    rows, expected = BAD[case]
    with pytest.raises(GanzooError, match=expected):
        opened(write(tmp_path / "P", rows))


def test_a_folder_without_captions_says_how_to_write_them(tmp_path: Path) -> None:
    write(tmp_path / "P", [])
    (tmp_path / "P" / "metadata.jsonl").unlink()
    with pytest.raises(GanzooError, match=r"metadata.jsonl"):
        opened(f"captions:{tmp_path}/P")


class Reader(Generator):
    inputs, output = {"text": Text(12)}, Images((1, 1, 1))

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        return text.sum(1).view(-1, 1, 1, 1)


def test_words_are_given_as_strings() -> None:
    def given(value: object, n: int = 2) -> torch.Tensor:
        return Reader.inputs["text"].rows("text", value, n, torch.device("cpu"))

    assert words(given("heart")) == ["heart", "heart"] and words(given(["a", "b"])) == ["a", "b"]
    assert torch.equal(given(encode_text(["a", "b"], 12)), given(["a", "b"]))
    for bad in ("thirteen bytes", "", " "):
        with pytest.raises(GanzooError, match="not 1 to 12 bytes"):
            given(bad)
    with pytest.raises(GanzooError, match="3 given for 2"):
        given(["a", "b", "c"])


@pytest.mark.skipif(not (REAL / "emoji64").is_dir(), reason="no $GANZOO_DATA")
def test_the_real_captions() -> None:
    train, test = opened("emoji:captions"), opened("emoji:captions_test")
    assert isinstance(train, Coloured) and len(train) == 1489 and len(test) == 153
    assert not any("skin tone" in caption or caption.startswith("flag:") for caption in train.captions)
    batches = stream(train, batch_size=64, seed=0)
    batch = next(batches)
    named = [
        (x, caption.split(" ")[0])
        for x, caption in zip(batch["x"], words(batch["text"]), strict=True)
        if caption.split(" ")[0] in COLOURS
    ]
    assert len(named) > 20 and sum(colour_of(x) == word for x, word in named) >= len(named) - 2
    escape = train.fetch([5])
    assert torch.equal(escape["text"], train.fetch([5])["text"])

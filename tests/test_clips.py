"""Moving pictures: data sets of clips, folders of them, and how clips are saved, opened and shown."""

from __future__ import annotations

import gzip
import importlib.util
import io
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ganzoo_core as gz
from ganzoo_core import imaging
from ganzoo_core.data import DATASETS, Dataset, how_to_have, open_dataset
from ganzoo_core.errors import GanzooError
from ganzoo_core.models.programs.parity import largest_difference
from ganzoo_core.models.programs.program import program
from ganzoo_core.nn import Clips, Generator, Images, Video
from ganzoo_core.plugin import View

REAL = Path(os.environ.get("GANZOO_DATA", "/nowhere"))
KNOWN = {entry.name: entry for entry in DATASETS}
NO_FILMS = importlib.util.find_spec("av") is None


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GANZOO_DATA", raising=False)


def opened(data: str, **options: object) -> Dataset:
    return open_dataset(data, datasets=KNOWN, **options)  # type: ignore[arg-type]


def ramp(frames: int, size: int = 16, channels: int = 3) -> torch.Tensor:
    """A clip whose frame t has one gray value: [T, C, H, W]."""
    gray = torch.linspace(-0.9, 0.9, frames)
    return gray[:, None, None, None].expand(frames, channels, size, size).clone()


# Moving MNIST


def digits(root: Path, part: str = "train", n: int = 6) -> None:
    """Digit i is a filled square, so that where it is can be seen."""
    pixels = np.zeros((n, 28, 28), np.uint8)
    pixels[:, 4:24, 4:24] = 200
    (root / "mnist").mkdir(parents=True, exist_ok=True)
    head = struct.pack(">HBB3I", 0, 8, 3, n, 28, 28)
    (root / "mnist" / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + pixels.tobytes()))
    labels = struct.pack(">HBBI", 0, 8, 1, n) + bytes(i % 10 for i in range(n))
    (root / "mnist" / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))


@pytest.mark.parametrize("variant,keys", [("", {"video", "flow"}), ("one_test", {"video", "flow", "label"})])
def test_moving_mnist_is_a_function_of_its_index(tmp_path: Path, variant: str, keys: set[str]) -> None:
    digits(tmp_path)
    digits(tmp_path, "t10k")
    name = f"moving_mnist:{variant}" if variant else "moving_mnist"
    data = opened(name, root=tmp_path)
    batch = data.fetch([3, 70, 3])
    assert data.info.keys == batch.keys() == keys and data.info.name == name
    assert batch["video"].shape == (3, 20, 1, 64, 64) and batch["flow"].shape == (3, 19, 2, 64, 64)
    again = opened(name, root=tmp_path).fetch([70])
    assert all(torch.equal(again[key][0], batch[key][1]) for key in keys)
    assert torch.equal(batch["video"][0], batch["video"][2]) and not torch.equal(batch["video"][0], batch["video"][1])


def test_a_digit_moves_straight_on_bounces_and_its_flow_says_so(tmp_path: Path) -> None:
    digits(tmp_path)
    data = opened("moving_mnist:one", root=tmp_path)
    batch = data.fetch(range(20))
    video, flow = batch["video"][:, :, 0] > 0, batch["flow"]
    rows, columns = video.any(3).long().argmax(2), video.any(2).long().argmax(2)  # upper left corners  [n, T]
    assert (video.sum((2, 3)) == 400).all()  # no digit leaves the square
    for corner, axis in ((columns, 0), (rows, 1)):
        inside = flow[:, :, axis][video[:, 1:]].view(20, 19, 400)
        assert torch.equal(inside, -corner.diff(dim=1)[:, :, None].expand(-1, -1, 400).float())
        steps = corner.diff(dim=1)
        assert (steps.abs() <= 4).all() and (steps[:, 1:] * steps[:, :-1] < 0).any()  # somewhere it turns round
    assert (flow.movedim(2, -1)[~video[:, 1:]] == 0).all()


def test_small_frames_have_flow_in_their_own_pixels(tmp_path: Path) -> None:
    digits(tmp_path)
    large, small = (opened("moving_mnist:one", root=tmp_path, image_size=size).fetch([0, 1]) for size in (64, 32))
    assert small["video"].shape == (2, 20, 1, 32, 32) and small["flow"].shape == (2, 19, 2, 32, 32)
    assert small["flow"].abs().amax() == large["flow"].abs().amax() / 2
    assert opened("moving_mnist", root=tmp_path, channels=3).fetch([0])["video"].shape[2] == 3


# Animated emoji


def strips(root: Path, names: list[str], size: tuple[int, int] = (1024, 64)) -> Path:
    (root / "emoji_video64").mkdir(exist_ok=True)
    path = root / "emoji_video64" / "emoji_video64.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i, name in enumerate(names):
            strip = np.repeat(np.arange(16) * 16, 64)[None, : size[0], None].repeat(size[1], 0).repeat(3, 2)
            made = io.BytesIO()
            Image.fromarray(np.minimum(strip + i, 255).astype(np.uint8)).save(made, "PNG")
            archive.writestr(f"{name}.png", made.getvalue())
    return path


def test_emoji_video_cuts_strips_into_frames(tmp_path: Path) -> None:
    names = [f"{i}_x" for i in range(40)]
    strips(tmp_path, names)
    data = opened("emoji_video", root=tmp_path)
    video = data.fetch([2])["video"]
    assert video.shape == (1, 16, 3, 64, 64) and data.info.licence == "CC-BY-4.0"
    expected = torch.arange(16) * 16 + 2
    assert torch.equal(((video[0, :, 0, 5, 5] + 1) * 127.5).round().long(), expected)
    parts = [len(opened(f"emoji_video:{part}", root=tmp_path)) for part in ("train", "test")]
    assert sum(parts) == 40 and 0 < parts[1] < 15


def test_a_damaged_emoji_video_is_told_of_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(GanzooError, match=r"emoji_video64/emoji_video64\.zip"):
        opened("emoji_video", root=tmp_path)
    path = strips(tmp_path, ["a"], (512, 64))
    with pytest.raises(GanzooError, match=r"a strip of 512x64 px, not 1024x64"):
        opened("emoji_video", root=tmp_path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(GanzooError, match="is damaged"):
        opened("emoji_video", root=tmp_path)


@pytest.mark.skipif(not (REAL / "emoji_video64").is_dir(), reason="needs $GANZOO_DATA with emoji_video64")
def test_the_real_emoji_video() -> None:
    data = opened("emoji_video:test", root=REAL, image_size=32)
    video = data.fetch(range(len(data)))["video"]
    assert len(data) == 71 and video.shape[1:] == (16, 3, 32, 32)
    assert (video.diff(dim=1).abs().mean((1, 2, 3, 4)) > 0).float().mean() > 0.9


# Folders


def folder(root: Path) -> Path:
    """A GIF of 20 frames, and a folder of 18 whose names are numbered without zeros."""
    clips = root / "clips"
    (clips / "walk").mkdir(parents=True)
    Clips((20, 3, 16, 16)).save(ramp(20)[None], clips / "a.gif")
    for i, frame in enumerate(ramp(18)):
        imaging.save(imaging.picture(frame), clips / "walk" / f"frame{i}.png")
    return clips


def test_a_folder_of_clips(tmp_path: Path) -> None:
    data = opened(f"videos:{folder(tmp_path)}", image_size=16)
    video = data.fetch([0, 1])["video"]
    assert video.shape == (2, 16, 3, 16, 16) and data.info.keys == {"video"}
    for clip, frames in zip(video, (20, 18), strict=True):
        torch.testing.assert_close(clip, ramp(frames)[:16], atol=0.005, rtol=0)
    starts = {round(float(data.fetch_augmented([0], [seed])["video"][0, 0].mean()), 2) for seed in range(40)}
    assert len(starts) == 5  # in training a window begins anywhere
    assert opened(f"videos8:{tmp_path / 'clips'}", image_size=16).fetch([0])["video"].shape[1] == 8


def test_an_archive_of_clips(tmp_path: Path) -> None:
    clips = folder(tmp_path)
    with zipfile.ZipFile(tmp_path / "clips.zip", "w") as archive:
        for file in sorted(clips.rglob("*.*")):
            archive.write(file, file.relative_to(clips))
    one, other = (opened(f"videos:{tmp_path / name}", image_size=16) for name in ("clips", "clips.zip"))
    assert torch.equal(one.fetch([0, 1])["video"], other.fetch([0, 1])["video"])
    assert one.info.fingerprint == other.info.fingerprint


def test_bad_clips_are_named_or_left_out(tmp_path: Path) -> None:
    clips = folder(tmp_path)
    (clips / "b.gif").write_bytes(b"no picture")
    Clips((3, 3, 16, 16)).save(ramp(3)[None], clips / "short.gif")
    with pytest.raises(GanzooError, match=r"2 bad clips: b\.gif: .*short\.gif: has 3 frames, and 16 are wanted"):
        opened(f"videos:{clips}")
    data = opened(f"videos:{clips}", on_bad_image="skip")
    assert len(data) == 2 and data.skipped == 2
    (tmp_path / "empty").mkdir()
    for name in ("empty", "nowhere"):
        with pytest.raises(GanzooError):
            opened(f"videos:{tmp_path / name}")


def test_what_lacks_clips_says_how_to_have_them() -> None:
    assert "videos:FOLDER" in how_to_have({"video"})
    assert "steep:DATA" in how_to_have({"slope"}, {"steep": View("steep", "", "a:b", ("slope",))})


# Files and pictures of clips


def test_a_gif_is_opened_as_it_was_saved(tmp_path: Path) -> None:
    kind, clip = Clips((5, 1, 16, 16)), ramp(5, channels=1)[None]
    clip[:, 2] = clip[:, 1]  # Pillow merges frames that are alike
    kind.save(clip, tmp_path / "a.gif")
    torch.testing.assert_close(kind.open(tmp_path / "a.gif"), clip, atol=0.005, rtol=0)


@pytest.mark.skipif(NO_FILMS, reason="needs the extra `video`")
def test_a_film_is_opened_as_it_was_saved(tmp_path: Path) -> None:
    kind, clip = Clips((6, 3, 15, 17)), ramp(6)[None, :, :, :15].expand(-1, -1, -1, -1, 16)
    kind.save(clip, tmp_path / "a.mp4")
    again = kind.open(tmp_path / "a.mp4")
    assert again.shape == (1, 6, 3, 16, 16)
    assert (again.mean((0, 2, 3, 4)) - ramp(6).mean((1, 2, 3))).abs().max() < 0.05


@pytest.mark.skipif(not NO_FILMS, reason="needs PyAV not to be there")
def test_films_say_what_they_need(tmp_path: Path) -> None:
    with pytest.raises(GanzooError, match=r"ganzoo-core\[video\]"):
        Clips((6, 3, 16, 16)).save(ramp(6)[None], tmp_path / "a.mp4")


def test_a_poster_moves_and_shows_what_was_given_first() -> None:
    kind = Clips((3, 3, 16, 16))
    poster = Image.open(io.BytesIO(kind.poster(ramp(3)[None].expand(20, -1, -1, -1, -1))))
    assert poster.format == "PNG" and poster.n_frames == 3 and poster.size == (48, 48)
    given = Image.open(io.BytesIO(kind.poster(ramp(3)[None], [ramp(4)[None]])))
    assert given.n_frames == 7
    still = Image.open(io.BytesIO(Images((3, 16, 16)).poster(ramp(4))))
    assert getattr(still, "n_frames", 1) == 1


def test_a_clip_that_stands_still_keeps_its_length(tmp_path: Path) -> None:
    Clips((4, 3, 16, 16)).save(ramp(1)[None].expand(-1, 4, -1, -1, -1), tmp_path / "still.gif")
    with Image.open(tmp_path / "still.gif") as file:
        assert getattr(file, "n_frames", 1) == 1  # Pillow merges them
    assert Clips((4, 3, 16, 16)).open(tmp_path / "still.gif").shape == (1, 4, 3, 16, 16)


def test_the_length_of_a_clip_is_not_divided_as_its_sides_are() -> None:
    free = Video((None, 3, None, None), multiple=8)
    assert free.rows("video", torch.zeros(1, 5, 3, 16, 24), 1, torch.device("cpu")).shape[1] == 5
    with pytest.raises(GanzooError, match="20x16, not multiples of 8"):
        free.rows("video", torch.zeros(1, 5, 3, 16, 20), 1, torch.device("cpu"))
    assert free.sizes()[0] == free.sizes(1)[0] - 1


def test_a_clip_is_given_as_a_file(tmp_path: Path) -> None:
    Clips((5, 3, 16, 16)).save(ramp(5)[None], tmp_path / "a.gif")
    rows = Video((None, 3, 16, 16)).rows("video", str(tmp_path / "a.gif"), 2, torch.device("cpu"))
    assert rows.shape == (2, 5, 3, 16, 16)
    with pytest.raises(GanzooError, match="takes 8x8"):
        Video((None, 3, 8, 8)).rows("video", str(tmp_path / "a.gif"), 1, torch.device("cpu"))
    last = Video((2, 3, 16, 16)).rows("video", str(tmp_path / "a.gif"), 1, torch.device("cpu"))
    assert torch.equal(last[0], rows[0, -2:])  # of a longer clip
    with pytest.raises(GanzooError, match=r"of shape \[1, 5, 3, 16, 16\], not \[n, 6, 3, 16, 16\]"):
        Video((6, 3, 16, 16)).rows("video", str(tmp_path / "a.gif"), 1, torch.device("cpu"))


class Mean(Generator):
    """The mean of a clip's frames, however many."""

    inputs = {"video": Video((None, 1, 8, 8))}
    output = Images((1, 8, 8))

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        return self.scale * video.mean(1)


class Last(Mean):
    """Goes through them one by one, which a program cannot do where their number is free."""

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        return self.scale * list(video.unbind(1))[-1]


def test_a_free_length_of_clips_is_free_in_a_program_or_refused() -> None:
    made = program(Mean())
    assert made.shape("video")[1] == "frames" and largest_difference(made, made.run) < 1e-6
    with pytest.raises(GanzooError, match="frames"):
        program(Last())


def test_a_run_shows_its_clips_moving(tmp_path: Path) -> None:
    pytest.importorskip("ganzoo_video")
    list(gz.train(gz.create("mocogan", preset="tiny"), "shapes:motion", images=8, out=tmp_path / "run"))
    for picture in [tmp_path / "run" / "model" / "samples.png", *(tmp_path / "run" / "samples").glob("*.png")]:
        with Image.open(picture) as shown:
            assert shown.n_frames == 5


def test_a_sheet_of_data_has_a_row_for_each_clip() -> None:
    from ganzoo_core.cli.data_ import sheet

    batch = opened("shapes:motion", image_size=32).fetch([0, 1, 2])
    assert sheet(batch, None, 0).size == (8 * 34 + 2, 3 * 34 + 2)

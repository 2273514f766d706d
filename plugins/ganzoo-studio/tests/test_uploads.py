"""What becomes of uploads, and of a press that takes too long; no gradio."""

import json
import os
import threading
import time
from pathlib import Path

import pytest
import torch
from ganzoo_studio import pressing
from ganzoo_studio.drawing import file_of, text_of
from ganzoo_studio.limits import AT_ONCE, UNNAMED
from ganzoo_studio.uploads import Uploads
from torch import nn

from ganzoo_core.errors import GanzooError


def uploaded(uploads, content=b"x", name="mine.png"):
    """A file where gradio puts it, and where it is after its answer was rewritten."""
    at = uploads.room / "0123abcd"
    at.mkdir(exist_ok=True)
    (at / name).write_bytes(content)
    (path,) = json.loads(uploads.taken(json.dumps([str(at / name)]).encode()))
    assert not at.exists()
    return Path(path)


def body(*paths):
    return json.dumps({"data": [{"path": str(path), "meta": {"_type": "gradio.FileData"}} for path in paths]}).encode()


def completed(press):
    return f'data: {{"msg":"process_completed","event_id":"{press}","output":{{"data":[]}}}}\n\n'.encode()


def test_the_same_bytes_of_two_visitors_are_two_files(tmp_path):
    uploads = Uploads(tmp_path)
    first, second = uploaded(uploads), uploaded(uploads)
    assert first != second and first.read_bytes() == second.read_bytes() == b"x"


def test_an_upload_goes_with_the_answer_that_used_it(tmp_path):
    uploads = Uploads(tmp_path)
    mine, other = uploaded(uploads), uploaded(uploads)
    uploads.waits("a1", uploads.named(body(mine)))
    uploads.waits("b2", uploads.named(body(other)))
    uploads.answered(b'data: {"msg":"process_starts","event_id":"a1"}\n\n')
    assert mine.exists()
    uploads.answered(completed("a1"))
    assert not mine.exists() and not mine.parent.exists() and other.exists()
    uploads.answered(completed("a1"))
    uploads.answered(completed("nobody"))
    assert other.exists()


def test_only_uploads_can_be_named(tmp_path):
    room, outside = tmp_path / "room", tmp_path / "upload-mine"
    for folder in (room, outside, room / "made"):
        folder.mkdir()
    uploads = Uploads(room)
    tricks = [outside / "x.png", room / "made" / "x.png", room / "upload-a" / ".." / "made" / "x.png",
              room / ".." / "upload-mine" / "x.png", "upload-mine/x.png", "/etc/passwd", room]  # fmt: skip
    assert uploads.named(body(*tricks)) == []
    assert uploads.named(b'{"path": "\\u00e9"}') == [] and uploads.named(b'{"path": "\xff"') == []


def test_what_is_too_old_is_swept(tmp_path):
    uploads = Uploads(tmp_path)
    unnamed, waiting, new, made, long_made = (
        uploaded(uploads),
        uploaded(uploads),
        uploaded(uploads),
        *(tmp_path / name for name in ("made", "long")),
    )
    made.mkdir()
    long_made.mkdir()
    (tmp_path / "tmp0").touch()  # as gradio leaves it behind
    uploads.waits("a1", uploads.named(body(waiting)))
    minute = time.time() - UNNAMED - 5
    for path in (unnamed.parent, waiting.parent, made, tmp_path / "tmp0"):
        os.utime(path, (minute, minute))
    os.utime(long_made, (0, 0))
    end = threading.Event()
    looking = threading.Thread(target=uploads.sweep, args=(end, 0.01))
    looking.start()
    while unnamed.parent.exists() or long_made.exists() or (tmp_path / "tmp0").exists():
        time.sleep(0.01)
    end.set()
    looking.join()
    assert waiting.exists() and new.exists() and made.exists()


# ---- files that stay in the page -------------------------------------------------------------------------------------
def test_a_file_comes_back_as_it_was(tmp_path):
    (tmp_path / "Song.WAV").write_bytes(bytes(range(256)))
    text = text_of(tmp_path / "Song.WAV", (".wav", ".npy"), 1000)
    back = file_of(text, (".wav", ".npy"), 1000, tmp_path / "sound")
    assert back == tmp_path / "sound.wav" and back.read_bytes() == bytes(range(256))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (".wav:" + "QUFB" * 400, "not a .wav of at most"),
        (".png:QUFB", "not a .wav of at most"),
        ("/../../x.wav:QUFB", "not a .wav of at most"),
        (".wav:QU*B", "has not arrived whole"),
        (".wav:é", "has not arrived whole"),
    ],
)
def test_forged_files_are_refused(tmp_path, text, said):
    with pytest.raises(GanzooError, match=said):
        file_of(text, (".wav",), 1000, tmp_path / "sound")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_gone_is_said(tmp_path):
    with pytest.raises(GanzooError, match="Upload it again"):
        text_of(tmp_path / "gone.wav", (".wav",), 1000)


# ---- a limit in time -------------------------------------------------------------------------------------------------
class Slow(nn.Module):
    """A network that would take an hour, a hundredth of a second at a time."""

    def __init__(self):
        super().__init__()
        self.layer, self.passed = nn.Identity(), 0

    def forward(self, x):
        for _ in range(360_000):
            time.sleep(0.01)
            x = self.layer(x)
            self.passed += 1
        return x


def test_a_press_that_takes_too_long_is_ended(tmp_path):
    net = Slow()
    with pytest.raises(GanzooError, match=r"took more than .* Ask for less"), pressing.press(0.1):
        folder = pressing.folder(tmp_path)
        net(torch.zeros(1))
    passed = net.passed
    time.sleep(0.05)
    assert net.passed == passed < 360_000  # nobody works on
    assert not folder.exists()


def test_a_limit_is_of_one_thread_alone():
    """While one visitor's press is ended, another's goes on, and its numbers are what they would have been."""
    alone, beside, ended = nn.Linear(4, 4), [], []

    def endless():
        try:
            with pressing.press(0.05):
                Slow()(torch.zeros(1))
        except GanzooError:
            ended.append(True)

    threads = [threading.Thread(target=endless) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    with pressing.press(60):
        beside.append(alone(torch.ones(1, 4)))
    for thread in threads:
        thread.join()
    assert ended == [True] * AT_ONCE and torch.equal(beside[0], alone(torch.ones(1, 4)))


def test_outside_of_a_press_nothing_is_bounded():
    with pressing.press(0):
        pass
    assert nn.Identity()(torch.zeros(1)).shape == (1,)

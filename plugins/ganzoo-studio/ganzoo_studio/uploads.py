"""What visitors upload, from the moment it lies here to the answer that used it: then it is deleted.

gradio keeps an upload under the hash of its bytes, for as long as it runs. Here every upload has a folder of its own,
which nobody can guess and no two visitors share. A press names the uploads that it uses; when it is answered, whatever
the answer is, they are gone. What no press names is gone soon: gradio's canvas
sends its picture over and over, and uses it once.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import time
from pathlib import Path
from threading import Event, Lock

from ganzoo_studio.limits import MINUTES, UNNAMED

PATH = re.compile(rb'"path"\s*:\s*("(?:[^"\\]|\\.)*")')  # of a file, in what a browser sends
ANSWERED = re.compile(rb'"msg"\s*:\s*"process_completed"[^{}]*?"event_id"\s*:\s*"(\w+)"')  # in what it is told
OWN = "upload-"  # how folders of uploads are called
ANSWER = b"process_completed"


class Uploads:
    """Files below one folder, which is this process's alone. Threads may share it."""

    def __init__(self, room: Path) -> None:
        self.room = room.resolve()
        self.used = dict[str, list[Path]]()  # folders of uploads by the press that waits for its answer
        self.own = Lock()

    def taken(self, said: bytes) -> bytes:
        """What gradio answers to an upload, a list of paths, after each file went to a folder of its own."""
        return json.dumps([str(self.apart(Path(path))) for path in json.loads(said)]).encode()

    def apart(self, path: Path) -> Path:
        """The file in a folder of its own."""
        folder = Path(tempfile.mkdtemp(prefix=OWN, dir=self.room))
        moved = Path(shutil.move(path, folder / path.name))
        if path.parent != self.room:
            shutil.rmtree(path.parent, ignore_errors=True)
        return moved

    def named(self, body: bytes) -> list[Path]:
        """The folders of uploads that a request names."""
        try:
            paths = [Path(json.loads(match)) for match in PATH.findall(body)]
        except ValueError:
            return []  # no JSON: gradio refuses it
        return [p.parent for p in paths if p.parent.parent == self.room and p.parent.name.startswith(OWN)]

    def waits(self, press: str, folders: list[Path]) -> None:
        """A press will use these: they stay until it is answered."""
        with self.own:
            self.used[press] = folders

    def answered(self, told: bytes) -> None:
        """What a browser is told of its presses: the uploads of those that are answered go."""
        if ANSWER in told:
            for press in ANSWERED.findall(told):
                self.delete(press.decode())

    def delete(self, press: str) -> None:
        with self.own:
            folders = self.used.pop(press, [])
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)

    def sweep(self, end: Event, pause: float = 5) -> None:
        """Over and over until the end: takes away what is too old, whoever made it."""
        while not end.wait(pause):
            for path in self.room.glob("*"):  # nothing, where the room is gone
                if self.is_old(path):
                    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)

    def is_old(self, path: Path) -> bool:
        """An upload that no press waits with after half a minute, anything else after ten."""
        with self.own:
            waits = any(path in folders for folders in self.used.values())
        unused = path.name.startswith(OWN) and not waits
        most = UNNAMED if unused or path.is_file() else 60 * MINUTES  # gradio leaves empty files behind
        try:
            return time.time() - path.stat().st_mtime > most
        except FileNotFoundError:
            return False

"""Where a file comes from: a path, an https address, or hf:owner/repo/path@revision. Copied, bounded, hashed."""

from __future__ import annotations

import hashlib
import os
import stat
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from ganzoo_core.errors import ExternalError, GanzooError, IntegrityError, escape
from ganzoo_core.models import hub_file

PIECE = 1 << 20
PATIENCE = 60.0  # seconds for an answer, and for each piece
OPENING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Fetched(NamedTuple):
    """A file in a folder of ours."""

    path: Path
    name: str  # that it had where it came from
    sha256: str


def fetch(where: str, folder: Path, limit: int, sha256: str = "") -> Fetched:
    """A copy in `folder`, not larger than `limit`, with its hash; ncnn's second file comes along.

    Errors: GanzooError for what is not there, is no file, or is too large; IntegrityError for another hash than
    `sha256`; ExternalError for the network.
    """
    if where.startswith("hf:"):
        path, _, revision = where.removeprefix("hf:").partition("@")
        found = local(hub_file(path, revision, limit), folder, limit)
    elif "://" in where:
        found = remote(where, folder, limit)
    else:
        found = local(Path(where), folder, limit)
    if sha256 and found.sha256 != sha256.lower():
        what = f"{escape(where)}: sha256 differs: expected {escape(sha256, 80)}, found {found.sha256}"
        raise IntegrityError(what, "Fetch the file again.")
    return found


def local(path: Path, folder: Path, limit: int) -> Fetched:
    """A file of this machine; no pipe or device is waited for."""
    pair = path.with_suffix(".param")
    if path.suffix == ".bin" and pair.is_file():
        path = pair
    made = folder / f"weights{'.param' if path.suffix == '.param' else ''}"
    digest = copied(path, made, limit)
    if path.suffix == ".param" and path.with_suffix(".bin").is_file():
        digest = copied(path.with_suffix(".bin"), made.with_suffix(".bin"), limit)
        path = path.with_suffix(".bin")  # the weights are what is named and hashed
    return Fetched(made, path.name, digest)


def copied(path: Path, made: Path, limit: int) -> str:
    """The hash of what was copied."""
    try:
        with open(os.open(path, OPENING), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise GanzooError(f"{escape(path)}: is not a regular file", "Name a file of weights.")
            return written(pieces(file), made, limit, str(path), os.fstat(file.fileno()).st_size)
    except OSError as fault:
        hint = "FILE is a path, an https address, or hf:owner/repo/path@revision."
        raise GanzooError(f"{escape(path)}: {fault.strerror}", hint) from None


def remote(url: str, folder: Path, limit: int) -> Fetched:
    """A file that the user's address leads to, by https all the way."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username:
        raise GanzooError(f"{escape(url)}: is no plain https address", "Only https is fetched.")
    made = folder / "weights"
    opener = urllib.request.build_opener(OnlyHttps())
    try:
        with opener.open(urllib.request.Request(url, headers={"User-Agent": "ganzoo"}), timeout=PATIENCE) as answer:
            digest = written(pieces(answer), made, limit, url, int(answer.headers.get("Content-Length") or 0))
    except (OSError, ValueError) as fault:  # urllib's errors are OSErrors
        why = getattr(fault, "reason", fault)
        raise ExternalError(f"{escape(url)}: {escape(why, 120)}", "Is the network there?") from None
    return Fetched(made, Path(parts.path).name or "weights", digest)


class OnlyHttps(urllib.request.HTTPRedirectHandler):
    """Follows no way from https to anything else."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: object, newurl: str
    ) -> urllib.request.Request | None:
        if urllib.parse.urlsplit(newurl).scheme != "https":
            raise urllib.error.URLError(f"leads on to {escape(newurl, 80)}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


def written(data: Iterator[bytes], made: Path, limit: int, where: str, promised: int) -> str:
    """The hash of what was written, which is looked at for its size before and while it is read."""
    digest, size = hashlib.sha256(), promised
    too_large = f"{escape(where)}: has more than {limit:,} bytes"
    if size > limit:
        raise GanzooError(too_large, "Allow more: --max-bytes.")
    size = 0
    with open(made, "wb") as file:
        for piece in data:
            size += len(piece)
            if size > limit:
                raise GanzooError(too_large, "Allow more: --max-bytes.")
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()

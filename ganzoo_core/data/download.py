"""Fetching MNIST and Fashion-MNIST through torchvision's downloader, and saying soon when that cannot be."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from ganzoo_core.data.locations import cache_root
from ganzoo_core.errors import ExternalError, escape

PATIENCE = 3.0  # seconds for a first sign of life from the server, name look-up included
STALL = 20.0  # seconds without a byte


def download(name: str, torchvision_name: str, advice: str) -> None:
    """Puts the set's four files, checked, into ~/.cache/ganzoo/data/NAME. Raises ExternalError (3) with `advice`."""
    target = cache_root()
    if target is None:
        raise ExternalError(f"data set {name}: not found, and there is no home folder to download it to", advice)
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        raise ExternalError(f"data set {name}: not found, and HF_HUB_OFFLINE forbids to download it", advice)
    from torchvision import datasets

    kind = getattr(datasets, torchvision_name)
    mirrors = [mirror for mirror in kind.mirrors if reachable(mirror)]
    if not mirrors:
        hosts = ", ".join(str(urlsplit(mirror).hostname) for mirror in kind.mirrors)
        raise ExternalError(f"data set {name}: not found, and {hosts} cannot be reached to download it", advice)
    try:
        _fetch_all(kind.resources, mirrors, target / name)
    except (OSError, RuntimeError, ValueError) as error:
        raise ExternalError(f"data set {name}: download failed: {escape(error)}", advice) from error


def reachable(url: str) -> bool:
    """Whether the server, or the proxy before it, answers soon. In a thread: a name look-up has no time limit."""
    parts = urlsplit(getproxies().get(urlsplit(url).scheme, url))
    address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    answered = threading.Event()

    def knock() -> None:
        with contextlib.suppress(OSError, ValueError):
            socket.create_connection(address, timeout=PATIENCE).close()
            answered.set()

    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return answered.is_set()


def _fetch_all(resources: Any, mirrors: list[str], target: Path) -> None:
    """Into a folder aside first, so that no half file is ever found under its name."""
    target.mkdir(parents=True, exist_ok=True)
    aside = tempfile.mkdtemp(prefix=".part-", dir=target)
    try:
        with _stall_limit():
            for file, md5 in resources:
                _fetch(file, md5, mirrors, aside)
                os.replace(os.path.join(aside, file), target / file)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _fetch(file: str, md5: str, mirrors: list[str], folder: str) -> None:
    from torchvision.datasets.utils import download_url  # checks the md5

    for mirror in mirrors:
        try:
            return download_url(mirror + file, folder, file, md5)  # type: ignore[no-any-return]
        except (OSError, RuntimeError):
            if mirror == mirrors[-1]:
                raise


@contextlib.contextmanager
def _stall_limit() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALL)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)

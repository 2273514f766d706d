"""The loopback Hub: a real HTTP server on 127.0.0.1 that the Hub's own client talks to, and that can misbehave.

    with LoopbackHub() as hub:                  # hub.environment() for os.environ or a child process
        hub.commit("me/model", {"config.json": b"{}"})
        hub.misbehave("flip", "/resolve/")      # the next answer under such a path has one byte flipped

It is our reading of what the client sends and expects (repositories, commits, LFS, resolve, tree, search, revisions,
errors). What it cannot prove is in docs/hub.md.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, unquote, urlsplit

from ganzoo_core.testing.hubpages import ROUTES, Pages, Refused, Repo, is_lfs, sha256

WRITER, READER = "hf_loopbackWriterCanary0001", "hf_loopbackReaderCanary0002"


class Request(NamedTuple):
    """What came in."""

    method: str
    path: str
    token: str


@dataclass
class Fault:
    """What is to go wrong, under which paths, how often."""

    kind: str | int  # cut reset short long flip zeros trickle loop slow html headers json lost, or an HTTP status
    match: str
    times: int
    method: str
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class LoopbackHub:
    """The server with its state, which tests read and change directly."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.lfs: dict[str, bytes] = {}  # sha256 -> bytes
        self.tokens = {WRITER: ("me", "write"), READER: ("you", "read")}
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.before: dict[str, Callable[[], None]] = {}  # part of a path -> what happens first, once
        self.stopping = threading.Event()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.hub = self
        self.port = self.server.server_address[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.stopping.set()
        self.server.shutdown()
        self.server.close()

    def environment(self, home: Path, token: str = WRITER) -> dict[str, str]:
        """The environment of a process that takes this server for the Hub and `home` for its cache."""
        return {
            "HF_ENDPOINT": self.endpoint, "HF_HOME": str(home), "HF_TOKEN": token, "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1,localhost",
        }  # fmt: skip

    def misbehave(
        self, kind: str | int, match: str = "", times: int = 1, *, method: str = "", headers: Mapping[str, str] = {},
        body: bytes = b"", seconds: float = 0.0,
    ) -> None:  # fmt: skip
        """Let the next `times` answers under paths that contain `match` go wrong."""
        self.faults.append(Fault(kind, match, times, method, headers, body, seconds))

    def create(self, name: str, **facts: Any) -> Repo:
        """A repository with one empty commit."""
        self.repos[name] = repo = Repo(name, **facts)
        self.commit(name, {".gitattributes": b"*.safetensors filter=lfs\n"})
        return repo

    def commit(self, name: str, changes: Mapping[str, bytes | None], branch: str = "main") -> str:
        """Commit files to a branch (None removes one), as somebody else's push would. The commit's 40 hex digits."""
        repo = self.repos.get(name) or self.create(name)
        parent = repo.refs.get(branch) or repo.refs.get("main", "")
        tree = {**repo.trees.get(parent, {}), **{k: v for k, v in changes.items() if v is not None}}
        tree = {path: data for path, data in tree.items() if changes.get(path, b"") is not None}
        said = repr((name, parent, len(repo.trees), sorted((p, sha256(d)) for p, d in tree.items())))
        commit = hashlib.sha1(said.encode()).hexdigest()
        repo.trees[commit], repo.refs[branch] = tree, commit
        self.lfs |= {sha256(data): data for path, data in tree.items() if is_lfs(path)}
        return commit

    def paths(self, method: str = "") -> list[str]:
        """The paths that were asked for."""
        return [request.path for request in self.requests if request.method.startswith(method)]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    hub: LoopbackHub

    def __init__(self, *args: Any) -> None:
        self.sockets: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.sockets.add(request)
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is none of our business."""

    def close(self) -> None:
        """Hang up on everyone."""
        for connection in self.sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self.server_close()


class Handler(Pages):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args: Any) -> None:
        pass

    def do(self) -> None:
        hub, self.url = self.server.hub, urlsplit(self.path)
        self.query = parse_qs(self.url.query)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        hub.requests.append(Request(self.command, unquote(self.path), token))
        for part in [part for part in hub.before if part in self.path]:
            hub.before.pop(part)()
        fault = self.fault()
        try:
            if fault and isinstance(fault.kind, int):  # nothing is done
                raise Refused(fault.kind, headers=fault.headers, body=fault.body)
            if token and token not in hub.tokens:
                raise Refused(401, "", "Invalid credentials in Authorization header")
            self.user, self.role = hub.tokens.get(token, ("", ""))
            status, headers, body = self.answer(unquote(self.url.path))
        except Refused as no:
            status, headers = no.status, {"X-Error-Code": no.code, "X-Error-Message": no.message, **no.headers}
            body = no.body or json.dumps({"error": no.message}).encode()
        self.send(status, {k: v for k, v in headers.items() if v}, body, fault)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do  # noqa: N815

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        for method, pattern, name in ROUTES:
            if self.command in method and (found := re.fullmatch(pattern, path)):
                made = getattr(self, name)(*found.groups())
                return made if isinstance(made, tuple) else (200, {}, json.dumps(made).encode())
        raise Refused(404, "", f"no such page: {path}")

    def send(self, status: int, headers: dict[str, str], body: bytes, fault: Fault | None) -> None:
        kind = str(fault.kind) if fault else ""
        if fault and kind == "slow":
            self.server.hub.stopping.wait(fault.seconds)
        elif fault and kind == "headers":
            headers = {**headers, **fault.headers}
        elif fault and kind == "json":
            status, headers, body = 200, {}, fault.body
        elif kind == "lost":  # what was asked for is done, and nobody hears of it
            status, headers, body = 500, {}, b"{}"
        elif kind == "loop":
            status, headers, body = 302, {"Location": self.path}, b""
        elif kind == "html":
            status, headers, body = 200, {"Content-Type": "text/html"}, b"<!DOCTYPE html><p>Welcome to the hotel's WLAN"
        elif kind in SPOILT:
            body = SPOILT[kind](body)
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.write(body, kind)

    def fault(self) -> Fault | None:
        fault: Fault
        for fault in self.server.hub.faults:
            if fault.times > 0 and fault.match in unquote(self.path) and fault.method in self.command:
                fault.times -= 1
                return fault
        return None

    def write(self, body: bytes, kind: str) -> None:
        if kind in ("cut", "reset"):
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            if kind == "reset":  # closing with a linger time of 0 sends RST in place of FIN
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                time.sleep(0.05)
                self.connection.close()
        elif kind == "trickle":
            for byte in range(len(body)):  # 20 bytes a second
                if self.server.hub.stopping.wait(0.05):
                    return
                self.wfile.write(body[byte : byte + 1])
        else:
            self.wfile.write(body)


SPOILT: dict[str, Callable[[bytes], bytes]] = {  # the same answer, with other bytes
    "flip": lambda body: body[: len(body) // 2] + bytes([body[len(body) // 2] ^ 1]) + body[len(body) // 2 + 1 :],
    "zeros": lambda body: bytes(len(body)),
    "short": lambda body: body[:-7],
    "long": lambda body: body + b"longer",
}

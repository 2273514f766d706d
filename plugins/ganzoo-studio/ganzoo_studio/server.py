"""What is served, and what is refused: only this host, only what the page itself has made, only so much at once."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import re
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import webbrowser
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from ganzoo_core.errors import ExternalError, tell_user
from ganzoo_studio.limits import UPLOAD
from ganzoo_studio.shelf import Shelf, refuse_empty
from ganzoo_studio.uploads import Uploads

if TYPE_CHECKING:
    from fastapi import FastAPI

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Served = Callable[[Message, Receive, Send], Awaitable[None]]

# A browser that keeps to this asks nobody but us, whatever gradio's scripts would like to have.
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'nonce-{}' 'unsafe-eval'; worker-src 'self' blob:; "
    "connect-src 'self' data: blob:; frame-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'"
)
ELSEWHERE = re.compile(
    rb"<(?:link|script|meta|iframe|img)\b[^>]*\b(?:src|href|content)\s*=\s*[\"']?(?:https?:)?//[^>]*>(?:\s*</script>)?",
    re.I,
)
FOREIGN = re.compile(rb'"(?:path|url)"\s*:\s*"\s*(?:https?|ftp|file):', re.I)  # files that gradio would fetch
CLOSED = re.compile(
    r"/gradio_api/(?:proxy=|reload|monitoring|startup-events|deep_link|vibe|runs)|/(?:monitoring|docs|redoc|openapi\.json)"
)


class Guard:
    """Around gradio's application: bounds what comes in, keeps what goes out to this host, and what is uploaded no
    longer than it is used.
    """

    def __init__(self, inner: Served, uploads: Uploads) -> None:
        self.inner, self.uploads = inner, uploads
        self.uploading = asyncio.Lock()  # gradio has the same path for the same bytes, whoever sends them

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.inner(scope, receive, send)
        if CLOSED.match(scope["path"]):
            return await refuse(send, 404, "there is nothing here")
        body = await whole(receive)
        if body is None:
            return await refuse(send, 413, f"more than {UPLOAD >> 20} MiB")
        if FOREIGN.search(body) and b"multipart/" not in header(scope, b"content-type"):
            local = own(scope)
            if any(
                not match.startswith(local) for match in re.findall(rb'"(?:path|url)"\s*:\s*"\s*([^"]*:[^"]*)', body)
            ):
                return await refuse(send, 400, "files of other hosts are not fetched")
        await self.answer(scope, again(body, receive), Cleaned(send), body)

    async def answer(self, scope: Message, receive: Receive, send: Send, body: bytes) -> None:
        """By what is asked for."""
        if scope["path"] == "/gradio_api/upload":
            async with self.uploading:
                await self.inner(scope, receive, Rewritten(send, self.uploads.taken))
        elif scope["path"] == "/gradio_api/queue/join":
            folders = self.uploads.named(body)
            await self.inner(scope, receive, Rewritten(send, partial(self.joined, folders)))
        elif scope["path"] == "/gradio_api/queue/data":
            await self.inner(scope, receive, Listened(send, self.uploads.answered))
        else:
            await self.inner(scope, receive, send)

    def joined(self, folders: list[Path], said: bytes) -> bytes:
        """A press is in the queue: the uploads that it names stay until it is answered."""
        if folders:
            self.uploads.waits(json.loads(said)["event_id"], folders)
        return said


def own(scope: Message) -> tuple[bytes, ...]:
    """How addresses of this page begin, as the browser has reached it."""
    host = header(scope, b"host")
    return tuple(scheme + b"://" + host + b"/gradio_api/file=" for scheme in (b"http", b"https"))


def header(scope: Message, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


async def whole(receive: Receive) -> bytes | None:
    """A request's body; None for one that is too large."""
    parts, size = [], 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > UPLOAD:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


def again(body: bytes, receive: Receive) -> Receive:
    """The same request for whoever reads it next."""
    given = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return given.pop() if given else await receive()

    return next_message


async def refuse(send: Send, status: int, why: str) -> None:
    """One line."""
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": why.encode()})


class Listened:
    """Sends on what it has told `listen` of."""

    def __init__(self, send: Send, listen: Callable[[bytes], None]) -> None:
        self.send, self.listen = send, listen

    async def __call__(self, message: Message) -> None:
        self.listen(message.get("body", b""))
        await self.send(message)


class Rewritten:
    """Sends on another body, where all has gone well."""

    def __init__(self, send: Send, change: Callable[[bytes], bytes]) -> None:
        self.send, self.change = send, change
        self.start, self.parts = dict[str, Any](), list[bytes]()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = dict(message)
            return
        self.parts.append(message.get("body", b""))
        if message.get("more_body"):
            return
        body = b"".join(self.parts)
        if self.start["status"] == 200:
            body = self.change(body)
        kept = [(k, v) for k, v in self.start["headers"] if k != b"content-length"]
        await self.send({**self.start, "headers": [*kept, (b"content-length", str(len(body)).encode())]})
        await self.send({"type": "http.response.body", "body": body})


class Cleaned:
    """Sends on, with a policy for the browser; of HTML pages without what they would fetch from elsewhere, and with a
    number in each of their scripts that only this answer has: no other script runs.
    """

    def __init__(self, send: Send) -> None:
        self.send, self.nonce = send, secrets.token_urlsafe(16)
        self.page: Rewritten | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            policy = POLICY.format(self.nonce).encode()
            headers = [*message["headers"], (b"content-security-policy", policy),
                       (b"referrer-policy", b"no-referrer"), (b"x-content-type-options", b"nosniff")]  # fmt: skip
            message = {**message, "headers": headers}
            if any(k == b"content-type" and v.startswith(b"text/html") for k, v in headers):
                self.page = Rewritten(self.send, self.clean)
        await (self.page or self.send)(message)

    def clean(self, page: bytes) -> bytes:
        ours = b'<script src="/ganzoo.js" defer></script></head>'
        page = ELSEWHERE.sub(b"", page).replace(b"</head>", ours, 1)
        return re.sub(rb"<script\b", b'<script nonce="' + self.nonce.encode() + b'"', page)


def private_room() -> Path:
    """Where uploads and what is made lie until they are taken away: a folder for this process alone."""
    room = Path(tempfile.mkdtemp(prefix="ganzoo-studio-")).resolve()
    atexit.register(shutil.rmtree, room, ignore_errors=True)
    return room


def silence_gradio(room: Path) -> None:
    """Before gradio is imported: it tells nobody of its use, and writes nowhere else."""
    os.environ |= {
        "GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_TEMP_DIR": str(room), "GRADIO_SHARE": "False",
        "GRADIO_SSR_MODE": "False", "GRADIO_RUN_HISTORY": "False", "HF_HUB_DISABLE_TELEMETRY": "1",
        "GRADIO_ALLOWED_PATHS": "", "GRADIO_MCP_SERVER": "False",
    }  # fmt: skip


def application(sources: Sequence[str]) -> FastAPI:
    """The studio of some models as an ASGI application. Errors: GanzooError where there are none."""
    shelf = Shelf(sources)
    refuse_empty(shelf)
    room = private_room()
    silence_gradio(room)
    import gradio
    from fastapi import FastAPI
    from starlette.responses import Response
    from starlette.routing import Route

    from ganzoo_studio.studio import Studio
    from ganzoo_studio.style import SCRIPT, STYLE

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    page = Studio(shelf, room).page()
    gradio.mount_gradio_app(
        app, page, path="/", allowed_paths=[], footer_links=[], show_error=True, max_file_size=UPLOAD,
        run_history=False, ssr_mode=False, enable_monitoring=False, pwa=False, mcp_server=False, css=STYLE,
        theme=gradio.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
    )  # fmt: skip
    page.has_launched = page.is_running = True  # else gradio checks no path that a visitor names: it is only mounted
    app.router.routes.insert(0, Route("/ganzoo.js", lambda request: Response(SCRIPT, media_type="text/javascript")))
    uploads = Uploads(room)
    app.add_middleware(Guard, uploads=uploads)
    Thread(target=uploads.sweep, args=(Event(),), daemon=True).start()
    return app


def end_properly() -> None:
    """Also when it is told to end, and not only by Ctrl-C: what `private_room` has registered is done.

    A shell that starts it in the background has it ignore Ctrl-C; uvicorn would not, but only once it serves.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)


def serve(sources: Sequence[str], host: str = "127.0.0.1", port: int = 7860, browse: bool = False) -> None:
    """Serve until Ctrl-C. Errors: GanzooError where there is no model, ExternalError for a port that is taken."""
    import uvicorn

    app, listening = application(sources), listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listening.getsockname()[1]}/"
    end_properly()
    tell_user("the studio is open; Ctrl-C closes it")
    print(address, flush=True)
    if browse:
        webbrowser.open(address)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False)).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """Errors: ExternalError for an address that cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()  # whoever comes before the page is up waits for it
    except OSError as fault:
        listening.close()
        raise ExternalError(f"{host}:{port}: {fault.strerror or fault}", "Choose another --port, or 0.") from None
    return listening

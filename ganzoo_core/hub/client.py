"""Asking the Hub: through its own client, within a time limit, and with what can go wrong told apart.

$HF_ENDPOINT, $HF_HOME, $HF_HUB_CACHE, $HF_HUB_OFFLINE and $HF_TOKEN mean what they mean to the client; they are read
when something is asked. The client itself is imported then, and not before.
"""

from __future__ import annotations

import errno
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ganzoo_core.errors import ExternalError, GanzooError, escape

if TYPE_CHECKING:
    from huggingface_hub import HfApi

T = TypeVar("T")
PATIENCE = 60.0  # seconds for everything that is asked at once, and for its bytes
SLOWEST = 64 << 10  # bytes a second besides
TRUE = ("1", "ON", "YES", "TRUE")


class Unreachable(ExternalError):
    """Nobody answered, or not what a Hub answers: what is cached may serve instead."""


class Subject(NamedTuple):
    """What is asked for, for the messages."""

    name: str  # owner/repo, or what else
    revision: str = ""
    file: str = ""

    def __str__(self) -> str:
        return self.name + (f"@{self.revision}" if self.revision else "") + (f"/{self.file}" if self.file else "")


def endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"


def cache() -> Path:
    """The client's cache of repositories."""
    if given := os.environ.get("HF_HUB_CACHE"):
        return Path(given).expanduser()
    caches = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("HF_HOME", f"{caches}/huggingface")).expanduser() / "hub"


def offline() -> bool:
    return any(os.environ.get(key, "").upper() in TRUE for key in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))


def client() -> HfApi:
    """The Hub's client, silent but for errors unless $HF_HUB_VERBOSITY is set. Errors: ExternalError offline."""
    if offline():
        raise ExternalError("HF_HUB_OFFLINE is set, and this needs the Hub", "Unset it, or use what is cached.")
    from importlib.metadata import version

    from huggingface_hub import HfApi
    from huggingface_hub.utils import disable_progress_bars, logging  # type: ignore[attr-defined]

    if "HF_HUB_VERBOSITY" not in os.environ:
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        disable_progress_bars()
    return HfApi(endpoint=endpoint(), library_name="ganzoo", library_version=version("ganzoo-core"))


def token() -> str:
    """The user's token, or "". It goes to the Hub and nowhere else."""
    from huggingface_hub import get_token

    return get_token() or ""


def within(work: Callable[[], T], subject: Subject, size: int = 0) -> T:
    """What `work` returns, if it does in time; `size` bytes are allowed to take longer.

    The client's own time limits are for a single read, so a server that trickles would hold it for ever; it is left to
    a thread of its own, its connections are closed, and the thread ends at its next read. Such a thread may still close
    the client's connections, which all share, while somebody else reads: what fails for that is asked once more.
    Errors: Unreachable for the time limit, and whatever `work` raises as one of ours.
    """
    try:
        return attempted(work, subject, size)
    except OSError as fault:
        if fault.errno != errno.EBADF:
            raise
    try:
        return attempted(work, subject, size)
    except OSError as fault:
        raise explain(fault, subject) from None


def once(work: Callable[[], T], subject: Subject, size: int = 0) -> T:
    """As `within`, for what must not be done twice: where its connection is closed, nobody knows whether it was."""
    try:
        return attempted(work, subject, size)
    except OSError as fault:
        raise transport(fault, subject) if fault.errno == errno.EBADF else fault from None


def attempted(work: Callable[[], T], subject: Subject, size: int) -> T:
    """`work` within the time limit, once. Errors: OSError EBADF where its connection was closed under it, and ours."""
    limit = patience() + size / SLOWEST
    done: list[T] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=run, name="ganzoo-hub", daemon=True)
    thread.start()
    thread.join(limit)
    if done:
        return done[0]
    if faults and closed_under_it(faults[0]):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    if faults:
        raise faults[0] if isinstance(faults[0], GanzooError) else explain(faults[0], subject) from None
    from huggingface_hub.utils import close_session  # type: ignore[attr-defined]

    close_session()
    thread.join(2.0)
    raise Unreachable(f"{subject}: {endpoint()} did not finish within {limit:.0f} s", "Try again later.")


def closed_under_it(fault: BaseException | None) -> bool:
    """Whether somebody in this process closed the connection that was read from."""
    while fault is not None and not (isinstance(fault, OSError) and fault.errno == errno.EBADF):
        fault = fault.__cause__ or fault.__context__
    return fault is not None


def patience() -> float:
    """Seconds, from $GANZOO_HUB_TIMEOUT where it is a number."""
    try:
        return max(0.1, float(os.environ.get("GANZOO_HUB_TIMEOUT", PATIENCE)))
    except ValueError:
        return PATIENCE


def explain(fault: BaseException, subject: Subject) -> BaseException:
    """The client's error as one of ours. What is no error of the client's, nor of the disk's, stays: it is a bug."""
    from huggingface_hub import errors as hub

    if isinstance(fault, RuntimeError) and isinstance(fault.__cause__, Exception):  # "Error while uploading ..."
        return explain(fault.__cause__, subject)
    table: list[tuple[type[BaseException], Callable[[Any, Subject], BaseException]]] = [
        # the order matters: a gated repository is one that is not found, and so on
        (hub.HFValidationError, invalid), (hub.GatedRepoError, gated), (hub.DisabledRepoError, disabled),
        (hub.RepositoryNotFoundError, no_repository), (hub.RevisionNotFoundError, no_revision),
        (hub.RemoteEntryNotFoundError, no_file), (hub.LocalEntryNotFoundError, cause),
        (hub.OfflineModeIsEnabled, is_offline), (hub.LocalTokenNotFoundError, no_token),
        (hub.FileMetadataError, no_hub), (hub.BadRequestError, bad_request), (hub.HfHubHTTPError, by_status),
        (hub.HTTPError, transport),  # type: ignore[attr-defined]
        (ConnectionError, transport), (TimeoutError, transport), (OSError, disk), (ValueError, no_hub),
        (KeyError, no_hub), (TypeError, no_hub), (AttributeError, no_hub), (RuntimeError, transport),
    ]  # fmt: skip
    for kind, explanation in table:
        if isinstance(fault, kind):
            return explanation(fault, subject)
    return fault


def invalid(fault: Any, subject: Subject) -> GanzooError:
    return GanzooError(f"{subject.name!r}: is no repository's name", "Expected owner/name.")


def gated(fault: Any, subject: Subject) -> GanzooError:
    page = f"{endpoint()}/{subject.name}"
    return ExternalError(f"{subject}: is gated: {said(fault)}", f"Ask for access at {page}, then set HF_TOKEN.")


def disabled(fault: Any, subject: Subject) -> GanzooError:
    return ExternalError(f"{subject}: the Hub has disabled it")


def no_repository(fault: Any, subject: Subject) -> GanzooError:
    if fault.response.status_code == 404:
        return GanzooError(f"{subject.name}: no such repository, or a private one of others", "Check the name.")
    hint = "Your token may not see it." if token() else "Set HF_TOKEN or run `hf auth login` if it is private."
    return ExternalError(f"{subject.name}: not found, or private", hint)


def no_revision(fault: Any, subject: Subject) -> GanzooError:
    return GanzooError(f"{subject.name}: has no branch, tag or commit {escape(subject.revision, 60)!r}", "Check it.")


def no_file(fault: Any, subject: Subject) -> GanzooError:
    return GanzooError(f"{subject}: no such file there", "It seems to be no model of ganzoo's.")


def cause(fault: BaseException, subject: Subject) -> BaseException:
    """What kept the client from the network."""
    return explain(fault.__cause__, subject) if isinstance(fault.__cause__, Exception) else transport(fault, subject)


def is_offline(fault: Any, subject: Subject) -> GanzooError:
    return ExternalError(f"{subject}: HF_HUB_OFFLINE is set, and it is not cached", "Unset it once to fetch it.")


def no_token(fault: Any, subject: Subject) -> GanzooError:
    return ExternalError(f"{subject}: no token", "Set HF_TOKEN or run `hf auth login`.")


def no_hub(fault: Any, subject: Subject) -> GanzooError:
    if "metadata" in str(fault):  # of README.md, which the Hub validates before a commit
        return GanzooError(f"{subject}: the Hub refuses the model card: {said(fault)}", "Mend its README.md.")
    return Unreachable(f"{subject}: {endpoint()} does not answer like a Hub: {said(fault)}", "Check HF_ENDPOINT.")


def bad_request(fault: Any, subject: Subject) -> GanzooError:
    return GanzooError(f"{subject}: the Hub refuses: {said(fault)}")


def by_status(fault: Any, subject: Subject) -> GanzooError:
    status = fault.response.status_code
    if status == 404:  # the Hub says what it is that is not found
        return no_hub(fault, subject)
    if status == 401:
        return ExternalError(f"{subject}: not allowed: {said(fault)}", "Is HF_TOKEN right? `hf auth login` makes one.")
    if status == 403:
        hint = "The token needs write access, and the name must be yours."
        return ExternalError(f"{subject}: not allowed: {said(fault)}", hint)
    if status in (409, 412):
        return GanzooError(f"{subject}: changed meanwhile: {said(fault)}", "Pull it, look, and push again.")
    if status == 429:
        wait = fault.response.headers.get("Retry-After", "")
        return Unreachable(f"{subject}: rate limited", f"Try again in {escape(wait, 9)} s." if wait else "Try later.")
    if status >= 500:
        return Unreachable(f"{subject}: the Hub is in trouble ({status})", "Try again later.")
    return ExternalError(f"{subject}: the Hub answers {status}: {said(fault)}")


def transport(fault: BaseException, subject: Subject) -> GanzooError:
    name = type(fault).__name__
    if "xet" in str(fault).lower():
        return Unreachable(f"{subject}: the transfer by xet failed: {said(fault)}", "Try it with HF_HUB_DISABLE_XET=1.")
    return Unreachable(f"{subject}: cannot reach {endpoint()}: {name}: {said(fault)}", "Is the network there?")


def disk(fault: OSError, subject: Subject) -> GanzooError:
    if "Consistency check" in str(fault):
        return ExternalError(f"{subject}: the download is not as long as promised", "Try again.")
    where = f" at {fault.filename}" if fault.filename else ""
    return ExternalError(f"{subject}: {fault.strerror or said(fault)}{where}", f"The cache is {cache()}.")


def said(fault: BaseException) -> str:
    """The words of an error on one line, without tokens, whoever put them there."""
    server = getattr(fault, "server_message", None)
    words = str(server or fault).partition("For more information")[0]
    return escape(unsecret(" ".join(words.split())), 300)


def unsecret(text: str) -> str:
    mine = token()
    return re.sub(r"hf_[A-Za-z0-9]{6,}", "hf_***", text.replace(mine, "hf_***") if mine else text)

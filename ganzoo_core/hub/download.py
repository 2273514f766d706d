"""Models from the Hub: hf:owner/repo[@revision] to a folder of the client's cache, whose files are what they should be.

Only the files of a model directory are ever asked for, by their names, and the weights last: where they are cached,
everything is. A pinned revision (a commit's 40 hex digits) that is cached costs no request at all.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ganzoo_core.errors import ExternalError, GanzooError, IntegrityError, escape, tell_user
from ganzoo_core.files import make_folder, write_aside
from ganzoo_core.hub import client
from ganzoo_core.hub.client import Subject, Unreachable
from ganzoo_core.weights import hashes
from ganzoo_core.weights.config import FILE, FILES, MAX_CONFIG, TRAINING, parse_config

if TYPE_CHECKING:
    from huggingface_hub import HfApi

PREFIX = "hf:"
MAIN = "main"
NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
ADDRESS = re.compile(r"https?://[^/]+/|(www\.)?(huggingface\.co|hf\.co)/")
FILE_PATH = re.compile(r"[\w.-]+(/[\w.-]+)*", re.ASCII)
REVISION = re.compile(r"[A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)*", re.ASCII)


class Repo(NamedTuple):
    """A repository at a branch, a tag or a commit."""

    name: str  # owner/repo
    revision: str = MAIN

    @property
    def pinned(self) -> bool:
        return bool(hashes.COMMIT.fullmatch(self.revision))

    @property
    def folder(self) -> Path:
        """In the client's cache; see its documentation of the layout."""
        return client.cache() / f"models--{self.name.replace('/', '--')}"

    def snapshot(self, commit: str) -> Path:
        return self.folder / "snapshots" / commit

    def __str__(self) -> str:
        return f"{PREFIX}{self.name}" + ("" if self.revision == MAIN else f"@{self.revision}")


class Listed(NamedTuple):
    """What the Hub says of a file."""

    size: int
    pin: str  # sha256 of what is stored as LFS, git's sha1 of the rest


def is_name(name: str) -> bool:
    """Whether a repository can be called so."""
    bad = len(name) > 96 or "--" in name or ".." in name or name.endswith((".git", ".", "-"))
    return not bad and NAME.fullmatch(name) is not None


def meant(source: str) -> str:
    """hf:owner/repo[@revision] of what people write for it: owner/repo, or the address of its page; else ""."""
    path = ADDRESS.sub("", source.removeprefix(PREFIX)).partition("?")[0].rstrip("/")
    owner, _, rest = path.partition("/")
    name, _, place = rest.partition("/")
    kind, _, revision = place.partition("/")
    if (place and kind not in ("tree", "blob", "resolve", "commit")) or not is_name(f"{owner}/{name}"):
        return ""
    at = revision.partition("/")[0]
    return f"{PREFIX}{owner}/{name}" + (f"@{at}" if at not in ("", MAIN) else "")


def parse(source: str) -> Repo:
    """hf:owner/repo[@revision], or without hf:. Errors: GanzooError."""
    name, mark, revision = source.removeprefix(PREFIX).partition("@")
    if not is_name(name):
        hint = f"Expected {meant(source) or 'hf:owner/name'}."
        raise GanzooError(f"{escape(source, 60)!r}: {escape(name, 60)!r} is no repository", hint)
    if mark and (not REVISION.fullmatch(revision) or len(revision) > 128 or ".." in revision):
        raise GanzooError(
            f"{escape(source, 60)!r}: no branch, tag or commit behind the @", "Expected hf:owner/name@rev."
        )
    return Repo(name, revision or MAIN)


def pull(repo: Repo, more: frozenset[str] = frozenset()) -> Path:
    """The folder of the client's cache with the files of the model, fetched where they are missing.

    `more` names files that are left out unless somebody asks: the discriminators. What is fetched is checked against
    the hashes that the Hub lists before anyone reads it. Errors: GanzooError for
    what is not there, ExternalError for the network and the disk, IntegrityError for bytes that are not those promised.
    """
    known = repo.revision if repo.pinned else cached_commit(repo)
    here = is_whole(repo.snapshot(known), more) if known else False
    if here and (repo.pinned or client.offline()):
        return repo.snapshot(known)
    if client.offline():
        raise ExternalError(f"{repo}: HF_HUB_OFFLINE is set, and it is not cached", "Unset it once to fetch it.")
    try:
        commit = fetch(repo, more)
    except Unreachable as fault:
        if not here:
            raise
        tell_user(f"warning: {fault.what}: using {repo.name}@{known} of the cache")
        return repo.snapshot(known)
    return repo.snapshot(commit)


def is_whole(folder: Path, more: frozenset[str] = frozenset()) -> bool:
    """Whether all files that are asked for are there; a model that has no such file lacks none."""
    if not (folder / "config.json").exists() or not (folder / FILE).exists():
        return False
    if not more:
        return True
    promised = parse_config(folder / "config.json", hashes.read_regular(folder / "config.json", MAX_CONFIG))["files"]
    return all((folder / name).exists() for name in more & promised.keys())


def cached_commit(repo: Repo) -> str:
    """The commit that a branch or tag had when it was last asked for, or ""."""
    path = repo.folder / "refs" / repo.revision
    try:
        commit = path.read_text("ascii").strip() if path.is_file() and path.stat().st_size < 100 else ""
    except (OSError, ValueError):
        return ""
    return commit if hashes.COMMIT.fullmatch(commit) else ""


def remember(repo: Repo, commit: str) -> None:
    """The commit of a branch or tag, where the client looks for it. A cache that cannot be written is warned of."""
    path = repo.folder / "refs" / repo.revision
    if not repo.pinned and cached_commit(repo) != commit:
        try:
            make_folder(path.parent)
            write_aside(path, commit.encode())
        except GanzooError as fault:
            tell_user(f"warning: {fault.what}: the cache does not know that {repo.name} is at {commit}")


def fetch(repo: Repo, more: frozenset[str] = frozenset()) -> str:
    """Every file of the model that is not cached. The commit."""
    api = client.client()
    commit, listed = listing(api, repo)
    if repo.pinned and commit != repo.revision:
        raise IntegrityError(f"{repo}: the Hub answers with the commit {commit}", "Do not trust this Hub.")
    for name in ("config.json", FILE):
        if name not in listed:
            raise GanzooError(f"{repo.name}@{commit}: has no {name}", whose(api, repo))
    for name in (name for name in FILES if name in listed and (name not in TRAINING or name in more)):
        download(api, repo, commit, name, listed[name])
        if name == "config.json":
            refuse_other_size(repo, commit, listed)
    remember(repo, commit)
    return commit


def pull_file(repo: Repo, path: str, limit: int) -> Path:
    """One file of a repository, by its path there, in the client's cache: not larger than `limit` and as the Hub lists.

    Errors: GanzooError for what is not there or too large; ExternalError; IntegrityError for other bytes.
    """
    if not FILE_PATH.fullmatch(path) or ".." in path.split("/"):
        raise GanzooError(f"{repo}: {escape(path, 60)!r} is no file's path", "Expected hf:owner/name/path@revision.")
    api = client.client()
    subject = Subject(repo.name, repo.revision, path)
    ask = lambda: api.model_info(repo.name, revision=repo.revision, files_metadata=True, timeout=10)  # noqa: E731
    info = client.within(ask, subject)
    file = next((file for file in info.siblings or [] if file.rfilename == path), None)
    if file is None or type(file.size) is not int:
        raise GanzooError(f"{subject}: no such file there", "Look at the repository's list of files.")
    if file.size > limit:
        raise GanzooError(f"{subject}: {file.size:,} bytes, at most {limit:,} are read", "Allow more: --max-bytes.")
    listed = Listed(file.size, str(file.lfs.sha256 if file.lfs else file.blob_id))
    if not hashes.HEX.fullmatch(listed.pin) or not hashes.COMMIT.fullmatch(str(info.sha)):
        raise ExternalError(f"{subject}: the Hub states no hash of it")
    here = repo.snapshot(str(info.sha)) / path
    if not here.exists():
        refuse_full_disk(listed.size)
        client.within(lambda: into_cache(api, repo.name, str(info.sha), path, listed), subject, listed.size)
    hashes.check(here, hashes.read_regular(here, limit), listed.pin)
    return here


def whose(api: HfApi, repo: Repo) -> str:
    """What to do with a repository that holds no model of ours: its card may say which library loads it."""
    ask = lambda: api.model_info(repo.name, revision=repo.revision, timeout=10)  # noqa: E731
    library = escape(client.within(ask, Subject(repo.name, repo.revision)).library_name or "", 40)
    if library in ("", "ganzoo"):
        return "It seems to be no model of ganzoo's."
    return f"It is a model of {library}'s, not of ganzoo's: load it with {library}."


def listing(api: HfApi, repo: Repo) -> tuple[str, dict[str, Listed]]:
    """A repository's commit and the files of a model directory in it. What the Hub says is checked, then believed."""
    subject = Subject(repo.name, repo.revision)
    ask = lambda: api.model_info(repo.name, revision=repo.revision, files_metadata=True, timeout=10)  # noqa: E731
    info = client.within(ask, subject)
    if not hashes.COMMIT.fullmatch(str(info.sha)):
        raise ExternalError(f"{subject}: the Hub names a commit {escape(info.sha, 60)!r}, which is none")
    listed = {}
    for file in info.siblings or []:
        pin = file.lfs.sha256 if file.lfs else file.blob_id
        if file.rfilename in FILES:
            if not hashes.HEX.fullmatch(str(pin)) or type(file.size) is not int:
                raise ExternalError(f"{subject}: the Hub states no hash and size of {file.rfilename}")
            if file.size > FILES[file.rfilename]:
                raise GanzooError(f"{subject}: {file.rfilename} has {file.size:,} bytes, which no model has")
            listed[file.rfilename] = Listed(file.size, str(pin))
    return str(info.sha), listed


def refuse_other_size(repo: Repo, commit: str, listed: Mapping[str, Listed]) -> None:
    """Weights that are not as long as config.json says are not even fetched."""
    path = repo.snapshot(commit) / "config.json"
    promised = parse_config(path, hashes.read_regular(path, MAX_CONFIG))["files"][FILE]
    if promised["bytes"] != listed[FILE].size:
        what = f"{repo.name}@{commit}: {FILE} has {listed[FILE].size} bytes, config.json promises {promised['bytes']}"
        raise GanzooError(what, "Tell its owner.")
    if len(listed[FILE].pin) == 64 and promised["sha256"] != listed[FILE].pin:
        what = f"{repo.name}@{commit}: {FILE}: sha256 differs: config.json promises {promised['sha256']}"
        raise IntegrityError(f"{what}, the Hub has {listed[FILE].pin}", "Tell its owner.")


def download(api: HfApi, repo: Repo, commit: str, name: str, listed: Listed) -> None:
    """One file into the cache, by the client, unless it is there; then its hash.

    The client names files of its cache by what the server calls them, unseen; so that is looked at first.
    """
    path = repo.snapshot(commit) / name
    if not path.exists():
        refuse_full_disk(listed.size)
        subject = Subject(repo.name, commit, name)
        client.within(lambda: into_cache(api, repo.name, commit, name, listed), subject, listed.size)
    hashes.read_pinned(path, FILES[name], {name: listed.pin})
    for left in (repo.folder / "blobs").glob(f"{listed.pin}.*.incomplete"):  # of a process that was killed
        left.unlink(missing_ok=True)


def into_cache(api: HfApi, name: str, commit: str, file: str, listed: Listed) -> None:
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    url = hf_hub_url(name, file, revision=commit, endpoint=client.endpoint())
    head = get_hf_file_metadata(url, timeout=10, endpoint=client.endpoint())
    if head.commit_hash != commit or head.etag != listed.pin:
        found = escape(f"{head.commit_hash} and {head.etag}", 150)
        raise ExternalError(f"{name}@{commit}/{file}: the Hub calls it {found}, and listed {listed.pin}", "Try again.")
    hf_hub_download(name, file, revision=commit, endpoint=client.endpoint(), cache_dir=client.cache())


def refuse_full_disk(size: int) -> None:
    place = client.cache()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < size:
        raise ExternalError(f"{client.cache()}: {size:,} bytes are needed, {free:,} are free", "Make room.")
    if not os.access(place, os.W_OK | os.X_OK) or not place.is_dir():
        raise ExternalError(f"{client.cache()}: cannot be written to", "Set HF_HOME to another place.")

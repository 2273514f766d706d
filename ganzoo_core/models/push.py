"""A model onto the Hub: one commit with all of its files, looked at again afterwards.

As with git, what you have not seen you do not overwrite: a repository that holds another model is replaced only where
its head is the commit that this machine last pushed or pulled, or the one that is named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ganzoo_core.errors import ExternalError, GanzooError, IntegrityError, escape, tell_user
from ganzoo_core.hub import client, download
from ganzoo_core.hub.client import Subject
from ganzoo_core.hub.download import MAIN, Listed, Repo
from ganzoo_core.models.export import contents
from ganzoo_core.models.resolve import locate
from ganzoo_core.weights.config import FILE, FILES
from ganzoo_core.weights.hashes import COMMIT, digest, snapshot
from ganzoo_core.weights.licenses import restrictions, spdx

if TYPE_CHECKING:
    from huggingface_hub import HfApi

SECRETS = re.compile(rb"hf_[A-Za-z0-9]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY|gh[pousr]_[A-Za-z0-9]{30,}|AKIA[0-9A-Z]{16}")
SECRET_NAMES = re.compile(
    r"\.env.*|\.netrc|\.git-credentials|id_(rsa|ed25519|ecdsa).*|.*\.(pem|key|p12)|(.*[._-])?(secret|token|credential)s?([._-].*)?",
    re.I,
)


class PushRequest(NamedTuple):
    """What is to be pushed where."""

    repo: Repo  # the revision is the branch
    files: Mapping[str, bytes]
    private: bool = False
    create_pr: bool = False
    parent: str = ""  # the commit that may be replaced


class PushResult(NamedTuple):
    """What came of it."""

    source: str  # hf:owner/repo@commit
    changed: bool  # False where the Hub had the same bytes already
    pull_request: str  # its address, or ""


def prepare(
    source: str, name: str, licence: str, *, revision: str = MAIN, private: bool = False, create_pr: bool = False,
    parent: str = "", with_discriminators: bool = False,
) -> PushRequest:  # fmt: skip
    """All that is to be pushed; nobody is asked yet. Errors: GanzooError for a bad name, licence or model."""
    repo = download.parse(f"{name}@{revision}")
    expression = spdx(licence)
    if beware := restrictions(expression):
        tell_user(f"warning: licence: {beware}")
    if parent and not COMMIT.fullmatch(parent):
        raise GanzooError(f"--parent {escape(parent, 60)!r}: is no commit of 40 hex digits", "`ganzoo pull` prints it.")
    located = locate(source)
    refuse_foreign_files(located.folder)
    files = contents(located, f"{download.PREFIX}{repo.name}", expression, with_discriminators)
    for file in ("config.json", "metrics.json", "README.md"):
        if SECRETS.search(files.get(file, b"")) or holds_token(files.get(file, b"")):
            raise GanzooError(f"{source}: {file}: holds what looks like a token or a key", "Remove it, and renew it.")
    return PushRequest(repo, files, private, create_pr, parent)


def holds_token(data: bytes) -> bool:
    mine = client.token().encode()
    return len(mine) >= 8 and mine in data


def refuse_foreign_files(folder: Path) -> None:
    """Links out of the directory, and files that are called like secrets: nothing of it is to be published."""
    for path in folder.iterdir():
        if path.is_symlink() and snapshot(path) is None:
            raise GanzooError(f"{escape(path)}: is a link", "Put the file itself there, or remove it.")
        if SECRET_NAMES.fullmatch(path.name):
            raise GanzooError(f"{escape(path)}: looks like a secret", "Move it out of the model directory first.")


def push(wanted: PushRequest) -> PushResult:
    """One commit, and afterwards a comparison of what the Hub stored. The same bytes again are no commit at all.

    Errors: ExternalError for the network, the token and the Hub; GanzooError where the repository has changed
    meanwhile; IntegrityError where the Hub has other bytes than ours.
    """
    api, repo = client.client(), wanted.repo
    if not client.token():
        raise ExternalError(f"{repo.name}: no token", "Set HF_TOKEN or run `hf auth login`.")
    make(api, wanted)
    head, listed = download.listing(api, repo)
    if same(wanted.files, listed):
        download.remember(repo, head)
        return PushResult(str(repo._replace(revision=head)), False, "")
    if not wanted.create_pr:
        refuse_unseen(wanted, head, listed)
    commit, pull_request = send(api, wanted, head, listed)
    confirm(api, wanted, commit)
    if not wanted.create_pr:
        download.remember(repo, commit)
    return PushResult(str(repo._replace(revision=commit)), True, pull_request)


def make(api: HfApi, wanted: PushRequest) -> None:
    """The repository and the branch, where they are missing."""
    repo, subject = wanted.repo, Subject(wanted.repo.name)
    if not client.within(lambda: api.repo_exists(repo.name), subject):
        if wanted.create_pr:
            raise GanzooError(f"{repo.name}: no such repository to make a pull request for", "Check the name.")
        client.within(lambda: api.create_repo(repo.name, private=wanted.private or None, exist_ok=True), subject)
    if repo.revision != MAIN:
        client.within(lambda: api.create_branch(repo.name, branch=repo.revision, exist_ok=True), subject)


def same(files: Mapping[str, bytes], listed: Mapping[str, Listed]) -> bool:
    return files.keys() == listed.keys() and all(
        digest(files[name], listed[name].pin) == listed[name].pin for name in files
    )


def refuse_unseen(wanted: PushRequest, head: str, listed: Mapping[str, Listed]) -> None:
    """Somebody's model that this machine has not seen is not overwritten."""
    seen = wanted.parent or download.cached_commit(wanted.repo)
    if head != seen and (FILE in listed or wanted.parent):
        what = f"{wanted.repo}: holds a model that you have not seen: its head is {head}"
        hint = f"`ganzoo pull {wanted.repo}` and look, or say --parent {head} to replace it."
        raise GanzooError(what, hint)


def send(api: HfApi, wanted: PushRequest, head: str, listed: Mapping[str, Listed]) -> tuple[str, str]:
    """The commit on top of `head`, and the address of its pull request. Files of an older model go."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    files = {name: data for name, data in wanted.files.items() if not same({name: data}, pick(listed, name))}
    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        CommitOperationAdd(path_in_repo=name, path_or_fileobj=data) for name, data in files.items()
    ]
    operations += [CommitOperationDelete(path_in_repo=name) for name in FILES if name in listed.keys() - wanted.files]
    repo = wanted.repo

    def commit() -> tuple[str, str]:
        done = api.create_commit(
            repo.name, operations, commit_message="ganzoo push", revision=repo.revision, parent_commit=head,
            create_pr=wanted.create_pr,
        )  # fmt: skip
        return str(done.oid), str(done.pr_url or "")

    return client.once(commit, Subject(repo.name, repo.revision), sum(map(len, files.values())))


def pick(listed: Mapping[str, Listed], name: str) -> dict[str, Listed]:
    return {name: listed[name]} if name in listed else {}


def confirm(api: HfApi, wanted: PushRequest, commit: str) -> None:
    """What the Hub has of this commit is what was sent."""
    _, listed = download.listing(api, wanted.repo._replace(revision=commit))
    for name, data in wanted.files.items():
        if name not in listed:
            raise IntegrityError(f"{wanted.repo.name}@{commit}: the Hub has no {name}", "Push again.")
        ours = digest(data, listed[name].pin)
        if ours != listed[name].pin:
            what = (
                f"{wanted.repo.name}@{commit}/{name}: the Hub's hash differs: expected {ours}, found {listed[name].pin}"
            )
            raise IntegrityError(what, "Push again.")

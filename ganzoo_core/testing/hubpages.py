"""The pages of the loopback Hub: what a repository's address answers."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import SplitResult, parse_qs

STORED_AS_LFS = (".safetensors", ".bin", ".pt")


@dataclass
class Repo:
    """A repository: its commits as whole trees, and the names of some."""

    id: str
    private: bool = False
    gated: bool = False
    disabled: bool = False
    downloads: int = 0
    refs: dict[str, str] = field(default_factory=dict)  # branch or tag -> commit
    trees: dict[str, dict[str, bytes]] = field(default_factory=dict)  # commit -> path -> bytes


class Refused(Exception):
    """An answer that is an error: status, the Hub's code, its message."""

    def __init__(
        self, status: int, code: str = "", message: str = "", headers: Mapping[str, str] = {}, body: bytes = b""
    ) -> None:
        super().__init__(status, code, message)
        self.status, self.code, self.message = status, code, message
        self.headers, self.body = headers, body


class Pages(BaseHTTPRequestHandler):
    """One method per page; it returns what becomes JSON, or (status, headers, body). `Refused` is an answer too."""

    server: Any  # ganzoo_core.testing.hub's Server
    url: SplitResult
    query: dict[str, list[str]]
    body: bytes
    user: str  # "" for nobody
    role: str

    def repo(self, name: str, write: bool = False) -> Repo:
        repo: Repo | None = self.server.hub.repos.get(name)
        if repo is None or (repo.private and self.user != name.split("/")[0]):
            raise Refused(404 if self.user else 401, "RepoNotFound", "Repository not found")
        if repo.disabled:
            raise Refused(403, "", "Access to this resource is disabled.")
        if write and (self.role != "write" or self.user != name.split("/")[0]):
            raise Refused(403, "", "You do not have write access to this repository")
        return repo

    def commit_of(self, repo: Repo, revision: str) -> str:
        commit = repo.refs.get(revision, revision)
        if commit not in repo.trees:
            raise Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    def whoami(self) -> Any:
        if not self.user:
            raise Refused(401, "", "Invalid username or password.")
        role = {"displayName": "t", "role": self.role}
        return {"type": "user", "name": self.user, "orgs": [], "auth": {"type": "access_token", "accessToken": role}}

    def create(self) -> Any:
        asked = json.loads(self.body)
        name = f"{asked['organization'] or self.user}/{asked['name']}"
        if self.role != "write" or self.user != name.split("/")[0]:
            raise Refused(403 if self.user else 401, "", "You don't have the rights to create a model here")
        hub, url = self.server.hub, {"url": f"{self.server.hub.endpoint}/{name}"}
        if name in hub.repos:
            return 409, {}, json.dumps({"error": "You already created this model repo", **url}).encode()
        hub.create(name, private=asked.get("visibility") == "private" or bool(asked.get("private")))
        return url

    def listing(self) -> Any:
        wanted, text = self.query.get("filter", []), self.query.get("search", [""])[0].lower()
        visible = [r for r in self.server.hub.repos.values() if not r.private and text in r.id.lower()]
        infos = [self.about(repo, repo.refs["main"], False) for repo in visible]
        infos = [info for info in infos if set(wanted) <= set(info["tags"])]
        start, size = int(self.query.get("p", ["0"])[0]), int(self.query.get("limit", ["1000"])[0])
        more = f'<{self.server.hub.endpoint}/api/models?{self.url.query}&p={start + size}>; rel="next"'
        link = {"Link": more} if start + size < len(infos) else {}
        return 200, link, json.dumps(infos[start : start + size]).encode()

    def info(self, name: str, revision: str | None = None) -> Any:
        repo = self.repo(name)
        return self.about(repo, self.commit_of(repo, revision or "main"), "blobs" in self.query)

    def about(self, repo: Repo, commit: str, blobs: bool) -> dict[str, Any]:
        tree = repo.trees[commit]
        card = card_of(tree)
        tags = [*card.get("tags", []), card.get("library_name", ""), f"license:{card.get('license', '')}"]
        tags += [f"dataset:{name}" for name in card.get("datasets", [])]
        return {
            "id": repo.id, "sha": commit, "private": repo.private, "gated": "auto" if repo.gated else False,
            "disabled": repo.disabled, "downloads": repo.downloads, "likes": 0, "tags": [t for t in tags if t],
            "library_name": card.get("library_name"), "pipeline_tag": card.get("pipeline_tag"), "cardData": card,
            "lastModified": "2026-01-01T00:00:00.000Z", "createdAt": "2026-01-01T00:00:00.000Z",
            "siblings": [{"rfilename": path, **(sizes(path, data) if blobs else {})} for path, data in tree.items()],
        }  # fmt: skip

    def tree(self, name: str, revision: str) -> Any:
        repo = self.repo(name)
        tree = repo.trees[self.commit_of(repo, revision)]
        asked = parse_qs(self.body.decode()).get("paths") or list(tree)
        return [entry(path, tree[path]) for path in asked if path in tree]

    def refs(self, name: str) -> Any:
        found = [{"name": n, "ref": f"refs/heads/{n}", "targetCommit": c} for n, c in self.repo(name).refs.items()]
        return {"branches": found, "tags": [], "converts": []}

    def branch(self, name: str, branch: str) -> Any:
        repo = self.repo(name, write=True)
        if branch in repo.refs:
            raise Refused(409, "", "Reference already exists")
        repo.refs[branch] = self.commit_of(repo, json.loads(self.body or b"{}").get("startingPoint") or "main")
        return {}

    def validate(self) -> Any:
        errors = card_errors(json.loads(self.body)["content"])
        said = {"errors": [{"message": e} for e in errors], "warnings": []}
        return 400 if errors else 200, {}, json.dumps(said).encode()

    def preupload(self, name: str, revision: str) -> Any:
        self.repo(name, write="create_pr" not in self.query)
        files = json.loads(self.body)["files"]
        modes = [(f["path"], "lfs" if is_lfs(f["path"]) else "regular") for f in files]
        return {"files": [{"path": p, "uploadMode": m, "shouldIgnore": False} for p, m in modes]}

    def batch(self, name: str) -> Any:
        self.repo(name)
        hub, objects = self.server.hub, []
        for asked in json.loads(self.body)["objects"]:
            oid, href = asked["oid"], f"{hub.endpoint}/lfs/{asked['oid']}"
            actions = {"upload": {"href": href, "header": {}}, "verify": {"href": f"{hub.endpoint}/lfs-verify"}}
            objects.append({**asked, **({} if oid in hub.lfs else {"actions": actions})})
        return {"transfer": "basic", "objects": objects}

    def upload(self, oid: str) -> Any:
        if sha256(self.body) != oid:
            raise Refused(400, "", "sha256 differs")
        self.server.hub.lfs[oid] = self.body
        return {}

    def verify(self) -> Any:
        asked = json.loads(self.body)
        if len(self.server.hub.lfs.get(asked["oid"], b"")) != asked["size"]:
            raise Refused(404, "", "object is not here")
        return {}

    def commit(self, name: str, revision: str) -> Any:
        hub, lines = self.server.hub, [json.loads(line) for line in self.body.splitlines()]
        pull_request = "create_pr" in self.query
        repo = self.repo(name, write=not pull_request)
        base = self.commit_of(repo, revision)
        changes: dict[str, bytes | None] = {}
        for key, value in ((line["key"], line["value"]) for line in lines):
            if key == "header" and value.get("parentCommit", base) != base:
                raise Refused(412, "", "A commit has happened since. Please refresh and try again.")
            if key == "file":
                changes[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                changes[value["path"]] = hub.lfs[value["oid"]]
            elif key == "deletedFile":
                changes[value["path"]] = None
        branch = f"refs/pr/{len(repo.refs)}" if pull_request else revision
        commit = hub.commit(name, changes, branch)
        url = f"{hub.endpoint}/{name}/discussions/{branch.rpartition('/')[2]}" if pull_request else None
        about = f"{hub.endpoint}/{name}/commit/{commit}"
        return {"success": True, "commitOid": commit, "commitUrl": about, "pullRequestUrl": url}

    def resolve(self, name: str, revision: str, path: str) -> Any:
        repo = self.repo(name)
        if repo.gated and self.user != name.split("/")[0]:
            raise Refused(403 if self.user else 401, "GatedRepo", "Access to model is restricted.")
        commit = self.commit_of(repo, revision)
        data = repo.trees[commit].get(path)
        if data is None:
            raise Refused(404, "EntryNotFound", "Entry not found")
        headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if not is_lfs(path):
            return 200, {**headers, "ETag": f'"{git_sha1(data)}"'}, data
        oid = sha256(data)  # its bytes lie with another host, to which the client must not send its token
        away = {"X-Linked-Etag": f'"{oid}"', "X-Linked-Size": str(len(data)), "ETag": f'"{git_sha1(data)}"'}
        return 302, {**headers, **away, "Location": f"http://localhost:{self.server.hub.port}/cdn/{oid}"}, b""

    def cdn(self, oid: str) -> Any:
        data, asked = self.server.hub.lfs[oid], re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and int(asked[1]) < len(data):
            start = int(asked[1])
            return 206, {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}, data[start:]
        return 200, {}, data


NAME = r"([\w.-]+/[\w.-]+)"
ROUTES = [
    ("GET", "/api/whoami-v2", "whoami"),
    ("POST", "/api/repos/create", "create"),
    ("POST", "/api/validate-yaml", "validate"),
    ("GET", "/api/models", "listing"),
    ("GET", f"/api/models/{NAME}", "info"),
    ("GET", f"/api/models/{NAME}/revision/(.+)", "info"),
    ("GET", f"/api/models/{NAME}/refs", "refs"),
    ("GET", f"/api/models/{NAME}/tree/([^/]+)", "tree"),
    ("POST", f"/api/models/{NAME}/paths-info/(.+)", "tree"),
    ("POST", f"/api/models/{NAME}/branch/(.+)", "branch"),
    ("POST", f"/api/models/{NAME}/preupload/(.+)", "preupload"),
    ("POST", f"/api/models/{NAME}/commit/(.+)", "commit"),
    ("POST", rf"/{NAME}\.git/info/lfs/objects/batch", "batch"),
    ("PUT", "/lfs/([0-9a-f]{64})", "upload"),
    ("POST", "/lfs-verify", "verify"),
    ("GET HEAD", f"/{NAME}/resolve/(refs/pr/[0-9]+|[^/]+)/(.+)", "resolve"),
    ("GET HEAD", "/cdn/([0-9a-f]{64})", "cdn"),
]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def git_sha1(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def is_lfs(path: str) -> bool:
    return path.endswith(STORED_AS_LFS)


def sizes(path: str, data: bytes) -> dict[str, Any]:
    """A file in a repository's info."""
    lfs = {"lfs": {"sha256": sha256(data), "size": len(data), "pointerSize": 130}} if is_lfs(path) else {}
    return {"size": len(data), "blobId": git_sha1(data), **lfs}


def entry(path: str, data: bytes) -> dict[str, Any]:
    """A file in a repository's tree, where the same things have other names."""
    lfs = {"lfs": {"oid": sha256(data), "size": len(data), "pointerSize": 130}} if is_lfs(path) else {}
    return {"type": "file", "path": path, "size": len(data), "oid": git_sha1(data), **lfs}


def card_of(tree: Mapping[str, bytes]) -> dict[str, Any]:
    """The metadata of a tree's model card."""
    import yaml  # type: ignore[import-untyped]

    found = re.match(r"---\n(.*?)\n---", tree.get("README.md", b"").decode(), re.S)
    return dict(yaml.safe_load(found[1]) or {}) if found else {}


def card_errors(content: str) -> list[str]:
    """What the Hub would not take in a model card's metadata."""
    card = card_of({"README.md": content.encode()})
    errors = []
    if not re.fullmatch(r"[a-z0-9.+-]+", str(card.get("license", "unknown"))):
        errors.append('"license" must be one of the known identifiers')
    if card.get("license") == "other" and not re.fullmatch(r"[a-z0-9.-]+", str(card.get("license_name"))):
        errors.append('"license_name" must be lower case')
    for model in card.get("model-index", []):
        for result in model.get("results", []):
            if not {"task", "dataset", "metrics"} <= result.keys() or "type" not in result["dataset"]:
                errors.append('"model-index[0].results[0]" is incomplete')
    return errors

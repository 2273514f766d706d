"""Models on the Hub, found by the tag of their cards. What a card says is a stranger's word until it is pulled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ganzoo_core.errors import escape
from ganzoo_core.hub import client
from ganzoo_core.hub.client import Subject
from ganzoo_core.registry.index import how_to_get
from ganzoo_core.registry.listing import is_installed
from ganzoo_core.weights.hashes import COMMIT

LIMIT = 200
TAG = "ganzoo"


class HubModel(NamedTuple):
    """A repository of the Hub that says it is a model of ganzoo's."""

    source: str  # hf:owner/repo@commit
    id: str
    family: str
    task: str
    dataset: str
    licence: str
    dataset_licence: str
    bytes: int
    downloads: int
    plugin: str
    installed: bool  # whether its family is
    install: str  # how to get the plugin where it is not


def search(text: str = "") -> list[HubModel]:
    """Repositories with our tag whose name has `text` in it, the most downloaded first; at most 200.

    Errors: ExternalError for the network and the Hub.
    """
    api = client.client()
    ask = lambda: list(  # noqa: E731
        api.list_models(filter=TAG, search=text or None, sort="downloads", limit=LIMIT, full=True, cardData=True)
    )
    return [model_of(info) for info in client.within(ask, Subject("the search for models"))]


def model_of(info: Any) -> HubModel:
    said = info.card_data.get(TAG) if info.card_data else None
    facts: Mapping[str, Any] = said if isinstance(said, dict) else {}
    texts = {key: words(facts.get(key)) for key in ("id", "family", "task", "dataset", "licence", "dataset_licence")}
    commit = f"@{info.sha}" if COMMIT.fullmatch(str(info.sha)) else ""
    size = facts.get("bytes")
    plugin, here = words(facts.get("plugin")), is_installed(texts["family"])
    return HubModel(
        source=f"hf:{escape(info.id)}{commit}", **texts, bytes=size if type(size) is int else 0,
        downloads=int(info.downloads or 0), plugin=plugin, installed=here,
        install="" if here else how_to_get(texts["family"], plugin),
    )  # fmt: skip


def words(value: Any) -> str:
    return escape(value) if isinstance(value, str) else ""

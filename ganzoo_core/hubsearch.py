"""Models on the Hub, found by the tag of their cards. What a card says is a stranger's word until it is pulled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ganzoo_core import asking, catalogue
from ganzoo_core.asking import Subject
from ganzoo_core.errors import plain
from ganzoo_core.pins import COMMIT

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

    Errors: OutsideFault for the network and the Hub.
    """
    api = asking.client()
    ask = lambda: list(  # noqa: E731
        api.list_models(filter=TAG, search=text or None, sort="downloads", limit=LIMIT, full=True, cardData=True)
    )
    return [model_of(info) for info in asking.within(ask, Subject("the search for models"))]


def model_of(info: Any) -> HubModel:
    said = info.card_data.get(TAG) if info.card_data else None
    facts: Mapping[str, Any] = said if isinstance(said, dict) else {}
    texts = {key: words(facts.get(key)) for key in ("id", "family", "task", "dataset", "licence", "dataset_licence")}
    commit = f"@{info.sha}" if COMMIT.fullmatch(str(info.sha)) else ""
    size = facts.get("bytes")
    plugin, here = words(facts.get("plugin")), is_installed(texts["family"])
    return HubModel(
        source=f"hf:{plain(info.id)}{commit}", **texts, bytes=size if type(size) is int else 0,
        downloads=int(info.downloads or 0), plugin=plugin, installed=here,
        install="" if here else how_to_get(texts["family"], plugin),
    )  # fmt: skip


def words(value: Any) -> str:
    return plain(value) if isinstance(value, str) else ""


def is_installed(family: str) -> bool:
    known = catalogue.families().get(family)
    return known is not None and known.installed


def how_to_get(family: str, plugin: str) -> str:
    """The line that installs a family's plugin. One that the zoo does not know is a stranger's code: that is said."""
    row = catalogue.register().families.get(family)
    if row is not None:
        return f"ganzoo install {row['plugin']}"
    return f"ganzoo install --yes {plugin} (not of the zoo: a stranger's code)" if plugin else ""

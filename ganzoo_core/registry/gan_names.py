"""Every GAN that has a name: 501 of them, from the list "The GAN Zoo" (A. Hindupur, MIT), with the families of ours.

named_gans.tsv holds name, title, year, arXiv id or address, our family (or none) and other names, tab-separated. Names
are not unique, so rows are told apart by where the paper is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ganzoo_core.plugin.infos import FamilyInfo

PATH = Path(__file__).with_name("named_gans.tsv")
HEADER = ("name", "title", "year", "arxiv", "family", "aliases")


class Named(NamedTuple):
    """A GAN that somebody named. `arxiv` is an id, or the paper's address where it has none."""

    name: str
    title: str
    year: int
    arxiv: str
    family: str  # of ours, or ""
    aliases: tuple[str, ...]

    def about(self) -> dict[str, object]:
        return {**self._asdict(), "implemented": bool(self.family)}


@cache
def named() -> tuple[Named, ...]:
    """All rows of the list, in its order."""
    rows = [line.split("\t") for line in PATH.read_text("utf-8").splitlines()[1:]]
    return tuple(
        Named(name, title, int(year), arxiv, family, tuple(filter(None, aliases.split(","))))
        for name, title, year, arxiv, family, aliases in rows
    )


def fold(text: str) -> str:
    """Without case, accents, spaces and punctuation: "Wasserstein GAN" and "wasserstein-gan" are one."""
    escape = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in escape if c.isalnum())


def called(name: str) -> list[Named]:
    """Every GAN of this name, or with it among its other names."""
    wanted = fold(name)
    names = {row: {*map(fold, (row.name, *row.aliases, *row.family.split(",")))} for row in named()}
    return [row for row, known in names.items() if wanted and wanted in known]


def search(text: str) -> list[Named]:
    """Every GAN whose name, title, year or arXiv id holds all the words of `text`; those of ours first."""
    words = [fold(word) for word in text.split()]
    found = [row for row in named() if all(word in haystack(row) for word in words)]
    return sorted(found, key=lambda row: (not row.family, fold(text) != fold(row.name)))


def haystack(row: Named) -> str:
    return " ".join(map(fold, (row.name, row.title, str(row.year), row.arxiv, *row.aliases, row.family)))


def text(families: Iterable[FamilyInfo], aliases: Mapping[str, Iterable[str]]) -> str:
    """named_gans.tsv with our families joined by arXiv id, and the names by which they go here."""
    ours: dict[str, list[str]] = {}
    for info in families:
        ours.setdefault(info.arxiv, []).append(info.name)
    lines = ["\t".join(HEADER)]
    for row in named():
        mine = ours.get(row.arxiv, [])
        others = [name for family in mine for name in aliases.get(family, ())]
        lines.append("\t".join([row.name, row.title, str(row.year), row.arxiv, ",".join(mine), ",".join(others)]))
    return "\n".join(lines) + "\n"

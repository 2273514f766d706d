"""ganzoo search: every GAN ever named, with what the zoo has of it."""

from __future__ import annotations

import click

from ganzoo_core.cli.output import document, table
from ganzoo_core.errors import GanzooError, plain


@click.command("search")
@click.argument("text", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def search_(text: tuple[str, ...], as_json: bool) -> None:
    """Search the names and titles of 501 GANs, and the zoo's own families, for all the words of TEXT."""
    from ganzoo_core import catalogue, named

    words = " ".join(text)
    if not named.fold(words):
        raise GanzooError(f"search {plain(words)!r}: no word to look for")
    found = named.search(words)
    listed = {family for row in found for family in row.family.split(",")}
    families = [
        info
        for info in catalogue.families().values()
        if info.name not in listed and all(named.fold(w) in named.fold(f"{info.name} {info.paper}") for w in text)
    ]
    if as_json:
        document({"families": [f._asdict() for f in families], "named": [row.about() for row in found]})
        return
    rows = [[f.name, f.year, f.paper, f.arxiv, f.name] for f in families]
    rows += [[row.name, row.year, row.title, row.arxiv, row.family or "not in the zoo"] for row in found]
    table(f"{len(rows)} GANs for {plain(words)!r}", ["name", "year", "title", "arXiv", "family"], rows)

"""ganzoo search: every GAN ever named, with what the zoo has of it."""

from __future__ import annotations

import click

from ganzoo_core.cli.output import document, table
from ganzoo_core.errors import GanzooError, escape, tell_user


@click.command("search")
@click.argument("text", nargs=-1, required=True)
@click.option("--hub", is_flag=True, help="Search the Hub for trained models in place of the names of GANs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def search_(text: tuple[str, ...], hub: bool, as_json: bool) -> None:
    """Search the names and titles of 501 GANs, and the zoo's own families, for all the words of TEXT.

    With --hub: trained models on the Hub that carry the tag `ganzoo` and have TEXT in their name.
    """
    words = " ".join(text)
    if hub:
        show_hub(words, as_json)
        return
    from ganzoo_core.registry import gan_names, listing

    if not gan_names.fold(words):
        raise GanzooError(f"search {escape(words)!r}: no word to look for")
    found = gan_names.search(words)
    listed = {family for row in found for family in row.family.split(",")}
    families = [
        info
        for info in listing.families().values()
        if info.name not in listed
        and all(gan_names.fold(w) in gan_names.fold(f"{info.name} {info.paper}") for w in text)
    ]
    if as_json:
        document({"families": [f._asdict() for f in families], "named": [row.about() for row in found]})
        return
    rows = [[f.name, f.year, f.paper, f.arxiv, f.name] for f in families]
    rows += [[row.name, row.year, row.title, row.arxiv, row.family or "not in the zoo"] for row in found]
    table(f"{len(rows)} GANs for {escape(words)!r}", ["name", "year", "title", "arXiv", "family"], rows)


def show_hub(words: str, as_json: bool) -> None:
    """Models of the Hub, and below them how to install what some of them need."""
    from ganzoo_core.hub import search

    found = search.search(words)
    if as_json:
        document({"models": [model._asdict() for model in found]})
        return
    rows = [[m.source, m.family, m.dataset, m.licence, m.downloads, "yes" if m.installed else "no"] for m in found]
    header = ["source", "family", "data set", "licence", "downloads", "installed"]
    table(f"{len(rows)} models on the Hub for {escape(words)!r}", header, rows)
    for line in dict.fromkeys(f"{m.family or m.source}: {m.install}" for m in found if m.install):
        tell_user(line)

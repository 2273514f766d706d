"""What the shell offers after a verb: families and models, from the catalogue alone."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from ganzoo_core.registry import listing


def families(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    found = listing.families().values()
    return [CompletionItem(f.name, help=f.summary) for f in found if f.name.startswith(incomplete)]


def sources(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """For `shell_complete` of an argument SOURCE: ids of models that begin so, and paths besides."""
    ids = [CompletionItem(name) for name in listing.models() if name.startswith(incomplete)]
    return [*ids, CompletionItem(incomplete, type="file")]


def names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Families and ids."""
    ids = [CompletionItem(name) for name in listing.models() if name.startswith(incomplete)]
    return families(ctx, param, incomplete) + ids

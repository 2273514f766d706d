"""ganzoo latent: the group of its verbs, each imported when it is asked for. No torch."""

from __future__ import annotations

from importlib import import_module

import click

VERBS = {
    "walk": "The way from one sample to the next, in Z or W.",
    "arithmetic": "Means of groups of samples, added and taken away.",
    "project": "Find the point that paints a picture.",
    "edit": "Ask for colours, edges, moved parts; drag points; paste parts.",
    "directions": "Ways in which one thing changes, and what else moves.",
    "move": "A point, some way along directions.",
    "dissect": "Which units of a layer draw what, and pictures without them.",
}


class Verbs(click.Group):
    """Knows the names of its verbs before it imports any."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        found: click.Command = import_module(f"ganzoo_latent.cli.{name}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.command("latent", cls=Verbs)
def latent() -> None:
    """Inside the latent space of any model that draws one."""

"""What ganzoo-studio contributes. Imports no torch and no gradio."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Command, hookimpl


@hookimpl
def ganzoo_commands() -> Iterable[Command]:
    return [
        Command("studio", "Explore models in a browser.", "ganzoo_studio.cli.studio:studio"),
        Command("gallery", "Write a page of everything installed.", "ganzoo_studio.cli.gallery:gallery"),
    ]

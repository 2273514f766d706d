"""What ganzoo-latent contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Command, hookimpl


@hookimpl
def ganzoo_commands() -> Iterable[Command]:
    summary = "Walk through a model's latent space, find pictures in it, edit them there."
    return [Command("latent", summary, "ganzoo_latent.cli.latent:latent")]

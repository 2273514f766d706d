"""What ganzoo-import contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Command, hookimpl


@hookimpl
def ganzoo_commands() -> Iterable[Command]:
    return [Command("import", "Bring weights that others have trained into the zoo.", "ganzoo_import.cli:import_")]

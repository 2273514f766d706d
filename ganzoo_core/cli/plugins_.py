"""ganzoo plugins: what is installed, what is broken, and what else there is."""

from __future__ import annotations

from typing import Any

import click

from ganzoo_core.cli.output import document, table
from ganzoo_core.registry import index


@click.command("plugins")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("--freeze", is_flag=True, help="As requirements, for `ganzoo install -r`.")
def plugins_(as_json: bool, freeze: bool) -> None:
    """List plugins: loaded ones with what they contribute, broken ones with the reason, and those to install."""
    if freeze:
        for plugin in index.installed().values():
            print(f"{plugin.dist}=={plugin.version}")
        return
    rows = installed() + available()
    if as_json:
        document({"plugins": rows})
        return
    header = ["name", "dist", "version", "status", "error"]
    table("Plugins", header, [[row[key] for key in header] for row in rows])


def installed() -> list[dict[str, Any]]:
    """Every installed plugin, imported."""
    from ganzoo_core.registry.plugins import registry

    zoo = registry()
    rows = {
        loaded.plugin: {"status": "loaded", "error": "", **{k: len(v) for k, v in loaded.records.items() if v}}
        for loaded in zoo.loaded
    } | {broken.plugin: {"status": "broken", "error": broken.error} for broken in zoo.broken}
    return [{"name": p.name, "dist": p.dist, "version": p.version, **about} for p, about in sorted(rows.items())]


def available() -> list[dict[str, Any]]:
    """Plugins of the register that are not installed."""
    rows = index.load_index().plugins
    return [
        {"name": n, "dist": row["dist"], "version": row["version"], "status": "to install", "error": ""}
        for n, row in rows.items()
        if n not in index.installed()
    ]

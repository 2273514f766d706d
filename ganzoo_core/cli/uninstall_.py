"""ganzoo uninstall: plugins by name."""

from __future__ import annotations

import click

from ganzoo_core import catalogue
from ganzoo_core.errors import UnknownName, say


@click.command("uninstall")
@click.argument("names", nargs=-1, required=True)
def uninstall_(names: tuple[str, ...]) -> None:
    """Remove plugins by NAME: a plugin's, its distribution's or a family's; broken ones too."""
    from ganzoo_core import installing

    plugins = catalogue.installed()
    dists = {plugin.dist: plugin.dist for plugin in plugins.values()}
    dists |= {name: plugin.dist for name, plugin in plugins.items()}
    for name, row in catalogue.register().families.items():
        if row["plugin"] in plugins:
            dists.setdefault(name, plugins[row["plugin"]].dist)
    for name in names:
        if name not in dists:
            raise UnknownName("installed plugin", name, dists)
    installing.run("uninstall", sorted({dists[name] for name in names}))
    say("removed")

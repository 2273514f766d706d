"""ganzoo uninstall: plugins by name."""

from __future__ import annotations

import click

from ganzoo_core.errors import UnknownNameError, tell_user
from ganzoo_core.registry import index


@click.command("uninstall")
@click.argument("names", nargs=-1, required=True)
def uninstall_(names: tuple[str, ...]) -> None:
    """Remove plugins by NAME: a plugin's, its distribution's or a family's; broken ones too."""
    from ganzoo_core.registry import pip

    plugins = index.installed()
    dists = {plugin.dist: plugin.dist for plugin in plugins.values()}
    dists |= {name: plugin.dist for name, plugin in plugins.items()}
    for name, row in index.load_index().families.items():
        if row["plugin"] in plugins:
            dists.setdefault(name, plugins[row["plugin"]].dist)
    for name in names:
        if name not in dists:
            raise UnknownNameError("installed plugin", name, dists)
    pip.run("uninstall", sorted({dists[name] for name in names}))
    tell_user("removed")

"""ganzoo pull: models into the cache."""

from __future__ import annotations

import click

from ganzoo_core.cli.completion import sources
from ganzoo_core.cli.output import document
from ganzoo_core.errors import tell_user


@click.command("pull")
@click.argument("names", nargs=-1, required=True, metavar="SOURCE...", shell_complete=sources)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def pull_(names: tuple[str, ...], as_json: bool) -> None:
    """Fetch models from the Hub and check them: hf:owner/repo, at @REVISION where you name one.

    Prints each with its commit, and where it lies. Afterwards every command works with it offline.
    """
    from ganzoo_core.models.resolve import locate, pinned
    from ganzoo_core.models.verify import examine, missing_plugin
    from ganzoo_core.weights.config import read_config

    pulled = []
    for name in names:
        located = locate(name)
        files = examine(located)
        if needed := missing_plugin(read_config(*located)):
            tell_user(f"{name}: {needed}")
        pulled.append({"source": pinned(name, located.folder), "folder": str(located.folder),
                       "files": [file._asdict() for file in files]})  # fmt: skip
    if as_json:
        document({"models": pulled})
        return
    for row in pulled:
        print(row["source"], row["folder"], sep="\t")

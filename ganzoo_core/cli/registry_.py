"""ganzoo registry: make and check registry.toml."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo_core.catalogue import REGISTRY
from ganzoo_core.errors import GanzooError, say


@click.group("registry")
def registry_() -> None:
    """Make and check registry.toml, the zoo's register."""


@registry_.command("build")
@click.option("--file", type=click.Path(path_type=Path), default=REGISTRY, help="Default: the core's own.")
def build(file: Path) -> None:
    """Write the register anew from the installed plugins."""
    from ganzoo_core import catalogue, named
    from ganzoo_core.register import named_text, text

    target = file.resolve()  # the core's is a link to the repository's
    target.write_text(text(), "utf-8")
    catalogue.register.cache_clear()
    if file == REGISTRY:
        named.PATH.write_text(named_text(), "utf-8")
    print(target)


@registry_.command("check")
@click.option("--file", type=click.Path(path_type=Path), default=REGISTRY, help="Default: the core's own.")
def check(file: Path) -> None:
    """Compare the register with the installed plugins; exit 2 where it differs."""
    from ganzoo_core import named
    from ganzoo_core.register import drift, named_text

    difference = drift(file)
    if not difference and file == REGISTRY and named.PATH.read_text("utf-8") != named_text():
        difference = "named_gans.tsv does not say which families are ours"
    if difference:
        raise GanzooError(f"{file.name}: {difference}", "Run `ganzoo registry build`.")
    say(f"{file.name} is as it should be")

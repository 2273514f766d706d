"""ganzoo registry: make and check registry.toml."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo_core.errors import GanzooError, tell_user
from ganzoo_core.files import write_aside
from ganzoo_core.registry.index import REGISTRY


@click.group("registry")
def registry_() -> None:
    """Make and check registry.toml, the zoo's register."""


@registry_.command("build")
@click.option("--file", type=click.Path(path_type=Path), default=REGISTRY, help="Default: the core's own.")
@click.option("--pin", "pins", multiple=True, metavar="ID=hf:OWNER/REPO@COMMIT", help="Weights lie on the Hub, too.")
def build(file: Path, pins: tuple[str, ...]) -> None:
    """Write the register anew from the installed plugins; pins that it has are kept."""
    from ganzoo_core.registry import gan_names, index
    from ganzoo_core.registry.build_index import index_text, named_text, pinned, text

    target = file.resolve()  # the core's is a link to the repository's
    made = text(pinned(readable(target), pins))
    write_aside(target, made.encode())
    if file == REGISTRY:
        write_aside(index.INDEX, index_text(made).encode())
        index.load_index.cache_clear()
        write_aside(gan_names.PATH, named_text().encode())
    print(target)


def readable(path: Path) -> Path | None:
    """The register that is to be replaced, if it can be read: pins stand nowhere else."""
    from ganzoo_core.registry import index

    if not path.exists():
        return None
    try:
        index.parse(path)
    except GanzooError as fault:
        tell_user(f"warning: {fault.what}: its pins are lost")
        return None
    return path


@registry_.command("check")
@click.option("--file", type=click.Path(path_type=Path), default=REGISTRY, help="Default: the core's own.")
def check(file: Path) -> None:
    """Compare the register with the installed plugins; exit 2 where it differs."""
    from ganzoo_core.registry import gan_names, index
    from ganzoo_core.registry.build_index import drift, index_text, named_text

    difference = drift(file)
    if not difference and file == REGISTRY and index.INDEX.read_text("utf-8") != index_text(file.read_text("utf-8")):
        difference = f"{index.INDEX.name} is not made of it"
    if not difference and file == REGISTRY and gan_names.PATH.read_text("utf-8") != named_text():
        difference = "named_gans.tsv does not say which families are ours"
    if difference:
        raise GanzooError(f"{file.name}: {difference}", "Run `ganzoo registry build`.")
    tell_user(f"{file.name} is as it should be")

"""ganzoo studio: models in a browser."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from ganzoo_core.cli import sources as known
from ganzoo_core.cli import writable
from ganzoo_core.errors import GanzooError, tell_user

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command("studio")
@click.argument("sources", nargs=-1, metavar="[SOURCE ...]", shell_complete=known)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen; 0.0.0.0: for others, too.")
@click.option("--port", type=click.IntRange(0, 65535), default=7860, show_default=True, help="0: one that is free.")
@click.option("--open", "browse", is_flag=True, help="Open a browser.")
@click.option("--export", type=click.Path(path_type=Path), metavar="DIR", help="Write a Space of these models instead.")
@click.option(
    "--wheels", type=click.Path(path_type=Path), default=Path("dist"), help="Of --export: what `make dist` made."
)
@click.option("--force", is_flag=True, help="Of --export: overwrite.")
def studio(
    sources: tuple[str, ...], host: str, port: int, browse: bool, export: Path | None, wheels: Path, force: bool,
) -> None:  # fmt: skip
    """Explore models in a browser: SOURCES, or all that are installed.

    A SOURCE is an id (dcgan.mnist) or the path of a model or run directory; a run is watched while it trains. The page
    asks no host but this one, and nothing on this machine but these models can be read through it.
    """
    if export is not None:
        from ganzoo_studio.space import write_space

        writable(export, force)
        print(write_space(sources, wheels, export))
        return
    if find_spec("gradio") is None:
        raise GanzooError(
            "the studio needs gradio", 'pip install "ganzoo-studio[gradio]". `ganzoo gallery` needs none.'
        )
    if host not in LOOPBACK:
        tell_user(f"listening on {host}: whoever reaches this machine can use its models")
    from ganzoo_studio.server import serve

    serve(sources, host, port, browse)

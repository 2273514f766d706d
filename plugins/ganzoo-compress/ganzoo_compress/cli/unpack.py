"""ganzoo unpack: the picture or the clip of a file that `ganzoo pack` wrote."""

from __future__ import annotations

from pathlib import Path

import click

from ganzoo_compress.cli.shared import codec_of
from ganzoo_core.cli import sources, writable
from ganzoo_core.errors import ExternalError, GanzooError, escape


@click.command("unpack")
@click.argument("source", shell_complete=sources)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--device", default="auto", show_default=True, help="The one that packed it: others sum otherwise.")
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="A .png file; of a clip a .gif, too.",
)
@click.option("--force", is_flag=True, help="Overwrite OUT.")
def command(source: str, file: Path, device: str, out: Path, force: bool) -> None:
    """Make the picture, or the clip, of FILE, which the compression model SOURCE has packed."""
    target = writable(out, force)
    try:
        data = file.read_bytes()
    except OSError as fault:
        raise ExternalError(f"{escape(file)}: cannot be read: {fault.strerror}") from None
    net, model = codec_of(source, device)
    if target.suffix.lower() not in net.formats:
        raise GanzooError(f"{escape(target)}: other formats would change the picture", f"Name it {net.formats[0]}.")
    from ganzoo_compress.files import unpack

    try:
        picture = unpack(net, model, data)
    except GanzooError as fault:
        raise type(fault)(f"{escape(file)}: {fault.what}", fault.hint) from None
    net.output.save(picture[None].float() / 127.5 - 1, target)
    print(target)

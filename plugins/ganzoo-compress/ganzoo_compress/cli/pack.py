"""ganzoo pack: a picture or a clip as the few bits of a compression model."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from ganzoo_compress.cli.shared import codec_of
from ganzoo_core.cli import sources, writable, write_aside
from ganzoo_core.errors import GanzooError, escape, tell_user


@click.command("pack")
@click.argument("source", shell_complete=sources)
@click.argument("picture", type=click.Path(path_type=Path))
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of what is drawn.")
@click.option("--device", default="auto", show_default=True)
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), metavar="OUT", help="A .gzc file.")
@click.option("--force", is_flag=True, help="Overwrite OUT.")
def command(source: str, picture: Path, seed: int, device: str, out: Path, force: bool) -> None:
    """Write PICTURE, or a clip, as bits of the compression model SOURCE; `ganzoo unpack` makes the picture again.

    The file is read back before it is kept: it becomes the very picture that `ganzoo sample --input PICTURE` makes.
    """
    target = writable(out, force)
    net, model = codec_of(source, device)
    if net.written != [net.subject]:
        others = " and ".join(name for name in net.written if name != net.subject)
        hint = "Use ganzoo_compress.files.pack from Python."
        raise GanzooError(f"{escape(source)}: needs {others} beside a picture, which no picture file holds", hint)
    from ganzoo_compress.files import pack

    declared: Any = net.inputs[net.subject]
    packed = pack(net, model, seed, **{net.subject: declared.read(picture)[None]})
    write_aside(target, packed.data)
    *frames, _, height, width = packed.picture.shape
    bpp = 8 * len(packed.data) / (math.prod(frames) * height * width)
    length = f"{frames[0]} frames of " if frames else ""
    tell_user(f"{length}{width}x{height} px in {len(packed.data):,} bytes: {bpp:.3f} bits per pixel")
    print(target)

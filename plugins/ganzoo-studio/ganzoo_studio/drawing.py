"""What visitors give, as the files that a model is given: pictures cut to its size, or made small enough; others as
they are.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image, ImageSequence

from ganzoo_core.errors import GanzooError
from ganzoo_studio.controls import Control
from ganzoo_studio.limits import FRAMES, SIDE

LARGEST = 1_000_000  # pixels of a frame
Editor = Mapping[str, Any]  # what gradio's editor says: background, layers, composite


def drawn(editor: Editor | None) -> Image.Image:
    """What was uploaded or drawn, RGBA. Errors: GanzooError where nothing was."""
    picture = (editor or {}).get("composite")
    if picture is None or picture.convert("RGBA").getchannel("A").getbbox() is None:
        raise GanzooError("no picture is given", "Upload one, or draw.")
    return picture.convert("RGBA")


def under(editor: Editor | None) -> Image.Image:
    """The picture without what was brushed over it. Errors: GanzooError where there is none."""
    picture = (editor or {}).get("background")
    if picture is None or picture.convert("RGBA").getchannel("A").getbbox() is None:
        raise GanzooError("no picture is given", "Upload one, then brush over what is to be made anew.")
    return picture.convert("RGBA")


def brushed(editor: Editor | None) -> Image.Image | None:
    """What was brushed over, white on black; None where nothing was."""
    layers = [layer.convert("RGBA").getchannel("A") for layer in (editor or {}).get("layers") or ()]
    if not any(layer.getbbox() for layer in layers):
        return None
    mask = Image.new("L", layers[0].size)
    for layer in layers:
        mask.paste(255, mask=layer.point(lambda alpha: 255 if alpha > 127 else 0))
    return mask


def fitted(picture: Image.Image, control: Control, smooth: bool = True) -> Image.Image:
    """As the model wants it: the largest part of its shape about the centre, resized; what is transparent is white."""
    if picture.mode == "RGBA":
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    channels, height, width = control.size
    width, height = (width, height) if width and height else free(picture, control.multiple)
    scale = min(picture.width / width, picture.height / height)
    wide, high = width * scale, height * scale
    left, top = (picture.width - wide) / 2, (picture.height - high) / 2
    how = Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST
    box = (left, top, left + wide, top + high)
    return picture.convert("L" if channels == 1 else "RGB").resize((width, height), how, box)


def fitted_clip(path: Path, control: Control) -> list[Image.Image]:
    """The frames of a clip, each as the model wants it. Errors: GanzooError for what is no clip."""
    try:
        with Image.open(path, formats=["GIF"]) as clip:
            if clip.width * clip.height > LARGEST:
                raise GanzooError(f"{clip.width}x{clip.height} pixels are too many here", "Give a smaller clip.")
            frames = [frame.convert("RGBA") for frame in islice(ImageSequence.Iterator(clip), FRAMES)]
    except (OSError, SyntaxError, ValueError):
        raise GanzooError("this is no clip that can be read", "Give a GIF.") from None
    return [fitted(frame, control) for frame in frames]


def free(picture: Image.Image, multiple: int) -> tuple[int, int]:
    """(width, height) of a picture whose sides the model leaves free: small enough, and multiples."""
    scale = min(1.0, SIDE / max(picture.size))
    width, height = (max(1, round(side * scale / multiple)) * multiple for side in picture.size)
    return width, height


def save(picture: Image.Image, path: Path) -> str:
    """Written; the name of the file."""
    picture.save(path)
    return path.name


def text_of(path: Path, accepts: Sequence[str], largest: int) -> str:
    """A file that was uploaded as a text that a page can hold: .wav:BASE64. Errors: GanzooError for another kind, for a
    large one, and for one that is no longer there.
    """
    suffix = path.suffix.lower()
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise GanzooError("the file is gone", "Upload it again.") from None
    refuse_file(suffix, len(content), accepts, largest)
    return f"{suffix}:{base64.b64encode(content).decode()}"


def file_of(text: str, accepts: Sequence[str], largest: int, stem: Path) -> Path:
    """The same as a file again, its suffix after the stem. Errors: GanzooError for what is no such text."""
    suffix, _, inside = text.partition(":")
    try:
        content = base64.b64decode(inside, validate=True)
    except ValueError:
        raise GanzooError("the file has not arrived whole", "Upload it again.") from None
    refuse_file(suffix, len(content), accepts, largest)
    path = stem.with_suffix(suffix)
    path.write_bytes(content)
    return path


def refuse_file(suffix: str, size: int, accepts: Sequence[str], largest: int) -> None:
    """Errors: GanzooError."""
    if suffix not in accepts or size > largest:
        raise GanzooError(
            f"not a {' or '.join(accepts)} of at most {largest >> 20} MiB", "Give another, or use the command line."
        )

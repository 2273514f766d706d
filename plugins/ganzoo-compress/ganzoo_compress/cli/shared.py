"""What pack and unpack do alike. No torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganzoo_core.errors import GanzooError, escape

if TYPE_CHECKING:
    from ganzoo_compress.codec import Codec


def codec_of(source: str, device: str) -> tuple[Codec, bytes]:
    """The codec of a SOURCE, and the hash by which its files name it. Errors: GanzooError for another family's."""
    import ganzoo_core as gz
    from ganzoo_compress.codec import Codec
    from ganzoo_compress.files import identity
    from ganzoo_core.nn import pick_device

    model = gz.load(source, device=str(pick_device(device)))
    net = model.generator
    if not isinstance(net, Codec):
        what = f"{escape(source)}: {model.config['objective']['family']} writes no bits"
        raise GanzooError(what, "`ganzoo list --task compression` shows the families that do.")
    return net, identity(model.config)

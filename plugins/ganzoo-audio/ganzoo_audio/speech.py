"""Words as espeak-ng says them: its library, installed on the system or by pip (espeakng-loader), called directly."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ganzoo_core.errors import ExternalError, GanzooError

SYNCHRONOUS, NO_EXIT = 2, 0x8000  # of espeak_Initialize: hand samples over as they are made; never leave the process
RATE, PITCH = 1, 3  # of espeak_SetParameter
UTF8 = 1
Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Utterance(NamedTuple):
    """What is said, and how."""

    text: str
    voice: str  # en, en+f2, en+m3 ...
    pace: int  # words per minute
    pitch: int  # 0 to 99


class Speaker(NamedTuple):
    """The library, ready."""

    library: Any
    rate: int


@lru_cache
def speaker() -> Speaker:
    """Errors: GanzooError where there is no espeak-ng, ExternalError where it does not start."""
    path, data = found()
    library = ctypes.CDLL(path)
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, data, NO_EXIT)
    if rate <= 0:
        raise ExternalError("espeak-ng: does not start", "Is it whole? Install it again.")
    return Speaker(library, rate)


def found() -> tuple[str, bytes | None]:
    """The library, and where its data lie (None: where it looks itself)."""
    try:
        import espeakng_loader

        return espeakng_loader.get_library_path(), espeakng_loader.get_data_path().encode()
    except ImportError:
        path = ctypes.util.find_library("espeak-ng")
    if path is None:
        hint = "pip install 'ganzoo-audio[speech]', or your system's espeak-ng."
        raise GanzooError("spoken_digits: needs espeak-ng, which is not installed", hint)
    return path, None


def spoken(utterances: Sequence[Utterance]) -> Iterator[np.ndarray[Any, Any]]:
    """Each as 16-bit numbers at the speaker's rate."""
    library = speaker().library
    pieces: list[np.ndarray[Any, Any]] = []

    def hear(samples: Any, n: int, _events: Any) -> int:
        if samples and n > 0:
            pieces.append(np.ctypeslib.as_array(samples, (n,)).copy())
        return 0

    heard = Callback(hear)  # kept, for the library keeps no reference
    library.espeak_SetSynthCallback(heard)
    for one in utterances:
        pieces.clear()
        if library.espeak_SetVoiceByName(one.voice.encode()):
            raise ExternalError(f"espeak-ng: has no voice {one.voice}", "Install its data.")
        library.espeak_SetParameter(RATE, one.pace, 0)
        library.espeak_SetParameter(PITCH, one.pitch, 0)
        text = one.text.encode() + b"\0"
        library.espeak_Synth(text, ctypes.c_size_t(len(text)), 0, 0, 0, UTF8, None, None)
        yield np.concatenate(pieces) if pieces else np.zeros(1, np.int16)

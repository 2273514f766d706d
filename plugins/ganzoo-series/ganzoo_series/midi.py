"""Notes as numbers and as standard MIDI files of one track; read is what is written here and its like.

column       -1           1
length       0            4 beats
pitch        36 (C2)      96 (C7)
loudness     0            127
since        0            4 beats, from the beginning of the note before
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError, escape

TICKS = 96  # of a beat
LOW, HIGH = (0.0, 36.0, 0.0, 0.0), (4.0, 96.0, 127.0, 4.0)
PAUSE = 4.0  # beats between two tunes
ON, OFF, TEMPO, END = 0x90, 0x80, b"\xff\x51\x03\x07\xa1\x20", b"\xff\x2f\x00"  # 120 beats a minute
LARGEST = 16 << 20  # bytes


class Note(NamedTuple):
    """Times in beats, pitch as MIDI counts semitones (60: middle C), velocity 1 to 127."""

    start: float
    length: float
    pitch: int
    velocity: int


def notes_of(sample: Tensor) -> list[Note]:
    """A tune [T, 4] in [-1, 1]; a note has a 16th of a beat at least."""
    low, high = torch.tensor(LOW), torch.tensor(HIGH)
    values = low + (sample.float().cpu().clamp(-1, 1) + 1) / 2 * (high - low)
    starts = values[:, 3].cumsum(0) - values[0, 3]
    return [
        Note(start, max(length, 1 / 16), round(pitch), max(1, round(loud)))
        for start, (length, pitch, loud, _) in zip(starts.tolist(), values.tolist(), strict=True)
    ]


def series_of(notes: Sequence[Note]) -> Tensor:
    """Notes in the order in which they begin, as [T, 4] in [-1, 1]; what lies beyond is cut."""
    ordered = sorted(notes)
    since = [0.0, *(b.start - a.start for a, b in pairwise(ordered))]
    values = torch.tensor([[n.length, n.pitch, n.velocity, gap] for n, gap in zip(ordered, since, strict=True)])
    low, high = torch.tensor(LOW), torch.tensor(HIGH)
    return (2 * (values - low) / (high - low) - 1).clamp(-1, 1)


def written(tunes: Sequence[Sequence[Note]]) -> bytes:
    """A file of format 0: the tunes one after the other, a pause between them."""
    events, begun = list[tuple[int, int, bytes]](), 0.0
    for tune in tunes:
        for note in tune:
            first, last = (round((begun + t) * TICKS) for t in (note.start, note.start + note.length))
            events.append((first, 1, bytes([ON, note.pitch, note.velocity])))
            events.append((max(last, first + 1), 0, bytes([OFF, note.pitch, 0])))
        begun += max((note.start + note.length for note in tune), default=0.0) + PAUSE
    track, now = bytearray(b"\0" + TEMPO), 0
    for tick, _, message in sorted(events):
        track += delay(tick - now) + message
        now = tick
    track += b"\0" + END
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS) + b"MTrk" + struct.pack(">I", len(track)) + bytes(track)


def delay(ticks: int) -> bytes:
    """A number of variable length: seven bits a byte, the last one without the eighth."""
    parts = [ticks & 0x7F]
    while ticks := ticks >> 7:
        parts.append(ticks & 0x7F | 0x80)
    return bytes(reversed(parts))


def read(path: Path) -> list[Note]:
    """The notes of all tracks and channels, in beats. Errors: GanzooError for what is no such file or has no notes."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST)
        if data[:4] != b"MThd":
            raise ValueError("is no MIDI file")
        head, _, _, ticks = struct.unpack_from(">IHHH", data, 4)
        notes = [note for track in tracks(data, 8 + head) for note in sounding(track, ticks & 0x7FFF)]
    except (OSError, ValueError, IndexError, ZeroDivisionError, struct.error) as fault:
        raise GanzooError(f"{escape(path)}: {escape(fault, 80)}", "Give a .mid of notes.") from None
    if not notes:
        raise GanzooError(f"{escape(path)}: has no notes", "Give a .mid of notes.")
    return sorted(notes)


def tracks(data: bytes, at: int) -> Iterator[bytes]:
    while at + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, at + 4)
        if data[at : at + 4] == b"MTrk":
            yield data[at + 8 : at + 8 + length]
        at += 8 + length


def sounding(track: bytes, ticks: int) -> Iterator[Note]:
    """The notes of a track. A note that never ends is none."""
    at, now, status, on = 0, 0, 0, dict[tuple[int, int], tuple[int, int]]()
    while at < len(track):
        step, at = counted(track, at)
        now += step
        if track[at] & 0x80:
            status, at = track[at], at + 1
        if status in (0xF0, 0xF7, 0xFF):  # what is no note: its length is told
            length, at = counted(track, at + (status == 0xFF))
            at += length
            continue
        size = 1 if status & 0xF0 in (0xC0, 0xD0) else 2
        message, at = track[at : at + size], at + size
        if status & 0xF0 in (ON, OFF) and len(message) == 2:
            key = (status & 0x0F, message[0])
            if key in on:
                first, velocity = on.pop(key)
                yield Note(first / ticks, (now - first) / ticks, message[0], velocity)
            if status & 0xF0 == ON and message[1]:
                on[key] = now, message[1]


def counted(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    value = 0
    while True:
        value, more, at = value << 7 | data[at] & 0x7F, data[at] & 0x80, at + 1
        if not more:
            return value, at

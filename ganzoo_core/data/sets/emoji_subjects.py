"""What emoji show, by code points: faces, people, animals, food.

CLDR's groups are wider: a hand is among the smileys, and the moon among the animals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Subject(NamedTuple):
    """A group of CLDR, and the first code points of its emoji that count; none named: all."""

    group: str
    points: Sequence[range] = ()

    def has(self, id: str, group: str) -> bool:
        """Whether an emoji of a group shows it; `id` is code points in hexadecimal, joined by "_"."""
        try:
            first = int(id.partition("_")[0], 16)
        except ValueError:
            return False
        return group == self.group and (not self.points or any(first in points for points in self.points))


FACES = (
    range(0x1F600, 0x1F638), range(0x1F641, 0x1F645), range(0x1F910, 0x1F918), range(0x1F920, 0x1F930),
    range(0x1F970, 0x1F97B), range(0x1F9D0, 0x1F9D1), range(0x1FAE0, 0x1FAE6), range(0x1FAE8, 0x1FAEB),
    range(0x1F47F, 0x1F480), range(0x2639, 0x263B),
)  # fmt: skip
ANIMALS = (
    range(0x1F400, 0x1F440), range(0x1F54A, 0x1F54B), range(0x1F577, 0x1F578), range(0x1F980, 0x1F9AF),
    range(0x1FAB0, 0x1FAB4), range(0x1FABC, 0x1FABD), range(0x1FABF, 0x1FAC0), range(0x1FACE, 0x1FAD0),
)  # fmt: skip
SUBJECTS: Mapping[str, Subject] = {
    "faces": Subject("Smileys and emotions", FACES),
    "people": Subject("People"),
    "animals": Subject("Animals and nature", ANIMALS),
    "food": Subject("Food and drink"),
}

"""Draws samples.png of the shipped models anew, after the stream of samples has changed: python docs/samples.py

Those that show what a model made of pictures or words that it was given stay as they are. Afterwards
`ganzoo registry build` pins what was drawn.
"""

from __future__ import annotations

from pathlib import Path

import ganzoo_core as gz
from ganzoo_core.files import write_aside
from ganzoo_core.models.export import drawn

ROOT = Path(__file__).parents[1]


def main() -> None:
    for config in sorted(ROOT.glob("plugins/*/*/weights/*/config.json")):
        folder = config.parent
        if picture := drawn(gz.load(folder).generator):
            write_aside(folder / "samples.png", picture)
        print(folder.name, "drawn anew" if picture else "as it was")


if __name__ == "__main__":
    main()

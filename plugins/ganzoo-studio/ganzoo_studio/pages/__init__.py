"""Pages: each module has `title(facts)`, "" for a model that it does not suit, and `build(studio, facts)`."""

from ganzoo_studio.pages import (
    card,
    classes,
    compare,
    directions,
    dissect,
    drag,
    grid,
    make,
    project,
    styles,
    walk,
    watch,
)

ALL = (make, grid, walk, classes, styles, compare, project, directions, dissect, drag, card)
__all__ = ["ALL", "card", "watch"]

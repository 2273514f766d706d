"""What the pages that look inside a latent space do alike: whom they suit, and how each picture is made again.

A search is carried out by its command. What follows a slider is computed here, by the functions that its command calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganzoo_latent.activations import layer_of
from ganzoo_latent.files import Point, placed, read, write
from ganzoo_latent.painter import Painter

from ganzoo_core.cli import save_sheet
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator
from ganzoo_studio import drawing, verbs
from ganzoo_studio.asking import Ask, line
from ganzoo_studio.controls import Control
from ganzoo_studio.limits import POINT
from ganzoo_studio.views import shown

if TYPE_CHECKING:
    from torch import Tensor

    from ganzoo_studio.studio import Facts

SUFFIX = ".safetensors"  # of a point
OUT = "found.png"


def has_space(facts: Facts) -> bool:
    """Whether it makes pictures of points of a space, and needs nothing else but a class or words."""
    needs = {control.kind for control in facts.controls if control.needed} - {"choice", "text"}
    sized = all(facts.net.output.shape)
    return not needs and sized and facts.net.output.kind == "images" and bool(facts.net.spaces())


def has_maps(facts: Facts) -> bool:
    """Whether its layers make maps that are smaller than its pictures, which is what units and drags are about."""
    try:
        return has_space(facts) and bool(layer_of(Painter(facts.net, **some(facts))))
    except GanzooError:
        return False


def some(facts: Facts) -> dict[str, Any]:
    """What must be said besides a point, anything of it."""
    return {c.name: c.answers[0] if c.kind == "choice" else "anything" for c in conditions(facts)}


def conditions(facts: Facts) -> list[Control]:
    """What must be said besides a point."""
    return [control for control in facts.controls if control.needed]


def painter(net: Generator, ask: Ask, seed: int = 0) -> Painter:
    """The generator, seen from its space. Errors: those of Painter."""
    return Painter(net, seed=seed, **ask.given(net, defaults=False))


@dataclass(frozen=True)
class Inside:
    """One press of such a page: the command, and the Python that does the same."""

    ask: Ask
    words: tuple[str, ...]
    python: str

    @property
    def shell(self) -> str:
        return line(self.words)

    def search(self, source: str, alt: str) -> str:
        """Carried out by the command, of the model that lies at `source`: the picture, and what was said below it."""
        said = verbs.run([*self.words[:2], source, *self.words[3:]], self.ask.folder)
        told = "<br>".join(map(escape, said.splitlines()))
        return shown(self.ask.folder / OUT, alt) + f"<p class=gz-quiet>{told}</p>"

    def save(self, pictures: Tensor, columns: int, alt: str) -> str:
        """Pictures [n, C, H, W] that were computed here, as the command writes them."""
        save_sheet(pictures, columns, self.ask.folder / OUT)
        return shown(self.ask.folder / OUT, alt)

    def files(self, *others: str) -> list[Path]:
        """What there is to download: the picture, its point, and what was given."""
        paths = [self.ask.folder / name for name in (OUT, f"found{SUFFIX}", *others)]
        return [path for path in paths if path.exists()]


def inside(
    ask: Ask, net: Generator, words: Sequence[str], imports: Sequence[str], lines: Sequence[str], *given: str
) -> Inside:
    """`ganzoo latent` with these words, and these lines of Python; `given` are more arguments of their painter."""
    verb, *rest = words
    source, name = ask.seat
    network = f"network({name!r})" if name else "generator"
    named = [f"{key}={value!r}" for key, value in ask.given(net, defaults=False).items()]
    python = "\n".join([
        "from pathlib import Path", *(["import torch"] if any("torch." in line for line in lines) else []),
        "import ganzoo_core as gz", *imports, "from ganzoo_latent.painter import Painter",
        f"painter = Painter({', '.join([f'gz.load({source!r}).{network}', *given, *named])})", *lines,
    ])  # fmt: skip
    return Inside(ask, ("latent", verb, source, *rest, *ask.conditions(), "-o", OUT), python)


def point(given: str, folder: Path, seed: int) -> str:
    """A point's name in a command: a seed, or a file that a page has found. Errors: GanzooError for a large one."""
    return drawing.file_of(given, [SUFFIX], POINT, folder / "point").name if given else str(seed)


def start(name: str) -> tuple[list[str], str]:
    """A point in Python: what must be imported, and the expression.  [1, *shape]"""
    if name.isdecimal():
        return [], f"painter.draw(1, {name})"
    return ["from ganzoo_latent import files"], f"files.placed(files.read(Path({name!r})), painter, Path({name!r}))[:1]"


def point_of(brush: Painter, name: str, folder: Path) -> Tensor:
    """The same as numbers.  [1, *shape]. Errors: GanzooError for a point of another model."""
    if name.isdecimal():
        return brush.draw(1, int(name))
    return placed(read(folder / name), brush, Path(name))[:1]


def keep(there: Tensor, brush: Painter, ask: Ask) -> None:
    """A point [1, *shape] as a file, so that another page can begin there."""
    write(Point(there, brush.name, ask.seat.source), ask.folder / f"found{SUFFIX}")


def point_name(name: str) -> str:
    """For people."""
    return f"seed {name}" if name.isdecimal() else "the point that was found"

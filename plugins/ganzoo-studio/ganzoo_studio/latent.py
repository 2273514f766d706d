"""What the pages that look inside a latent space do alike: whom they suit, and their commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganzoo_latent.painter import Painter

from ganzoo_core.errors import GanzooError
from ganzoo_studio import verbs
from ganzoo_studio.asking import Ask, line
from ganzoo_studio.controls import Control
from ganzoo_studio.parts import told
from ganzoo_studio.views import shown

if TYPE_CHECKING:
    from ganzoo_studio.studio import Facts, Studio


def has_space(facts: Facts) -> bool:
    """Whether it makes pictures of points of a space, and needs nothing else but a class or words."""
    needs = {control.kind for control in facts.controls if control.needed} - {"choice", "text"}
    sized = all(facts.net.output.shape)
    return not needs and sized and facts.net.output.kind == "images" and bool(facts.net.spaces())


def conditions(facts: Facts) -> list[Control]:
    """What must be said besides a point."""
    return [control for control in facts.controls if control.needed]


def painter(studio: Studio, ask: Ask) -> Painter:
    """The generator, seen from its space. Errors: those of Painter."""
    net = studio.net(ask.seat)
    return Painter(net, **ask.given(net, defaults=False))


def searched(studio: Studio, ask: Ask, verb: str, words: list[str], alt: str, files: tuple[str, ...] = ()) -> list[Any]:
    """`ganzoo latent VERB SOURCE WORDS`, in a process of its own; what it says stands below its picture."""
    after = [*words, *ask.conditions(), "-o", "found.png"]
    said = verbs.run(["latent", verb, studio.shelf.where(ask.seat.source), *after], ask.folder)
    made = [ask.folder / name for name in ("found.png", "found.safetensors", *files)]
    html = shown(made[0], alt) + f"<p class=gz-quiet>{escaped(said)}</p>"
    command = line(["latent", verb, ask.seat.source, *after])
    return told(html, [path for path in made if path.exists()], command, "")


def escaped(text: str) -> str:
    from html import escape

    return "<br>".join(map(escape, text.splitlines()))


def point(given: str | None, folder: Path, seed: int) -> str:
    """A point's name in a command: a seed, or a file that a page has found. Errors: GanzooError for a large one."""
    if not given:
        return str(seed)
    path = Path(given)
    if path.suffix != ".safetensors" or path.stat().st_size > 2**20:
        raise GanzooError(
            "the point is no .safetensors file that a page has found", "Download one from Find my picture."
        )
    (folder / "point.safetensors").write_bytes(path.read_bytes())
    return "point.safetensors"

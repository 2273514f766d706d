"""What the verbs do alike: a painter of SOURCE, points by seed or by file, options of conditions, places. No torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganzoo_core.cli import labelled, pair, sources, writable
from ganzoo_core.errors import GanzooError, escape

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ganzoo_core.nn import Generator
    from ganzoo_latent.painter import Painter

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)"


@dataclass(frozen=True)
class Asked:
    """What every verb is told: a model, how it is painted, and where to write."""

    source: str
    space: str
    seed: int
    label: str
    text: str
    given: tuple[str, ...]
    net: str
    device: str
    out: Path
    force: bool

    def writable(self, suffix: str = "") -> Path:
        """OUT, or the file of another suffix beside it, before any work is done. Errors: GanzooError."""
        return writable(self.out.with_suffix(suffix) if suffix else self.out, self.force)

    def painter(self) -> Painter:
        """Errors: GanzooError for a model without a latent, an unknown input, a wrong value."""
        return self.loaded()[1]

    def loaded(self) -> tuple[Mapping[str, nn.Module], Painter]:
        """All that the model publishes, by name, besides. Errors: those of `painter`."""
        import ganzoo_core as gz
        from ganzoo_core.cli import told
        from ganzoo_core.nn import pick_device
        from ganzoo_latent.painter import Painter

        model = gz.load(self.source, device=str(pick_device(self.device)))
        generator = model.network(self.net)
        conditions: dict[str, Any] = dict(labelled(generator, (self.label,) if self.label else (), 1))
        conditions |= told(generator, self.text)
        conditions |= dict(map(partial(parsed, generator), self.given))
        return model.networks, Painter(generator, self.space, self.seed, **conditions)


def parsed(generator: Generator, text: str) -> tuple[str, Any]:
    """An input by its name, as its kind reads it; what is unknown is told of by the painter. Errors: GanzooError."""
    name, value = pair(text)
    try:
        return name, generator.inputs[name].parse(value) if name in generator.inputs else value
    except ValueError as fault:
        raise GanzooError(f"-c {escape(text, 60)}: {escape(fault, 80)}") from None


def of_model(verb: Callable[..., None]) -> Callable[..., None]:
    """SOURCE and how it is painted, as the verb's first argument; -o and --force."""

    @wraps(verb)
    def asking(**options: Any) -> None:
        verb(Asked(**{f.name: options.pop(f.name) for f in fields(Asked)}), **options)

    for option in reversed((
        click.argument("source", shell_complete=sources),
        click.option("--space", default="", help="z, w or w+, where there is one; default: w, else z."),
        click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of all that is drawn."),
        click.option("--label", default="", metavar="LABEL", help="A class by name or number."),
        click.option("--text", default="", help="What is to be shown."),
        click.option("-c", "given", multiple=True, metavar="INPUT=VALUE", help="Another input of the model."),
        click.option("--net", default="", metavar="NAME", help="Another published network."),
        click.option("--device", default="auto", show_default=True),
        click.option("-o", "--out", required=True, type=click.Path(path_type=Path), metavar="OUT"),
        click.option("--force", is_flag=True, help="Overwrite OUT."),
    )):  # fmt: skip
        asking = option(asking)
    return asking


def point_of(painter: Painter, text: str) -> Tensor:
    """A seed, or a file that `project` or `edit` has written.  [1, *shape]"""
    from ganzoo_latent import files

    if text.isdecimal():
        return painter.draw(1, int(text))
    return files.placed(files.read(Path(text)), painter, Path(text))[:1]


def numbers(flag: str, text: str, form: str) -> list[float]:
    """Numbers in a form such as X,Y:X,Y, each letter one. Errors: GanzooError."""
    match = re.fullmatch(re.sub("[A-Z]+", lambda _: f"({NUMBER})", form), text.replace(" ", ""))
    if match is None:
        raise GanzooError(f"{flag} {escape(text, 60)}: expected {form}")
    return [float(group) for group in match.groups()]


def extractor_of(painter: Painter, name: str) -> str:
    """auto is lite0 for colour pictures, mnist-cnn for gray ones; none is none."""
    if name == "auto":
        return "lite0" if painter.shape[0] == 3 else "mnist-cnn"
    return "" if name == "none" else name


def colour(text: str, channels: int) -> list[float]:
    """#rrggbb, or a level from 0 to 255, in [-1, 1]. Errors: GanzooError."""
    if re.fullmatch("#[0-9a-fA-F]{6}", text):
        levels = [int(text[i : i + 2], 16) for i in (1, 3, 5)]
    elif text.isdecimal() and int(text) <= 255:
        levels = [int(text)] * 3
    else:
        raise GanzooError(f"{escape(text, 20)}: is no colour", "Give #rrggbb, or a level from 0 to 255.")
    gray = (299 * levels[0] + 587 * levels[1] + 114 * levels[2]) / 1000
    return [level / 127.5 - 1 for level in (levels if channels == 3 else [gray] * channels)]


def fitting(painter: Painter, path: Path) -> Tensor:
    """A picture file as large as the model's pictures.  [1, C, H, W]"""
    from ganzoo_core.cli import read_fitted

    return read_fitted(path, *painter.shape).to(painter.device)

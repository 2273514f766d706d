"""ganzoo data: what is in some data, and how a model sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganzoo_core.cli._shared import writable
from ganzoo_core.cli.output import table
from ganzoo_core.errors import GanzooError, escape, tell_user

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from ganzoo_core.data import Dataset

P = 0.5  # at which ada is shown: how far it goes in training is for the game to find out


@click.command("data")
@click.argument("data")
@click.option("--image-size", type=click.IntRange(1, 4096), help="Default: the data's own.")
@click.option("--channels", type=click.Choice(["1", "3"]), help="Default: the data's own.")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="SHEET.png", help="Show examples, too.")
@click.option("-n", "count", type=click.IntRange(1, 4096), default=64, show_default=True, help="Examples.")
@click.option("--augment", type=click.Choice(["ada", "diffaugment"]), help="As discriminators would see them.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True)
@click.option("--data-root", type=click.Path(), help="Where data sets lie; default: $GANZOO_DATA.")
@click.option("--follow-links", is_flag=True, help="Read images that links out of the folder lead to.")
@click.option("--force", is_flag=True, help="Overwrite SHEET.png.")
def data_(
    data: str, image_size: int | None, channels: str | None, out: Path | None, count: int, augment: str | None,
    seed: int, data_root: str | None, follow_links: bool, force: bool,
) -> None:  # fmt: skip
    """Look at DATA: how many examples, of what sizes and classes, and which files cannot be used.

    DATA is what `ganzoo train --data` takes. The sheet shows the first examples that training with this seed would
    see, cut, resized and augmented.
    """
    target = writable(out, force) if out is not None else None
    if target is not None and target.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise GanzooError(f"{escape(target)}: a sheet is a picture", "Give -o sheet.png.")
    from ganzoo_core import imaging
    from ganzoo_core.data import stream
    from ganzoo_core.training.loaders import DatasetLoader

    asked: dict[str, Any] = {"image_size": image_size, "channels": int(channels) if channels else None}
    loader = DatasetLoader(data, root=data_root, on_bad_image="skip", follow_links=follow_links, **asked)
    source: Dataset = loader.open(**loader.options)
    table(source.describe(), ("what", "is"), [*facts(source)])
    if target is not None:
        batch = next(stream(source, batch_size=count, seed=seed))
        imaging.save(sheet_of_kind(source, batch) or sheet(batch, augment, seed), target)
        tell_user(f"the first {count} examples of seed {seed} are in {target}")


def facts(source: Dataset) -> Iterator[tuple[str, str]]:
    """Rows for people: keys, classes with how many of each, notes, and every file that is left out."""
    info = source.info
    yield "keys", ", ".join(sorted(info.keys))
    for part in source.parts():
        labels = getattr(part, "labels", None)
        if labels is not None and info.classes:
            counts = labels.bincount(minlength=info.classes).tolist()
            yield from ((f"class {name}", f"{n:,}") for name, n in zip(info.class_names, counts, strict=False))
            break
    yield from (("note", note) for note in source.all_notes() if not note.startswith("left out: "))
    for file in {file: None for part in source.parts() for file in getattr(part, "bad", ())}:
        yield "left out", f"{file.name}: {file.why}"


def sheet_of_kind(source: Dataset, batch: dict[str, Tensor]) -> Image | None:
    """Examples as a plugin's own kind of output shows them, which is told what the data say of themselves; or None."""
    from ganzoo_core.nn.outputs import Output
    from ganzoo_core.plugin.records import resolve
    from ganzoo_core.registry.plugins import registry

    for entry in registry().kinds.values():
        kind = resolve(entry.kind)
        if issubclass(kind, Output) and kind.batch_key in batch and kind.batch_key != Output.batch_key:
            known = {field.name for field in fields(kind)}
            facts = {name: value for name, value in source.facts().items() if name in known}
            x = batch[kind.batch_key]
            shown: Image = kind(shape=tuple(x.shape[1:]), **facts).picture(x)
            return shown
    return None


def sheet(batch: dict[str, Tensor], augment: str | None, seed: int) -> Image:
    """Examples as one picture: pictures of several keys side by side, clips in rows of frames, points in the plane."""
    from ganzoo_core import imaging

    if "video" in batch:
        return imaging.grid(augmented(batch["video"].flatten(0, 1), augment, seed), batch["video"].shape[1])
    pictures = [value for value in batch.values() if value.ndim == 4]
    if len(pictures) > 1:
        return imaging.beside([augmented(x, augment, seed) for x in pictures])
    if pictures:
        return imaging.grid(augmented(pictures[0], augment, seed))
    return imaging.scatter(batch["x"])


def augmented(x: Tensor, how: str | None, seed: int) -> Tensor:
    """Pictures [n, C, H, W] as a discriminator would be shown them."""
    import torch

    from ganzoo_core.objectives import augment

    if how is None:
        return x
    torch.manual_seed(seed)
    changed: Tensor = getattr(augment, how)(x, torch.tensor(P))
    return changed

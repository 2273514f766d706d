"""ganzoo import: weights that others have trained."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganzoo_core.errors import GanzooError, UnknownNameError, escape, tell_user

if TYPE_CHECKING:
    from ganzoo_import.assemble import Assembled
    from ganzoo_import.fetch import Fetched
    from ganzoo_import.sandbox import Content
    from ganzoo_import.unwrap import Group

LARGEST = 8 << 30


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--family", default="", help="What it is; without it, which families fit is said.")
@click.option("--license", "--licence", "licence", default="", metavar="SPDX", help="Of the weights.")
@click.option("--source", default="", metavar="TEXT", help="Who made them and where they are from, for the card.")
@click.option("-o", "out", type=click.Path(path_type=Path), help="The model directory to write.")
@click.option("--id", "name", default="", metavar="FAMILY.TAG", help="Of the model; default: FAMILY.imported.")
@click.option("--dataset", default="unknown", show_default=True, help="What they were trained on.")
@click.option("--dataset-license", "--dataset-licence", "dataset_licence", default="NOASSERTION", help="Of that.")
@click.option("-c", "args", multiple=True, metavar="KEY=VALUE", help="An argument that does not follow from the file.")
@click.option("--sha256", default="", metavar="HEX", help="What the file must hash to.")
@click.option("--max-bytes", type=click.IntRange(1), default=LARGEST, show_default=True, help="Of file and tensors.")
@click.option("--yes", is_flag=True, help="Accept a mapping that was found by order and shapes alone.")
@click.option("--force", is_flag=True, help="Overwrite the model in DIR.")
def import_(
    files: tuple[str, ...], family: str, licence: str, source: str, out: Path | None, name: str, dataset: str,
    dataset_licence: str, args: tuple[str, ...], sha256: str, max_bytes: int, yes: bool, force: bool,
) -> None:  # fmt: skip
    """Make a model directory of weights that others have trained: torch's files, safetensors, ncnn, .npz.

    FILE is a path, an https address, or hf:owner/repo/path@revision; several, where a model's networks lie in files of
    their own. No byte of it is run: what only running code could read is refused (exit 5).
    """
    if family:
        refuse_before(family, licence, source, out, force)
    from ganzoo_core.models import restrictions, spdx

    licence = spdx(licence) if licence else ""
    if licence and (beware := restrictions(licence)):
        tell_user(f"warning: licence: {beware}")
    groups, fetched = read_all(files, max_bytes, sha256)
    from ganzoo_import.assemble import all_families, of_family

    if not family:
        return report(all_families(groups))
    made = of_family(family, groups, given(family, args))
    confirm(made, yes)
    write(made, fetched, out, licence, source, name, dataset, dataset_licence)


def refuse_before(family: str, licence: str, source: str, out: Path | None, force: bool) -> None:
    """What can be said before anything is read."""
    from ganzoo_core.models import foreign_families

    known = [one.name for one in foreign_families()]
    if family not in known:
        raise UnknownNameError("family", family, known)
    for value, option in ((licence, "--license SPDX"), (source, "--source TEXT"), (out, "-o DIR")):
        if not value:
            raise GanzooError(f"import: {option} is missing", "A model says whose it is: give all three.")
    assert out is not None
    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not force:
        raise GanzooError(f"{out}: exists", "Choose another -o, or --force to overwrite it.")


def read_all(files: tuple[str, ...], limit: int, sha256: str) -> tuple[list[Group], list[Fetched]]:
    """The networks of all files, and where each file is from."""
    import tempfile

    from ganzoo_import import sandbox
    from ganzoo_import.fetch import fetch
    from ganzoo_import.moments import is_part
    from ganzoo_import.unwrap import groups, joined

    if sha256 and len(files) > 1:
        raise GanzooError("--sha256: of which file?", "Give one file, or leave it out.")
    found: list[Group] = []
    fetched: list[Fetched] = []
    contents: dict[str, Content] = {}
    for where, name in zip(files, apart(files), strict=True):
        with tempfile.TemporaryDirectory(prefix="ganzoo-import-") as folder:
            got = fetch(where, Path(folder), limit, sha256)
            try:
                content = sandbox.read(got.path, limit)
            except GanzooError as fault:
                raise type(fault)(f"{escape(where)}: {fault.what}", fault.hint) from None
        got = got._replace(name=name or got.name)
        tell_user(f"{escape(got.name)}: {content.format}, {len(content.tensors)} tensors, sha256 {got.sha256}")
        if content.open_network:
            tell_user(f"it was read with the network there: this system gives no namespace ({content.open_network})")
        found += groups(content, got.name)
        if any(map(is_part, content.tensors)) and not any(group.moments for group in found):
            tell_user("the state of an optimiser in it is left out: its order and shapes are no network's")
        fetched.append(got)
        contents[got.name] = content
    return [*found, *([joined(contents)] if len(contents) > 1 else [])], fetched


def apart(files: Sequence[str]) -> list[str]:
    """What tells several files from each other: their paths without the folder that all are in; "" for a single one."""
    if len(files) < 2:
        return [""] * len(files)
    parts = [where.partition("@")[0].split("/") for where in files]
    folders = zip(*[one[:-1] for one in parts], strict=False)
    shared = sum(1 for _ in takewhile(lambda names: len(set(names)) == 1, folders))
    return ["/".join(one[shared:]) for one in parts]


def given(family: str, texts: tuple[str, ...]) -> dict[str, Any]:
    """-c KEY=VALUE as values. Errors: GanzooError."""
    from ganzoo_core.models import Foreign

    return Foreign(family).parse(texts)


def report(tried: list[Assembled]) -> None:
    """Which families fit; where none does, which is nearest and why not."""
    from ganzoo_import.assemble import fitting

    found = [one for one in tried if fitting(one)]
    for one in found:
        print(f"{one.family.name}  {', '.join(one.chosen)}  {spelled(one)}  ({one.layout})")
    if not found:
        near = tried[0]
        tell_user(f"no family fits; the nearest is {near.family.name} {spelled(near)}".rstrip())
        for fault in near.faults[:5]:
            tell_user(f"  it {fault}")
        raise GanzooError("no family that is installed fits this file", "`ganzoo list` shows which there are.")
    tell_user(f"next: give --family {found[0].family.name} --license SPDX --source TEXT -o DIR")


def spelled(one: Assembled) -> str:
    """Arguments as -c takes them."""
    texts = {k: ",".join(map(str, v)) if isinstance(v, tuple | list) else str(v) for k, v in one.args.items()}
    return " ".join(f"{k}={v}" for k, v in texts.items())


def confirm(made: Assembled, yes: bool) -> None:
    """A mapping that only order and shapes speak for is shown, and a person asked."""
    for network, fit in made.chosen.items():
        tell_user(f"{network}: {escape(fit.group)}, {fit.layout}, {spelled(made)}")
    if not made.guessed:
        return
    for ours, theirs in made.mapping.items():
        tell_user(f"  {escape(theirs, 80)} -> {ours}")
    if yes:
        return
    if not sys.stdin.isatty() or not click.confirm("Is each in its place?", err=True):
        raise GanzooError("the mapping above is by order and shapes alone", "If it is right, say --yes.")


def write(
    made: Assembled, fetched: list[Fetched], out: Path | None, licence: str, source: str, name: str, dataset: str,
    dataset_licence: str,
) -> None:  # fmt: skip
    """The model directory, complete."""
    from importlib.metadata import version

    from ganzoo_core.models import write_foreign

    assert out is not None
    family = made.family.name
    files, hashes = (", ".join(part) for part in zip(*[(escape(f.name), f.sha256) for f in fetched], strict=True))
    command = f"ganzoo import {files} --family {family} --license '{licence}' --source '{escape(source)}' -o DIR"
    origin = {
        "id": name or f"{family}.imported", "licence": licence, "dataset": dataset, "dataset_licence": dataset_licence,
        "images": 0, "seed": 0, "command": command,
        "versions": {dist: version(dist) for dist in ("ganzoo-core", "ganzoo-import", "torch")},
        "imported": {
            "file": files, "sha256": hashes, "source": escape(source, 1000), "layout": made.layout,
            "mapping": made.mapping,
        },
    }  # fmt: skip
    write_foreign(out, made.family, made.args, made.tensors, origin, made.moments)
    if made.moments:
        nets = ", ".join(name for name, fit in made.chosen.items() if fit.moments)
        tell_user(f"what Adam knew of {nets} comes along: `ganzoo train {family} --init {escape(out)}` goes on with it")
    print(out)

"""A model directory: config.json, model.safetensors, README.md, samples.png, metrics.json, and perhaps
discriminators.safetensors and samples.wav. Written, verified, read.

config.json pins the bytes of the weights and says from which family, with which arguments, they are built. No pickle,
and no code, module or file name is taken from data: a family's name is looked up among the installed plugins.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import safetensors.torch
import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError, UnknownNameError, escape, tell_user
from ganzoo_core.files import make_folder, write_aside
from ganzoo_core.nn.generator import Discriminator, Generator, Network, unneeded
from ganzoo_core.nn.inputs import Label, name_classes
from ganzoo_core.nn.sketch import sketching
from ganzoo_core.nn.streams import STREAM, DrawFrom
from ganzoo_core.objectives.arguments import network_names
from ganzoo_core.objectives.objective import Objective
from ganzoo_core.plugin.records import resolve
from ganzoo_core.registry.index import how_to_get
from ganzoo_core.registry.listing import is_installed
from ganzoo_core.registry.plugins import registry
from ganzoo_core.registry.recipes import Recipe, args_of, build_networks, fits, spelled
from ganzoo_core.weights.config import DISCRIMINATORS, FILE, FORMAT, MOMENTS, NO_PINS, read_config, read_tensors
from ganzoo_core.weights.header import Entry

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
LARGEST = 1 << 20  # of widths, depths, sizes: beyond the largest network by far
PARTS: tuple[Literal["networks", "objective"], ...] = ("networks", "objective")
CODES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip


@dataclass(frozen=True)
class Origin:
    """Where weights come from, for their config.json."""

    id: str  # family.tag
    licence: str  # SPDX, of the weights
    dataset: str
    dataset_licence: str
    images: int
    seed: int
    command: str
    versions: Mapping[str, str]
    imported: Mapping[str, Any] | None = None  # what weights of others were: see weights.config.IMPORTED


NO_MOMENTS: Mapping[str, Tensor] = {}


class Stored(NamedTuple):
    """A model directory that was read: what it says, and its networks, strict and in evaluation mode."""

    config: dict[str, Any]
    recipe: Recipe
    networks: dict[str, nn.Module]


def write_model(
    folder: Path,
    objective: Objective,
    origin: Origin,
    dtype: str = "float32",
    networks: Mapping[str, nn.Module] | None = None,
) -> dict[str, Any]:
    """Write config.json, model.safetensors and discriminators.safetensors of a game. Returns the config.

    `networks` replaces what the objective exports (standing statistics, say). Errors: GanzooError for networks that
    are the user's own modules.
    """
    made: Recipe | None = objective.recipe
    if made is None or made.networks is None:
        raise GanzooError("these networks are your own modules: nobody could rebuild them", "Make them a plugin.")
    exported = unwrapped(networks or objective.exported_networks())
    judges = {k: net for k, net in unwrapped(objective.discriminators()).items() if k not in exported}
    return write_networks(folder, made, exported, judges, origin, dtype)


def unwrapped(discriminators: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """Discriminators without what only training puts around them."""
    return {name: getattr(net, "unwrapped", net) for name, net in discriminators.items()}


def write_networks(
    folder: Path,
    made: Recipe,
    exported: Mapping[str, nn.Module],
    judges: Mapping[str, nn.Module],
    origin: Origin,
    dtype: str = "float32",
    moments: Mapping[str, Tensor] = NO_MOMENTS,
) -> dict[str, Any]:
    """Likewise of networks by name, the last file first: a directory with a config.json is whole.

    `moments` are Adam's, by the names of the weights: "G.conv.weight.exp_avg".
    """
    files = {FILE: pack(exported, dtype)} | ({DISCRIMINATORS: pack(judges, dtype)} if judges else {})
    if moments:
        files[MOMENTS] = bytes(safetensors.torch.save({k: v.contiguous() for k, v in moments.items()}))
    config = config_of(exported, made, origin, dtype)
    config["files"] = {n: {"sha256": hashlib.sha256(d).hexdigest(), "bytes": len(d)} for n, d in files.items()}
    make_folder(folder)
    for name, data in files.items():
        write_aside(folder / name, data)
    write_aside(folder / "config.json", (json.dumps(config, indent=2, ensure_ascii=False) + "\n").encode())
    return config


def pack(nets: Mapping[str, nn.Module], dtype: str) -> bytes:
    """All tensors of some networks by name, floats in the dtype of the disk, as the bytes of a safetensors file."""
    return bytes(safetensors.torch.save(stored(nets, DTYPES[dtype])))


def stored(nets: Mapping[str, nn.Module], dtype: torch.dtype) -> dict[str, Tensor]:
    """Likewise as tensors, each with memory of its own: two names may stand for one weight.

    Errors: GanzooError for a number that is too large for the dtype, and for tensors that no file can hold.
    """
    named, tensors = named_tensors(nets), {}
    refuse_unstorable(named)
    for name, value in named.items():
        kept = value.to(dtype) if value.is_floating_point() else value
        if value.is_floating_point() and bool((value.isfinite() & ~kept.isfinite()).any()):
            what = f"{name}: {value.abs().max():.3g} is too large for {str(dtype).removeprefix('torch.')}"
            raise GanzooError(what, "Store it as bfloat16 or float32.")
        tensors[name] = kept.detach().to("cpu", copy=True).contiguous()
    return tensors


def refuse_unstorable(named: Mapping[str, Tensor]) -> None:
    """Before a training as before a file is written. Errors: GanzooError for tensors that no file can hold."""
    for name, value in named.items():
        if value.dtype not in CODES:
            kind = str(value.dtype).removeprefix("torch.")
            what = f"{name}: is {kind}, which neither checkpoints nor models can hold"
            raise GanzooError(what, "Keep real and imaginary parts apart, in float32." if value.is_complex() else "")


def named_tensors(nets: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """The whole state of some networks, by the names that it has in a file."""
    return {f"{name}.{key}": value for name, net in nets.items() for key, value in net.state_dict().items()}


def config_of(exported: Mapping[str, nn.Module], made: Recipe, origin: Origin, dtype: str) -> dict[str, Any]:
    """config.json but for its files."""
    first = next(iter(exported.values()))
    inputs = first.inputs if isinstance(first, Generator) else {}
    return {
        "format": FORMAT,
        "id": origin.id,
        "networks": part_of(made.networks or "", "networks", made.args),
        "objective": part_of(made.family, "objective", made.args),
        "inputs": {name: i.to_config() for name, i in inputs.items()},
        "output": first.output.to_config() if isinstance(first, Generator) else {},
        "labels": next((list(i.names) for i in inputs.values() if isinstance(i, Label)), []),
        "dtype": dtype,
        "stream": STREAM,
        "licence": origin.licence,
        "dataset": {"name": origin.dataset, "licence": origin.dataset_licence},
        "training": {
            "images": origin.images, "seed": origin.seed, "command": origin.command, "versions": dict(origin.versions),
        },
        **({} if origin.imported is None else {"imported": dict(origin.imported)}),
    }  # fmt: skip


def part_of(family: str, part: Literal["networks", "objective"], args: Mapping[str, Any]) -> dict[str, Any]:
    """Half of a recipe: the family, the plugin that has it in which versions, and the arguments that it takes."""
    from importlib.metadata import version

    dist = registry().families.owner(family)
    major, minor = version(dist).split(".")[:2]
    upper = f"{major}.{int(minor) + 1}" if major == "0" else f"{int(major) + 1}"
    own = args_of(registry().families[family], part)
    taken = {k: v for k, v in args.items() if k in own}
    return {"family": family, "plugin": dist, "requires": f">={major}.{minor},<{upper}", "args": taken}


def recipe_of(folder: Path, config: Mapping[str, Any]) -> Recipe:
    """The recipe that config.json describes; its families must be installed, in a version that will do."""
    zoo = registry()
    args = {}
    for part in PARTS:
        family = config[part]["family"]
        if family not in zoo.families:
            try:
                zoo.families.find(family)
            except GanzooError as fault:
                plugin = config[part]["plugin"]
                hint = fault.hint if is_installed(family) else how_to_get(family, plugin)
                raise GanzooError(f"{folder}: needs the family {family} of {plugin}", hint) from None
        check_version(folder, zoo.families.owner(family), config[part]["requires"])
        known = args_of(zoo.families[family], part)
        for key, value in config[part]["args"].items():
            if key not in known:
                raise UnknownNameError(f"key {folder}/config.json: {part}.args", key, known)
            args[key] = tuple(value) if isinstance(value, list) else value
            if not fits(known[key].type, args[key]):
                where = f"{folder}/config.json: {part}.args.{key}"
                raise GanzooError(f"{where}: expected {spelled(known[key].type)}, found {escape(repr(value), 60)}")
    return Recipe(config["objective"]["family"], config["networks"]["family"], "", args)


def check_version(folder: Path, dist: str, requires: str) -> None:
    """A plugin older than a model is refused; one that is newer than it was made for is warned of.

    Models are read for ever: those made by 0.1 load without a word while the plugin is of the series after it.
    """
    from importlib.metadata import version

    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import Version

    here = Version(version(dist))
    try:
        bounds = SpecifierSet(requires)
    except InvalidSpecifier:
        raise GanzooError(f"{folder}/config.json: requires: {escape(requires, 60)!r} is no range of versions") from None
    lower = [Version(b.version) for b in bounds if b.operator in (">=", ">", "~=", "==")]
    upper = [Version(b.version) for b in bounds if b.operator == "<"]
    if any(here < bound for bound in lower):
        what = f"{folder}: needs {dist}{bounds}, and this is {here}"
        raise GanzooError(what, f"Update it: ganzoo install {dist}.")
    if any(here >= bound for bound in upper) and not any(bound == Version("0.2") for bound in upper):
        tell_user(f"warning: {folder}: was made for {dist}{bounds}, and this is {here}")


def read_model(folder: Path, pins: Mapping[str, str] = NO_PINS) -> Stored:
    """config.json, the recipe, and the exported networks with the weights of the directory; no others are built.

    `pins` are hashes that files of the directory must have besides. The tensors are checked against networks on the
    meta device (names, shapes, dtypes) before anything is built. Errors: GanzooError; IntegrityError where the bytes
    are not those that config.json or a pin promises.
    """
    config = read_config(folder, pins)
    entries, data = read_tensors(folder, config, pins)
    made = recipe_of(folder, config)
    sketch, exported = on_meta(folder, made)
    dtype = DTYPES[config["dtype"]]
    check_entries(folder / FILE, {name: sketch[name] for name in exported}, entries, dtype)
    nets = fill(folder / FILE, built(made, sketch, exported), data)
    for net in nets.values():
        name_classes(net, config["labels"])
    return Stored(config, made, nets)


def read_discriminators(folder: Path, pins: Mapping[str, str] = NO_PINS) -> dict[str, nn.Module]:
    """The discriminators of a directory that has them, in evaluation mode; nothing where it has none.

    Errors: GanzooError, IntegrityError.
    """
    config = read_config(folder, pins)
    if DISCRIMINATORS not in config["files"] or not (folder / DISCRIMINATORS).exists():
        return {}
    entries, data = read_tensors(folder, config, pins, DISCRIMINATORS)
    made = recipe_of(folder, config)
    sketch, exported = on_meta(folder, made)
    names = [k for k, net in sketch.items() if isinstance(net, Discriminator) and k not in exported]
    check_entries(folder / DISCRIMINATORS, {name: sketch[name] for name in names}, entries, DTYPES[config["dtype"]])
    return fill(folder / DISCRIMINATORS, built(made, sketch, names), data)


def on_meta(folder: Path, made: Recipe) -> tuple[dict[str, nn.Module], tuple[str, ...]]:
    """All networks of a recipe on the meta device, which allocates nothing, and which of them are exported.

    What a family's code makes of bad arguments is one line: they come from a file.
    """
    game: type[Objective] = resolve(registry().families[made.family].objective)
    try:
        refuse_huge(made)
        with sketching(), DrawFrom(torch.Generator):
            nets = build_networks(made.networks or "", made.args)
    except Exception as fault:
        raise GanzooError(f"{folder}/config.json: networks.args: {escape(fault)}") from None
    if nets.keys() != set(network_names(game)):
        what = f"networks of {made.networks} are not those of {made.family}"
        raise GanzooError(f"{folder}/config.json: {what}: {', '.join(sorted(nets))}")
    return nets, game.exported


def refuse_huge(made: Recipe) -> None:
    """Errors: ValueError for an argument that no network has: a loop over it would not end."""
    known = args_of(registry().families[made.networks]) if made.networks else {}
    for name in known.keys() & made.args.keys():
        value = made.args[name]
        for number in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(number, int) and abs(number) > LARGEST:
                raise ValueError(f"{name}: {escape(number, 30)}: too large")


def built(made: Recipe, sketch: Mapping[str, nn.Module], names: Sequence[str]) -> dict[str, nn.Module]:
    """The networks that are named, with first weights; the others take no memory."""
    wanted = {type(sketch[name]) for name in names}
    others = {type(net) for net in sketch.values() if isinstance(net, Network)} - wanted
    mark = unneeded.set(tuple(kind for kind in others if not any(issubclass(w, kind) for w in wanted)))
    try:
        with DrawFrom(torch.Generator):
            nets = build_networks(made.networks or "", made.args)
    finally:
        unneeded.reset(mark)
    return {name: nets[name] for name in names}


def fill(path: Path, nets: dict[str, nn.Module], data: bytes) -> dict[str, nn.Module]:
    """The networks with the tensors of a file, strictly. Errors: GanzooError for numbers that are not finite."""
    tensors = safetensors.torch.load(data)
    for name, value in tensors.items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise GanzooError(f"{path}: tensor {name}: holds infinite or undefined numbers")
    for name, net in nets.items():
        prefix = f"{name}."
        net.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
        net.eval().requires_grad_(False)
    return nets


def check_entries(
    path: Path, sketch: Mapping[str, nn.Module], entries: Mapping[str, Entry], dtype: torch.dtype
) -> None:
    """Exactly the tensors of these networks, each of the stored dtype, which is the only one cast."""
    wanted = stored_entries(sketch, dtype)
    for name in sorted(wanted.keys() ^ entries.keys()):
        raise GanzooError(f"{path}: {'missing' if name in wanted else 'unexpected'} tensor {escape(name)}")
    for name, entry in wanted.items():
        if entries[name] != entry:
            raise GanzooError(f"{path}: tensor {name}: expected {show(entry)}, found {show(entries[name])}")


def stored_entries(nets: Mapping[str, nn.Module], dtype: torch.dtype) -> dict[str, Entry]:
    """What the header of a file of these networks says."""
    return {
        name: Entry(CODES[dtype if v.is_floating_point() else v.dtype], tuple(v.shape))
        for name, v in named_tensors(nets).items()
    }


def show(entry: Entry) -> str:
    return f"{entry.dtype} {list(entry.shape)}"


def read_moments(folder: Path, pins: Mapping[str, str] = NO_PINS) -> dict[str, Tensor]:
    """Adam's moments by the names of the weights; nothing where the directory has none. Errors: see above."""
    config = read_config(folder, pins)
    if MOMENTS not in config["files"] or not (folder / MOMENTS).exists():
        return {}
    _, data = read_tensors(folder, config, pins, MOMENTS)
    moments: dict[str, Tensor] = safetensors.torch.load(data)
    return moments

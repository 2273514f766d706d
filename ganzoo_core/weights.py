"""A model directory: config.json, model.safetensors, README.md, samples.png, metrics.json. Written, verified, read.

config.json pins the bytes of the weights and says from which family, with which arguments, they are built. No pickle,
and no code, module or file name is taken from data: a family's name is looked up among the installed plugins.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
import torch
from torch import Tensor, nn

from ganzoo_core.configs import FILE, FORMAT, NO_PINS, read_config
from ganzoo_core.configs import read_tensors as read_tensors
from ganzoo_core.errors import GanzooError, UnknownName, plain
from ganzoo_core.files import write_aside
from ganzoo_core.headers import Entry
from ganzoo_core.hubsearch import how_to_get, is_installed
from ganzoo_core.networks import Generator, name_classes
from ganzoo_core.objective import Objective
from ganzoo_core.recipes import Recipe, args_of, build, fits, spelled
from ganzoo_core.registry import registry

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
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


def write_model(folder: Path, objective: Objective, origin: Origin, dtype: str = "float32") -> dict[str, Any]:
    """Write config.json and model.safetensors of what `objective` publishes. Returns the config."""
    made: Recipe | None = objective.recipe
    if made is None or made.networks is None:
        raise GanzooError("these networks are your own modules: nobody could rebuild them", "Make them a plugin.")
    tensors = stored(objective.shipped(), DTYPES[dtype])
    data = safetensors.torch.save(tensors)
    config = config_of(objective, made, origin, dtype)
    config["files"] = {FILE: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}}
    folder.mkdir(parents=True, exist_ok=True)
    write_aside(folder / FILE, data)
    write_aside(folder / "config.json", (json.dumps(config, indent=2, ensure_ascii=False) + "\n").encode())
    return config


def stored(nets: Mapping[str, nn.Module], dtype: torch.dtype) -> dict[str, Tensor]:
    """All tensors of the published networks by name, floats in the dtype of the disk."""
    return {
        f"{name}.{key}": (value.to(dtype) if value.is_floating_point() else value).cpu().contiguous()
        for name, net in nets.items()
        for key, value in net.state_dict().items()
    }


def config_of(objective: Objective, made: Recipe, origin: Origin, dtype: str) -> dict[str, Any]:
    first = next(iter(objective.shipped().values()))
    inputs = first.inputs if isinstance(first, Generator) else {}
    labels = next((list(i.names) for i in inputs.values() if i.kind == "label"), [])
    return {
        "format": FORMAT,
        "id": origin.id,
        "networks": part_of(made.networks or "", "networks", made.args),
        "objective": part_of(made.family, "objective", made.args),
        "inputs": {name: asdict(i) for name, i in inputs.items()},
        "output": asdict(first.output) if isinstance(first, Generator) else {},
        "labels": labels,
        "dtype": dtype,
        "licence": origin.licence,
        "dataset": {"name": origin.dataset, "licence": origin.dataset_licence},
        "training": {
            "images": origin.images, "seed": origin.seed, "command": origin.command, "versions": dict(origin.versions),
        },
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
    """The recipe that config.json describes; its families must be installed."""
    zoo = registry()
    for part in PARTS:
        family = config[part]["family"]
        if family not in zoo.families:
            try:
                zoo.families.find(family)
            except GanzooError as fault:
                plugin = config[part]["plugin"]
                hint = fault.hint if is_installed(family) else how_to_get(family, plugin)
                raise GanzooError(f"{folder}: needs the family {family} of {plugin}", hint) from None
    args = {}
    for part in PARTS:
        known = args_of(zoo.families[config[part]["family"]], part)
        for key, value in config[part]["args"].items():
            if key not in known:
                raise UnknownName(f"key {folder}/config.json: {part}.args", key, known)
            args[key] = tuple(value) if isinstance(value, list) else value
            if not fits(known[key].type, args[key]):
                where = f"{folder}/config.json: {part}.args.{key}"
                raise GanzooError(f"{where}: expected {spelled(known[key].type)}, found {plain(repr(value), 60)}")
    return Recipe(config["objective"]["family"], config["networks"]["family"], "", args)


def read_model(folder: Path, pins: Mapping[str, str] = NO_PINS) -> tuple[dict[str, Any], Objective]:
    """config.json and a built objective whose published networks hold the weights of the directory, in eval mode.

    `pins` are hashes that files of the directory must have besides. The tensors are checked against networks on the
    meta device (names, shapes, dtypes) before anything is built. Errors: GanzooError; IntegrityError where the bytes
    are not those that config.json or a pin promises.
    """
    config = read_config(folder, pins)
    entries, data = read_tensors(folder, config, pins)
    made = recipe_of(folder, config)
    check_entries(folder, sketch_of(folder, made), entries, DTYPES[config["dtype"]])
    objective = build(made)
    tensors = safetensors.torch.load(data)
    for name, value in tensors.items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise GanzooError(f"{folder / FILE}: tensor {name}: holds infinite or undefined numbers")
    for name, net in published(objective).items():
        prefix = f"{name}."
        net.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
        name_classes(net, config["labels"])
    return config, objective.eval().requires_grad_(False)


def sketch_of(folder: Path, made: Recipe) -> Objective:
    """The objective on the meta device, which allocates nothing. What a family's code makes of bad arguments is one
    line: they come from a file."""
    try:
        with torch.device("meta"):
            return build(made)
    except Exception as fault:
        raise GanzooError(f"{folder}/config.json: networks.args: {plain(fault)}") from None


def published(objective: Objective) -> dict[str, nn.Module]:
    return {name: getattr(objective, name) for name in objective.published}


def check_entries(folder: Path, sketch: Objective, entries: Mapping[str, Entry], dtype: torch.dtype) -> None:
    """Exactly the tensors of the published networks, each of the stored dtype, which is the only one cast."""
    wanted = stored_entries(published(sketch), dtype)
    for name in sorted(wanted.keys() ^ entries.keys()):
        raise GanzooError(f"{folder / FILE}: {'missing' if name in wanted else 'unexpected'} tensor {plain(name)}")
    for name, entry in wanted.items():
        if entries[name] != entry:
            raise GanzooError(f"{folder / FILE}: tensor {name}: expected {show(entry)}, found {show(entries[name])}")


def stored_entries(nets: Mapping[str, nn.Module], dtype: torch.dtype) -> dict[str, Entry]:
    return {
        f"{name}.{key}": Entry(CODES[dtype if v.is_floating_point() else v.dtype], tuple(v.shape))
        for name, net in nets.items()
        for key, v in net.state_dict().items()
    }


def show(entry: Entry) -> str:
    return f"{entry.dtype} {list(entry.shape)}"

"""config.json of a model directory, checked without loading torch: which bytes, from which family, trained on what."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.plugin.infos import ModelInfo
from ganzoo_core.plugin.records import NAME
from ganzoo_core.weights.hashes import check, read_pinned
from ganzoo_core.weights.hashes import read_regular as read_regular
from ganzoo_core.weights.header import Entry, read_header, unique

FORMAT = 3  # that is written; 1, which knows no discriminators, and 2, which names no stream, are read for ever
FORMATS = (1, 2, 3)
FILE = "model.safetensors"
DISCRIMINATORS = "discriminators.safetensors"
MOMENTS = "moments.safetensors"  # of Adam, by the names of the weights: "G.conv.weight.exp_avg"
TRAINING = frozenset({DISCRIMINATORS, MOMENTS})  # what only training on needs
MAX_CONFIG = 1 << 20
MAX_WEIGHTS = 64 << 30
# The files of a model directory, in the order in which they are fetched, and the largest that each may be.
FILES = {
    "config.json": MAX_CONFIG,
    "metrics.json": 1 << 20,
    "README.md": 1 << 20,
    "samples.png": 16 << 20,
    "samples.wav": 4 << 20,
    DISCRIMINATORS: 64 << 30,
    MOMENTS: 64 << 30,
    FILE: 64 << 30,
}
NO_PINS: Mapping[str, str] = {}
DTYPES = ("float32", "float16", "bfloat16")  # that weights may be stored in
# Every key of a config.json and its type; nothing else may stand there but the stream that samples were drawn from.
KEYS: dict[str, type] = {
    "format": int, "id": str, "networks": dict, "objective": dict, "inputs": dict, "output": dict, "labels": list,
    "dtype": str, "files": dict, "licence": str, "dataset": dict, "training": dict,
}  # fmt: skip
OPTIONAL: dict[str, type] = {"stream": str, "imported": dict}
TABLES: dict[str, dict[str, type]] = {
    "dataset": {"name": str, "licence": str},
    "training": {"images": int, "seed": int, "command": str, "versions": dict},
}
IMPORTED: dict[str, type] = {"file": str, "sha256": str, "source": str, "layout": str, "mapping": dict}
PART: dict[str, type] = {"family": str, "plugin": str, "requires": str, "args": dict}
PROTOCOL: dict[str, type] = {
    "metric": str, "data": str, "data_sha256": str, "split": str, "extractor": str, "net": str, "n": int,
    "stream": str, "options": dict, "versions": dict,
}  # fmt: skip
ID = re.compile(r"[a-z][a-z0-9_]{0,63}\.[\w.:-]{1,255}")
DIST = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?", re.IGNORECASE)


def read_config(folder: Path, pins: Mapping[str, str] = NO_PINS) -> dict[str, Any]:
    """config.json, its bytes checked against their pin, then parse_config. Errors: GanzooError, IntegrityError."""
    path = folder / "config.json"
    return parse_config(path, read_pinned(path, MAX_CONFIG, pins))


def parse_config(path: Path, data: bytes) -> dict[str, Any]:
    """A config from its bytes: keys, types, format. Errors: GanzooError with the key, what was expected and found."""
    config = parse_json(path, data)
    for key in sorted((config.keys() - OPTIONAL.keys()) ^ KEYS.keys()):
        raise GanzooError(f"{path}: {'unknown' if key in config else 'missing'} key {escape(key)!r}")
    for key, kind in {**KEYS, **OPTIONAL}.items():
        if key in config:
            expect(path, key, kind, config[key])
    if config["format"] not in FORMATS:
        known = ", ".join(map(str, FORMATS))
        what = f"{path}: format {config['format']}, and this ganzoo reads {known}"
        raise GanzooError(what, "Update ganzoo-core.")
    check_words(path, config)
    check_parts(path, config)
    return config


def parse_json(path: Path, data: bytes) -> dict[str, Any]:
    """A JSON object without duplicate keys, infinite numbers or lone surrogates. Errors: GanzooError."""
    try:
        made = json.loads(
            data.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse_constant, parse_float=finite
        )
        json.dumps(made, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as fault:
        raise GanzooError(f"{path}: {escape(fault)}", "Fetch or export the model again.") from None
    if not isinstance(made, dict):
        raise GanzooError(f"{path}: is not a table", "Fetch or export the model again.")
    return made


def expect(path: Path, key: str, kind: type, value: Any) -> None:
    """Exactly this type: true is no int."""
    if type(value) is not kind:
        raise GanzooError(f"{path}: {key}: expected {kind.__name__}, found {escape(repr(value), 60)}")


def check_words(path: Path, config: Mapping[str, Any]) -> None:
    """The names, which are printed and looked up, and what stands beside them."""
    if config["dtype"] not in DTYPES:
        raise GanzooError(f"{path}: dtype: expected {' or '.join(DTYPES)}, found {escape(config['dtype'], 60)}")
    if not ID.fullmatch(config["id"]):
        raise GanzooError(f"{path}: id: expected family.tag, found {escape(config['id'], 60)!r}")
    for key, wanted in TABLES.items():
        if config[key].keys() != wanted.keys():
            raise GanzooError(f"{path}: {key}: expected the keys {', '.join(wanted)}")
        for name, kind in wanted.items():
            expect(path, f"{key}.{name}", kind, config[key][name])
    for name, declared in config["inputs"].items():
        if not name.isidentifier():
            raise GanzooError(f"{path}: inputs: {escape(name, 60)!r} is no name of an argument")
        expect(path, f"inputs.{name}", dict, declared)
        check_declared(path, f"inputs.{name}", {"kind": None, **declared})
    check_declared(path, "output", config["output"])
    check_imported(path, config.get("imported"))
    texts = {"licence": config["licence"], "stream": config.get("stream", "")}
    texts |= {f"dataset.{name}": text for name, text in config["dataset"].items()}
    texts |= {f"labels[{i}]": text for i, text in enumerate(config["labels"])}
    texts |= {f"training.versions.{escape(name, 60)}": text for name, text in config["training"]["versions"].items()}
    for key, text in texts.items():
        expect(path, key, str, text)
        if len(text) > 2000:
            raise GanzooError(f"{path}: {key}: expected a line, found {escape(text, 60)!r}")


def check_imported(path: Path, imported: Mapping[str, Any] | None) -> None:
    """Where weights that others have trained come from, and what each tensor was called there."""
    if imported is None:
        return
    if imported.keys() != IMPORTED.keys():
        raise GanzooError(f"{path}: imported: expected the keys {', '.join(IMPORTED)}")
    for key, kind in IMPORTED.items():
        expect(path, f"imported.{key}", kind, imported[key])
    texts = {**imported, **imported["mapping"]}
    del texts["mapping"]
    for key, text in texts.items():
        expect(path, f"imported.{escape(key, 60)}", str, text)
        if len(key) > 600 or len(text) > 2000:
            raise GanzooError(f"{path}: imported: expected a line, found {escape(text, 60)!r}")


def check_declared(path: Path, where: str, declared: Mapping[str, Any]) -> None:
    """What the core reads of an input or an output; a plugin's own kind may have more to say."""
    if "kind" in declared:
        expect(path, f"{where}.kind", str, declared["kind"])
    if type(declared.get("multiple", 1)) is not int or declared.get("multiple", 1) < 1:
        raise GanzooError(f"{path}: {where}.multiple: expected a positive number of pixels")
    lists: dict[str, tuple[type, ...]] = {"shape": (int, type(None)), "range": (int, float), "names": (str,)}
    for key, kinds in lists.items():
        items = [] if declared.get(key) is None else declared[key]
        expect(path, f"{where}.{key}", list, items)
        if any(type(item) not in kinds for item in items):
            raise GanzooError(f"{path}: {where}.{key}: found {escape(repr(items), 60)}")


def check_parts(path: Path, config: Mapping[str, Any]) -> None:
    """From what it is built, and which bytes it has."""
    for part in ("networks", "objective"):
        for key, kind in PART.items():
            expect(path, f"{part}.{key}", kind, config[part].get(key))
        for key in config[part].keys() - PART.keys():
            raise GanzooError(f"{path}: unknown key {part}.{escape(key, 60)}")
        if not NAME.fullmatch(config[part]["family"]):
            raise GanzooError(f"{path}: {part}.family: {escape(config[part]['family'], 60)!r} is no family's name")
        if not DIST.fullmatch(config[part]["plugin"]):
            raise GanzooError(f"{path}: {part}.plugin: {escape(config[part]['plugin'], 60)!r} is no plugin's name")
    check_files(path, config)


def check_files(path: Path, config: Mapping[str, Any]) -> None:
    """Which bytes: the weights, and from format 2 on perhaps what training on needs."""
    files, more = config["files"], TRAINING if config["format"] > 1 else frozenset()
    if FILE not in files or files.keys() - {FILE} - more:
        raise GanzooError(f"{path}: files: expected sha256 and bytes of {FILE}")
    for name, entry in files.items():
        if not isinstance(entry, dict) or entry.keys() != {"sha256", "bytes"}:
            raise GanzooError(f"{path}: files: expected sha256 and bytes of {name}")
        sha256, size = entry["sha256"], entry["bytes"]
        if not isinstance(sha256, str) or not re.fullmatch("[0-9a-f]{64}", sha256):
            raise GanzooError(f"{path}: files.{name}.sha256: expected 64 hex digits, found {escape(sha256, 80)!r}")
        if type(size) is not int or not 0 <= size <= MAX_WEIGHTS:
            raise GanzooError(f"{path}: files.{name}.bytes: expected 0 to {MAX_WEIGHTS}, found {escape(size, 40)}")


def read_tensors(
    folder: Path, config: Mapping[str, Any], pins: Mapping[str, str] = NO_PINS, name: str = FILE
) -> tuple[dict[str, Entry], bytes]:
    """The header and the bytes of the weights, or of another such file, which are those that config.json
    promises, and the pin if there is one.

    Errors: IntegrityError where a hash differs, GanzooError for another size or a header that is damaged.
    """
    path, promised = folder / name, config["files"][name]
    data = read_pinned(path, MAX_WEIGHTS, pins, promised["bytes"])
    check(path, data, promised["sha256"])
    return read_header(data, str(path)), data


def refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not a number of JSON")


def finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{escape(text, 20)} is not finite")
    return value


def read_metrics(folder: Path, pins: Mapping[str, str] = NO_PINS) -> list[dict[str, Any]]:
    """metrics.json, or nothing where nothing has been measured. Errors: GanzooError for rows that are no scores."""
    path = folder / "metrics.json"
    return parse_metrics(path, read_pinned(path, MAX_CONFIG, pins)) if path.exists() else []


def parse_metrics(path: Path, data: bytes) -> list[dict[str, Any]]:
    """A list of {name, value, protocol, ...}."""
    rows = parse_json(path, data).get("metrics")
    for row in rows if isinstance(rows, list) else [None]:
        if not isinstance(row, dict) or type(row.get("value")) not in (int, float):
            raise GanzooError(f"{path}: metrics: expected a list of name, value and protocol")
        expect(path, "metrics[].name", str, row.get("name"))
        expect(path, "metrics[].protocol", dict, row.get("protocol"))
        check_protocol(path, row["protocol"])
    return list(rows or [])


def check_protocol(path: Path, protocol: Mapping[str, Any]) -> None:
    """The words and numbers that measuring it again reads, where they are there."""
    for key, kind in PROTOCOL.items():
        if key in protocol:
            expect(path, f"metrics[].protocol.{key}", kind, protocol[key])
    seeds = protocol.get("seed", 0)
    if any(type(seed) is not int for seed in (seeds if isinstance(seeds, list) and seeds else [seeds])):
        raise GanzooError(f"{path}: metrics[].protocol.seed: expected numbers, found {escape(repr(seeds), 60)}")


def model_info(folder: Path, task: str) -> ModelInfo:
    """A model directory as the catalogue lists it."""
    config = read_config(folder)
    size = config["files"][FILE]["bytes"]
    data = config["dataset"]
    return ModelInfo(
        config["id"], config["objective"]["family"], task, data["name"], config["licence"], data["licence"], size, True,
        tuple(read_metrics(folder)),
    )  # fmt: skip

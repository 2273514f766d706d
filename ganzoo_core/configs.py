"""config.json of a model directory, checked without loading torch: which bytes, from which family, trained on what."""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganzoo_core.catalogue import ModelInfo
from ganzoo_core.errors import GanzooError, plain
from ganzoo_core.headers import unique

FORMAT = 1
FILE = "model.safetensors"
MAX_CONFIG = 1 << 20
DTYPES = ("float32", "float16", "bfloat16")  # that weights may be stored in
# Every key of a config.json and its type; nothing else may stand there.
KEYS: dict[str, type | tuple[type, ...]] = {
    "format": int, "id": str, "networks": dict, "objective": dict, "inputs": dict, "output": dict, "labels": list,
    "dtype": str, "files": dict, "licence": str, "dataset": dict, "training": dict,
}  # fmt: skip


def read_config(folder: Path) -> dict[str, Any]:
    """config.json, checked: keys, types, format. Errors: GanzooError with the key, what was expected and found."""
    path = folder / "config.json"
    try:
        text = read_regular(path, MAX_CONFIG).decode("utf-8")
        config = json.loads(text, object_pairs_hook=unique, parse_constant=refuse_constant, parse_float=finite)
    except (ValueError, RecursionError) as fault:
        raise GanzooError(f"{path}: {plain(fault)}", "Fetch or export the model again.") from None
    if not isinstance(config, dict):
        raise GanzooError(f"{path}: is not a table", "Fetch or export the model again.")
    for key in config.keys() ^ KEYS.keys():
        raise GanzooError(f"{path}: {'unknown' if key in config else 'missing'} key {plain(key)!r}")
    for key, kind in KEYS.items():
        if type(config[key]) is not kind:
            found = type(config[key]).__name__
            raise GanzooError(f"{path}: {key}: expected {kind.__name__}, found {found}")  # type: ignore[union-attr]
    if config["format"] != FORMAT:
        raise GanzooError(f"{path}: format {config['format']}, and this ganzoo reads {FORMAT}", "Update ganzoo-core.")
    if config["dtype"] not in DTYPES:
        raise GanzooError(f"{path}: dtype: expected {' or '.join(DTYPES)}, found {plain(config['dtype'])}")
    check_parts(path, config)
    return config


def check_parts(path: Path, config: Mapping[str, Any]) -> None:
    """The tables inside."""
    for part in ("networks", "objective"):
        wanted = {"family": str, "plugin": str, "requires": str, "args": dict}
        if {k: type(v) for k, v in config[part].items()} != wanted:
            raise GanzooError(f"{path}: {part}: expected {', '.join(wanted)}")
    files = config["files"]
    if files.keys() != {FILE} or not isinstance(files[FILE], dict) or files[FILE].keys() != {"sha256", "bytes"}:
        raise GanzooError(f"{path}: files: expected sha256 and bytes of {FILE}")
    sha256, size = files[FILE]["sha256"], files[FILE]["bytes"]
    if not isinstance(sha256, str) or len(sha256) != 64 or type(size) is not int or size < 0:
        raise GanzooError(f"{path}: files: {FILE}: expected a sha256 in hex and a size in bytes")


def read_regular(path: Path, limit: int, exactly: int | None = None) -> bytes:
    """The bytes of a regular file of bounded size: no pipe, device or directory is ever opened."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise GanzooError(f"{path}: is not a regular file")
        if exactly is not None and status.st_size != exactly:
            raise GanzooError(f"{path}: has {status.st_size} bytes, config.json promises {exactly}", "Fetch it again.")
        if status.st_size > limit:
            raise GanzooError(f"{path}: {status.st_size} bytes, at most {limit} are read")
        return path.read_bytes()
    except OSError as fault:
        raise GanzooError(f"{path}: {fault.strerror}", f"A model directory holds config.json and {FILE}.") from None


def refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not a number of JSON")


def finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{plain(text, 20)} is not finite")
    return value


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """metrics.json, or nothing where nothing has been measured."""
    path = folder / "metrics.json"
    return list(json.loads(path.read_text("utf-8"))["metrics"]) if path.exists() else []


def model_info(folder: Path, task: str) -> ModelInfo:
    """A model directory as the catalogue lists it."""
    config = read_config(folder)
    size = sum(file["bytes"] for file in config["files"].values())
    data = config["dataset"]
    return ModelInfo(
        config["id"], config["objective"]["family"], task, data["name"], config["licence"], data["licence"], size, True,
        tuple(read_metrics(folder)),
    )  # fmt: skip

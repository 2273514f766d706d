"""`ganzoo export SOURCE OUT.onnx`: a program as a file, and beside it, as JSON, what it takes and how exact it is."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.files import write_aside
from ganzoo_core.models.model import Model
from ganzoo_core.models.programs import onnx, parity
from ganzoo_core.models.programs.program import Program, program
from ganzoo_core.nn.inputs import Input
from ganzoo_core.weights.config import FILE

Run = Callable[[Mapping[str, Tensor]], Tensor]


def export_program(model: Model, path: Path, format: str, net: str, options: Mapping[str, Any]) -> float:
    """Write a published generator, sampled with `options`, as `path` (.onnx, .pt2), and what is known of it beside it.

    Returns the largest difference from the model's own samples. Errors: GanzooError for a network that the format
    cannot hold, ExternalError for the disk.
    """
    if format == "onnx":
        onnx.refuse_without_onnx()
    generator = model.network(net)
    try:
        options = {**generator.program_options, **options}
        made = program(generator, options)
        told = facts(model, net, made, options)
        data, run = (as_onnx if format == "onnx" else as_torch)(made, told)
        worst = parity.largest_difference(made, run)
    except GanzooError as fault:
        raise type(fault)(f"{escape(model.config['id'])}: {fault.what}", fault.hint) from None
    checked = {"largest_difference": worst, "samples": parity.count(made), "by": version(format)}
    write_aside(path.with_suffix(".json"), (json.dumps({**told, "parity": checked}, indent=2) + "\n").encode())
    write_aside(path, data)
    return worst


def as_onnx(made: Program, told: Mapping[str, Any]) -> tuple[bytes, Run]:
    data = onnx.to_onnx(made, told)
    return data, onnx.Session(data)


def as_torch(made: Program, told: Mapping[str, Any]) -> tuple[bytes, Run]:
    """The bytes of an archive, and what they make when they are opened again."""
    file = io.BytesIO()
    with onnx.quiet():
        torch.export.save(made.exported, file, extra_files={"ganzoo.json": json.dumps(told)})
        file.seek(0)
        again = torch.export.load(file).module()
    return file.getvalue(), lambda values: again(**values)


def version(format: str) -> str:
    """What computes the program: onnxruntime 1.32.0."""
    from importlib.metadata import version

    package = {"onnx": "onnxruntime", "torch": "torch"}[format]
    return f"{package} {version(package)}"


def facts(model: Model, net: str, made: Program, options: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody without ganzoo has to know: what goes in, in which order, and what comes out."""
    return {
        "model": model.config["id"],
        "sha256": model.config["files"][FILE]["sha256"],
        "licence": model.config["licence"],
        "network": net or next(name for name, each in model.networks.items() if each is model.generator),
        "options": {name: str(value) for name, value in options.items()},
        "inputs": [told(made, name) for name in made.values],
        "output": {"name": onnx.SAMPLES, **model.network(net).output.to_config()},
    }


def told(made: Program, name: str) -> dict[str, Any]:
    """An input: its name, its numbers, and what it is or by which law it is drawn."""
    shape, dtype = made.shape(name), str(made.values[name].dtype).removeprefix("torch.")
    if name in made.wrapped.noise:
        law = made.wrapped.noise[name]
        kind = {"kind": "noise", "law": law.name, **({"p": law.p} if law.p else {})}
    else:
        declared: Input = made.wrapped.net.inputs[name]
        kind = {k: v for k, v in declared.to_config().items() if k not in ("shape", "default")}
    return {"name": name, **kind, "dtype": dtype, "shape": shape}

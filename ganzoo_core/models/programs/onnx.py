"""A program as ONNX, and run by onnxruntime: both come with the extra `onnx`."""

from __future__ import annotations

import json
import logging
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_core.models.programs.program import Program, reason

SAMPLES = "samples"  # what the output is called
NEEDED = ("onnx", "onnxscript", "onnxruntime")


def refuse_without_onnx() -> None:
    """Errors: GanzooError where a package is missing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise GanzooError(f"ONNX needs {', '.join(missing)}", 'pip install "ganzoo-core[onnx]", or --format torch.')


def to_onnx(program: Program, facts: Mapping[str, Any]) -> bytes:
    """The bytes of an .onnx file, with `facts` in its metadata. Errors: GanzooError for what ONNX cannot say."""
    refuse_without_onnx()
    try:
        with quiet(), torch.no_grad():
            made = torch.onnx.export(program.exported, dynamo=True, output_names=[SAMPLES], verbose=False)
        assert made is not None
        proto = made.model_proto
    except Exception as fault:
        raise GanzooError(f"torch.onnx: {reason(fault)}", "Export it with --format torch.") from None
    name_dims(proto, program)
    proto.producer_name = "ganzoo"
    proto.metadata_props.add(key="ganzoo", value=json.dumps(facts, ensure_ascii=False))
    whole: bytes = proto.SerializeToString()
    return whole


@contextmanager
def quiet() -> Iterator[None]:
    """Without what exporters have to say: what they cannot do, they raise."""
    loud, disabled = logging.root.manager.disable, logging.CRITICAL
    logging.disable(disabled)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(loud)


def name_dims(proto: Any, program: Program) -> None:
    """Free dimensions by our names, batch and height, where torch.export calls them s55 and s23."""
    names = {}
    for given in proto.graph.input:
        for theirs, ours in zip(given.type.tensor_type.shape.dim, program.shape(given.name), strict=True):
            if isinstance(ours, str) and (symbol := re.search(r"\bs\d+\b", theirs.dim_param)):
                names[symbol[0]] = re.findall(r"[a-z]\w*", ours)[0]
    for value in (*proto.graph.input, *proto.graph.output, *proto.graph.value_info):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_param = re.sub(r"\bs\d+\b", lambda found: names.get(found[0], found[0]), dim.dim_param)


class Session:
    """An .onnx file in memory, run on the CPU."""

    def __init__(self, data: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = torch.get_num_threads()
        self.session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def __call__(self, values: Mapping[str, Tensor]) -> Tensor:
        """The samples of what is given by name."""
        (made,) = self.session.run([SAMPLES], {name: value.numpy() for name, value in values.items()})
        return torch.from_numpy(made)

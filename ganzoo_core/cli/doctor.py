"""What `ganzoo doctor` looks at. A plugin is imported in a process of its own, with a time limit."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.registry import index
from ganzoo_core.registry.index import Installed

LIBRARIES = ("ganzoo-core", "torch", "torchvision", "safetensors", "huggingface-hub", "pluggy", "numpy", "pillow")
VARIABLES = ("GANZOO_DATA", "GANZOO_PLUGINS", "HF_HOME", "HF_HUB_OFFLINE", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")
# What a plugin may change under everybody's feet while it is imported: looked at before and after.
PROBE = """
import json, signal, sys, os
def torch_is(look):  # most plugins do not import it, and none can have changed what is not there
    return "torch" not in sys.modules or look(sys.modules["torch"])
watched = {
    "json.loads": lambda: id(json.loads), "sys.path": lambda: list(sys.path),
    "the working directory": os.getcwd, "SIGINT's handler": lambda: id(signal.getsignal(signal.SIGINT)),
    "torch.load": lambda: torch_is(lambda torch: torch.load is torch.serialization.load),
    "torch's default dtype": lambda: torch_is(lambda torch: torch.get_default_dtype() == torch.float32),
}
before = {name: look() for name, look in watched.items()}
from ganzoo_core.registry.index import installed
from ganzoo_core.registry.plugins import Broken, load
found = load(installed()[sys.argv[1]])
error = found.error if isinstance(found, Broken) else ""
changed = [name for name, look in watched.items() if look() != before[name]]
print("\\n" + json.dumps({"error": error, "changed": changed}))
"""


def examine(timeout: float) -> dict[str, Any]:
    """The whole report: environment, libraries, plugins, data, register."""
    return {
        "environment": environment(),
        "libraries": {name: found(name) for name in LIBRARIES},
        "plugins": plugins(timeout),
        "data": data(),
        "register": indexed(),
    }


def environment() -> dict[str, str]:
    import torch

    from ganzoo_core.nn.device import cpu_has_bf16

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    facts = {
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": platform.platform(),
        "cores": str(os.cpu_count()),
        "bf16 on the CPU": "yes" if cpu_has_bf16() else "no",
        "GPU": gpu,
    }
    return facts | {name: escape(os.environ[name]) for name in VARIABLES if name in os.environ}


def found(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def plugins(timeout: float) -> list[Mapping[str, str]]:
    """All of them, as many at once as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda plugin: examine_plugin(plugin, timeout), index.installed().values()))


def examine_plugin(plugin: Installed, timeout: float) -> Mapping[str, str]:
    """Import one plugin in a process of its own; one that hangs is named like one that raises."""
    row = {"name": plugin.name, "dist": plugin.dist, "version": plugin.version}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", PROBE, plugin.name],  # -P: nothing is imported from the current directory
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        said = json.loads(done.stdout.splitlines()[-1])
        warning = f"changes {', '.join(said['changed'])}" if said["changed"] else ""
        return {**row, "status": "broken" if said["error"] else "loads", "remark": said["error"] or warning}
    except subprocess.TimeoutExpired:
        return {**row, "status": "broken", "remark": f"its import takes more than {timeout:g} s"}
    except (ValueError, IndexError):
        return {**row, "status": "broken", "remark": f"ends the process: {escape(done.stderr[-200:])}"}


def data() -> dict[str, str]:
    """Where each of the core's data sets is found. No plugin is loaded for it: one might hang."""
    from ganzoo_core.data import DATASETS, open_dataset

    sets, places = {dataset.name: dataset for dataset in DATASETS}, {}
    os.environ["HF_HUB_OFFLINE"] = "1"  # a look must not begin a download
    for name in sets:
        try:
            places[name] = open_dataset(name, datasets=sets).describe()
        except GanzooError as fault:
            places[name] = f"not found: {fault.what.split(':')[-1].strip()}"
    return places


def indexed() -> dict[str, str]:
    rows = index.load_index()
    return {"plugins": str(len(rows.plugins)), "families": str(len(rows.families)), "models": str(len(rows.weights))}

"""Looking things up stays light in a zoo of 250 families and 300 models: what is read, counted in a real process."""

from __future__ import annotations

import json
import subprocess
import sys

from ganzoo_core.registry.index import INDEX

LIST = """
import json, sys
from pathlib import Path
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
from ganzoo_core.registry import index
index.INDEX = Path(sys.argv.pop(1))
from ganzoo_core.cli import main
try:
    main()
finally:
    print(json.dumps({"opened": opened, "modules": list(sys.modules)}), file=sys.stderr)
"""


def test_list_reads_the_index_alone_whatever_its_size(tmp_path):
    real = json.loads(INDEX.read_bytes())
    families, weights = list(real["families"].values()), list(real["weights"].values())
    names = [f"family_{i}" for i in range(250)]
    index = {
        "plugins": real["plugins"],
        "families": {n: {**families[i % len(families)], "name": n} for i, n in enumerate(names)},
        "weights": {
            f"{names[i % 250]}.tag_{i}": {
                **weights[i % len(weights)],
                "id": f"{names[i % 250]}.tag_{i}",
                "family": names[i % 250],
            }
            for i in range(300)
        },
    }
    large = tmp_path / "index.json"
    large.write_text(json.dumps(index), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", LIST, str(large), "list", "--json"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    listed, seen = json.loads(done.stdout), json.loads(done.stderr.splitlines()[-1])
    assert {f["name"] for f in listed["families"]} == set(names) and len(listed["models"]) == 300
    assert next(f for f in listed["families"] if f["name"] == "family_7")["weights"] == [
        "family_7.tag_7", "family_7.tag_257",
    ]  # fmt: skip
    assert seen["opened"].count(str(large)) == 1
    assert not [p for p in seen["opened"] if p.endswith(("registry.toml", ".safetensors", "config.json"))]
    heavy = {"torch", "numpy", "pluggy", "tomllib", "importlib.metadata"}
    plugins = [m for m in seen["modules"] if m.startswith("ganzoo_") and m.partition(".")[0] != "ganzoo_core"]
    assert not heavy & set(seen["modules"]) and not plugins

"""make dist-check: are the wheels in dist/ all that it takes? Installs some by name into a clean virtual environment
and runs docs/demo.py there, far from the checkout. With --borrow, what is not ours are links into the environment of
the python that runs this, instead of 6 GB from the package index."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = ["ganzoo-core", "ganzoo-dcgan", "ganzoo-metrics"]
WHERE = """
import importlib, sys, sysconfig
for name in sys.argv[1:]:
    file = importlib.import_module(name).__file__
    assert file.startswith(sysconfig.get_path("purelib")), file
"""


def run(*command: str | Path, cwd: Path) -> None:
    """In a folder of its own, where no variable of Python's leads back to the checkout."""
    print("$", Path(command[0]).name, *command[1:], flush=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    subprocess.run(command, cwd=cwd, env=env, check=True)


def borrow(to: Path, site: str) -> None:
    """Links to everything that the running python has installed and that is not ours, on the path of the new one."""
    to.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if "ganzoo" not in path.name and path.name.split("-")[0] != "pip":
            (to / path.name).symlink_to(path)
    Path(site, "borrowed.pth").write_text(f"{to}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--borrow", action="store_true", help="what is not ours: from this python's environment")
    borrowing = parser.parse_args().borrow
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "venv", with_pip=True)
        scheme = sysconfig.get_preferred_scheme("prefix")
        paths = {key: sysconfig.get_path(key, scheme, {"base": str(folder / "venv")}) for key in ("purelib", "scripts")}
        python, ganzoo = (Path(paths["scripts"], program) for program in ("python", "ganzoo"))
        quiet = ("--quiet", "--disable-pip-version-check")
        pip = (python, "-I", "-m", "pip", "install", *quiet)
        if borrowing:  # setuptools, too: torch wants a newer one than Python 3.11 puts into a new environment
            run(python, "-I", "-m", "pip", "uninstall", *quiet, "--yes", "setuptools", cwd=folder)
            borrow(folder / "borrowed", paths["purelib"])
        # Ours first and from dist/ alone: the index, where our names are not registered, is never asked for them.
        run(*pip, "--no-index", "--find-links", ROOT / "dist", "--no-deps", *OURS, cwd=folder)
        run(*pip, *(["--no-index"] if borrowing else ["-c", ROOT / "constraints.txt"]), *OURS, cwd=folder)
        run(python, "-I", "-m", "pip", "check", cwd=folder)
        run(python, "-I", "-c", WHERE, *(dist.replace("-", "_") for dist in OURS), cwd=folder)
        run(ganzoo, "plugins", cwd=folder)
        run(ganzoo, "verify", "dcgan.mnist", cwd=folder)
        shutil.copy(ROOT / "docs" / "demo.py", folder)
        run(python, "-I", "demo.py", cwd=folder)
    print("dist/ is all that it takes.")


if __name__ == "__main__":
    sys.exit(main())

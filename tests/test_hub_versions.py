"""The same tests through the other major version of the Hub's client, installed beside ours in the tests' cache."""

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
OTHER = {  # the version that is installed -> what to install beside it; the rest that it needs is there
    "1": ["huggingface_hub>=2,<3", "httpx2>=2,<3", "httpcore2>=2,<3"],
    "2": ["huggingface_hub>=1.0,<2", "httpx>=0.23,<1", "httpcore>=1,<2", "certifi"],
}
CHOSEN = (
    "fetches_the_named or load_samples or costs_no_request or dead_endpoint or h08 or told_apart or break_off or "
    "same_bytes or last_bit or pull_request or unseen or one_line_and_leave or another_person or finds_our"
)


@pytest.fixture(scope="session")
def other(request):
    """A folder for PYTHONPATH with the newest client of the other major version."""
    major = importlib.metadata.version("huggingface_hub").split(".")[0]
    folder = Path(request.config.cache.mkdir(f"huggingface_hub-beside-{major}"))
    if not list(folder.glob("huggingface_hub-*.dist-info")):
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        done = subprocess.run([*command, "--target", folder, *OTHER[major]], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"the other client cannot be installed: {done.stderr.strip().splitlines()[-1]}")
    return folder


@pytest.mark.slow
def test_pull_push_and_search_through_the_other_client(other):
    (found,) = other.glob("huggingface_hub-*.dist-info")
    files = [HERE / f"test_hub_{name}.py" for name in ("pull", "push", "search")]
    probe = "import huggingface_hub as h; print(h.__version__)"
    environment = {**os.environ, "PYTHONPATH": str(other)}
    said = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, env=environment).stdout.strip()
    assert found.name == f"huggingface_hub-{said}.dist-info" and said != importlib.metadata.version("huggingface_hub")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", CHOSEN, *files]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=HERE.parent)
    assert done.returncode == 0, done.stdout[-5000:]
    print(said, done.stdout.splitlines()[-1])

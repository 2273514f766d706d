"""The program, or a call, in a process of its own that is forked from here: torch need not be loaded again."""

from __future__ import annotations

import faulthandler
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch._dynamo  # noqa: F401  before the fork, as torch is: the first step of any training loads it

from ganzoo_core.cli import main

HANGING = 400  # seconds after which a child says where it is, and ends


def ganzoo(*args: object, cwd: str | os.PathLike[str] | None = None, env: dict[str, str] | None = None):
    """`ganzoo ARGS` as a subprocess.CompletedProcess: real streams, a real exit code, nothing of it stays here."""
    return forked(partial(main, [str(arg) for arg in args]), args, cwd, env)


def forked(
    call: Callable[[], object],
    args: Sequence[object] = (),
    cwd: str | os.PathLike[str] | None = None,
    env: dict[str, str] | None = None,
):
    """Any call likewise; one that is killed has the signal, below 0, as its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if not child:
            play(call, out, err, cwd, env or {})
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        return subprocess.CompletedProcess(args, code, out.read_text("utf-8"), err.read_text("utf-8"))


def play(
    call: Callable[[], object], out: Path, err: Path, cwd: str | os.PathLike[str] | None, env: dict[str, str]
) -> None:
    """In the child; it never returns."""
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for stream, path in ((1, out), (2, err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), stream)
        faulthandler.dump_traceback_later(HANGING, exit=True, file=2)
        sys.stdout, sys.stderr = (open(n, "w", encoding="utf-8", closefd=False) for n in (1, 2))  # noqa: SIM115
        os.environ.update(env)
        if cwd is not None:
            os.chdir(cwd)
        call()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def refused(done, status=2):
    """One line on stderr that begins as it should, nothing on stdout."""
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("ganzoo: error: "), done.stderr
    assert "\x1b" not in done.stderr
    return lines[0]

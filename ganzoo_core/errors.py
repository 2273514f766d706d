"""Everything that ganzoo tells a user has gone wrong. Anything else that is raised is a bug of ours.

GanzooError              2  bad input or usage: what, where, why, and what to do about it
├── UnknownNameError          2  a name that nothing answers to; its hint suggests the nearest
├── ExternalError         3  network, disk, memory: nothing that the user asked for was wrong
├── DivergenceError             4  training left the finite numbers
├── IntegrityError       5  bytes are not those that were promised
└── Stopped        128 + n  a signal ended the run after it was saved
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextvars import ContextVar

DATA_ONLY: ContextVar[bool] = ContextVar("data_only", default=False)  # no words on stdout: the command line's


class GanzooError(Exception):
    """A fault that is shown as one line, without a traceback: `what` it is, then a `hint` on what to do."""

    exit_code = 2

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what, self.hint = what, hint

    def __str__(self) -> str:
        return f"{self.what}. {self.hint}" if self.hint else self.what


class UnknownNameError(GanzooError, KeyError):
    """No such family, model, data set, option ...: says which names come nearest."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        import difflib  # costs 4 ms, and only those who misspell should pay them

        names = sorted(set(known))
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        if near:
            advice = f"Did you mean {escape(' or '.join(near))}?"
        elif 0 < len(names) <= 12:
            advice = f"Known: {escape(', '.join(names))}."
        else:
            advice = ""
        super().__init__(f"unknown {kind} {escape(name)!r}", " ".join(filter(None, [advice, hint])))
        self.name = name


class ExternalError(GanzooError):
    exit_code = 3


class DivergenceError(GanzooError):
    exit_code = 4


class IntegrityError(GanzooError):
    exit_code = 5


class Stopped(GanzooError):
    """A signal stopped the run, which is saved and can be resumed."""

    def __init__(self, signum: int, what: str, hint: str = "") -> None:
        super().__init__(what, hint)
        self.exit_code = 128 + signum


def tell_user(text: str) -> None:
    """A line for the person at the terminal, on stderr: stdout carries data only."""
    print(f"ganzoo: {text}", file=sys.stderr)


def escape(text: object, limit: int = 200) -> str:
    """A stranger's string, fit for a terminal: control characters escaped, length bounded."""
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
    return escaped if len(escaped) <= limit else f"{escaped[:limit]}... ({len(escaped)} characters)"


def one_licence(licence: str, license: str) -> str:
    """The licence, in either spelling of the keyword. Errors: GanzooError for two that differ."""
    if licence and license and licence != license:
        raise GanzooError(f"licence={escape(licence)} and license={escape(license)}: two licences", "Give one.")
    return licence or license

"""How a model is called, from Python and from the shell: every input that must be given is given as its kind says."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

from ganzoo_core.registry.kinds import input_kind, output_kind


class Usage(NamedTuple):
    """What must be said to sample a model."""

    python: str  # arguments of `sample`: "" or ", label=0"
    shell: str  # options of `ganzoo sample`: "" or " --label 0"
    one_by_one: bool  # it makes something of what is given, one at a time
    suffix: str  # of a file of its samples
    unsaid: tuple[str, ...] = ()  # inputs that no option of the command line gives

    def line(self, source: object, out: str) -> str:
        """A line of the shell that samples SOURCE into a file `out` and its suffix; or a comment that says why none."""
        n = 1 if self.one_by_one else 64
        if self.unsaid:
            call = f"gz.load({str(source)!r}).sample({n}, seed=0{self.python})"
            return f"# {' and '.join(self.unsaid)}: given from Python alone, {call}"
        return f"ganzoo sample {shlex.quote(str(source))} -n {n}{self.shell} -o {out}{self.suffix}"


def usage_of(config: Mapping[str, Any]) -> Usage:
    """By the inputs and the output of a config.json."""
    needed = {name: i for name, i in config["inputs"].items() if i.get("default") is None}
    kinds = {name: input_kind(i["kind"]) for name, i in needed.items()}
    known = {name: kind for name, kind in kinds.items() if kind is not None}
    examples = [kind.example(name, needed[name]) for name, kind in known.items()]
    made = output_kind(config["output"].get("kind", "images"))
    return Usage(
        "".join(f", {python}" for python, _ in examples if python),
        "".join(f" {shell}" for _, shell in examples if shell),
        any(kind.from_data for kind in known.values()),
        made.suffixes[0] if made is not None else ".png",
        tuple(name for (name, kind), (_, shell) in zip(known.items(), examples, strict=True)
              if not shell and not kind.drawn),
    )  # fmt: skip

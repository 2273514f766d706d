"""Options of a generator's own `sample`: keywords with a type, a default and perhaps a range, which forms show."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from torch import Tensor

from ganzoo_core.nn.generator import Generator


@dataclass(frozen=True)
class Between:
    """The numbers among which an option is of use, for sliders: `truncation: Annotated[float, Between(0, 1)] = 1.0`.

    What `sample` refuses is up to `sample`; the default may lie outside (infinity: without).
    """

    low: float
    high: float


class Option(NamedTuple):
    """One keyword of `sample`."""

    name: str
    type: Any
    default: Any
    between: Between | None


def options_of(net: Generator) -> dict[str, Option]:
    """What `net.sample` takes besides its inputs, `seed` and tensors, by name, in the order of its signature."""
    hints = get_type_hints(type(net).sample, include_extras=True)
    keywords = (word for word in inspect.signature(net.sample).parameters.values() if word.kind is word.KEYWORD_ONLY)
    found = {}
    for keyword in keywords:
        if keyword.name == "seed":
            continue
        kind, *said = parts(hints[keyword.name])
        if kind != Tensor | None:  # these are files
            between = next((word for word in said if isinstance(word, Between)), None)
            found[keyword.name] = Option(keyword.name, kind, keyword.default, between)
    return found


def parts(hint: Any) -> tuple[Any, ...]:
    """A type, and what Annotated says of it."""
    return get_args(hint) if get_origin(hint) is Annotated else (hint,)

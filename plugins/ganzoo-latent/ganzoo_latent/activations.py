"""What layers say, and what they are made to say: maps by the names of a network's modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError, UnknownNameError
from ganzoo_latent.painter import Painter


@contextmanager
def watched(net: nn.Module, names: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """Within it, what these layers made last, by name; a copy, for what comes next may work in place."""
    said: dict[str, Tensor] = {}
    with ExitStack() as until:
        for name in names:
            until.callback(net.get_submodule(name).register_forward_hook(noting(said, name)).remove)
        yield said


def noting(said: dict[str, Tensor], name: str) -> Callable[[nn.Module, Any, Any], None]:
    def note(module: nn.Module, given: Any, made: Any) -> None:
        if isinstance(made, Tensor):
            said[name] = made.clone()

    return note


@contextmanager
def changed(net: nn.Module, name: str, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Within it, a layer makes change(what it made)."""
    handle = net.get_submodule(name).register_forward_hook(lambda module, given, made: change(made))
    try:
        yield
    finally:
        handle.remove()


def layers(painter: Painter) -> dict[str, torch.Size]:
    """Layers that make maps [1, C, h, w] of more than one place, in the order in which they work."""
    inside = [name for name, _ in painter.net.named_modules() if name]
    with watched(painter.net, inside) as said:
        painter.pictures(painter.draw(1))
    return {name: made.shape for name, made in said.items() if made.ndim == 4 and made.shape[2] > 1}


def layer_of(painter: Painter, name: str = "", share: float = 0.25) -> str:
    """The layer of that name; without one, the last whose side is at most `share` of the picture's, of the outermost:
    what lies inside a block may be one of two ways through it.

    Errors: GanzooError for a generator without maps, UnknownNameError for a layer that makes none.
    """
    found = layers(painter)
    if name and name not in found:
        raise UnknownNameError("layer", name, found)
    small = [layer for layer, shape in found.items() if 2 < shape[-1] <= share * painter.shape[-1]]
    if not (name or small):
        raise GanzooError("this model has no layers with maps smaller than its pictures", "Ask a convolutional one.")
    outermost = min((layer.count(".") for layer in small), default=0)
    return name or [layer for layer in small if layer.count(".") == outermost][-1]


def maps(painter: Painter, name: str, points: Tensor) -> Tensor:
    """What a layer makes of points, with gradients.  [n, C, h, w]"""
    with watched(painter.net, [name]) as said:
        painter(points)
    return said[name]

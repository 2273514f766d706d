"""Networks of others that a game looks through (VGG, Inception, EfficientNet): declared once, read from a pinned file.

Such a network is no child of the game: it is in no checkpoint, in no model directory, in no copy, and nobody moves it.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from ganzoo_core.data.locations import is_file, search_roots, where_to_put
from ganzoo_core.errors import ExternalError, GanzooError, IntegrityError, escape
from ganzoo_core.nn.device import computing_in


@dataclass(frozen=True)
class PinnedFile:
    """A file of weights that users bring themselves, known by how its sha256 begins."""

    name: str
    sha256: str  # of the file, or how it begins (torch hub's convention: eight digits)
    about: str  # what it is and whose, for the message where it is missing
    instead: str = ""  # what to do without it

    def find(self) -> Path:
        """Under extractors/ of the data roots, or torch hub's checkpoints. Errors: GanzooError that says where."""
        hub = Path(torch.hub.get_dir()) / "checkpoints"
        roots = search_roots(None)
        for place in [*(root / "extractors" for root in roots), *roots, hub]:
            if is_file(place / self.name):
                return place / self.name
        advice = where_to_put(None, [f"extractors/{self.name}"]).partition("; or name")[0]  # no command has that option
        raise GanzooError(f"{self.about} was not found", f"{advice}, or into {escape(hub)}{self.instead}.")

    def read(self) -> bytes:
        """Its bytes, once their hash is right. Errors: GanzooError, ExternalError, IntegrityError."""
        path = self.find()
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ExternalError(f"{escape(path)}: cannot be read: {error.strerror}") from None
        found = hashlib.sha256(data).hexdigest()
        if not found.startswith(self.sha256):
            what = f"{escape(path)}: its sha256 begins with {found[: len(self.sha256)]}, not {self.sha256}"
            raise IntegrityError(what, "Delete it and fetch it again.")
        return data


class Pretrained(nn.Module, ABC):
    """A frozen network that is read when it is first looked through, in evaluation mode, on the device of its input."""

    autocast: ClassVar[bool] = False  # whether it follows the precision of training; else it is float32

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "read_networks", {})  # by device; hidden from state_dict, .to and parameters

    @abstractmethod
    def read(self) -> nn.Module:
        """The network from its file. Errors: GanzooError, IntegrityError."""

    @abstractmethod
    def look(self, net: nn.Module, x: Tensor) -> Any:
        """What `net` makes of x."""

    def forward(self, x: Tensor) -> Any:
        if self.autocast:
            return self.look(self.on(x.device), x)
        with computing_in(torch.float32, x.device):
            return self.look(self.on(x.device), x.float())

    def on(self, device: torch.device) -> nn.Module:
        """The network on a device, read once."""
        networks: dict[str, nn.Module] = self.__dict__["read_networks"]
        if str(device) not in networks:
            networks[str(device)] = self.read().to(device).requires_grad_(False).eval()
        return networks[str(device)]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

"""Trained models: found from a SOURCE, verified, loaded, written, carded, exported, pushed.

It imports hub, registry, nn and weights. Public is what bringing in weights of others takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganzoo_core.lazy import lazy

if TYPE_CHECKING:
    from ganzoo_core.models.foreign import Foreign as Foreign
    from ganzoo_core.models.foreign import foreign_families as foreign_families
    from ganzoo_core.models.foreign import hub_file as hub_file
    from ganzoo_core.models.foreign import lending_families as lending_families
    from ganzoo_core.models.foreign import read_safetensors as read_safetensors
    from ganzoo_core.models.foreign import write_foreign as write_foreign
    from ganzoo_core.models.model import Model as Model
    from ganzoo_core.models.model import find as find
    from ganzoo_core.models.usage import usage_of as usage_of
    from ganzoo_core.weights.licenses import restrictions as restrictions
    from ganzoo_core.weights.licenses import spdx as spdx

_HOMES = {
    "Foreign": "ganzoo_core.models.foreign",
    "Model": "ganzoo_core.models.model",
    "foreign_families": "ganzoo_core.models.foreign",
    "find": "ganzoo_core.models.model",
    "hub_file": "ganzoo_core.models.foreign",
    "lending_families": "ganzoo_core.models.foreign",
    "read_safetensors": "ganzoo_core.models.foreign",
    "restrictions": "ganzoo_core.weights.licenses",
    "spdx": "ganzoo_core.weights.licenses",
    "usage_of": "ganzoo_core.models.usage",
    "write_foreign": "ganzoo_core.models.foreign",
}
__all__ = list(_HOMES)
__getattr__ = lazy(__name__, _HOMES)

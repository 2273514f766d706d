"""Weights that others have trained: which families might take them, and a model directory made of them.

What `ganzoo import` reads of files is the plugin's affair; here are no files of strangers, only tensors by our names.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError, UnknownNameError, escape
from ganzoo_core.hub import download
from ganzoo_core.models.export import export
from ganzoo_core.models.store import NO_MOMENTS, Origin, built, check_entries, fill, on_meta, write_networks
from ganzoo_core.nn.generator import Discriminator
from ganzoo_core.nn.sketch import sketching
from ganzoo_core.objectives.arguments import Argument
from ganzoo_core.plugin.records import Layout, resolve
from ganzoo_core.registry.plugins import registry
from ganzoo_core.registry.recipes import Recipe, args_of, build_networks, parse, presets_of, recipe
from ganzoo_core.weights.config import FILE
from ganzoo_core.weights.header import read_header


@dataclass(frozen=True)
class Foreign:
    """A family as a place for weights of others."""

    name: str

    @cached_property
    def arguments(self) -> Mapping[str, Argument]:
        """Those that its networks take."""
        return args_of(registry().families[self.name], "networks")

    @cached_property
    def exported(self) -> tuple[str, ...]:
        """The networks that a model has."""
        game = resolve(registry().families[self.name].objective)
        return tuple(game.exported)

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """What its plugin, or another, says of other implementations."""
        return tuple(layout for layout in registry().layouts.values() if layout.family == self.name)

    @property
    def presets(self) -> Mapping[str, Mapping[str, Any]]:
        """Arguments of its networks by the name of a preset."""
        presets = presets_of(registry().families[self.name])
        return {k: {a: v for a, v in preset.args.items() if a in self.arguments} for k, preset in presets.items()}

    def parse(self, texts: Sequence[str]) -> dict[str, Any]:
        """Arguments KEY=VALUE as values. Errors: GanzooError, UnknownNameError."""
        made = {}
        for text in texts:
            key, _, value = text.partition("=")
            if key not in self.arguments:
                raise UnknownNameError(f"argument of {self.name}", key, self.arguments)
            made[key] = parse(self.arguments[key], value)
        return made

    def recipe(self, args: Mapping[str, Any]) -> Recipe:
        """Errors: UnknownNameError for what is no argument."""
        return recipe(self.name, given=args)

    def sketch(self, args: Mapping[str, Any]) -> dict[str, nn.Module]:
        """All networks on the meta device, which allocates nothing. Errors: GanzooError for arguments that none has."""
        made = self.recipe(args)
        try:
            with sketching():
                return build_networks(made.networks or "", made.args)
        except Exception as fault:
            raise GanzooError(f"{self.name}: {escape(fault)}") from None


def foreign_families() -> Iterator[Foreign]:
    """Every installed family that names its networks itself."""
    return (Foreign(name) for name, family in registry().families.items() if ":" in family.networks)


def lending_families() -> list[Foreign]:
    """One for all that play with the same networks: that which they are from."""
    families = registry().families
    lenders: dict[str, Foreign] = {}
    for one in foreign_families():
        networks, game = families[one.name].networks, families[one.name].objective
        if networks not in lenders or networks.partition(".")[0] == game.partition(".")[0]:
            lenders[networks] = one
    return list(lenders.values())


def hub_file(owner_and_path: str, revision: str, limit: int) -> Path:
    """owner/repo/path/in/it at a revision ("": main), in the client's cache. Errors: GanzooError, ExternalError."""
    owner, _, rest = owner_and_path.partition("/")
    name, _, path = rest.partition("/")
    return download.pull_file(download.parse(f"{owner}/{name}" + (f"@{revision}" if revision else "")), path, limit)


def read_safetensors(data: bytes, where: str) -> dict[str, Tensor]:
    """Tensors by name, through the strict reader of headers. Errors: GanzooError."""
    read_header(data, where)
    tensors: dict[str, Tensor] = safetensors.torch.load(data)
    return tensors


def write_foreign(
    folder: Path, family: Foreign, args: Mapping[str, Any], tensors: Mapping[str, Tensor], origin: Mapping[str, Any],
    moments: Mapping[str, Tensor] = NO_MOMENTS,
) -> None:  # fmt: skip
    """Write a complete model directory: tensors by our names, NETWORK.name, of all that is exported, perhaps of D too.

    `moments` are Adam's, NETWORK.name.exp_avg, exp_avg_sq and step, from which `train --init` goes on. `origin` has the
    fields of models.store.Origin. Errors: GanzooError for tensors that are not the networks'.
    """
    made = family.recipe(args)
    sketch, exported = on_meta(folder, made)
    judges = [
        name for name, net in sketch.items()
        if isinstance(net, Discriminator) and name not in exported and any(k.startswith(f"{name}.") for k in tensors)
    ]  # fmt: skip
    names = [*exported, *judges]
    data = safetensors.torch.save({k: v.contiguous() for k, v in tensors.items()})
    check_entries(folder / FILE, {name: sketch[name] for name in names}, read_header(data, str(folder)), torch.float32)
    nets = fill(folder / FILE, built(made, sketch, names), data)
    with tempfile.TemporaryDirectory(prefix="ganzoo-") as aside:
        write_networks(
            Path(aside),
            made,
            {n: nets[n] for n in exported},
            {n: nets[n] for n in judges},
            Origin(**origin),
            moments=moments,
        )
        export(aside, folder)

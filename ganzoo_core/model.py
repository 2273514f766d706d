"""A trained model in a user's hands: gz.load(SOURCE).sample(16, seed=0)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo_core import registry
from ganzoo_core.catalogue import ModelInfo
from ganzoo_core.configs import model_info
from ganzoo_core.errors import GanzooError, UnknownName
from ganzoo_core.networks import Generator
from ganzoo_core.objective import Objective
from ganzoo_core.sources import locate
from ganzoo_core.trainer import to_channels_last
from ganzoo_core.weights import Origin, published, read_model, write_model


class Model:
    """Published networks with the config that describes them: verified, strict, in evaluation mode."""

    def __init__(self, folder: Path, config: Mapping[str, Any], objective: Objective) -> None:
        self.folder, self.config, self.objective = folder, config, objective
        self.networks: dict[str, nn.Module] = published(objective)

    @property
    def generator(self) -> Generator:
        """The first published generator."""
        for net in self.networks.values():
            if isinstance(net, Generator):
                return net
        raise GanzooError(f"{self.config['id']}: publishes no generator")

    @property
    def info(self) -> ModelInfo:
        families = registry.registry().families
        return model_info(self.folder, families[self.config["objective"]["family"]].task)

    def sample(self, n: int = 1, *, seed: int = 0, net: str = "", **inputs: Any) -> Tensor:
        """n samples, float32 [n, C, H, W] in [-1, 1]: the same ones every time, the first of more."""
        return self.network(net).sample(n, seed=seed, **inputs)

    def translate(self, images: Tensor, *, seed: int = 0, net: str = "", **inputs: Any) -> Tensor:
        """What the model makes of `images`, [n, C, H, W] in [-1, 1]: sampling with an image input."""
        generator = self.network(net)
        for name, declared in generator.inputs.items():
            if declared.kind == "image":
                return generator.sample(len(images), seed=seed, **{name: images}, **inputs)
        raise GanzooError(f"{self.config['id']}: takes no image", "Use sample.")

    def network(self, name: str) -> Generator:
        """A published generator by name; "" for the first."""
        generators = {k: v for k, v in self.networks.items() if isinstance(v, Generator)}
        if name and name not in generators:
            raise UnknownName("network", name, generators)
        return generators[name] if name else self.generator

    def save(self, folder: str | Path, *, id: str = "", licence: str = "", dtype: str = "") -> Path:
        """Write the model directory elsewhere; under another id, with a licence (SPDX), stored as another dtype."""
        c, training = self.config, self.config["training"]
        origin = Origin(
            id or c["id"], licence or c["licence"], c["dataset"]["name"], c["dataset"]["licence"],
            training["images"], training["seed"], training["command"], training["versions"],
        )  # fmt: skip
        write_model(Path(folder), self.objective, origin, dtype or c["dtype"])
        return Path(folder)

    def push(self, repo: str, *, license: str, private: bool = False, revision: str = "main") -> str:
        """Publish the files that this model was loaded from as owner/repo on the Hub, under an SPDX licence.

        Returns hf:owner/repo@COMMIT, which brings back these very bytes. Errors: OutsideFault for the network and the
        token, GanzooError where the repository holds a model that this machine has not seen.
        """
        from ganzoo_core import pushing

        wanted = pushing.prepare(str(self.folder), repo, license, revision=revision, private=private)
        return pushing.push(wanted).source

    def __repr__(self) -> str:
        return f"Model({self.config['id']!r})"


def load(source: str | Path, *, device: str | torch.device = "cpu") -> Model:
    """The model of a SOURCE: an id such as "dcgan.mnist", hf:owner/repo[@revision], or a model or run directory.

    Errors: GanzooError for an unknown source or a damaged directory, OutsideFault where the network is needed and
    fails, IntegrityError where a hash differs.
    """
    folder, pins = locate(str(source))
    config, objective = read_model(folder, pins)
    objective.to(device)
    to_channels_last(objective)
    return Model(folder, config, objective)


def find(source: str) -> Path:
    """The model directory of a SOURCE."""
    return locate(source).folder

"""A trained model in a user's hands: gz.load(SOURCE).sample(16, seed=0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import index
from os.path import isdir
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import torch
from PIL.Image import Image as Picture
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError, UnknownNameError, escape, one_licence
from ganzoo_core.hub.download import meant
from ganzoo_core.models.export import sheet
from ganzoo_core.models.resolve import locate, with_discriminators
from ganzoo_core.models.store import Origin, Stored, read_discriminators, read_model, read_moments, write_networks
from ganzoo_core.models.usage import Usage, usage_of
from ganzoo_core.nn.channels_last import to_channels_last
from ganzoo_core.nn.generator import Generator
from ganzoo_core.nn.inputs import Label
from ganzoo_core.nn.walk import interpolate_seeds
from ganzoo_core.plugin.infos import ModelInfo
from ganzoo_core.registry.plugins import registry
from ganzoo_core.weights.config import model_info

Pictures = Tensor | str | Path | Picture


class Model:
    """Exported networks with the config that describes them: verified, strict, in evaluation mode."""

    def __init__(self, folder: Path, stored: Stored, source: str = "", pins: Mapping[str, str] | None = None) -> None:
        self.folder, self.source, self.pins = folder, source or str(folder), pins or {}
        self.config, self.recipe, self.networks = stored
        self.judges: dict[str, nn.Module] | None = None

    @property
    def discriminators(self) -> dict[str, nn.Module]:
        """Its discriminators by name, on the generator's device; fetched and read when they are first asked for.

        Nothing for a model that was published without them.
        """
        if self.judges is None:
            device = next(next(iter(self.networks.values())).parameters()).device
            folder = with_discriminators(self.source, self.folder)
            self.judges = {name: net.to(device) for name, net in read_discriminators(folder, self.pins).items()}
        return self.judges

    @property
    def moments(self) -> dict[str, Tensor]:
        """What Adam knew of its weights ("G.conv.weight.exp_avg"), where it was published with that; else nothing."""
        return read_moments(with_discriminators(self.source, self.folder), self.pins)

    @property
    def discriminator(self) -> nn.Module:
        """The first of them. Errors: GanzooError for a model that was published without."""
        for net in self.discriminators.values():
            return net
        raise GanzooError(f"{self.config['id']}: was published without its discriminator", "Train on a newer model.")

    @property
    def generator(self) -> Generator:
        """The first published generator."""
        for net in self.networks.values():
            if isinstance(net, Generator):
                return net
        raise GanzooError(f"{self.config['id']}: publishes no generator")

    @property
    def task(self) -> str:
        """What its family does, by name: "unconditional", "translation" ..."""
        found: str = registry().families[self.config["objective"]["family"]].task
        return found

    @property
    def info(self) -> ModelInfo:
        """As gz.list_models lists it."""
        found: ModelInfo = model_info(self.folder, self.task)
        return found

    @property
    def usage(self) -> Usage:
        """How it is called, from Python and from the shell."""
        return usage_of(self.config)

    @property
    def labels(self) -> list[str]:
        """What `sample(label=...)` takes: the names of its classes, or their numbers; nothing for a model without."""
        for declared in self.generator.inputs.values():
            if isinstance(declared, Label):
                return list(declared.names) or [str(i) for i in range(declared.classes)]
        return []

    @overload
    def sample(
        self, n: int = 1, *, seed: int = 0, net: str = "", as_pil: Literal[False] = False, **inputs: Any
    ) -> Tensor: ...

    @overload
    def sample(
        self, n: int = 1, *, seed: int = 0, net: str = "", as_pil: Literal[True], **inputs: Any
    ) -> list[Picture]: ...

    def sample(
        self, n: int = 1, *, seed: int = 0, net: str = "", as_pil: bool = False, **inputs: Any
    ) -> Tensor | list[Picture]:
        """n samples, float32 [n, C, H, W] in [-1, 1]: the same ones every time, the first of more.

        What the model takes is given by name, one for all or one for each: label="daisy" or label=[0, 1], `labels`
        lists them; text="a red heart"; pictures as tensors or files. `generator.inputs` says what it takes. With
        `as_pil` they are Pillow's, as of `to_pil`. Threads may share a model. Errors: GanzooError for numbers that are
        none, and for a missing or a wrong input.
        """
        samples = self.network(net).sample(number("n", n), seed=number("seed", seed), **inputs)
        return self.to_pil(samples, net=net) if as_pil else samples

    def interpolate(
        self, seeds: Sequence[int], steps: int = 8, *, mode: str = "spherical", net: str = "", **inputs: Any
    ) -> Tensor:
        """The way from the first sample of each seed to that of the next, [(len(seeds) - 1) * steps + 1, C, H, W].

        `mode` is spherical, linear, or w where there is a W; `inputs` are as in `sample`, the same all the way.
        """
        segments = interpolate_seeds(self.network(net), seeds, steps, mode, **inputs)
        return torch.cat([segments[0][:1], *(segment[1:] for segment in segments)])

    def to_pil(self, samples: Tensor, *, net: str = "") -> list[Picture]:
        """Samples [n, C, H, W] in [-1, 1] as n pictures of Pillow's; what is no picture as a drawing of it."""
        return [self.network(net).output.frame(sample) for sample in samples]

    def translate(self, images: Pictures, *, seed: int = 0, net: str = "", **inputs: Any) -> Tensor:
        """What the model makes of `images`, [n, C, H, W] in [-1, 1], a file or a PIL picture, as its image input.

        Errors: GanzooError for a model that takes none, and for pictures that do not fit.
        """
        count = len(images) if isinstance(images, (Tensor, np.ndarray)) and images.ndim == 4 else 1
        generator = self.network(net)
        for name, declared in generator.inputs.items():
            if declared.flag == "--input":
                return generator.sample(count, seed=number("seed", seed), **{name: images}, **inputs)
        raise GanzooError(f"{self.config['id']}: takes no image", "Use sample.")

    def refuse_pinned(self) -> None:
        """Errors: GanzooError where its files are pinned (of an id, of the Hub's cache): they must stay as they are."""
        if self.pins:
            what = f"{escape(self.source)}: its files are pinned, and would no longer be what they should be"
            raise GanzooError(what, f"`ganzoo export {self.source} DIR` first, and publish in DIR.")

    def network(self, name: str) -> Generator:
        """A published generator by name; "" for the first."""
        generators = {k: v for k, v in self.networks.items() if isinstance(v, Generator)}
        if name and name not in generators:
            raise UnknownNameError("network", name, generators)
        return generators[name] if name else self.generator

    def save(self, folder: str | Path, *, id: str = "", licence: str = "", license: str = "", dtype: str = "") -> Path:
        """Write the model directory elsewhere; under another id, with a licence (SPDX), stored as another dtype."""
        c, training = self.config, self.config["training"]
        origin = Origin(
            id or c["id"], one_licence(licence, license) or c["licence"], c["dataset"]["name"],
            c["dataset"]["licence"], training["images"], training["seed"], training["command"], training["versions"],
            c.get("imported"),
        )  # fmt: skip
        judges, moments = self.discriminators, self.moments
        write_networks(Path(folder), self.recipe, self.networks, judges, origin, dtype or c["dtype"], moments)
        return Path(folder)

    def push(
        self,
        repo: str,
        *,
        license: str = "",
        licence: str = "",
        private: bool = False,
        revision: str = "main",
        with_discriminators: bool = False,
    ) -> str:
        """Publish the files that this model was loaded from as owner/repo on the Hub, under an SPDX licence.

        Returns hf:owner/repo@COMMIT, which brings back these very bytes. Errors: ExternalError for the network and the
        token, GanzooError where the repository holds a model that this machine has not seen.
        """
        from ganzoo_core.models import push

        expression = one_licence(licence, license)
        wanted = push.prepare(
            str(self.folder), repo, expression, revision=revision, private=private,
            with_discriminators=with_discriminators,
        )  # fmt: skip
        return push.push(wanted).source

    def __repr__(self) -> str:
        return f"Model({self.config['id']!r})"

    def _repr_png_(self) -> bytes | None:
        """Its samples, as a notebook shows a model that stands alone on a line; nothing where there are none."""
        return sheet(self.folder, self.pins, self.generator) or None

    # As huggingface_hub's mixins have it

    @classmethod
    def from_pretrained(
        cls, name: str | Path, *, revision: str | None = None, device: str | torch.device = "cpu"
    ) -> Model:
        """`load`, in the Hub's words: owner/repo on the Hub at a revision, a directory, or an id."""
        repository = "" if isdir(name) else meant(str(name))
        source = f"{repository.partition('@')[0]}@{revision}" if repository and revision else repository or str(name)
        if revision and not repository:
            raise GanzooError(f"{escape(name)}: has no revisions", "They are of hf:owner/repo.")
        return load(source, device=device)

    def push_to_hub(self, repo_id: str, *, license: str = "", private: bool = False, branch: str = "main") -> str:
        """`push`, in the Hub's words."""
        return self.push(repo_id, license=license, private=private, revision=branch)


def number(name: str, given: Any) -> int:
    """A whole number. Errors: GanzooError for anything else."""
    try:
        return index(given)
    except TypeError:
        what = f"{name}={escape(repr(given), 60)}: is no whole number"
        raise GanzooError(what, f"Give an int: {name}=3.") from None


def load(source: str | Path, *, device: str | torch.device = "cpu") -> Model:
    """The model of a SOURCE: an id such as "dcgan.mnist", hf:owner/repo[@revision], or a model or run directory.

    Errors: GanzooError for an unknown source or a damaged directory, ExternalError where the network is needed and
    fails, IntegrityError where a hash differs.
    """
    folder, pins = locate(str(source))
    stored = read_model(folder, pins)
    for net in stored.networks.values():
        to_channels_last(net.to(device))
    return Model(folder, stored, str(source), pins)


def find(source: str) -> Path:
    """The model directory of a SOURCE."""
    return locate(source).folder

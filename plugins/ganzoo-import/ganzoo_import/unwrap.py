"""What lies around weights, taken off: wrappers, `module.`, weight norm, the spellings of spectral norm, halves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ganzoo_import import moments
from ganzoo_import.sandbox import Content

PREFIXES = ("module.", "_orig_mod.")  # of DataParallel and of torch.compile
NETWORKS = ("generator", "discriminator", "G", "D", "netG", "netD", "net_g", "net_d", "g_ema", "G_ema")
AVERAGES = ("ema", "G_ema", "g_ema", "params_ema", "netG_ema", "generator_ema")  # moving averages: what draws best
ROOT = "torch's parametrizations"


class Group(NamedTuple):
    """The state of one network, as it lies in a file."""

    name: str  # the way to it, and the file's name
    tensors: dict[str, Tensor]
    beside: Mapping[str, Tensor] = MappingProxyType({})  # single tensors that lie beside the networks of its file
    moments: Mapping[str, moments.Moments] = MappingProxyType({})  # of the weights, where an optimiser's order fits
    joined: bool = False  # whether it is all that several files hold, by FILE/NAME

    @property
    def averaged(self) -> bool:
        return any(word in AVERAGES for word in self.name.replace("/", ".").split("."))


def groups(content: Content, file: str) -> list[Group]:
    """Every network's state in a file; moving averages first, each with the moments of the optimiser that fits it."""
    known = moments.of(content)
    found: dict[tuple[str, ...], dict[str, Tensor]] = {}
    for way, tensor in content.tensors.items():
        if not moments.is_part(way):
            found.setdefault(way[:-1], {})[way[-1]] = tensor
    beside = found.pop((), {}) if len(found) > 1 and all("." not in name for name in found.get((), {})) else {}
    made = [part for way, tensors in found.items() for part in parted("/".join([file, *way]), tensors)]
    whole = (
        Group(name, unwrapped(tensors), beside, moments.fitting(unwrapped(tensors), known)) for name, tensors in made
    )
    return sorted(whole, key=lambda group: not group.averaged)


def joined(contents: Mapping[str, Content]) -> Group:
    """All that several files hold, numbers too, by FILE/NAME: for networks that are spread over them."""
    tensors: dict[str, Tensor] = {}
    for file, content in contents.items():
        for way, tensor in content.tensors.items():
            tensors["/".join([file, *way])] = tensor.float() if tensor.is_floating_point() else tensor
        for way, value in content.values.items():
            if value.replace(".", "", 1).isdecimal():
                tensors["/".join([file, *way])] = torch.tensor(float(value))
    return Group("all files", tensors, joined=True)


def parted(name: str, tensors: dict[str, Tensor]) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Two networks in one table, generator.x beside discriminator.x, each by itself."""
    heads = dict.fromkeys(key.partition(".")[0] for key in tensors)
    if heads and all(head in NETWORKS for head in heads):
        for head in heads:
            yield f"{name}/{head}", {k[len(head) + 1 :]: v for k, v in tensors.items() if k.startswith(f"{head}.")}
    else:
        yield name, tensors


def unwrapped(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Plain names, float32, weight norm fused; a spectral norm is NAME.weight with NAME.weight_u and NAME.weight_v."""
    for prefix in PREFIXES * 2:
        if all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
    plain = {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
    return neutral(plain)


def neutral(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights by plain names, however they are normalised: what theirs and ours have in common."""
    return spectral(weight_norm(tensors))


def weight_norm(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """w = g v / |v| in place of g and v."""
    made = {}
    for name, value in tensors.items():
        stem, v = of_weight_norm(name, tensors)
        if not stem:
            made[name] = value
        elif v is not None:
            normed = [i for i in range(v.ndim) if value.shape[i] == 1]  # all but the layer's own: g has one value each
            made[stem] = value * v / torch.linalg.vector_norm(v, dim=normed, keepdim=True)
    return made


def of_weight_norm(name: str, tensors: Mapping[str, Tensor]) -> tuple[str, Tensor | None]:
    """(the weight that a g or a v belongs to, the v beside a g); ("", None) for any other tensor."""
    for g, v in (("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1")):
        for mine, other in ((g, v), (v, g)):
            stem = name.removesuffix(mine)
            if stem != name and stem + other in tensors and tensors[stem + g].ndim == tensors[stem + v].ndim:
                return f"{stem}weight", tensors[stem + v] if mine == g else None
    return "", None


def spectral(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """torch's two spellings, mimicry's and BigGAN's as one; the last two keep u alone, and iterate as they run."""
    made = {}
    for name, value in tensors.items():
        stem, _, last = name.rpartition(".")
        if last in ("sn_sigma", "sv0"):
            continue
        name = name.replace("parametrizations.weight.0._", "weight_").replace("weight_orig", "weight")
        for tensor in ("weight", "bias"):
            name = name.replace(f"parametrizations.{tensor}.original", tensor)
        if last in ("sn_u", "u0"):
            W = tensors[f"{stem}.weight"].flatten(1)
            v = normalize(value.flatten() @ W, dim=0, eps=1e-12)
            made[f"{stem}.weight_v"], value = v, normalize(W @ v, dim=0, eps=1e-12)
            name = f"{stem}.weight_u"
        made[name] = value
    return made


def fused(weight: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """The weight that a spectrally normalised layer works with: W / u W v."""
    return weight / torch.dot(u.flatten(), weight.flatten(1) @ v.flatten())

"""A translator with fewer channels that begins as part of a wide one: the channels with the largest kernels are kept.

Li et al. 2020 (Sec. 3.3) inherit the weights of the teacher so. Which channels depend on which is said by a plan of
each network: what a residual block adds to must keep the same channels everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from ganzoo_cyclegan.networks import Residual, ResNet
from ganzoo_pix2pix.networks import UNet
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError

PICTURE = "picture"  # the channels of pictures, which all stay
Kept = Mapping[str, Tensor]  # group of channels -> which of the teacher's


class Layer(NamedTuple):
    """A convolution by its name, the groups of channels that it reads (one after the other) and makes, and its norm."""

    conv: str
    reads: Sequence[str]
    makes: str
    norm: str = ""


def inherit(student: nn.Module, teacher: nn.Module) -> None:
    """Give a narrow network the largest channels of a wide one of the same kind.

    Errors: GanzooError for a network without a plan, and for one that is wider than its teacher.
    """
    layers = plan(teacher)
    kept = chosen(student, teacher, layers)
    own, given = student.state_dict(), teacher.state_dict()
    for layer in layers:
        reads = torch.cat([kept[group] + start for group, start in offsets(layer, teacher, layers)])
        for name, weight in sliced(layer, given, reads, kept[layer.makes], transposed(teacher, layer)).items():
            own[name] = weight
    student.load_state_dict(own)


def chosen(student: nn.Module, teacher: nn.Module, layers: Sequence[Layer]) -> Kept:
    """Of each group as many channels as the student has: those whose kernels have the largest sum of |w|, in order.

    A group that several layers make (a residual stream) is judged by all of them together.
    """
    kept: dict[str, Tensor] = {}
    for group in dict.fromkeys(layer.makes for layer in layers):
        makers = [layer for layer in layers if layer.makes == group]
        wide, narrow = (outputs(net, makers[0]) for net in (teacher, student))
        if narrow > wide:
            raise GanzooError(f"{narrow} channels of {wide}: a student is no wider", "Choose a smaller --width.")
        norm = torch.stack([magnitude(teacher, layer) for layer in makers]).sum(0)
        kept[group] = norm.topk(narrow).indices.sort().values
    return kept | {PICTURE: torch.arange(inputs(teacher, layers[0]))}


def magnitude(net: nn.Module, layer: Layer) -> Tensor:
    """Sum of |w| of each channel that a layer makes."""
    axis = 1 if transposed(net, layer) else 0
    return weight_of(net, layer).abs().movedim(axis, 0).flatten(1).sum(1)


def offsets(layer: Layer, net: nn.Module, layers: Sequence[Layer]) -> list[tuple[str, int]]:
    """Where each group that a layer reads begins among its inputs."""
    start, found = 0, []
    for group in layer.reads:
        found.append((group, start))
        start += inputs(net, layer) if group == PICTURE else outputs(net, made_by(group, layers))
    return found


def made_by(group: str, layers: Sequence[Layer]) -> Layer:
    return next(layer for layer in layers if layer.makes == group)


def sliced(
    layer: Layer, given: Mapping[str, Tensor], reads: Tensor, makes: Tensor, is_transposed: bool
) -> dict[str, Tensor]:
    """The tensors of a layer and of its norm, of some channels alone."""
    rows, columns = (reads, makes) if is_transposed else (makes, reads)
    found = {f"{layer.conv}.weight": given[f"{layer.conv}.weight"][rows][:, columns]}
    vectors = [f"{layer.conv}.bias"]
    if layer.norm:
        vectors += [f"{layer.norm}.{name}" for name in ("weight", "bias", "running_mean", "running_var")]
    return found | {name: given[name][makes] for name in vectors if name in given}


def weight_of(net: nn.Module, layer: Layer) -> Tensor:
    weight = net.get_submodule(layer.conv).weight
    assert isinstance(weight, Tensor)
    return weight.detach()


def transposed(net: nn.Module, layer: Layer) -> bool:
    return isinstance(net.get_submodule(layer.conv), nn.ConvTranspose2d)


def inputs(net: nn.Module, layer: Layer) -> int:
    return weight_of(net, layer).shape[0 if transposed(net, layer) else 1]


def outputs(net: nn.Module, layer: Layer) -> int:
    return weight_of(net, layer).shape[1 if transposed(net, layer) else 0]


# Plans


def plan(net: nn.Module) -> list[Layer]:
    """Errors: GanzooError for a network whose channels nobody has told about."""
    for kind, make in PLANS.items():
        if isinstance(net, kind):
            return make(net)
    known = " and ".join(kind.__name__ for kind in PLANS)
    raise GanzooError(
        f"{type(net).__name__}: nobody knows which of its channels belong together", f"{known} are known."
    )


def of_resnet(net: nn.Module) -> list[Layer]:
    """CycleGAN's: one stream through all residual blocks, channels of their own within each."""
    assert isinstance(net, ResNet)
    layers, group = list[Layer](), PICTURE
    convs = [(i, m) for i, m in enumerate(net.main) if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d, Residual))]
    for i, module in convs:
        if isinstance(module, Residual):
            inner = f"within {i}"
            layers += [Layer(f"main.{i}.main.0", [group], inner), Layer(f"main.{i}.main.3", [inner], group)]
        else:
            makes = PICTURE if i == convs[-1][0] else f"behind {i}"
            layers.append(Layer(f"main.{i}", [group], makes))
            group = makes
    return layers


def of_unet(net: nn.Module) -> list[Layer]:
    """pix2pix's: each level of the decoder reads what the encoder made at its size, then what came from below."""
    assert isinstance(net, UNet)
    layers, n = list[Layer](), len(net.down)
    for i in range(n):
        layers.append(
            Layer(f"down.{i}.conv", [f"down {i - 1}" if i else PICTURE], f"down {i}", normed(net.down[i], f"down.{i}"))
        )
    for j in range(n):
        reads = [f"down {n - 1 - j}"] + ([f"up {j - 1}"] if j else [])
        makes = PICTURE if j == n - 1 else f"up {j}"
        layers.append(Layer(f"up.{j}.conv", reads, makes, normed(net.up[j], f"up.{j}")))
    return layers


def normed(level: nn.Module, name: str) -> str:
    return f"{name}.norm" if getattr(level, "norm", None) is not None else ""


PLANS: Mapping[type[nn.Module], Callable[[nn.Module], list[Layer]]] = {ResNet: of_resnet, UNet: of_unet}


# Where a student is asked to see what its teacher sees


def taps(net: nn.Module) -> list[str]:
    """Four modules by name, spread over the network: between them lies what a translator is made of."""
    if isinstance(net, ResNet):
        blocks = [i for i, module in enumerate(net.main) if isinstance(module, Residual)]
        at = [blocks[0] - 1, *(blocks[round(len(blocks) * part / 3) - 1] for part in (1, 2, 3))] if blocks else [8]
        return [f"main.{i}" for i in dict.fromkeys(at)]
    assert isinstance(net, UNet)
    n = len(net.down)
    return [f"down.{n // 2}", f"down.{n - 1}", f"up.{n // 2 - 1}", f"up.{n - 2}"]

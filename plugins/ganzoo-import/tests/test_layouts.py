"""Every layout, there and back: our own networks' tensors under others' names are found to be ours again."""

import pytest
import torch
from ganzoo_import.assemble import all_families, of_family
from ganzoo_import.match import by_layouts, renamed
from ganzoo_import.unwrap import Group, spectral, unwrapped

from ganzoo_core.models import Foreign
from ganzoo_core.plugin import resolve
from ganzoo_core.registry.plugins import registry
from ganzoo_core.registry.recipes import build_networks

BACK = {
    "": lambda x: x, "first": lambda x: x[None], "scalar": lambda x: x.reshape(1), "image": lambda x: x[None, None],
    "flat": lambda x: x.reshape(1, -1, 1, 1), "doubled": lambda x: x / 2, "doubled less one": lambda x: (x + 1) / 2,
    "transposed": lambda x: x.transpose(0, 1),
}  # fmt: skip
CHANGES = {  # what of a family's tiny preset others' implementations have not, or mirror
    "cyclegan": {"image_size": 256}, "mimicry_sngan_d": {"d_widths": (8, 16, 16), "d_halvings": 2},
    "pix2pix_unet": {"norm": "batch"}, "authors_biggan_g": {"d_widths": (8, 16, 16), "d_halvings": 2},
}  # fmt: skip


def ours_of(layout):
    """The family's tiny networks with weights that are not their first ones, and the arguments."""
    torch.manual_seed(0)
    family = Foreign(layout.family)
    args = dict(family.recipe({**family.presets["tiny"], **CHANGES.get(layout.name, {})}).args)
    net = build_networks(layout.family, args)[layout.network]
    with torch.no_grad():
        for value in net.state_dict().values():
            if value.is_floating_point():
                value.add_(0.1 * torch.rand_like(value))
    return net, args


def theirs_of(layout, net, args):
    """The same tensors under their names; norms keep the spelling of torch's older spectral norm."""
    ours = spectral(net.state_dict())
    pairs = [pair for pair in resolve(layout.names)(args) if pair[0]]
    back = renamed(ours, [(ours_name, theirs_name, *more) for theirs_name, ours_name, *more in pairs])
    tensors = {theirs: BACK[operation](ours[name]) for theirs, (name, operation) in back.items()}
    for name in [name for name in tensors if name.endswith("weight_u")]:
        tensors[f"{name[:-2]}_orig"] = tensors.pop(name[:-2])
    return tensors


@pytest.mark.parametrize("name", sorted(registry().layouts))
def test_a_layout_there_and_back(name):
    layout = registry().layouts[name]
    net, args = ours_of(layout)
    group = Group("file", unwrapped(theirs_of(layout, net, args)))
    fit = next(fit for fit in by_layouts(Foreign(layout.family), group) if fit.layout == name)
    assert fit.faults == ()
    kept = {ours for theirs, ours, *_ in resolve(layout.names)(args) if not theirs}
    for key, value in net.state_dict().items():
        if key not in kept:
            assert torch.allclose(fit.tensors[key], value, atol=1e-6), key
    if layout.network == "G":
        assert {k: v for k, v in fit.args.items() if not k.startswith("d_")}.items() <= args.items()


def test_biggans_own_spectral_norm_iterates_once_when_it_runs():
    """u0 alone is stored: what the layer works with is W / (u' W v), v = W u, u' = W v."""
    torch.manual_seed(1)
    W, u = torch.randn(5, 7), torch.nn.functional.normalize(torch.randn(1, 5))
    made = unwrapped({"linear.weight": W, "linear.u0": u, "linear.sv0": torch.ones(1)})
    v = torch.nn.functional.normalize(u @ W)
    again = torch.nn.functional.normalize(v @ W.T)
    assert torch.allclose(made["linear.weight_u"], again[0]) and torch.allclose(made["linear.weight_v"], v[0])


def test_weight_norm_is_fused_as_torch_computes_it():
    layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Conv1d(3, 4, 5))
    made = unwrapped(layer.state_dict())
    assert torch.allclose(made["weight"], layer.weight) and made.keys() == {"weight", "bias"}


def test_a_generator_of_others_draws_what_ours_draws():
    """CycleGAN's two directions lie in two files, whose names say which is which."""
    layouts = registry().layouts
    groups, nets = [], {}
    for name, file in (("cyclegan_f", "latest_net_G_B.pth"), ("cyclegan_g", "latest_net_G_A.pth")):
        net, args = ours_of(layouts[name])
        torch.manual_seed(len(groups))
        for weight in net.parameters():
            weight.data.uniform_(-0.1, 0.1)
        nets[layouts[name].network] = net
        groups.append(Group(file, unwrapped(theirs_of(layouts[name], net, args))))
    made = of_family("cyclegan", groups, {})
    for name, net in nets.items():
        for key, value in net.state_dict().items():
            assert torch.equal(made.tensors[f"{name}.{key}"], value)


@pytest.mark.slow  # every family is tried
def test_without_a_family_the_one_that_fits_comes_first():
    layout = registry().layouts["dcgan_g"]
    net, args = ours_of(layout)
    tried = all_families([Group("file", theirs_of(layout, net, args))])
    assert tried[0].family.name == "dcgan" and tried[0].args["z_dim"] == 16

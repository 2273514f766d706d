"""Every layout, there and back: our own networks' tensors under others' names are found to be ours again."""

import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from ganzoo_import.assemble import all_families, of_family
from ganzoo_import.match import by_layouts, renamed
from ganzoo_import.operations import swapped
from ganzoo_import.sandbox import Content
from ganzoo_import.unwrap import Group, groups, spectral, unwrapped, weight_norm

from ganzoo_core.models import Foreign, foreign_families, lending_families
from ganzoo_core.plugin import JoinedLayout, resolve
from ganzoo_core.registry.plugins import registry
from ganzoo_core.registry.recipes import build_networks


def channels_last(x):
    """Rows [C, 4, 4] as [4, 4, C]."""
    return x.unflatten(0, (-1, 4, 4)).movedim(0, 2).flatten(0, 2)


BACK = {
    "": lambda x: x, "first": lambda x: x[None], "scalar": lambda x: x.reshape(1), "image": lambda x: x[None, None],
    "flat": lambda x: x.reshape(1, -1, 1, 1), "doubled": lambda x: x / 2, "doubled less one": lambda x: (x + 1) / 2,
    "transposed": lambda x: x.transpose(0, 1), "first half less one": lambda x: x + 1, "second half": lambda x: x,
    "halves swapped": swapped, "channels first": channels_last,
    "channels first, halves swapped": lambda x: swapped(channels_last(x)),
}  # fmt: skip
CHANGES = {  # what of a family's tiny preset others' implementations have not, or mirror
    "mimicry_sagan_g": {"image_size": 32, "g_widths": (16, 16, 16, 8), "attention": 16},
    "cyclegan": {"image_size": 256}, "mimicry_sngan_d": {"d_widths": (8, 16, 16), "d_halvings": 2},
    "port_biggan_deep": {"channels": 3, "maps": 8, "rows": 5, "eps": 1e-4, "d_widths": (8, 16, 16)},
    "hifigan_authors": {"mel": "hifigan", "ups": (16, 16), "kernels": (32, 32), "mrf": (3, 5, 7),
                        "dilations": (1, 3, 5) * 3, "pairs": True},
    "melgan_authors": {"mel": "melgan", "ups": (16, 16)},
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


def spelled(layout, ours, args):
    """Our tensors under their names; of two that are parts of one, each behind the other."""
    tensors = {}
    for theirs, mine, *how in resolve(layout.names)(args):
        for name, (found, operation) in renamed(ours, [(mine, theirs, *how)] if theirs else []).items():
            value = BACK[operation](ours[found])
            tensors[name] = torch.cat([tensors[name], value], 1) if operation == "second half" else value
    return tensors


def theirs_of(layout, net, args):
    """All of a network's; norms keep the spelling of torch's older spectral norm."""
    tensors = spelled(layout, spectral(weight_norm(net.state_dict())), args)
    for name in [name for name in tensors if name.endswith("weight_u")]:
        tensors[f"{name[:-2]}_orig"] = tensors.pop(name[:-2])
    return tensors


@pytest.mark.parametrize(
    "name", sorted(name for name, layout in registry().layouts.items() if not isinstance(layout, JoinedLayout))
)
def test_a_layout_there_and_back(name):
    layout = registry().layouts[name]
    net, args = ours_of(layout)
    group = Group("file", unwrapped(theirs_of(layout, net, args)))
    fit = next(fit for fit in by_layouts(Foreign(layout.family), group) if fit.layout == name)
    assert fit.faults == ()
    kept = {ours for theirs, ours, *_ in resolve(layout.names)(args) if not theirs}
    assert fit.tensors.keys() == net.state_dict().keys()
    found = weight_norm(fit.tensors)  # g and v are parted anew, so that their product counts
    for key, value in weight_norm(net.state_dict()).items():
        if key not in kept:
            assert torch.allclose(found[key], value, atol=1e-6), key
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


def test_the_average_of_w_comes_along_from_beside_the_network():
    layout = registry().layouts["port_stylegan2_g"]
    net, args = ours_of(layout)
    average = torch.rand(args["w_dim"])
    theirs = {name: value for name, value in theirs_of(layout, net, args).items() if not name.startswith("../")}
    ways = {("g_ema", name): value for name, value in theirs.items()}
    ways |= {("d", "unknown.weight"): torch.zeros(3, 3), ("latent_avg",): average}
    found = groups(Content("torch, zip", ways, {}, ""), "550000.pt")
    fit = next(f for f in by_layouts(Foreign("stylegan2"), found[0]) if f.network == "G")
    assert fit.faults == () and torch.equal(fit.tensors["mapping.w_avg"], average)
    assert fit.mapping["mapping.w_avg"] == "../latent_avg"


def test_one_family_is_asked_for_all_that_share_its_networks():
    lending, every = lending_families(), [family.name for family in foreign_families()]
    networks = [registry().families[family.name].networks for family in lending]
    assert len(set(networks)) == len(networks) and {registry().families[name].networks for name in every} == set(
        networks
    )
    assert "dcgan" in {family.name for family in lending} and "wgan" not in {family.name for family in lending}


@pytest.mark.parametrize("family", [family.name for family in lending_families()])
def test_a_sketch_has_the_names_and_shapes_of_the_networks(family):
    foreign = Foreign(family)
    args = dict(foreign.recipe(foreign.presets.get("tiny", next(iter(foreign.presets.values())))).args)
    sketch, nets = foreign.sketch(args), build_networks(family, args)
    for name, net in nets.items():
        assert [(k, v.shape) for k, v in net.state_dict().items()] == [
            (k, v.shape) for k, v in sketch[name].state_dict().items()
        ]
        assert all(value.is_meta for value in sketch[name].parameters())


def test_a_layout_that_fits_ends_the_search(monkeypatch):
    """Presets of all families are built only where no layout fits: that takes seconds."""
    monkeypatch.setattr("ganzoo_import.match.by_presets", lambda *_: pytest.fail("looked on"))
    layout = registry().layouts["dcgan_g"]
    net, args = ours_of(layout)
    (found,) = all_families([Group("file", theirs_of(layout, net, args))])
    assert found.family.name == "dcgan" and not found.faults


# Shapes of the reference implementations, in the order of their code; names are the layouts'

REFERENCE = Path(__file__).parents[4] / "shared" / "reference-shapes.json"
PUBLISHED = [
    ("dcgan_g", "dcgan", "G", {}),
    ("dcgan_d", "dcgan", "D", {}),
    ("cyclegan_g", "cyclegan", "G", {"image_size": 256, "blocks": 9}),
    ("cyclegan_g", "cyclegan", "G6", {"image_size": 256, "blocks": 6}),
    ("cyclegan_d_x", "cyclegan", "D", {"image_size": 256}),
    ("pix2pix_unet", "pix2pix", "G", {"image_size": 256, "levels": 8, "norm": "batch"}),
    ("pix2pix_unet", "pix2pix", "G_unet128", {"image_size": 128, "levels": 7, "norm": "batch"}),
    ("pix2pix_patches", "pix2pix", "D", {"patch": 70, "norm": "batch"}),
    ("pix2pix_patches", "pix2pix", "D_pixel", {"patch": 1}),
    ("authors_biggan_g", "biggan", "G", {}),
    ("authors_biggan_g", "biggan", "G256", {
        "image_size": 256, "g_widths": (1536, 1536, 768, 768, 384, 192, 96), "attention": 64,
        "d_widths": (96, 192, 384, 768, 768, 1536, 1536), "d_halvings": 6,
    }),
    ("authors_sagan_g", "sagan", "G", {}),
    ("mimicry_sagan_g", "sagan", "G_mimicry128", {"attention": 32}),
    ("mimicry_sagan_g", "sagan", "G_mimicry32", {
        "image_size": 32, "classes": 10, "g_widths": (256,) * 4, "attention": 16, "d_widths": (128,) * 3,
        "d_halvings": 2,
    }),
    ("srresnet", "srgan", "G", {}),
    ("context_encoder_g", "context_encoder", "G", {}),
]  # fmt: skip


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference shapes do not lie beside the checkout: ../shared")
@pytest.mark.parametrize(
    "layout,family,network,changes", PUBLISHED, ids=lambda value: value if type(value) is str else ""
)
def test_published_shapes_are_those_of_a_layout(layout, family, network, changes):
    """Parameters of our network in its published size, as the layout spells them, have the reference's shapes."""
    declared = registry().layouts[layout]
    foreign = Foreign(declared.family)
    args = dict(foreign.recipe({**foreign.presets["paper"], **changes}).args)
    net = foreign.sketch(args)[declared.network]
    own = dict(net.named_parameters())
    weights = spectral({name: value for name, value in net.state_dict().items() if name in own})
    made = Counter(tuple(value.shape) for value in spelled(declared, weights, args).values())
    texts = json.loads(REFERENCE.read_text())["families"][family][network]["tensors"]
    theirs = Counter(tuple(int(n) for n in text[1:].split("x") if n) for text in texts if text.startswith("p"))
    assert made == theirs


def test_without_a_family_the_one_that_fits_comes_first():
    layout = registry().layouts["dcgan_g"]
    net, args = ours_of(layout)
    tried = all_families([Group("file", theirs_of(layout, net, args))])
    assert tried[0].family.name == "dcgan" and tried[0].args["z_dim"] == 16


@pytest.mark.slow
@pytest.mark.parametrize(("family", "preset"), [("melgan", "phone"), ("hifigan", "phone")])
def test_weight_normalised_networks_are_known_by_our_own_names(family, preset):
    args = Foreign(family).presets[preset]
    g = build_networks(family, Foreign(family).recipe(args).args)["G"]
    made = of_family(family, [Group("file", unwrapped(g.state_dict()))], {})
    assert made.tensors.keys() == {f"G.{name}" for name in g.state_dict()} and made.args.items() >= args.items()
    g.load_state_dict({name.removeprefix("G."): value for name, value in made.tensors.items()})

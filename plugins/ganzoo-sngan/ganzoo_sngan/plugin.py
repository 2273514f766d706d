"""What ganzoo-sngan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Layout, Paper, Preset, hookimpl

WIDE = {"g_widths": (1024, 512, 256, 128, 64), "d_widths": (64, 128, 256, 512, 1024), "d_halvings": 5}  # 64 px
WIDER = {
    "g_widths": (1024, 1024, 512, 256, 128, 64),
    "d_widths": (64, 128, 256, 512, 1024, 1024),
    "d_halvings": 5,
}  # fmt: skip (128 px)
SMALL = {
    "image_size": 32, "channels": 3, "z_dim": 64, "g_widths": (192, 128, 64, 32), "d_widths": (32, 64, 128, 128),
    "d_halvings": 3,
}  # fmt: skip
TINY = {
    "image_size": 16, "channels": 1, "z_dim": 16, "g_widths": (16, 16, 8), "d_widths": (8, 16, 16), "d_halvings": 2,
    "images": 20_000,
}  # fmt: skip

SNGAN = Family(
    name="sngan",
    summary="D is Lipschitz because each layer is divided by its spectral norm; with labels, projection",
    paper=Paper(
        title="Spectral Normalization for Generative Adversarial Networks",
        authors=("Takeru Miyato", "Toshiki Kataoka", "Masanori Koyama", "Yuichi Yoshida"),
        year=2018,
        arxiv="1802.05957",
    ),
    networks="ganzoo_sngan.networks:networks",
    objective="ganzoo_sngan.objective:SNGAN",
    presets={
        "paper": Preset({"image_size": 32, "channels": 3, "classes": 0}, {"batch_size": 64}),
        "stl10": Preset(
            {"image_size": 48, "channels": 3, "classes": 0, **WIDE, "g_widths": (512, 256, 128, 64), "d_halvings": 4},
            {"batch_size": 64},
        ),
        "imagenet64": Preset({"image_size": 64, "channels": 3, "classes": 0, **WIDE}, {"batch_size": 64}),
        "imagenet128": Preset(
            {"image_size": 128, "channels": 3, "classes": 0, **WIDER, "decay_from": 8 / 9, "images": 144_000_000},
            {"batch_size": 64},
        ),
        "cifar10": Preset({"image_size": 32, "channels": 3, "classes": 10}, {"batch_size": 64}),
        "imagenet": Preset(
            {"image_size": 128, "channels": 3, "classes": 1000, **WIDER, "decay_from": 8 / 9, "images": 144_000_000},
            {"batch_size": 64},
        ),
        "emoji": Preset(
            {**SMALL, "classes": 0, "n_dis": 2, "g_batches": 1, "lr": 8e-4, "images": 100_000},
            {"batch_size": 32, "ema_images": 8_000},
        ),
        "tiny": Preset({**TINY, "classes": 0}, {"batch_size": 16}),
    },
)

SAGAN = Family(
    name="sagan",
    summary="convolutions see near, self-attention sees far; spectral norm in G too, two time scales",
    task="class_conditional",
    paper=Paper(
        title="Self-Attention Generative Adversarial Networks",
        authors=("Han Zhang", "Ian Goodfellow", "Dimitris Metaxas", "Augustus Odena"),
        year=2019,
        arxiv="1805.08318",
    ),
    networks="ganzoo_sngan.attention:networks",
    objective="ganzoo_sngan.objective:SAGAN",
    presets={
        "paper": Preset({"image_size": 128, "channels": 3, "classes": 1000}, {"batch_size": 256}),
        "emoji": Preset(
            {**SMALL, "classes": 10, "attention": 16, "d_lr": 1e-3, "g_lr": 5e-4, "images": 55_000},
            {"batch_size": 32, "ema_images": 6_000},
        ),
        "tiny": Preset({**TINY, "classes": 10, "attention": 8}, {"batch_size": 16}),
    },
)


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [SNGAN, SAGAN]


@hookimpl
def ganzoo_layouts() -> Iterable[Layout]:
    here, whose = "ganzoo_sngan.layouts", "mimicry"
    return [
        Layout("mimicry_sngan_g", "sngan", whose, f"{here}:of_mimicry_g", f"{here}:mimicry_g", "G", ("netG",)),
        Layout("mimicry_sngan_d", "sngan", whose, f"{here}:of_mimicry_d", f"{here}:mimicry_d", "D", ("netD",)),
        Layout(
            "mimicry_sagan_g", "sagan", whose, f"{here}:of_mimicry_sagan_g", f"{here}:mimicry_sagan_g", "G", ("netG",)
        ),
        Layout(
            "authors_sagan_g", "sagan", "BigGAN-PyTorch", f"{here}:of_authors_g", f"{here}:authors_g", "G", ("G_ema",)
        ),
    ]

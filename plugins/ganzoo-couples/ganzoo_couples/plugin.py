"""What ganzoo-couples contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, View, hookimpl

COGAN = Family(
    name="cogan",
    summary="two GANs that share weights: pictures of two domains that belong together, learnt without pairs",
    task="class_conditional",
    paper=Paper(
        title="Coupled Generative Adversarial Networks",
        authors=("Ming-Yu Liu", "Oncel Tuzel"),
        year=2016,
        arxiv="1606.07536",
    ),
    networks="ganzoo_couples.cogan_networks:networks",
    objective="ganzoo_couples.cogan:CoGAN",
    presets={
        "paper": Preset({"image_size": 28, "channels": 1}, {"batch_size": 64}),
        "mnist": Preset(
            {"image_size": 28, "channels": 1, "width": 16, "lr": 5e-4, "images": 160_000},
            {"batch_size": 32, "ema_images": 5_000},
        ),
        "tiny": Preset(
            {"image_size": 28, "channels": 1, "width": 4, "z_dim": 8, "d_width": 4, "images": 5_000}, {"batch_size": 8}
        ),
    },
)  # fmt: skip

STARGAN = Family(
    name="stargan",
    summary="one translator between all pairs of several domains; D names the domain, and the way back must fit",
    task="translation",
    paper=Paper(
        title="StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image Translation",
        authors=("Yunjey Choi", "Minje Choi", "Munyoung Kim", "Jung-Woo Ha", "Sunghun Kim", "Jaegul Choo"),
        year=2017,
        arxiv="1711.09020",
    ),
    networks="ganzoo_couples.stargan_networks:networks",
    objective="ganzoo_couples.stargan:StarGAN",
    presets={
        "paper": Preset({"image_size": 128, "channels": 3, "classes": 5}, {"batch_size": 16}),
        "styles": Preset(
            {"image_size": 32, "channels": 3, "classes": 3, "width": 16, "blocks": 3, "d_width": 16, "halvings": 4,
             "lr": 3e-4, "n_critic": 2, "images": 80_000},
            {"batch_size": 16, "ema_images": 2_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 3, "classes": 3, "width": 4, "blocks": 1, "d_width": 4, "halvings": 3,
             "images": 5_000},
            {"batch_size": 4},
        ),
    },
)  # fmt: skip

BICYCLEGAN = Family(
    name="bicyclegan",
    summary="pairs, where one picture has many partners: z says which, and can be read off the result again",
    task="translation",
    paper=Paper(
        title="Toward Multimodal Image-to-Image Translation",
        authors=("Jun-Yan Zhu", "Richard Zhang", "Deepak Pathak", "Trevor Darrell", "Alexei A. Efros", "Oliver Wang",
                 "Eli Shechtman"),
        year=2017,
        arxiv="1711.11586",
    ),
    networks="ganzoo_couples.bicyclegan_networks:networks",
    objective="ganzoo_couples.bicyclegan:BicycleGAN",
    presets={
        "paper": Preset({"image_size": 256, "channels": 3}, {"batch_size": 2}),
        "paper128": Preset({"image_size": 128, "channels": 3, "levels": 7, "patch": 34}, {"batch_size": 2}),
        "gray2noto": Preset(
            {"image_size": 32, "channels": 3, "width": 16, "levels": 5, "e_width": 16, "d_width": 16, "patch": 34,
             "images": 50_000},
            {"batch_size": 8, "ema_images": 2_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 3, "width": 4, "levels": 4, "z_dim": 4, "e_width": 4, "d_width": 4,
             "patch": 16, "images": 5_000},
            {"batch_size": 4},
        ),
    },
)  # fmt: skip

ATTGAN = Family(
    name="attgan",
    summary="attributes edited: a code decoded with others than its own, which a classifier must then see",
    task="translation",
    paper=Paper(
        title="AttGAN: Facial Attribute Editing by Only Changing What You Want",
        authors=("Zhenliang He", "Wangmeng Zuo", "Meina Kan", "Shiguang Shan", "Xilin Chen"),
        year=2017,
        arxiv="1711.10678",
    ),
    networks="ganzoo_couples.attgan_networks:networks",
    objective="ganzoo_couples.attgan:AttGAN",
    presets={
        "paper": Preset({"image_size": 128, "channels": 3, "classes": 13}, {"batch_size": 32}),
        "styles": Preset(
            {"image_size": 32, "channels": 3, "classes": 3, "width": 24, "halvings": 3, "d_width": 16, "units": 64,
             "n_critic": 2, "images": 80_000},
            {"batch_size": 16, "ema_images": 2_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 3, "classes": 3, "width": 4, "halvings": 2, "d_width": 4, "units": 8,
             "images": 5_000},
            {"batch_size": 4},
        ),
    },
)  # fmt: skip


UNIT_STYLES: dict[str, object] = {
    "image_size": 32,
    "channels": 3,
    "width": 12,
    "blocks": 2,
    "d_width": 16,
    "halvings": 3,
    "scales": 2,
    "lr": 5e-4,
    "lr_stairs": 3,
    "images": 24_000,
}
UNIT_TINY: dict[str, object] = {
    "image_size": 16,
    "channels": 3,
    "width": 4,
    "blocks": 1,
    "d_width": 4,
    "halvings": 2,
    "scales": 2,
    "images": 5_000,
}

UNIT = Family(
    name="unit",
    summary="two domains without pairs, codes in one space: encoded in the one domain, decoded in the other",
    task="translation",
    paper=Paper(
        title="Unsupervised Image-to-Image Translation Networks",
        authors=("Ming-Yu Liu", "Thomas Breuel", "Jan Kautz"),
        year=2017,
        arxiv="1703.00848",
    ),
    networks="ganzoo_couples.unit_networks:networks",
    objective="ganzoo_couples.unit:UNIT",
    presets={
        "paper": Preset({"image_size": 256, "channels": 3}, {"batch_size": 1}),
        "twemoji2noto": Preset(
            UNIT_STYLES, {"batch_size": 4, "ema_images": 1_000}
        ),
        "tiny": Preset(UNIT_TINY, {"batch_size": 4}),
    },
)  # fmt: skip

MUNIT = Family(
    name="munit",
    summary="two domains without pairs that share contents and have styles of their own: many answers for one picture",
    task="translation",
    paper=Paper(
        title="Multimodal Unsupervised Image-to-Image Translation",
        authors=("Xun Huang", "Ming-Yu Liu", "Serge Belongie", "Jan Kautz"),
        year=2018,
        arxiv="1804.04732",
    ),
    networks="ganzoo_couples.munit_networks:networks",
    objective="ganzoo_couples.munit:MUNIT",
    presets={
        "paper": Preset({"image_size": 256, "channels": 3}, {"batch_size": 1}),
        "twemoji2noto": Preset(
            {**UNIT_STYLES, "units": 64, "lam_cycle": 10.0}, {"batch_size": 4, "ema_images": 1_000}
        ),
        "tiny": Preset({**UNIT_TINY, "style_dim": 4, "units": 8}, {"batch_size": 4}),
    },
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [COGAN, STARGAN, BICYCLEGAN, ATTGAN, UNIT, MUNIT]


@hookimpl
def ganzoo_views() -> Iterable[View]:
    return [
        View("edged", "half of the pictures, and the outlines of the other half", "ganzoo_couples.edged:Edged",
             ("a", "b")),
    ]  # fmt: skip

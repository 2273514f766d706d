"""What ganzoo-biggan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Layout, Paper, Preset, hookimpl

PUBLISHED = {"batch_size": 2048, "ema_images": 28_400_000}  # 0.9999 per update of G, which is 4096 real images

PAPER = Paper(
    title="Large Scale GAN Training for High Fidelity Natural Image Synthesis",
    authors=("Andrew Brock", "Jeff Donahue", "Karen Simonyan"),
    year=2019,
    arxiv="1809.11096",
)

BIGGAN = Family(
    name="biggan",
    summary="class-conditional GANs at scale: z and shared class embeddings to every block, truncated sampling",
    task="class_conditional",
    paper=PAPER,
    networks="ganzoo_biggan.networks:networks",
    objective="ganzoo_biggan.objective:BigGAN",
    presets={
        "paper": Preset({"image_size": 128, "channels": 3, "classes": 1000}, PUBLISHED),
        "imagenet256": Preset(
            {"image_size": 256, "channels": 3, "classes": 1000,
             "g_widths": (1536, 1536, 768, 768, 384, 192, 96), "d_widths": (96, 192, 384, 768, 768, 1536, 1536),
             "d_halvings": 6},
            PUBLISHED,
        ),
        "imagenet512": Preset(
            {"image_size": 512, "channels": 3, "classes": 1000,
             "g_widths": (1536, 1536, 768, 768, 384, 192, 96, 96),
             "d_widths": (96, 96, 192, 384, 768, 768, 1536, 1536), "d_halvings": 7},
            PUBLISHED,
        ),
        "mnist": Preset(
            {"image_size": 32, "channels": 1, "classes": 10, "z_chunk": 16, "y_dim": 32, "attention": 16,
             "g_widths": (192, 128, 48, 24), "d_widths": (24, 48, 128, 128), "d_halvings": 3,
             "d_lr": 1e-3, "g_lr": 5e-4, "standing": 16, "images": 110_000},
            {"batch_size": 32, "ema_images": 8_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "classes": 10, "z_chunk": 8, "y_dim": 8, "g_widths": (16, 16, 8),
             "d_widths": (8, 16, 16), "d_halvings": 2, "attention": 8, "standing": 2, "images": 20_000},
            {"batch_size": 16, "ema_images": 2_000},
        ),
    },
)  # fmt: skip

G256, G512 = (2048, 2048, 1024, 1024, 512, 256, 128), (2048, 2048, 1024, 1024, 512, 256, 128, 128)
DEEPMIND = {"channels": 3, "classes": 1000, "maps": 128, "rows": 51, "eps": 1e-4}

DEEP = Family(
    name="biggan_deep",
    summary="BigGAN four times as deep with half the weights: thin blocks that drop channels in place of a shortcut",
    task="class_conditional",
    paper=PAPER,
    networks="ganzoo_biggan.deep:networks",
    objective="ganzoo_biggan.objective:BigGAN",
    presets={
        "paper": Preset({"image_size": 128, "channels": 3, "classes": 1000}, PUBLISHED),
        "imagenet256": Preset(
            {"image_size": 256, "channels": 3, "classes": 1000, "g_widths": G256,
             "d_widths": (128, 256, 512, 1024, 1024, 2048, 2048)},
            PUBLISHED,
        ),
        "deepmind128": Preset({"image_size": 128, **DEEPMIND}, PUBLISHED),
        "deepmind256": Preset(
            {"image_size": 256, "g_widths": G256, "d_widths": tuple(reversed(G256)), **DEEPMIND}, PUBLISHED
        ),
        "deepmind512": Preset(
            {"image_size": 512, "g_widths": G512, "d_widths": tuple(reversed(G512)), **DEEPMIND}, PUBLISHED
        ),
        "mnist": Preset(
            {"image_size": 32, "channels": 1, "classes": 10, "z_dim": 64, "y_dim": 32, "attention": 16,
             "g_widths": (256, 256, 128, 64), "d_widths": (32, 64, 128, 256),
             "d_lr": 1e-3, "g_lr": 5e-4, "standing": 16, "images": 110_000},
            {"batch_size": 32, "ema_images": 8_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "classes": 10, "z_dim": 8, "y_dim": 8, "g_widths": (16, 16, 8),
             "d_widths": (8, 16, 16), "attention": 8, "standing": 2, "images": 20_000},
            {"batch_size": 16, "ema_images": 2_000},
        ),
    },
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [BIGGAN, DEEP]


@hookimpl
def ganzoo_layouts() -> Iterable[Layout]:
    here, whose = "ganzoo_biggan.layouts", "BigGAN-PyTorch"
    port = "pytorch-pretrained-BigGAN"
    return [
        Layout("authors_biggan_g", "biggan", whose, f"{here}:of_g", f"{here}:g", "G", ("G_ema", "G")),
        Layout("port_biggan_deep", "biggan_deep", port, f"{here}:of_port", f"{here}:port", "G"),
    ]

"""What ganzoo-vqgan contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, Task, hookimpl

EMOJI = {
    "image_size": 32, "channels": 3, "width": 16, "multiples": (1, 2, 4), "blocks": 1, "attention": 8, "codes": 256,
    "code_dim": 8, "d_width": 16, "patch": 16, "percep": 0.1, "seen": 64, "lr": 5e-4, "start_images": 32_000,
    "images": 12_000,
}  # fmt: skip
TINY = {
    "image_size": 16, "channels": 1, "width": 8, "multiples": (1, 2), "blocks": 1, "attention": 8, "codes": 16,
    "code_dim": 8, "d_width": 8, "patch": 16, "percep": 0.0, "start_images": 2_000, "images": 3_000,
}  # fmt: skip

VQGAN = Family(
    name="vqgan",
    summary="a picture as a few numbers of a learnt codebook, and back, sharp because patches are judged",
    task="reconstruction",
    paper=Paper(
        title="Taming Transformers for High-Resolution Image Synthesis",
        authors=("Patrick Esser", "Robin Rombach", "Björn Ommer"),
        year=2020,
        arxiv="2012.09841",
    ),
    networks="ganzoo_vqgan.networks:networks",
    objective="ganzoo_vqgan.objective:VQGAN",
    presets={
        "paper": Preset({"image_size": 256, "channels": 3}, {"batch_size": 12}),
        "emoji": Preset(EMOJI, {"batch_size": 16, "ema_images": 1_000}),
        "tiny": Preset(TINY, {"batch_size": 8}),
    },
    aliases=("Taming Transformers",),
)


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [VQGAN]


@hookimpl
def ganzoo_tasks() -> Iterable[Task]:
    return [Task("reconstruction", "pictures through a code, and back", "image-to-image")]

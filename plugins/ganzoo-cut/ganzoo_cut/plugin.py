"""What ganzoo-cut contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Paper, Preset, hookimpl

PAPER = Paper(
    title="Contrastive Learning for Unpaired Image-to-Image Translation",
    authors=("Taesung Park", "Alexei A. Efros", "Richard Zhang", "Jun-Yan Zhu"),
    year=2020,
    arxiv="2007.15651",
)
TINY = {
    "image_size": 32, "channels": 3, "width": 4, "blocks": 1, "d_width": 4, "f_width": 8, "patches": 16,
    "images": 5_000,
}  # fmt: skip
TWEMOJI = {
    "image_size": 32, "channels": 3, "width": 16, "blocks": 4, "d_width": 16, "f_width": 64, "patches": 64, "lr": 3e-4,
    "images": 12_000,
}  # fmt: skip


def game(name: str, objective: str, summary: str) -> Family:
    return Family(
        name=name,
        summary=summary,
        task="translation",
        paper=PAPER,
        networks="ganzoo_cut.networks:networks",
        objective=f"ganzoo_cut.objective:{objective}",
        presets={
            "paper": Preset({"image_size": 256, "channels": 3}, {"batch_size": 1}),
            "twemoji2noto": Preset(TWEMOJI, {"batch_size": 4, "ema_images": 1_000}),
            "tiny": Preset(TINY, {"batch_size": 4}),
        },
    )


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [
        game("cut", "CUT", "one kind of picture into another without pairs or a way back: patches must be told again"),
        game("fastcut", "FastCUT", "CUT with more contrast, no identity, and mirrored pictures: lighter and faster"),
    ]

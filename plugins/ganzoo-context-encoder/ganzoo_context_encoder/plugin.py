"""What ganzoo-context-encoder contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Layout, Paper, Preset, hookimpl

PAPER = {"image_size": 128, "channels": 3}
EMOJI = {
    "image_size": 64, "channels": 3, "width": 32, "d_width": 24, "bottleneck": 256, "fill": (206.0, 194.0, 183.0),
    "overlap": 0, "jitter": 3, "lr_end": 0.0,
}  # fmt: skip

CONTEXT_ENCODER = Family(
    name="context_encoder",
    summary="fills a hole in a picture with what its surroundings suggest",
    task="inpainting",
    paper=Paper(
        title="Context Encoders: Feature Learning by Inpainting",
        authors=("Deepak Pathak", "Philipp Krähenbühl", "Jeff Donahue", "Trevor Darrell", "Alexei A. Efros"),
        year=2016,
        arxiv="1604.07379",
    ),
    networks="ganzoo_context_encoder.networks:networks",
    objective="ganzoo_context_encoder.objective:ContextEncoderGAN",
    presets={
        "paper": Preset(PAPER, {"batch_size": 64}),
        "paper_regions": Preset({**PAPER, "draws": "all"}, {"batch_size": 64}),
        "emoji": Preset(
            {**EMOJI, "lr": 1e-4, "g_lr": 1e-3, "images": 110_000}, {"batch_size": 64, "ema_images": 4_000}
        ),
        "emoji_l1": Preset(
            {**EMOJI, "power": 1.0, "lr": 3e-5, "g_lr": 3e-4, "images": 16_000}, {"batch_size": 64, "ema_images": 4_000}
        ),
        "tiny": Preset(
            {
                "image_size": 16, "channels": 3, "width": 8, "d_width": 8, "bottleneck": 16, "overlap": 1, "jitter": 2,
                "images": 20_000,
            },
            {"batch_size": 16},
        ),
    },
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [CONTEXT_ENCODER]


@hookimpl
def ganzoo_layouts() -> Iterable[Layout]:
    here, whose = "ganzoo_context_encoder.layouts", "context_encoder_pytorch"
    return [
        Layout(
            "context_encoder_g", "context_encoder", whose, f"{here}:of_g", f"{here}:same", "G", ("netG", "generator")
        ),
    ]

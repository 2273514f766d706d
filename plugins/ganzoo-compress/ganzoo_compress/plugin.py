"""What ganzoo-compress contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import BatchKey, Command, DatasetEntry, Family, Metric, Paper, Preset, Task, hookimpl

COMPRESSION = Task("compression", "pictures and clips as few bits, and back", "image-to-image")
EXTREME = Paper(
    title="Generative Adversarial Networks for Extreme Learned Image Compression",
    authors=("Eirikur Agustsson", "Michael Tschannen", "Fabian Mentzer", "Radu Timofte", "Luc Van Gool"),
    year=2019,
    arxiv="1804.02958",
)
KODAK = {
    "image_size": 64, "channels": 3, "width": 8, "halvings": 4, "blocks": 3, "code": 8, "d_width": 16, "mse": 60.0,
    "fm": 3.0, "norm": "channel", "images": 40_000,
}  # fmt: skip
SCENES = {
    "image_size": 64, "channels": 3, "labels": 4, "width": 12, "halvings": 3, "blocks": 3, "code": 4, "d_width": 16,
    "mse": 60.0, "fm": 3.0, "norm": "channel", "images": 24_000,
}  # fmt: skip
TINY = {
    "image_size": 16, "channels": 3, "width": 4, "halvings": 2, "blocks": 1, "code": 2, "d_width": 4, "images": 2_000,
}  # fmt: skip

GEN_COMPRESS = Family(
    name="gen_compress",
    summary="a picture as a few numbers of five kinds, and back, at rates where other codecs show squares",
    task=COMPRESSION.name,
    paper=EXTREME,
    networks="ganzoo_compress.agustsson.networks:global_networks",
    objective="ganzoo_compress.agustsson.objective:GlobalCompression",
    presets={
        "paper": Preset({"image_size": 256, "channels": 3}, {"batch_size": 1}),
        "kodak": Preset(KODAK, {"batch_size": 4, "ema_images": 1_000}),
        "tiny": Preset(TINY, {"batch_size": 4}),
    },
    aliases=("Extreme Learned Image Compression", "GC"),
)
GEN_COMPRESS_SC = Family(
    name="gen_compress_sc",
    summary="of a picture some things are kept, and of the others their labels alone: they are drawn anew",
    task=COMPRESSION.name,
    paper=EXTREME,
    networks="ganzoo_compress.agustsson.networks:selective_networks",
    objective="ganzoo_compress.agustsson.objective:SelectiveCompression",
    presets={
        "paper": Preset({"image_size": 512, "channels": 3}, {"batch_size": 1}),
        "scenes": Preset(SCENES, {"batch_size": 8, "ema_images": 1_000}),
        "tiny": Preset({**TINY, "labels": 3}, {"batch_size": 4}),
    },
    aliases=("SC",),
)
RESIDUAL = Family(
    name="residual_compress",
    summary="a clip as few bits: its first frame, and of each further one what the frame before it lacks",
    task=COMPRESSION.name,
    paper=EXTREME,
    networks="ganzoo_compress.residual.networks:networks",
    objective="ganzoo_compress.residual.objective:ResidualCompression",
    presets={
        "emoji": Preset(
            {"image_size": 32, "channels": 3, "frames": 4, "width": 12, "halvings": 3, "blocks": 2, "code": 8,
             "code_rest": 4, "d_width": 16, "mse": 60.0, "fm": 3.0, "lr": 1e-3, "images": 40_000},
            {"batch_size": 4, "ema_images": 1_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 3, "frames": 3, "length": 4, "width": 4, "halvings": 2, "blocks": 1,
             "code": 2, "code_rest": 2, "d_width": 4, "images": 2_000},
            {"batch_size": 4},
        ),
    },
    aliases=("video by residual frames",),
)  # fmt: skip
HIFIC_KODAK = {
    "image_size": 64, "channels": 3, "width": 12, "halvings": 3, "blocks": 3, "code": 32, "hyper": 24, "d_width": 16,
    "k_p": 0.0, "target": 0.3, "above": 1.0, "lr": 5e-4, "beta": 0.02, "start_images": 40_000, "images": 12_000,
}  # fmt: skip
HIFIC_EMOJI = {
    **HIFIC_KODAK, "code": 24, "hyper": 16, "target": 0.5, "lr": 1e-3, "start_images": 40_000, "images": 8_000,
}  # fmt: skip
HIFIC_TINY = {
    "image_size": 16, "channels": 3, "width": 4, "halvings": 1, "blocks": 1, "code": 4, "hyper": 4, "d_width": 4,
    "k_p": 0.0, "start_images": 2_000, "images": 2_000,
}  # fmt: skip
HIFIC = Family(
    name="hific",
    summary="pictures through rounded numbers whose bits are counted, sharp because a discriminator sees both",
    task=COMPRESSION.name,
    paper=Paper(
        title="High-Fidelity Generative Image Compression",
        authors=("Fabian Mentzer", "George Toderici", "Michael Tschannen", "Eirikur Agustsson"),
        year=2020,
        arxiv="2006.09965",
    ),
    networks="ganzoo_compress.mentzer.networks:networks",
    objective="ganzoo_compress.mentzer.objective:HiFiC",
    presets={
        "paper": Preset({"image_size": 256, "channels": 3}, {"batch_size": 8}),
        "kodak": Preset(HIFIC_KODAK, {"batch_size": 8, "ema_images": 1_000}),
        "emoji": Preset(HIFIC_EMOJI, {"batch_size": 4, "ema_images": 1_000}),
        "tiny": Preset(HIFIC_TINY, {"batch_size": 4}),
    },
    aliases=("HiFiC",),
)


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [GEN_COMPRESS, GEN_COMPRESS_SC, RESIDUAL, HIFIC]


@hookimpl
def ganzoo_tasks() -> Iterable[Task]:
    return [COMPRESSION]


@hookimpl
def ganzoo_batch_keys() -> Iterable[BatchKey]:
    what = "1 where a picture is not kept but drawn anew, float32 [n, 1, H, W]"
    return [BatchKey("redraw", what, "ganzoo_compress.data:some")]


@hookimpl
def ganzoo_datasets() -> Iterable[DatasetEntry]:
    return [
        DatasetEntry(
            "kept_scenes",
            "`scenes`, of which some labels are kept and others are to be drawn anew",
            ("x", "map", "redraw"),
            "CC0-1.0",
            "ganzoo_compress.data:open_kept",
            ("train", "test"),
        )
    ]


@hookimpl
def ganzoo_metrics() -> Iterable[Metric]:
    what = "bits per pixel of real files, and JPEG and WebP of the same size: how near they are"
    of_clips = "bits per pixel of files of clips, beside each frame alone and moving WebP: how near they are"
    return [
        Metric("rate", what, "ganzoo_compress.metrics:rate", (COMPRESSION.name,)),
        Metric("clip_rate", of_clips, "ganzoo_compress.residual.rates:clip_rate", (COMPRESSION.name,), ("clips",)),
    ]


@hookimpl
def ganzoo_commands() -> Iterable[Command]:
    home = "ganzoo_compress.cli"
    return [
        Command("pack", "Write a picture or a clip as the few bits of a compression model.", f"{home}.pack:command"),
        Command("unpack", "Make the picture or the clip of a file that `pack` wrote.", f"{home}.unpack:command"),
        Command("compress", "Make a translator smaller and faster.", f"{home}.compress:command"),
    ]

"""What ganzoo-audio contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import (
    BatchKey,
    DatasetEntry,
    Family,
    KindEntry,
    Layout,
    Metric,
    Paper,
    Preset,
    Task,
    View,
    hookimpl,
)

WAVEGAN = Family(
    name="wavegan",
    summary="sound out of noise, sample by sample: DCGAN along time, and a critic that cannot hear phases",
    task="audio",
    paper=Paper(
        title="Adversarial Audio Synthesis",
        authors=("Chris Donahue", "Julian McAuley", "Miller Puckette"),
        year=2018,
        arxiv="1802.04208",
    ),
    networks="ganzoo_audio.wavegan:networks",
    objective="ganzoo_audio.wavegan:WaveGAN",
    presets={
        "paper": Preset({"length": 16384}, {"batch_size": 64}),
        "long": Preset({"length": 65536, "widths": (1024, 512, 256, 128, 64, 32)}, {"batch_size": 64}),
        "drums": Preset(
            {"length": 8192, "widths": (128, 64, 32, 16), "lr": 4e-4, "k": 3, "images": 80_000},
            {"batch_size": 32, "ema_images": 3_000},
        ),
        "tiny": Preset(
            {"length": 256, "rate": 8000, "widths": (8, 4), "z_dim": 8, "shuffle": 1, "k": 2, "images": 4_000},
            {"batch_size": 8, "ema_images": 400},
        ),
    },
)  # fmt: skip

MELGAN = Family(
    name="melgan",
    summary="sound out of a spectrogram, learnt from how three scales of a discriminator listen",
    task="vocoder",
    paper=Paper(
        title="MelGAN: Generative Adversarial Networks for Conditional Waveform Synthesis",
        authors=(
            "Kundan Kumar", "Rithesh Kumar", "Thibault de Boissiere", "Lucas Gestin", "Wei Zhen Teoh", "Jose Sotelo",
            "Alexandre de Brebisson", "Yoshua Bengio", "Aaron Courville",
        ),
        year=2019,
        arxiv="1910.06711",
    ),
    networks="ganzoo_audio.melgan:networks",
    objective="ganzoo_audio.melgan:MelGAN",
    presets={
        "paper": Preset({}, {"batch_size": 16}),
        "phone": Preset(
            {"mel": "phone", "width": 16, "ups": (8, 4, 4), "d_width": 8, "d_most": 128, "downs": 3, "lr": 4e-4,
             "segment_size": 4096, "images": 60_000},
            {"batch_size": 8, "ema_images": 4_000},
        ),
        "tiny": Preset(
            {"mel": "tiny", "width": 4, "ups": (4, 4), "dilations": (1, 3), "d_width": 4, "d_most": 8, "downs": 1,
             "scales": 2, "segment_size": 256, "images": 4_000},
            {"batch_size": 8, "ema_images": 400},
        ),
    },
)  # fmt: skip

V2 = {"width": 128}
V3 = {
    "width": 256, "ups": (8, 8, 4), "kernels": (16, 16, 8), "mrf": (3, 5, 7), "dilations": (1, 2, 2, 6, 3, 12),
    "pairs": False,
}  # fmt: skip
HIFIGAN = Family(
    name="hifigan",
    summary="sound out of a spectrogram: discriminators of periods and of scales, and a loss on the spectrogram",
    task="vocoder",
    paper=Paper(
        title="HiFi-GAN: Generative Adversarial Networks for Efficient and High Fidelity Speech Synthesis",
        authors=("Jungil Kong", "Jaehyeon Kim", "Jaekyoung Bae"),
        year=2020,
        arxiv="2010.05646",
    ),
    networks="ganzoo_audio.hifigan:networks",
    objective="ganzoo_audio.hifigan:HiFiGAN",
    presets={
        "paper": Preset({}, {"batch_size": 16}),
        "v2": Preset(V2, {"batch_size": 16}),
        "v3": Preset(V3, {"batch_size": 16}),
        "phone": Preset(
            {"mel": "phone", "width": 64, "ups": (8, 4, 4), "kernels": (16, 8, 8), "mrf": (3, 7), "pairs": False,
             "dilations": (1, 3, 2, 6), "periods": (2, 3, 5), "mpd_widths": (8, 16, 32, 64),
             "msd_widths": (16, 16, 32, 32, 64, 64), "msd_groups": (4, 4, 4, 4, 4), "lr": 8e-4, "decay": 0.97,
             "epoch": 2_000, "segment_size": 4096, "images": 60_000},
            {"batch_size": 8, "ema_images": 4_000},
        ),
        "tiny": Preset(
            {"mel": "tiny", "width": 16, "ups": (4, 4), "kernels": (8, 8), "mrf": (3,), "dilations": (1, 3),
             "periods": (2, 3), "mpd_widths": (4, 8), "msd_widths": (8, 8, 8, 8, 8, 8), "msd_groups": (2, 2, 2, 2, 2),
             "segment_size": 256, "images": 4_000},
            {"batch_size": 8, "ema_images": 400},
        ),
    },
    aliases=("HiFi-GAN",),
)  # fmt: skip

SETS = "ganzoo_audio.sets"
RATES = ("8k", "16k", "22k")


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [WAVEGAN, MELGAN, HIFIGAN]


@hookimpl
def ganzoo_kinds() -> Iterable[KindEntry]:
    return [
        KindEntry("sounds", "sound over time, [1, L] in [-1, 1]", "ganzoo_audio.kinds:Sounds"),
        KindEntry("mel", "log-mel spectrograms, [bands, T]", "ganzoo_audio.kinds:Spectrogram"),
    ]


@hookimpl
def ganzoo_batch_keys() -> Iterable[BatchKey]:
    return [
        BatchKey("audio", "sounds, float32 [n, 1, L] in [-1, 1]", "ganzoo_audio.views:some_audio"),
        BatchKey("mel", "their log-mel spectrograms, float32 [n, bands, T]", "ganzoo_audio.views:some_mel"),
    ]


@hookimpl
def ganzoo_tasks() -> Iterable[Task]:
    return [
        Task("audio", "sounds out of nothing", "text-to-audio"),
        Task("vocoder", "sounds out of their spectrograms", "audio-to-audio"),
    ]


@hookimpl
def ganzoo_datasets() -> Iterable[DatasetEntry]:
    keys = ("audio", "label")
    return [
        DatasetEntry("tones", "2,000 notes of three timbres, by formula, a second each", keys, "CC0-1.0",
                     f"{SETS}:open_tones", RATES),
        DatasetEntry("drums", "2,000 strokes on five drums, by formula, a second each", keys, "CC0-1.0",
                     f"{SETS}:open_drums", RATES),
        DatasetEntry("spoken_digits", "2,000 digits in eight voices, said by espeak-ng, a second each", keys, "CC0-1.0",
                     f"{SETS}:open_spoken_digits", RATES),
    ]  # fmt: skip


@hookimpl
def ganzoo_views() -> Iterable[View]:
    keys, what = ("audio",), "a folder of recordings, cut to pieces of about a second"
    return [
        View("mel", "sounds with their log-mel spectrograms, as NAME defines them", "ganzoo_audio.views:WithMel",
             ("mel",), argument="NAME"),
        View("sounds", f"{what}, at 16 kHz", f"{SETS}:open_sounds", keys, of_path=True),
        View("sounds8k", f"{what}, at 8 kHz", f"{SETS}:open_sounds8k", keys, of_path=True),
        View("sounds22k", f"{what}, at 22.05 kHz", f"{SETS}:open_sounds22k", keys, of_path=True),
    ]  # fmt: skip


@hookimpl
def ganzoo_metrics() -> Iterable[Metric]:
    return [
        Metric("fad", "Fréchet distance of log-mel features of sounds", "ganzoo_audio.scores:frechet_audio",
               ("audio",), ("sounds",)),
        Metric("mel_distance", "distance of log-mel spectrograms to the recordings'",
               "ganzoo_audio.scores:mel_distance", ("vocoder",), ("sounds",)),
        Metric("stoi", "intelligibility beside the recordings, 0 to 1", "ganzoo_audio.scores:stoi", (), ("sounds",),
               higher=True),
    ]  # fmt: skip


@hookimpl
def ganzoo_layouts() -> Iterable[Layout]:
    here = "ganzoo_audio.layouts"
    return [
        Layout("hifigan_authors", "hifigan", "HiFi-GAN's authors", f"{here}:of_hifigan", f"{here}:hifigan",
               called=("generator",)),
        Layout("melgan_authors", "melgan", "MelGAN's authors", f"{here}:of_melgan", f"{here}:melgan"),
    ]  # fmt: skip

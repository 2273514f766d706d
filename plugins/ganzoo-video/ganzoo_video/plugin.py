"""What ganzoo-video contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import Family, Metric, Paper, Preset, Task, View, hookimpl

MOCOGAN = Family(
    name="mocogan",
    summary="clips of a content that stays and a motion that a recurrent network makes; told frame by frame and whole",
    task="video",
    paper=Paper(
        title="MoCoGAN: Decomposing Motion and Content for Video Generation",
        authors=("Sergey Tulyakov", "Ming-Yu Liu", "Xiaodong Yang", "Jan Kautz"),
        year=2017,
        arxiv="1707.04993",
    ),
    networks="ganzoo_video.mocogan.networks:networks",
    objective="ganzoo_video.mocogan.objective:MoCoGAN",
    presets={
        "paper": Preset({"image_size": 64, "channels": 3}, {"batch_size": 32}),
        "moving_mnist": Preset(
            {"image_size": 32, "channels": 1, "frames": 10, "content": 32, "categories": 0, "lr": 4e-4,
             "g_widths": (128, 64, 32), "di_widths": (32, 64), "dv_widths": (16, 32, 64), "dv_norm": "none",
             "gamma": 1.0, "images": 48_000},
            {"batch_size": 16, "ema_images": 4_000},
        ),
        "emoji": Preset(
            {"image_size": 32, "channels": 3, "frames": 10, "content": 32, "categories": 0, "lr": 4e-4,
             "g_widths": (128, 64, 32), "di_widths": (32, 64), "dv_widths": (16, 32, 64), "dv_norm": "none",
             "gamma": 1.0, "images": 48_000},
            {"batch_size": 16, "ema_images": 4_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "frames": 5, "content": 6, "motion": 4, "categories": 3,
             "g_widths": (16, 8), "di_widths": (8,), "dv_widths": (8,), "images": 4_000},
            {"batch_size": 8, "ema_images": 1_000},
        ),
    },
)  # fmt: skip

DUAL_MOTION = Family(
    name="dual_motion",
    summary="the next frame of a clip, drawn anew and moved along a flow that is foretold; each way corrects the other",
    task="video_prediction",
    paper=Paper(
        title="Dual Motion GAN for Future-Flow Embedded Video Prediction",
        authors=("Xiaodan Liang", "Lisa Lee", "Wei Dai", "Eric P. Xing"),
        year=2017,
        arxiv="1708.00284",
    ),
    networks="ganzoo_video.dual_motion.networks:networks",
    objective="ganzoo_video.dual_motion.objective:DualMotionGAN",
    presets={
        "small": Preset({"image_size": 64, "channels": 3}, {"batch_size": 16}),
        "moving_mnist": Preset(
            {"image_size": 32, "channels": 1, "frames": 6, "d_z": 24, "widths": (24, 48), "q_widths": (12, 24, 32),
             "d_widths": (12, 24, 48), "lr": 1e-3, "images": 16_000},
            {"batch_size": 8, "ema_images": 1_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "frames": 4, "steps": 2, "d_z": 4, "widths": (4, 8), "q_widths": (4, 8),
             "d_widths": (4, 8), "images": 4_000},
            {"batch_size": 8, "ema_images": 1_000},
        ),
    },
)  # fmt: skip

VGAN = Family(
    name="vgan",
    summary="clips out of three streams: a foreground that moves, a background that stays, and a mask between them",
    task="video",
    paper=Paper(
        title="Generating Videos with Scene Dynamics",
        authors=("Carl Vondrick", "Hamed Pirsiavash", "Antonio Torralba"),
        year=2016,
        arxiv="1609.02612",
    ),
    networks="ganzoo_video.vgan.networks:networks",
    objective="ganzoo_video.vgan.objective:VGAN",
    presets={
        "paper": Preset({"image_size": 64, "channels": 3, "frames": 32}, {"batch_size": 64}),
        "moving_mnist": Preset(
            {"image_size": 32, "channels": 1, "frames": 16, "d_z": 64, "g_widths": (96, 48, 24),
             "d_widths": (16, 32, 64), "d_norm": "none", "regularise": ("r1:10",), "lr": 4e-4, "images": 100_000},
            {"batch_size": 16, "ema_images": 4_000},
        ),
        "emoji": Preset(
            {"image_size": 32, "channels": 3, "frames": 16, "d_z": 64, "g_widths": (96, 48, 24),
             "d_widths": (16, 32, 64), "d_norm": "none", "regularise": ("r1:10",), "lr": 4e-4, "images": 100_000},
            {"batch_size": 16, "ema_images": 4_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "frames": 4, "d_z": 8, "g_widths": (8, 4), "d_widths": (4, 8),
             "images": 4_000},
            {"batch_size": 8, "ema_images": 1_000},
        ),
    },
)  # fmt: skip

TGAN = Family(
    name="tgan",
    summary="a code for every frame, made by convolutions in time; a critic whose singular values are clipped",
    task="video",
    paper=Paper(
        title="Temporal Generative Adversarial Nets with Singular Value Clipping",
        authors=("Masaki Saito", "Eiichi Matsumoto", "Shunta Saito"),
        year=2016,
        arxiv="1611.06624",
    ),
    networks="ganzoo_video.tgan.networks:networks",
    objective="ganzoo_video.tgan.objective:TGAN",
    presets={
        "paper": Preset({"image_size": 64, "channels": 3}, {"batch_size": 32}),
        "moving_mnist": Preset(
            {"image_size": 32, "channels": 1, "frames": 8, "d_z": 64, "g0_widths": (96, 64, 64), "width": 48,
             "g_widths": (64, 32, 16), "d_widths": (16, 32, 64), "lr": 3e-4, "n_critic": 3, "images": 100_000},
            {"batch_size": 16, "ema_images": 8_000},
        ),
        "emoji": Preset(
            {"image_size": 32, "channels": 3, "frames": 8, "d_z": 64, "g0_widths": (96, 64, 64), "width": 48,
             "g_widths": (64, 32, 16), "d_widths": (16, 32, 64), "lr": 3e-4, "n_critic": 3, "images": 100_000},
            {"batch_size": 16, "ema_images": 8_000},
        ),
        "tiny": Preset(
            {"image_size": 16, "channels": 1, "frames": 4, "d_z": 8, "g0_widths": (8, 8), "width": 4,
             "g_widths": (8, 4), "d_widths": (4, 8), "n_critic": 2, "every": 2, "images": 8_000},
            {"batch_size": 8, "ema_images": 1_000},
        ),
    },
)  # fmt: skip

TASKS = (Task("video_prediction", "the frames that follow those of a clip"),)


OF_CLIPS = ("video",)
METRICS = (
    Metric("fvd", "Fréchet distance of features of clips, of samples and data", "ganzoo_video.scores:fvd", OF_CLIPS,
           ("clips",)),
    Metric("frame_fid", "Fréchet distance of features of all frames", "ganzoo_video.scores:frame_fid", OF_CLIPS,
           ("clips",)),
    Metric("content_distance", "how far apart a clip's frames are in features", "ganzoo_video.scores:content",
           OF_CLIPS, ("clips",)),
    Metric("motion", "how much and how differently clips move", "ganzoo_video.scores:motion", OF_CLIPS, ("clips",),
           higher=True),
    Metric("next_frame", "MSE, PSNR and SSIM of frames that are foretold", "ganzoo_video.prediction:next_frame",
           ("video_prediction",), ("clips",)),
)  # fmt: skip

HERE = "ganzoo_video.flows"
VIEWS = (
    View("tvl1", "clips with their flow, estimated by TV-L1 (scikit-image)", f"{HERE}:TVL1", ("flow",)),
    View("ilk", "clips with their flow, estimated by iterative Lucas-Kanade (scikit-image)", f"{HERE}:ILK", ("flow",)),
    View("raft", "clips with their flow, estimated by RAFT, whose weights you bring", f"{HERE}:Raft", ("flow",)),
)


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [MOCOGAN, DUAL_MOTION, VGAN, TGAN]


@hookimpl
def ganzoo_tasks() -> Iterable[Task]:
    return TASKS


@hookimpl
def ganzoo_metrics() -> Iterable[Metric]:
    return METRICS


@hookimpl
def ganzoo_views() -> Iterable[View]:
    return VIEWS

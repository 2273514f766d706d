"""What ganzoo-metrics contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ganzoo_core.plugin import Metric, hookimpl

PICTURES = ("unconditional", "class_conditional", "semi_supervised", "text_to_image")
DRAWN_ANEW = ("translation", "semantic_synthesis", "reconstruction")
COMPARED = (*PICTURES, *DRAWN_ANEW)
SEEN_WHOLE = (*DRAWN_ANEW, "super_resolution", "compression")
PAIRS = (*DRAWN_ANEW, "inpainting", "super_resolution", "compression")
ENLARGED = ("super_resolution",)

METRICS = (
    Metric("fid", "Fréchet distance of the features of samples and data", "ganzoo_metrics.fidelity:fid", COMPARED),
    Metric("kid", "squared MMD of the features under a cubic kernel", "ganzoo_metrics.fidelity:kid", PICTURES),
    Metric("is", "how sure the classes of samples are, and how even", "ganzoo_metrics.fidelity:inception", PICTURES),
    Metric(
        "precision", "share of samples among the data", "ganzoo_metrics.manifolds:precision", PICTURES, share_of="rows"
    ),
    Metric(
        "recall",
        "share of the data among the samples",
        "ganzoo_metrics.manifolds:recall",
        PICTURES,
        share_of="rows_real",
    ),
    Metric("density", "how many data points have a sample near by", "ganzoo_metrics.manifolds:density", PICTURES),
    Metric(
        "coverage",
        "share of the data with a sample near by",
        "ganzoo_metrics.manifolds:coverage",
        PICTURES,
        share_of="rows_real",
    ),
    Metric(
        "label_accuracy",
        "share of samples that a classifier gives the label they were asked for",
        "ganzoo_metrics.labels:label_accuracy",
        ("class_conditional",),
        share_of="n",
    ),
    Metric(
        "error_rate",
        "share of pictures that the model's classifier names wrongly",
        "ganzoo_metrics.errors:error_rate",
        share_of="n_real",
    ),
    Metric(
        "code_purity", "how well a code tells the class of a sample", "ganzoo_metrics.labels:code_purity", share_of="n"
    ),
    Metric("lpips", "perceptual distance between pairs of samples: diversity", "ganzoo_metrics.perceptual:lpips"),
    Metric(
        "lpips_answers",
        "perceptual distance between two answers to one input: diversity",
        "ganzoo_metrics.perceptual:lpips_answers",
    ),
    Metric(
        "lpips_target",
        "perceptual distance of outputs to their targets",
        "ganzoo_metrics.perceptual:lpips_target",
        PAIRS,
    ),
    Metric("ppl", "perceptual path length: how evenly samples change with z", "ganzoo_metrics.perceptual:ppl"),
    Metric(
        "fid_identity",
        "Fréchet distance of the inputs themselves to their targets: what doing nothing gets",
        "ganzoo_metrics.fidelity:fid_identity",
        ("translation",),
    ),
    Metric(
        "l1",
        "mean absolute difference of outputs and their targets, pixels in [-1, 1]",
        "ganzoo_metrics.pairs:l1",
        (*DRAWN_ANEW, "inpainting"),
    ),
    Metric("psnr", "peak signal to noise of outputs against their targets, dB", "ganzoo_metrics.pairs:psnr", PAIRS),
    Metric(
        "psnr_y",
        "likewise, of luma from 16 to 235 as tables of super-resolution have it, dB",
        "ganzoo_metrics.pairs:psnr_y",
        ENLARGED,
    ),
    Metric("ssim", "structural similarity of outputs and their targets", "ganzoo_metrics.pairs:ssim", SEEN_WHOLE),
    Metric(
        "sifid",
        "Fréchet distance between the local features of two pictures",
        "ganzoo_metrics.fidelity:sifid",
        ("single_image",),
    ),
    Metric("nearest", "distance of samples to the closest data: memorisation", "ganzoo_metrics.neighbours:nearest"),
    Metric(
        "stacked_modes",
        "of stacked MNIST's thousand modes, those that samples show; and how evenly",
        "ganzoo_metrics.stacked:stacked_modes",
    ),
    Metric("modes", "modes of a known mixture that samples find", "ganzoo_metrics.points:modes", ("any",), ("points",)),
)


HIGHER = {  # of which more is better
    "is", "precision", "recall", "density", "coverage", "label_accuracy", "code_purity", "lpips", "lpips_answers",
    "psnr", "psnr_y", "ssim", "modes", "stacked_modes",
}  # fmt: skip


@hookimpl
def ganzoo_metrics() -> Iterable[Metric]:
    return [replace(metric, higher=metric.name in HIGHER) for metric in METRICS]

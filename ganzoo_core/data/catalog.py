"""The core's own data sets, as records: no torch, no numpy. `keys` are those of all variants together."""

from __future__ import annotations

from ganzoo_core.plugin.records import DatasetEntry

EMOJI_PAIRS = (
    "noto2blob", "noto2twemoji", "twemoji2noto", "edges2noto", "gray2noto", "unpaired", "unpaired_twemoji",
)  # fmt: skip
EMOJI_SUBJECTS = ("faces", "people", "animals", "food")

DATASETS: tuple[DatasetEntry, ...] = (
    DatasetEntry(
        name="digits",
        summary="1,797 real handwritten digits, 8x8, served at 16 px: embedded, no download",
        keys=("x", "label", "x_labelled"),
        licence="CC-BY-4.0",
        open="ganzoo_core.data.sets.digits:open_digits",
        variants=("all", "labels100"),
    ),
    DatasetEntry(
        name="mnist",
        summary="70,000 handwritten digits, 28x28, gray",
        keys=("x", "label", "x_labelled", "age", "identity", "attribute"),
        licence="CC-BY-SA-3.0",
        open="ganzoo_core.data.sets.idx:open_mnist",
        variants=("train", "test", "labels100", "thickness", "thickness_test"),
    ),
    DatasetEntry(
        name="fashion_mnist",
        summary="70,000 pictures of clothing, 28x28, gray",
        keys=("x", "label", "x_labelled"),
        licence="MIT",
        open="ganzoo_core.data.sets.idx:open_fashion_mnist",
        variants=("train", "test", "labels100"),
    ),
    DatasetEntry(
        name="cifar10",
        summary="60,000 photographs of ten kinds of thing, 32x32, colour",
        keys=("x", "label"),
        licence="LicenseRef-CIFAR-10",  # its authors ask to be cited and state no licence
        open="ganzoo_core.data.sets.cifar:open_cifar10",
        variants=("train", "test"),
    ),
    DatasetEntry(
        name="emoji",
        summary="emoji in three drawing styles, 64x64, colour, on white: 3,530 by Noto, 3,790 by Twemoji, 2,723 blobs",
        keys=("x", "label", "text", "a", "b"),
        licence="Apache-2.0 AND CC-BY-4.0 AND Unicode-3.0",  # a source says which of them its variant has
        open="ganzoo_core.data.sets.emoji_pairs:open_emoji_variant",
        variants=(
            "noto",
            "twemoji",
            "blob",
            "all",
            "noto_train",
            "noto_test",
            "captions",
            "captions_test",
            *(name + part for name in (*EMOJI_PAIRS, *EMOJI_SUBJECTS) for part in ("", "_test")),
        ),
    ),
    DatasetEntry(
        name="kodak",
        summary="24 photographs, 768x512, colour, and small copies: crops of 01-20 to train on, 21-24 whole to test",
        keys=("x", "low"),
        licence="LicenseRef-Kodak",  # released for unrestricted usage
        open="ganzoo_core.data.sets.kodak:open_kodak",
        variants=("x4", "x4_test", "x2", "x2_test"),
    ),
    DatasetEntry(
        name="ring",
        summary="8 Gaussians on a circle: points in the plane, to watch modes being dropped",
        keys=("x", "label"),
        licence="CC0-1.0",
        open="ganzoo_core.data.sets.mixtures:open_ring",
    ),
    DatasetEntry(
        name="grid",
        summary="25 Gaussians on a grid: points in the plane, to watch modes being dropped",
        keys=("x", "label"),
        licence="CC0-1.0",
        open="ganzoo_core.data.sets.mixtures:open_grid",
    ),
    DatasetEntry(
        name="shapes",
        summary="4,096 drawn shapes with labels, captions, outlines or motion: for tests of every task",
        keys=("x", "label", "text", "a", "b", "video"),
        licence="CC0-1.0",
        open="ganzoo_core.data.sets.shapes:open_shapes",
        variants=("captions", "pairs", "motion"),
    ),
    DatasetEntry(
        name="moving_mnist",
        summary="clips of 20 frames, 64x64, gray: two digits of MNIST, or one, that move and bounce, with their flow",
        keys=("video", "flow", "label"),
        licence="CC-BY-SA-3.0",
        open="ganzoo_core.data.sets.moving_mnist:open_moving_mnist",
        variants=("train", "test", "one", "one_test"),
    ),
    DatasetEntry(
        name="stacked_mnist",
        summary="three digits of MNIST as red, green and blue, 28x28: a thousand modes, to count the dropped ones",
        keys=("x", "label"),
        licence="CC-BY-SA-3.0",
        open="ganzoo_core.data.sets.stacked_mnist:open_stacked_mnist",
        variants=("train", "test"),
    ),
    DatasetEntry(
        name="emoji_video",
        summary="712 animated emoji by Noto, 16 frames, 64x64, colour",
        keys=("video",),
        licence="CC-BY-4.0",
        open="ganzoo_core.data.sets.emoji_video:open_emoji_video",
        variants=("all", "train", "test"),
    ),
)

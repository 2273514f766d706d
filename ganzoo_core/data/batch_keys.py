"""The core's own batch keys, as records: no torch. A plugin adds others with the hook `ganzoo_batch_keys`."""

from __future__ import annotations

from ganzoo_core.plugin.records import BatchKey

MAKERS = "ganzoo_core.data.synthetic"
BATCH_KEYS: tuple[BatchKey, ...] = (
    BatchKey("x", "samples of the data: pictures float32 [n, C, H, W] in [-1, 1], or points [n, D]", f"{MAKERS}:image"),
    BatchKey("x_labelled", "pictures whose labels are known", f"{MAKERS}:image"),
    BatchKey("a", "pictures of the first domain", f"{MAKERS}:image"),
    BatchKey("b", "pictures of the second domain", f"{MAKERS}:image"),
    BatchKey("label", "classes, int64 [n]", f"{MAKERS}:label"),
    BatchKey("age", "groups in order, the youngest (the thinnest) is 0, int64 [n]", f"{MAKERS}:label"),
    BatchKey("identity", "who or what is shown, at whatever age, int64 [n]", f"{MAKERS}:either"),
    BatchKey("attribute", "0 or 1, what else is known of a picture, int64 [n]", f"{MAKERS}:either"),
    BatchKey("low", "the same pictures small, a quarter of the sides", f"{MAKERS}:low"),
    BatchKey("mask", "1 where a picture is to be made up, float32 [n, 1, H, W]", f"{MAKERS}:mask"),
    BatchKey("text", "UTF-8 bytes, uint8 [n, L], zero-padded", f"{MAKERS}:text"),
    BatchKey("index", "the number of each example in the data, int64 [n]", f"{MAKERS}:index"),
    BatchKey("video", "clips, float32 [n, T, C, H, W] in [-1, 1]", f"{MAKERS}:video"),
    BatchKey(
        "flow",
        "from each pixel of frame t + 1 to where it was in frame t, x and y in pixels, float32 [n, T - 1, 2, H, W]",
        f"{MAKERS}:flow",
    ),
)

"""Stacked MNIST: how many of its thousand modes do samples show, and how evenly? (Metz et al. 2016; Lin et al. 2018).

A sample's mode is what the classifier of MNIST's digits sees in its three colours. It names one whatever it is shown:
modes of samples that are no digits count as well, so look at them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.data import mode_of
from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalContext
from ganzoo_metrics.extractors import Extractor, load_extractor

DIGITS = "mnist-cnn"
PLACES = 3


def stacked_modes(context: EvalContext) -> Iterator[tuple[str, float, dict[str, Any]]]:
    """Modes that samples show, and KL(samples || data) over the modes in nats, the reverse KL of the papers.

    The data's share of a mode is the product of its digits' shares in their places. Errors: GanzooError for other data.
    """
    name = context.source.info.name
    if name.partition(":")[0] != "stacked_mnist":
        raise GanzooError(f"stacked_modes: {name} has other modes", "It is measured on stacked_mnist.")
    looking = load_extractor(DIGITS, device=context.device)
    shown = torch.cat([modes_of(batch["x"], looking) for batch in context.generated()])
    real = context.disk_cached("label", lambda: {"label": torch.cat([batch["label"] for batch in context.real()])})
    found, kl = evenness(shown, expected(real["label"]))
    size = context.net.output.shape[1]
    resize = "none" if size == looking.image_size else f"{looking.resizing}, to {looking.image_size}"
    about = {"extractor": DIGITS, "extractor_sha256": looking.sha256, "resize": resize}
    yield f"stacked_modes[{DIGITS}]", found, about
    yield f"stacked_modes_kl[{DIGITS}]", kl, about


@torch.inference_mode()
def modes_of(x: Tensor, looking: Extractor) -> Tensor:
    """What the classifier sees in pictures [n, 3, H, W], one colour at a time: int64 [n] in 0 .. 999."""
    gray = looking.prepared(x.flatten(0, 1)[:, None])
    return mode_of(looking.logits(gray).argmax(1).view(len(x), PLACES)).cpu()


def expected(labels: Tensor) -> Tensor:
    """Shares of all modes where digits are drawn independently, as often as in `labels`: float64 [1000]."""
    digits = torch.stack([labels // 100, labels // 10 % 10, labels % 10])
    red, green, blue = (torch.bincount(place, minlength=10).double() / len(labels) for place in digits)
    return torch.einsum("a,b,c->abc", red, green, blue).flatten()


def evenness(shown: Tensor, shares: Tensor) -> tuple[int, float]:
    """How many modes there are in `shown`, int64 [n], and the KL of their shares to `shares`, in nats."""
    counts = torch.bincount(shown, minlength=len(shares)).double()
    p = counts / counts.sum()
    return int((counts > 0).sum()), float(torch.special.xlogy(p, p / shares).nan_to_num(0.0).sum())

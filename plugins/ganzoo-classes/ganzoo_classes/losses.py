"""What ContraGAN and ReACGAN pay for embeddings: pure functions of unit vectors.

h [N, d] are embeddings of pictures, w [N, d] the proxies of their classes, y [N] the labels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import relu


def same_class(y: Tensor) -> Tensor:
    """Whether j is another picture of i's class.  bool [N, N]"""
    return (y[:, None] == y[None]) & others(y)


def others(y: Tensor) -> Tensor:
    """Whether j is another picture than i.  bool [N, N]"""
    return ~torch.eye(len(y), dtype=torch.bool, device=y.device)


def log_sum(logits: Tensor, mask: Tensor, first: Tensor) -> Tensor:
    """log (e^first + sum of e^logits where the mask is), row by row.  [N, N], [N, N], [N] -> [N]"""
    kept = logits.masked_fill(~mask, -torch.inf)
    return torch.cat([first[:, None], kept], 1).logsumexp(1)


def two_c(h: Tensor, w: Tensor, y: Tensor, t: float) -> Tensor:
    """2C, data to data and data to class (Kang & Park 2020).

    -E log (e^{h.w/t} + sum over the same class of e^{h.h'/t}) / (e^{h.w/t} + sum over all others of e^{h.h'/t})
    """
    to_class, to_data = (h * w).sum(1) / t, h @ h.T / t
    return (log_sum(to_data, others(y), to_class) - log_sum(to_data, same_class(y), to_class)).mean()


def d2d_ce(h: Tensor, w: Tensor, y: Tensor, t: float, m_p: float) -> Tensor:
    """D2D-CE, cross-entropy of data against data (Kang et al. 2021), with m_n = 1 - m_p.

    -E log e^{-p} / (e^{-p} + sum over other classes of e^{max(0, h.h' - m_n)/t}), p = max(0, m_p - h.w)/t: what is
    near enough to its proxy, or far enough from other classes, teaches nothing more
    """
    p = relu(m_p - (h * w).sum(1)) / t
    n = relu(h @ h.T - (1 - m_p)) / t
    return (p + log_sum(n, others(y) & ~same_class(y), -p)).mean()

"""Scores of clips: how their frames, their contents and their motion resemble those of the data.

All features are those of a named extractor of single frames (ganzoo-metrics). FVD is the Fréchet distance of features
of clips (Unterthiner et al. 2018, Eq. 1); theirs come from I3D, ours from NAME+change: of each clip the mean of its
frames' features, and the mean of how much they change from one to the next. Values compare only among themselves.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import torch
from ganzoo_metrics.extractors import Extractor
from ganzoo_metrics.features import Moments, enough, extractor, look, named, protocol
from ganzoo_metrics.fidelity import frechet
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ganzoo_core.metrics import EvalContext

Found = Iterator[tuple[str, float, dict[str, Any]]]
PLACES = 4  # motion is looked at on a grid of 4 x 4
MOST = 512  # clips that are compared with each other


class Seen(NamedTuple):
    """Clips as an extractor saw them: features of their frames [n, T, d], and where they move [n, T - 1, 4, 4]."""

    features: Tensor
    motion: Tensor

    def rows(self) -> Tensor:
        """Features of clips: means of those of the frames, and of their changes.  [n, 2 d]"""
        return torch.cat([self.features.mean(1), self.features.diff(dim=1).abs().mean(1)], 1)


def frame_fid(context: EvalContext) -> Found:
    """FID between all frames of the samples and of the data."""
    fake, real = (moments(seen.features.flatten(0, 1)) for seen in both(context))
    yield named("frame_fid", context), distance(fake, real), about(context)


def fvd(context: EvalContext) -> Found:
    """FID between clips, through NAME+change."""
    fake, real = (moments(seen.rows()) for seen in both(context))
    enough(min(fake.n, real.n), 2, "fvd")
    name = f"{context.cached(extractor).name}+change"
    yield f"fvd[{name}]", distance(fake, real), about(context) | {"clip_extractor": name}


def content(context: EvalContext) -> Found:
    """How far apart frames are, in features: of one clip (MoCoGAN's average content distance), of different ones.

    Where the generator can be asked for one content in all clips, also frames of different clips that share it.
    """
    name, (fake, real), how = named("content_distance", context), both(context), about(context)
    yield name, within(fake.features), how
    yield f"{name}[data]", within(real.features), how
    yield f"{name}[other clips]", between(fake.features), how
    if shares_content(context):
        yield f"{name}[same content]", between(context.cached(of_one_content).features), how


def motion(context: EvalContext) -> Found:
    """How much samples and data move: mean |x_t+1 - x_t|; how differently: the mean absolute difference of two clips
    in where and when they move, and that of clips which share their content."""
    fake, real = both(context)
    how = {"n": len(fake.motion), "n_real": len(real.motion), "places": PLACES}
    for which, seen in (("", fake), ("[data]", real)):
        yield f"motion{which}", float(seen.motion.mean()), how
        yield f"motion_diversity{which}", differing(seen.motion), how
    if shares_content(context):
        yield "motion_diversity[same content]", differing(context.cached(of_one_content).motion), how


# What is looked at


def both(context: EvalContext) -> tuple[Seen, Seen]:
    return context.cached(of_samples), context.cached(of_data)


def of_samples(context: EvalContext) -> Seen:
    return looked_at(context.cached(extractor), (batch["x"] for batch in context.generated()))


def of_data(context: EvalContext) -> Seen:
    """As many clips as samples, or all there are, cut to the samples' length."""
    length = context.net.output.shape[0]
    which = range(min(context.n, len(context.source)))
    return looked_at(context.cached(extractor), (batch["x"][:, :length] for batch in context.real(which)))


def of_one_content(context: EvalContext) -> Seen:
    """Clips of one content, and each with its own motion."""
    clips = context.net.sample(min(context.n, MOST), seed=context.seed, same="content")
    return looked_at(context.cached(extractor), [clips])


def shares_content(context: EvalContext) -> bool:
    return "same" in inspect.signature(context.net.sample).parameters


def looked_at(looking: Extractor, clips: Iterable[Tensor]) -> Seen:
    """Clips [m, T, C, H, W] in batches."""
    features, moves = list[Tensor](), list[Tensor]()
    for x in clips:
        found = [look(looking, part)[0].cpu() for part in x.flatten(0, 1).split(512)]  # type: ignore[no-untyped-call]
        features.append(torch.cat(found).unflatten(0, x.shape[:2]))  # type: ignore[no-untyped-call]
        change = x.diff(dim=1).abs().mean(2)  # over colours
        moves.append(adaptive_avg_pool2d(change, PLACES).cpu())
    return Seen(torch.cat(features), torch.cat(moves))


# Distances


def moments(rows: Tensor) -> Moments:
    found = Moments(rows.shape[1])
    found.add(rows)
    return found


def distance(fake: Moments, real: Moments) -> float:
    return frechet(fake.mean, fake.cov, real.mean, real.cov)


def within(features: Tensor) -> float:
    """The mean distance of two frames of a clip.  features [n, T, d]"""
    t = features.shape[1]
    return float(torch.cdist(features, features).sum((1, 2)).mean() / (t * (t - 1)))


def between(features: Tensor) -> float:
    """The mean distance of two clips at the same time.  features [n, T, d]"""
    rows = features[:MOST].transpose(0, 1)
    n = rows.shape[1]
    return float(torch.cdist(rows, rows).sum((1, 2)).mean() / (n * (n - 1)))


def differing(moves: Tensor) -> float:
    """The mean absolute difference of two clips.  moves [n, ...]"""
    rows = moves[:MOST].flatten(1)
    n = len(rows)
    return float(torch.cdist(rows, rows, p=1).sum() / (n * (n - 1) * rows.shape[1]))


def about(context: EvalContext) -> dict[str, Any]:
    fake, real = both(context)
    return protocol(context, n=len(fake.features), n_real=len(real.features), frames=fake.features.shape[1])

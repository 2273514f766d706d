"""Distances that follow what an extractor sees rather than pixels: diversity, and the length of paths in z."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torchmetrics.functional.image import perceptual_path_length

from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalContext
from ganzoo_core.nn import Generator, Label, Latent, evaluation_mode, preserve_rng
from ganzoo_metrics.extractors import Extractor
from ganzoo_metrics.features import enough, extractor, named, protocol
from ganzoo_metrics.pairs import pictures

Found = Iterator[tuple[str, float, dict[str, Any]]]
PAIRS = 1000  # of samples that are compared


class Perceptual(nn.Module):
    """Zhang et al. 2018, Eq. 1, with all weights w = 1: of activations of unit length, averaged over places.

    The published weights belong to other networks: LPIPS through our own extractors has none to learn from, so its
    values compare only with each other.
    """

    def __init__(self, looking: Extractor) -> None:
        super().__init__()
        self.looking = looking

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Of images [m, C, H, W] in [-1, 1], pair by pair: [m]."""
        maps = zip(*(self.looking.maps(self.looking.prepared(x)) for x in (a, b)), strict=True)
        return torch.stack([(unit(m) - unit(n)).square().sum(1).mean((1, 2)) for m, n in maps]).sum(0)


def unit(maps: Tensor) -> Tensor:
    """Activations [m, c, h, w] of length 1 at every place."""
    return maps / (maps.square().sum(1, keepdim=True).sqrt() + 1e-10)


@torch.inference_mode()
def lpips(context: EvalContext) -> Found:
    """The mean distance between pairs of samples, of the same label where they have one: 0 if all are alike."""
    count = 2 * min(context.n // 2, PAIRS)
    enough(count, 2, "lpips")
    x = torch.cat([batch["x"] for batch in context.generated(count)])
    a, b = alike(context.classes(range(count)), count)
    enough(len(a), 1, "lpips")
    distance = Perceptual(context.cached(extractor))
    parts = [distance(x[i], x[j]) for i, j in zip(a.split(250), b.split(250), strict=True)]  # type: ignore[no-untyped-call]
    yield named("lpips", context), float(torch.cat(parts).double().mean()), protocol(context, n=2 * len(a), n_real=0)


@torch.inference_mode()
def lpips_answers(context: EvalContext) -> Found:
    """The mean distance between two answers to each example: 0 where what is drawn changes nothing.

    Errors: GanzooError for a model that has one answer, or is asked nothing.
    """
    if not context.given or not any(declared.drawn for declared in context.net.inputs.values()):
        what = f"lpips_answers: {context.model} does not draw several answers to what it is given"
        raise GanzooError(what, "Choose another --metric.")
    distance, total, done = Perceptual(context.cached(extractor)), 0.0, 0
    for batch in context.generated():
        which = range(context.n + done, context.n + done + len(batch["x"]))  # beyond all others: drawn anew
        parts = zip(batch["x"].split(64), context.samples(which, batch).split(64), strict=True)  # type: ignore[no-untyped-call]
        total += sum(float(distance(a, b).double().sum()) for a, b in parts)
        done += len(batch["x"])
    yield named("lpips_answers", context), total / done, protocol(context, n=2 * done)


@torch.inference_mode()
def lpips_target(context: EvalContext) -> Found:
    """The mean distance of outputs, and of what takes no model, to what they should have been: what LPIPS is in papers.

    Without learnt weights; pictures are seen whole, in the extractor's size.
    """
    looking, totals = context.cached(extractor), dict[str, float]()
    distance = Perceptual(looking)
    for batch in context.generated():
        if "target" not in batch:
            raise GanzooError(f"{context.model}: takes nothing from the data, so there is nothing to compare with")
        for who, made in pictures(batch).items():
            parts = zip(made.split(64), batch["target"].split(64), strict=True)  # type: ignore[no-untyped-call]
            total = sum(float(distance(a, b).double().sum()) for a, b in parts)
            totals[who] = totals.get(who, 0.0) + total
    for who, total in totals.items():
        name = f"lpips_target[{looking.name}]" + (f"[{who}]" if who else "")
        yield name, total / context.n, protocol(context, n_real=context.n)


def alike(classes: Mapping[str, Tensor], n: int) -> tuple[Tensor, Tensor]:
    """Pairs among samples 0 to n - 1 that agree in all classes: of each the first half beside the second."""
    table = torch.stack([torch.zeros(n, dtype=torch.int64), *classes.values()], 1)
    groups = [torch.nonzero((table == row).all(1))[:, 0] for row in torch.unique(table, dim=0)]
    halves = [(which[: len(which) // 2], which[len(which) // 2 :][: len(which) // 2]) for which in groups]
    a, b = zip(*halves, strict=True)
    return torch.cat(a), torch.cat(b)


@torch.inference_mode()
def ppl(context: EvalContext) -> Found:
    """E d(G(slerp(z1, z2; t)), G(slerp(z1, z2; t + eps))) / eps^2, eps = 1e-4 (Karras et al. 2019, Eq. 2).

    torchmetrics takes it between the ends of the path, t = 0, and leaves out the lowest and highest percent. A latent
    that is uniform in a range is interpolated linearly. What else G draws, such as StyleGAN's noise, is the same at
    both ends: only z moves.
    """
    if context.options:
        raise GanzooError("ppl: is of G itself, which options of sampling do not reach", "Leave out -c.")
    n, device = min(context.n, PAIRS), str(context.device)
    walked = Walked(context.net)
    method: Literal["slerp_any", "lerp"] = "slerp_any" if walked.latent.range is None else "lerp"
    with evaluation_mode(context.net), preserve_rng():
        torch.manual_seed(context.seed)
        mean, _, _ = perceptual_path_length(
            cast(Any, walked), n, conditional=walked.num_classes > 0, interpolation_method=method, resize=None,
            sim_net=Perceptual(context.cached(extractor)), device=device,
        )  # fmt: skip
    yield named("ppl", context), float(mean), protocol(context, n=n, n_real=0, interpolation=method, epsilon=1e-4)


class Walked(nn.Module):
    """A generator of one latent, and perhaps a label, as torchmetrics' path length wants it: images are 0 to 255."""

    def __init__(self, net: Generator) -> None:
        super().__init__()
        self.net = net
        latent, *labels = net.inputs.values() or [None]
        if not isinstance(latent, Latent) or len(labels) > 1 or not all(isinstance(i, Label) for i in labels):
            kinds = ", ".join(i.kind for i in net.inputs.values()) or "nothing"
            raise GanzooError(f"ppl: a generator of {kinds} has no path", "Ask for another --metric.")
        self.latent = latent
        self.num_classes = sum(i.classes for i in labels if isinstance(i, Label))

    def sample(self, n: int) -> Tensor:
        return self.latent.draw(n, None, next(self.net.parameters()).device)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Both ends of paths, one half of the batch each; what G draws inside is drawn alike for both."""
        starts, ends = zip(*(given.chunk(2) for given in inputs), strict=True)
        with preserve_rng():
            first = self.net(*starts)
        images = torch.cat([first, self.net(*ends)]).float().clamp(-1, 1)
        return (images + 1) * 127.5

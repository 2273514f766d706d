"""Scores of series by networks that are trained when they are asked for: TimeGAN's two, and RCGAN's.

Series lie in [0, 1] here, as they were published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, l1_loss

from ganzoo_core.data import hash32
from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalContext
from ganzoo_core.nn import preserve_rng

BATCH = 128
D_ITERATIONS, P_ITERATIONS, C_ITERATIONS = 2000, 5000, 2000
Rows = Iterator[tuple[str, float, dict[str, Any]]]


class Judge(nn.Module):
    """One layer of GRU, and a linear map at each step.  [N, T, C] -> [N, T, outputs]"""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.rnn = nn.GRU(inputs, hidden, batch_first=True)
        self.head = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.rnn(x)[0])
        return y


def discriminative(context: EvalContext) -> Rows:
    """|1/2 - accuracy| of a GRU that has learnt, on four fifths, to tell samples from data, on the last fifth."""
    real, made = context.cached(both)
    accuracy = told_apart(real, made, context.seed, D_ITERATIONS, progress(context))
    yield "discriminative", abs(0.5 - accuracy), {"n_real": len(real)}


def predictive(context: EvalContext) -> Rows:
    """Mean absolute error, on data, of a GRU that foretells the last column from the others one step before.

    Trained on samples, and on data (the published "original"). A single column is foretold from itself.
    """
    real, made = context.cached(both)
    for name, x in (("predictive", made), ("predictive[data]", real)):
        yield name, foretold(x, real, context.seed, P_ITERATIONS, progress(context)), {"n_real": len(real)}


def tstr(context: EvalContext) -> Rows:
    """The shares of labelled data that a classifier names which was trained on samples, and on the first half of data.

    Both are tried on the second half. Errors: GanzooError where samples or data have no labels.
    """
    if "label" not in context.net.inputs or "label" not in context.source.info.keys:
        raise GanzooError(
            "tstr_series: of series that are made for a label, and data with labels", "Choose another --metric."
        )
    blocks = {name: list(of) for name, of in (("made", context.generated()), ("real", context.real()))}
    parts = {k: (unit([b["x"] for b in of]), torch.cat([b["label"].cpu() for b in of])) for k, of in blocks.items()}
    x, y = parts["real"]
    half = len(x) // 2
    for name, learnt in (("tstr_series", parts["made"]), ("tstr_series[data]", (x[:half], y[:half]))):
        share = named(learnt, (x[half:], y[half:]), context.seed, C_ITERATIONS, progress(context))
        yield name, share, {"n_real": len(x) - half}


def both(context: EvalContext) -> tuple[Tensor, Tensor]:
    """As many series of the data as samples, [n, T, C] in [0, 1]."""
    real = unit([block["x"] for block in context.real()])
    made = unit([block["x"] for block in context.generated(min(context.n, len(real)))])
    order = torch.randperm(len(real), generator=torch.Generator().manual_seed(hash32(context.seed, "series")))
    return real[order[: len(made)]], made


def unit(blocks: list[Tensor]) -> Tensor:
    return (torch.cat([x.cpu().float() for x in blocks]) + 1) / 2


def progress(context: EvalContext) -> Callable[[int, int], None]:
    return lambda done, total: context.progress("training a judge", done, total)


def quiet(done: int, total: int) -> None:
    """Nobody wants to know."""


# What is trained


def told_apart(
    real: Tensor, made: Tensor, seed: int, iterations: int, tell: Callable[[int, int], None] = quiet
) -> float:
    """The accuracy, on the last fifth of each, of a judge that learns from the rest.  [n, T, C] each"""
    cut = 4 * len(real) // 5, 4 * len(made) // 5
    with preserve_rng():
        torch.manual_seed(hash32(seed, "told apart"))
        net = Judge(real.shape[2], max(2, real.shape[2] // 2), 1)

        def loss() -> Tensor:
            x = torch.cat([drawn(real[: cut[0]]), drawn(made[: cut[1]])])
            return binary_cross_entropy_with_logits(net(x)[:, -1, 0], verdicts(len(x) // 2, len(x) // 2))

        train(net, loss, iterations, tell)
    held = torch.cat([real[cut[0] :], made[cut[1] :]])
    truth = verdicts(len(real) - cut[0], len(made) - cut[1])
    with torch.no_grad():
        return float(((net(held)[:, -1, 0] > 0) == (truth > 0.5)).double().mean())


def foretold(
    learnt: Tensor, real: Tensor, seed: int, iterations: int, tell: Callable[[int, int], None] = quiet
) -> float:
    """The mean absolute error on `real` of a judge that learns from `learnt`.  [n, T, C] each"""
    known = max(1, real.shape[2] - 1)
    with preserve_rng():
        torch.manual_seed(hash32(seed, "foretold"))
        net = Judge(known, max(2, real.shape[2] // 2), 1)

        def error(x: Tensor) -> Tensor:
            return l1_loss(net(x[:, :-1, :known])[..., 0].sigmoid(), x[:, 1:, -1])

        train(net, lambda: error(drawn(learnt)), iterations, tell)
    with torch.no_grad():
        return float(error(real))


def named(
    learnt: tuple[Tensor, Tensor],
    held: tuple[Tensor, Tensor],
    seed: int,
    iterations: int,
    tell: Callable[[int, int], None] = quiet,
) -> float:
    """The share of `held` that a classifier names which learns from `learnt`.  [n, T, C] and [n] each"""
    (x, y), classes = learnt, int(torch.cat([learnt[1], held[1]]).max()) + 1
    with preserve_rng():
        torch.manual_seed(hash32(seed, "named"))
        net = Judge(x.shape[2], 32, classes)

        def loss() -> Tensor:
            at = torch.randint(len(x), (BATCH,))
            return cross_entropy(net(x[at])[:, -1], y[at])

        train(net, loss, iterations, tell)
    with torch.no_grad():
        return float((net(held[0])[:, -1].argmax(1) == held[1]).double().mean())


def drawn(x: Tensor) -> Tensor:
    """A batch of them."""
    return x[torch.randint(len(x), (BATCH,))]


def verdicts(real: int, made: int) -> Tensor:
    """1 for so many, 0 for the others."""
    return torch.cat([torch.ones(real), torch.zeros(made)])


def train(net: nn.Module, loss: Callable[[], Tensor], iterations: int, tell: Callable[[int, int], None]) -> None:
    """Adam at its defaults."""
    optimizer = torch.optim.Adam(net.parameters())
    for i in range(iterations):
        if i % 100 == 0:
            tell(i, iterations)
        optimizer.zero_grad()
        loss().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    tell(iterations, iterations)

"""Our streams against torch-fidelity, torchmetrics and the definitions themselves, on the same random features."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ganzoo_metrics.features import Confidence, Kept, Moments
from ganzoo_metrics.fidelity import frechet, squared_mmd
from ganzoo_metrics.labels import purity
from ganzoo_metrics.manifolds import K_COVERAGE, manifold
from torch import nn
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric
from torchmetrics.image.fid import FrechetInceptionDistance

D = 24


@pytest.fixture
def clouds():
    rng = torch.Generator().manual_seed(0)
    mixing = torch.randn(D, D, generator=rng) / D**0.5
    fake = torch.randn(1500, D, generator=rng).relu() @ mixing
    real = 0.2 + 1.3 * torch.randn(1700, D, generator=rng).relu() @ mixing
    return fake, real


def streamed(rows, size=137):
    moments = Moments(rows.shape[1])
    for part in rows.split(size):
        moments.add(part)
    return moments.mean, moments.cov


def test_fid_equals_torch_fidelity_and_torchmetrics(clouds):
    fake, real = clouds
    ours = frechet(*streamed(fake), *streamed(real))
    theirs = fid_statistics_to_metric(*map(fid_features_to_statistics, clouds), verbose=False)
    assert ours == pytest.approx(theirs["frechet_inception_distance"], rel=1e-3)
    features = nn.Identity()
    features.num_features = D
    second = FrechetInceptionDistance(feature=features).set_dtype(torch.float64)
    second.update(fake.double(), real=False)
    second.update(real.double(), real=True)
    assert ours == pytest.approx(float(second.compute()), rel=1e-3)


def test_fid_of_gaussians_in_closed_form():
    """Diagonal covariances: sum (m - m')^2 + (s - s')^2."""
    m, s, m_, s_ = torch.rand(4, D, generator=torch.Generator().manual_seed(1)).double()
    expected = float(((m - m_) ** 2 + (s - s_) ** 2).sum())
    assert frechet(m, torch.diag(s**2), m_, torch.diag(s_**2)) == pytest.approx(expected, rel=1e-9)
    assert frechet(m, torch.diag(s**2), m, torch.diag(s**2)) == pytest.approx(0, abs=1e-9)


def test_moments_are_those_of_the_whole_however_it_is_cut(clouds):
    fake = clouds[0]
    for size in (1, 7, 1500):
        mean, cov = streamed(fake, size)
        assert torch.allclose(mean, fake.double().mean(0))
        assert torch.allclose(cov, fake.double().T.cov())


def test_moments_keep_nothing_of_the_rows():
    moments = Moments(D)
    size = lambda: sum(v.numel() for v in vars(moments).values() if isinstance(v, torch.Tensor))  # noqa: E731
    moments.add(torch.rand(10, D))
    before = size()
    moments.add(torch.rand(10_000, D))
    assert size() == before


def test_kid_equals_torch_fidelity_and_its_definition(clouds):
    fake, real = clouds
    theirs = kid_features_to_metric(fake, real, kid_subsets=100, kid_subset_size=1000, verbose=False)
    assert squared_mmd(fake, real, 1000) == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-3)
    a, b = fake[:40].double(), real[:40].double()
    kernel = lambda x, y: (x @ y.T / D + 1) ** 3  # noqa: E731
    within = sum((kernel(x, x).sum() - kernel(x, x).trace()) / (40 * 39) for x in (a, b))
    expected = float(within - 2 * kernel(a, b).mean())
    assert squared_mmd(fake[:40], real[:40], 40) == pytest.approx(expected, rel=1e-3)  # every subset is the whole


@pytest.mark.parametrize("n", [1000, 1003])
def test_inception_score_equals_torch_fidelity(n):
    logits = 3 * torch.randn(n, 10, generator=torch.Generator().manual_seed(2))
    confidence = Confidence(n, 10)
    for part in logits.split(64):
        confidence.add(part)
    theirs = isc_features_to_metric(logits, splits=10, shuffle=False)
    assert confidence.score() == pytest.approx(theirs["inception_score_mean"], rel=1e-6)


def test_inception_score_lies_between_1_and_the_number_of_classes():
    sure, unsure = Confidence(1000, 10), Confidence(1000, 10)
    sure.add(100 * torch.eye(10).repeat(100, 1))
    unsure.add(torch.zeros(1000, 10))
    assert sure.score() == pytest.approx(10, rel=1e-6)
    assert unsure.score() == pytest.approx(1, rel=1e-6)


def test_precision_and_recall_equal_torch_fidelity(clouds):
    fake, real = clouds
    theirs = prc_features_to_metric(fake, real, verbose=False)
    ours = manifold(fake, real)
    assert ours.precision == pytest.approx(theirs["precision"], rel=1e-3)
    assert ours.recall == pytest.approx(theirs["recall"], rel=1e-3)


def test_density_and_coverage_equal_their_definition(clouds):
    fake, real = (rows[:150].double().numpy() for rows in clouds)
    k = K_COVERAGE
    radius = [sorted(np.linalg.norm(real - y, axis=1))[k] for y in real]  # the 0th is the point itself
    inside = np.array([[np.linalg.norm(x - y) <= r for y, r in zip(real, radius, strict=True)] for x in fake])
    ours = manifold(torch.from_numpy(fake), torch.from_numpy(real))
    assert ours.density == pytest.approx(inside.sum() / (k * len(fake)), rel=1e-9)
    assert ours.coverage == pytest.approx(inside.any(0).mean(), rel=1e-9)
    assert 0 < ours.coverage < 1


def test_a_cloud_covers_itself_and_a_far_one_nothing(clouds):
    fake, _ = clouds
    same, far = manifold(fake, fake), manifold(fake, fake + 100)
    assert (same.precision, same.recall, same.coverage) == (1, 1, 1) and same.density >= 1
    assert far == (0, 0, 0, 0)


def test_kept_rows_are_those_that_are_wanted(clouds):
    fake = clouds[0]
    wanted = torch.tensor([0, 5, 136, 137, 1499])
    kept = Kept(wanted)
    for part in fake.split(137):
        kept.add(part)
    assert torch.equal(kept.all, fake[wanted])


def test_purity_counts_the_most_frequent_class_of_every_code():
    codes = torch.tensor([0, 0, 0, 1, 1, 1])
    assert purity(codes, torch.tensor([7, 7, 2, 3, 3, 3])) == pytest.approx(5 / 6)
    assert purity(codes, torch.tensor([1, 1, 1, 1, 1, 1])) == 1  # so it is told beside recall

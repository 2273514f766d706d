"""Modes found, against mixtures whose answer is known."""

import math

import pytest
import torch
from ganzoo_metrics.modes import modes

from ganzoo_core.data import grid_modes, ring_modes


@pytest.mark.parametrize(("means", "std"), [ring_modes(), grid_modes()])
def test_the_mixture_itself_is_found_whole_and_even(means, std):
    torch.manual_seed(0)
    label = torch.randint(len(means), (20_000,))
    result = modes(means[label] + std * torch.randn(20_000, 2), means, std)
    assert result.found == len(means)
    assert abs(result.good - (1 - math.exp(-9 / 2))) < 3e-3  # within 3 standard deviations, in the plane
    assert result.kl < 2e-3


def test_one_mode_alone_is_one_of_all_and_far_from_even():
    means, std = grid_modes()
    result = modes(means[7].repeat(50, 1), means, std)
    assert result == (1, 1.0, pytest.approx(math.log(25)))


def test_two_modes_in_three_to_one():
    means, std = ring_modes()
    result = modes(means[torch.tensor([0, 0, 0, 4])], means, std)
    assert result.found == 2
    assert result.kl == pytest.approx(0.75 * math.log(0.75 * 8) + 0.25 * math.log(0.25 * 8))


def test_noise_finds_nothing():
    means, std = ring_modes()
    assert modes(torch.zeros(100, 2), means, std) == (0, 0.0, pytest.approx(math.log(8)))


def test_a_sample_counts_up_to_three_standard_deviations():
    means, std = ring_modes()
    at = torch.tensor([[1 + 2.9 * std, 0.0], [1 + 3.1 * std, 0.0]])
    assert modes(at, means, std).good == 0.5

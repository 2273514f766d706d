"""Stacked GAN: what each level is told and judged by, in closed form, and which weights each player moves."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import one_hot, softplus

from ganzoo_core.objectives import Objective
from ganzoo_core.registry.recipes import build, recipe


def game(**given: object) -> Objective:
    return build(recipe("stacked_gan", preset="tiny", given=given)).eval()


def batch(n: int = 4) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return {"x": torch.rand(n, 1, 16, 16) * 2 - 1, "label": torch.arange(n) % 10}


def test_the_stack_goes_from_class_to_features_to_picture() -> None:
    made, y = game(), torch.tensor([3, 7])
    z1, z0 = torch.randn(2, 4), torch.randn(2, 4)
    with torch.no_grad():
        h1 = made.G.G1(torch.cat([one_hot(y, 10).float(), z1], 1))
        assert (h1 >= 0).all()  # as the encoder's are
        x = made.G.G0(torch.cat([h1, z0], 1))
        torch.testing.assert_close(made.G(z1, z0, y), x)
    assert made.E.to_h1(x).shape == h1.shape and made.E(x).shape == (2, 10)


def test_terms_of_a_level_by_hand() -> None:
    made = game(lam_cond=3.0, lam_ent=5.0)
    score, guess, z = torch.tensor([0.5, -1.0]), torch.randn(2, 4), torch.randn(2, 4)
    terms = made.terms("1", (score, guess), torch.tensor(2.0), z)
    assert terms["adv1"].item() == pytest.approx(softplus(-score).mean().item())
    assert terms["cond1"].item() == 6.0
    assert terms["ent1"].item() == pytest.approx(5 * (guess - z).square().mean().item())


def test_what_e_reads_back_is_what_was_said() -> None:
    """L_cond of features is the cross-entropy of the class, of pictures the distance of the features."""
    made, given = game(), batch()
    y, h1 = given["label"], torch.rand(4, 16)
    with torch.no_grad():
        said = made.E.to_y(h1).log_softmax(1)
        found = made.g1_terms(h1, y, torch.zeros(4, 4))["cond1"]
        assert found.item() == pytest.approx(-said[range(4), y].mean().item(), rel=1e-5)
        found = made.g0_terms(given["x"], h1, torch.zeros(4, 4))["cond0"]
        apart = (made.E.to_h1(given["x"]) - h1).square().mean()
        assert found.item() == pytest.approx(apart.item(), rel=1e-5)


def test_levels_learn_alone_and_then_together() -> None:
    made = game()
    moved = [[step.player.name for step in phase.steps] for phase in made.phases()]
    assert moved == [["E"], ["D1", "G1", "D0", "G0"], ["D1", "D0", "G"]]
    joint = made.phases()[2].steps[2].player
    weights = {id(w) for w in joint.parameters()}
    assert weights == {id(w) for net in (made.G, made.Q1, made.Q0) for w in net.parameters()}


def test_alone_g0_draws_from_features_of_real_pictures() -> None:
    """Its loss does not depend on G1."""
    made, given = game(), batch()
    torch.manual_seed(0)
    before = made.g0_alone_loss(given)["adv0"].item()
    with torch.no_grad():
        for weight in made.G.G1.parameters():
            weight.add_(1.0)
    torch.manual_seed(0)
    assert made.g0_alone_loss(given)["adv0"].item() == before
    torch.manual_seed(0)
    joint = made.g_loss(given)["adv0"]
    grads = torch.autograd.grad(joint, list(made.G.G1.parameters()), allow_unused=True)
    assert any(g is not None and g.abs().sum() > 0 for g in grads)

"""What a game is made of: objectives, players, steps and phases; losses, penalties and schedules. Public.

It imports `nn`. A game is data: the trainer, two rooms further, plays it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganzoo_core.lazy import lazy

if TYPE_CHECKING:
    from ganzoo_core.objectives.arguments import Argument as Argument
    from ganzoo_core.objectives.augment import recoloured as recoloured
    from ganzoo_core.objectives.augment import translated as translated
    from ganzoo_core.objectives.growing import GrowingObjective as GrowingObjective
    from ganzoo_core.objectives.losses import Adversarial as Adversarial
    from ganzoo_core.objectives.losses import Terms as Terms
    from ganzoo_core.objectives.losses import hinge as hinge
    from ganzoo_core.objectives.losses import hinge_d as hinge_d
    from ganzoo_core.objectives.losses import least_squares as least_squares
    from ganzoo_core.objectives.losses import minimax as minimax
    from ganzoo_core.objectives.losses import minimax_d as minimax_d
    from ganzoo_core.objectives.losses import minimax_g as minimax_g
    from ganzoo_core.objectives.losses import nonsaturating as nonsaturating
    from ganzoo_core.objectives.losses import nonsaturating_g as nonsaturating_g
    from ganzoo_core.objectives.losses import to_float32 as to_float32
    from ganzoo_core.objectives.losses import wasserstein as wasserstein
    from ganzoo_core.objectives.losses import wasserstein_d as wasserstein_d
    from ganzoo_core.objectives.losses import wasserstein_g as wasserstein_g
    from ganzoo_core.objectives.objective import Batch as Batch
    from ganzoo_core.objectives.objective import Move as Move
    from ganzoo_core.objectives.objective import Objective as Objective
    from ganzoo_core.objectives.objective import Optim as Optim
    from ganzoo_core.objectives.objective import Phase as Phase
    from ganzoo_core.objectives.objective import Player as Player
    from ganzoo_core.objectives.objective import Step as Step
    from ganzoo_core.objectives.objective import adam as adam
    from ganzoo_core.objectives.objective import rmsprop as rmsprop
    from ganzoo_core.objectives.objective import sgd as sgd
    from ganzoo_core.objectives.penalties import Critic as Critic
    from ganzoo_core.objectives.penalties import clip_rows as clip_rows
    from ganzoo_core.objectives.penalties import clip_weights as clip_weights
    from ganzoo_core.objectives.penalties import dragan_penalty as dragan_penalty
    from ganzoo_core.objectives.penalties import gradient_norm as gradient_norm
    from ganzoo_core.objectives.penalties import gradient_penalty as gradient_penalty
    from ganzoo_core.objectives.penalties import input_gradient as input_gradient
    from ganzoo_core.objectives.penalties import interpolate as interpolate
    from ganzoo_core.objectives.penalties import off_diagonal as off_diagonal
    from ganzoo_core.objectives.penalties import one_sided_gradient_penalty as one_sided_gradient_penalty
    from ganzoo_core.objectives.penalties import r1 as r1
    from ganzoo_core.objectives.penalties import r2 as r2
    from ganzoo_core.objectives.penalties import require_no_batch_norm as require_no_batch_norm
    from ganzoo_core.objectives.penalties import score_and_r1 as score_and_r1
    from ganzoo_core.objectives.pool import ImagePool as ImagePool
    from ganzoo_core.objectives.schedules import Schedule as Schedule
    from ganzoo_core.objectives.schedules import cosine as cosine
    from ganzoo_core.objectives.schedules import exponential as exponential
    from ganzoo_core.objectives.schedules import halfway_to_zero as halfway_to_zero
    from ganzoo_core.objectives.schedules import linear as linear
    from ganzoo_core.objectives.schedules import saturating as saturating
    from ganzoo_core.objectives.two_player import TwoPlayer as TwoPlayer
    from ganzoo_core.objectives.two_player import TwoPlayerAdam as TwoPlayerAdam

_HOMES = {
    "Adversarial": "ganzoo_core.objectives.losses",
    "Argument": "ganzoo_core.objectives.arguments",
    "Batch": "ganzoo_core.objectives.objective",
    "Critic": "ganzoo_core.objectives.penalties",
    "ImagePool": "ganzoo_core.objectives.pool",
    "Move": "ganzoo_core.objectives.objective",
    "GrowingObjective": "ganzoo_core.objectives.growing",
    "Objective": "ganzoo_core.objectives.objective",
    "Optim": "ganzoo_core.objectives.objective",
    "Phase": "ganzoo_core.objectives.objective",
    "Player": "ganzoo_core.objectives.objective",
    "Schedule": "ganzoo_core.objectives.schedules",
    "Step": "ganzoo_core.objectives.objective",
    "Terms": "ganzoo_core.objectives.losses",
    "TwoPlayer": "ganzoo_core.objectives.two_player",
    "TwoPlayerAdam": "ganzoo_core.objectives.two_player",
    "adam": "ganzoo_core.objectives.objective",
    "clip_rows": "ganzoo_core.objectives.penalties",
    "clip_weights": "ganzoo_core.objectives.penalties",
    "cosine": "ganzoo_core.objectives.schedules",
    "dragan_penalty": "ganzoo_core.objectives.penalties",
    "exponential": "ganzoo_core.objectives.schedules",
    "gradient_norm": "ganzoo_core.objectives.penalties",
    "gradient_penalty": "ganzoo_core.objectives.penalties",
    "halfway_to_zero": "ganzoo_core.objectives.schedules",
    "hinge": "ganzoo_core.objectives.losses",
    "hinge_d": "ganzoo_core.objectives.losses",
    "input_gradient": "ganzoo_core.objectives.penalties",
    "interpolate": "ganzoo_core.objectives.penalties",
    "least_squares": "ganzoo_core.objectives.losses",
    "linear": "ganzoo_core.objectives.schedules",
    "minimax": "ganzoo_core.objectives.losses",
    "minimax_d": "ganzoo_core.objectives.losses",
    "minimax_g": "ganzoo_core.objectives.losses",
    "nonsaturating": "ganzoo_core.objectives.losses",
    "nonsaturating_g": "ganzoo_core.objectives.losses",
    "off_diagonal": "ganzoo_core.objectives.penalties",
    "one_sided_gradient_penalty": "ganzoo_core.objectives.penalties",
    "r1": "ganzoo_core.objectives.penalties",
    "r2": "ganzoo_core.objectives.penalties",
    "recoloured": "ganzoo_core.objectives.augment",
    "require_no_batch_norm": "ganzoo_core.objectives.penalties",
    "rmsprop": "ganzoo_core.objectives.objective",
    "saturating": "ganzoo_core.objectives.schedules",
    "score_and_r1": "ganzoo_core.objectives.penalties",
    "sgd": "ganzoo_core.objectives.objective",
    "to_float32": "ganzoo_core.objectives.losses",
    "translated": "ganzoo_core.objectives.augment",
    "wasserstein": "ganzoo_core.objectives.losses",
    "wasserstein_d": "ganzoo_core.objectives.losses",
    "wasserstein_g": "ganzoo_core.objectives.losses",
}
__all__ = list(_HOMES)
__getattr__ = lazy(__name__, _HOMES)

"""From a trained translator to the game that teaches a narrow one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from torch import nn

import ganzoo_core as gz
from ganzoo_compress.distil.objective import Distillation, Paired, Unpaired
from ganzoo_compress.distil.pruning import inherit
from ganzoo_core.errors import GanzooError, escape, tell_user
from ganzoo_core.nn import Generator, preserve_rng, reseed


class Teacher(Protocol):
    """What `gz.load` returns, as far as it is needed."""

    @property
    def source(self) -> str: ...
    @property
    def config(self) -> Mapping[str, Any]: ...
    @property
    def networks(self) -> Mapping[str, nn.Module]: ...
    @property
    def discriminators(self) -> Mapping[str, nn.Module]: ...


@dataclass(frozen=True)
class Trade:
    """How translators of a family are taught, and by what they are measured."""

    game: type[Distillation]
    metric: str


TRADES: Mapping[str, Trade] = {"pix2pix": Trade(Paired, "psnr"), "cyclegan": Trade(Unpaired, "fid")}


def trade_of(model: Teacher) -> Trade:
    """Errors: GanzooError for another family."""
    family = model.config["objective"]["family"]
    if family not in TRADES:
        what = f"{escape(model.source)}: {family} is no translator that can be compressed"
        raise GanzooError(what, f"Those of {' and '.join(TRADES)} can.")
    return TRADES[family]


def student_of(model: Teacher, width: int, seed: int = 0, **arguments: Any) -> Distillation:
    """The game of a student `width` wide next to the picture, with the largest channels of its teacher to begin with.

    Its recipe is that of an ordinary model of the teacher's family, so what is saved of it is one; its discriminators
    are the teacher's where it was published with them. What is drawn (the ways f from student to teacher, judges that
    were not published) is drawn from `seed`. `arguments` are those of `Distillation`.
    Errors: GanzooError for a family that has no such game, and for a width that is none or not below the teacher's.
    """
    trade, config = trade_of(model), model.config
    wide = int(config["networks"]["args"]["width"])
    if not 0 < width < wide:
        raise GanzooError(f"width {width}: not from 1 to {wide - 1}", f"The teacher has {wide} channels.")
    args = {**config["objective"]["args"], **config["networks"]["args"], "width": width}
    family, networks = config["objective"]["family"], config["networks"]["family"]
    plain = gz.create(family, networks=networks, seed=seed, **tuples(args))
    teachers = {name: net for name, net in model.networks.items() if isinstance(net, Generator)}
    for name, net in teachers.items():
        inherit(getattr(plain, name), net)
    hire(plain, model)
    game = trade.game(**plain.exported_modules(), **plain.discriminators(), **arguments)
    game.recipe = plain.recipe
    with preserve_rng():
        reseed(seed)
        game.learn_from(teachers)
    return game


def hire(plain: nn.Module, model: Teacher) -> None:
    """The teacher's discriminators go on with the student."""
    judges = model.discriminators
    if not judges:
        tell_user(f"{escape(model.source)}: was published without its discriminators, which start anew")
    for name, net in judges.items():
        child = getattr(plain, name)
        assert isinstance(child, nn.Module)
        child.load_state_dict(net.state_dict())


def tuples(args: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as recipes have them: config.json has lists."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in args.items()}

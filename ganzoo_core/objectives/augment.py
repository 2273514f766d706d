"""What discriminators see may be augmented, real and fake alike, so that few pictures are not learnt by heart.

Adaptive discriminator augmentation: Karras et al. 2020 (arXiv:2006.06676), written from the paper; its probability p
follows how often real pictures score above zero. DiffAugment: Zhao et al. 2020 (arXiv:2006.10738), always on.

A family knows nothing of it: `-c augment=ada` puts a wrapper around every discriminator and lets it look at the batch.
"""

from __future__ import annotations

import inspect
import math
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.overrides import TorchFunctionMode

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn.device import computing_in
from ganzoo_core.nn.generator import Discriminator
from ganzoo_core.nn.mirror import Mirror
from ganzoo_core.objectives.losses import Terms
from ganzoo_core.objectives.objective import Batch, Objective, Phase

Pipe = Callable[[Tensor, Tensor], Tensor]  # (pictures [N, C, H, W] in [-1, 1], p) -> likewise
TARGET = 0.6  # of r_t, Sec. 3.1
PACE = 500_000  # real images in which p may go from 0 to 1, Sec. 3.1; a run of few images needs it faster
EVERY = 4  # iterations


class Made(TorchFunctionMode):
    """Follows what has gone through weights, so that pictures of the data are known from those that a game has made.

    A picture that no weight has touched is real, whatever has been done to it: noise, a crop, another size. Nothing
    needs to be said by games for it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.made: weakref.WeakValueDictionary[int, Tensor] = weakref.WeakValueDictionary()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if any(self.is_made(value) for value in tensors((args, kwargs))):
            written = args[:1] if func is Tensor.__setitem__ else ()
            for value in tensors((result, written)):
                self.made[id(value)] = value
        return result

    def is_made(self, x: Tensor) -> bool:
        return isinstance(x, nn.Parameter) or self.made.get(id(x)) is x


def tensors(values: Any) -> Iterator[Tensor]:
    """All tensors in nested arguments or results."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, (tuple, list, dict)):
        for value in values.values() if isinstance(values, dict) else values:
            yield from tensors(value)


class Augmented(Discriminator):
    """A discriminator that sees pictures through a pipe while it is trained; p is a buffer.

    No step waits to read it: whether it is above 0 is asked once after it has moved.
    """

    p: Tensor
    above: Tensor  # sum of signs of scores of real pictures since p last moved
    seen: Tensor  # how many these were
    turns: Tensor  # iterations since

    def __init__(self, D: Discriminator, pipe: Pipe, p: float, pace: int = PACE, channels: int | None = None) -> None:
        super().__init__()
        self.pipe, self.pace, self.channels = pipe, pace, channels
        self.following: Made | None = None  # while it is the one that moves
        self.read: list[Tensor] = []  # features of real pictures, whose scores a head is still to make
        for name, value in (("p", p), ("above", 0.0), ("seen", 0.0), ("turns", 0.0)):
            self.register_buffer(name, torch.tensor(value))
        self.D = D  # after these, for what it calls by their names would be found in its place
        self.known = {"p": Mirror(), "turns": Mirror()}
        self.known["p"].write(self.p, p)
        self.known["turns"].write(self.turns, 0.0)

    def forward(self, x: Tensor, *conditions: Any) -> Tensor:
        if any(isinstance(c, Tensor) and c.ndim == 4 for c in conditions):
            what = (
                f"augment: {type(self.D).__name__} is shown pictures beside others, which would have to move with them"
            )
            raise GanzooError(what, "Leave it out: -c augment=none.")
        scores: Tensor = self.D(self.shown(x), *conditions)
        self.count(x, scores)
        return scores

    def features(self, x: Tensor) -> Tensor:
        features = self.D.features(self.shown(x))
        if self.is_real(x):
            self.read.append(features)
        return features

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        scores, features = self.D.score_and_features(self.shown(x))
        self.count(x, scores)
        return scores, features

    @property
    def unwrapped(self) -> Discriminator:
        """The discriminator itself, as it is shipped."""
        return self.D

    def __getattr__(self, name: str) -> Any:
        """What else the discriminator has. Pictures are shown to its other methods augmented, too."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            found = getattr(super().__getattr__("D"), name)
            return partial(self.through, found) if inspect.ismethod(found) else found

    def through(self, method: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Another method of the discriminator: one that looks at a picture, or a head on features."""
        first = args[0] if args else None
        if not isinstance(first, Tensor):
            return method(*args, **options)
        if first.ndim == 4 and first.shape[1] == self.channels:
            return method(self.shown(first), *args[1:], **options)
        result = method(*args, **options)
        if any(first is h for h in self.read):
            self.add(result)
        return result

    def shown(self, x: Tensor) -> Tensor:
        """Where p is 0, nothing is touched."""
        pictures = self.training and x.ndim == 4
        return self.pipe(x, self.p) if pictures and self.known["p"].read(self.p) else x

    def is_real(self, x: Tensor) -> bool:
        return self.following is not None and not self.following.is_made(x)

    def count(self, x: Tensor, scores: Tensor) -> None:
        """Scores of real pictures, while D is the one that moves."""
        if self.is_real(x):
            self.add(scores)

    @torch.no_grad()
    def add(self, scores: Tensor) -> None:
        """Only the first ones of a loss: those that a game asks for later are of wrong pairs, or asked for twice."""
        if self.following is None:
            return
        self.above += scores.detach().float().sign().mean() * len(scores)
        self.seen += len(scores)
        self.following = None

    def adapt(self) -> None:
        """p goes up while r_t = E sign D(x) is above 0.6, and down below: Sec. 3.1, Eq. 1."""
        turns = self.known["turns"].read(self.turns) + 1
        if turns >= EVERY:
            way = torch.sign(self.above / self.seen.clamp(min=1) - TARGET)
            self.p.add_(way * self.seen / self.pace).clamp_(0, 1)
            for count in (self.above, self.seen):
                count.zero_()
        self.known["turns"].write(self.turns, 0.0 if turns >= EVERY else turns)


def augmented(D: Discriminator, how: str, pace: int = PACE, channels: int | None = None) -> Augmented:
    """A discriminator behind the pipe that `how` names; an adaptive p may go from 0 to 1 in `pace` real images.

    `channels` are those of the pictures, by which they are told from features. Errors: GanzooError.
    """
    if pace < 1:
        raise GanzooError(f"ada_images {pace}: not 1 or more", "p may go from 0 to 1 in so many real images.")
    return Augmented(D, PIPES[how], 0.0 if how in ADAPTIVE else 1.0, pace, channels)


def follow(objective: Objective, how: str) -> None:
    """Let an adaptive p follow what the augmented discriminators of a game say of real pictures."""
    if how in ADAPTIVE:
        objective.phases = partial(watched_phases, objective.phases)  # type: ignore[method-assign]


def watched_phases(phases: Callable[[], Sequence[Phase]]) -> list[Phase]:
    objective: nn.Module = phases.__self__  # type: ignore[attr-defined]
    judges = [module for module in objective.modules() if isinstance(module, Augmented)]
    return [
        replace(
            phase,
            steps=[replace(step, loss=partial(watched, judges, step.loss)) for step in phase.steps],
            on_step_end=partial(adapted, judges, phase.on_step_end),
        )
        for phase in phases()
    ]


def watched(judges: Sequence[Augmented], loss: Callable[[Batch], Terms], batch: Batch) -> Terms:
    """The loss, with the discriminators that move told which pictures are real."""
    moving = [judge for judge in judges if any(w.requires_grad for w in judge.parameters())]
    if not moving:
        return loss(batch)
    with Made() as made:
        for judge in moving:
            judge.following = made
        try:
            return loss(batch)
        finally:
            for judge in moving:
                judge.following, judge.read = None, []


def adapted(judges: Sequence[Augmented], after: Callable[[float], None], u: float) -> None:
    after(u)
    for judge in judges:
        judge.adapt()


# Adaptive discriminator augmentation: App. B, blits, geometry and colour


def ada(x: Tensor, p: Tensor) -> Tensor:
    """Each transformation of each picture with probability p.

    Geometry is one bilinear look-up with reflected borders; the paper filters with a wavelet besides.
    """
    with computing_in(torch.float32, x.device):  # bfloat16 counts pixels up to 256 only
        x = warp(x, geometry(len(x), p, x))
        return coloured(x, colour(len(x), p, x))


def chosen(n: int, p: Tensor, x: Tensor) -> Tensor:
    """For each picture, whether a transformation is applied.  bool [n]"""
    return torch.rand(n, device=x.device) < p


def either(mask: Tensor, values: Tensor, otherwise: float) -> Tensor:
    return torch.where(mask, values, torch.full_like(values, otherwise))


def geometry(n: int, p: Tensor, x: Tensor) -> Tensor:
    """From places in the result to places in the picture, both [-1, 1] squared: [n, 3, 3]."""
    u = partial(torch.rand, n, device=x.device)
    normal = partial(torch.randn, n, device=x.device)
    flip = either(chosen(n, p, x) & (u() < 0.5), -torch.ones(n, device=x.device), 1.0)
    quarter = either(chosen(n, p, x), (4 * u()).floor(), 0.0) * (math.pi / 2)
    pixel = [either(chosen(n, p, x), (0.25 * u() - 0.125) * side, 0.0).round() for side in (x.shape[3], x.shape[2])]
    scale = either(chosen(n, p, x), (0.2 * math.log(2) * normal()).exp(), 1.0)
    half = 1 - (1 - p).sqrt()  # two rotations, so that together they have probability p
    before, after = (either(chosen(n, half, x), 2 * math.pi * u() - math.pi, 0.0) for _ in range(2))
    stretch = either(chosen(n, p, x), (0.2 * math.log(2) * normal()).exp(), 1.0)
    both = chosen(n, p, x)
    shift = [either(both, 0.125 * normal(), 0.0) * 2 for _ in range(2)]
    one = torch.ones_like(flip)
    whole = [2 * d / side for d, side in zip(pixel, (x.shape[3], x.shape[2]), strict=True)]
    blits = [scaled(flip, one), turned(quarter), moved(whole[0], whole[1])]
    general = [
        scaled(scale, scale),
        turned(before),
        scaled(stretch, 1 / stretch),
        turned(after),
        moved(shift[0], shift[1]),
    ]
    matrix = torch.eye(3, device=x.device).expand(n, 3, 3)
    for step in (*blits, *general):
        matrix = matrix @ step
    return matrix


def scaled(a: Tensor, b: Tensor) -> Tensor:
    return torch.diag_embed(torch.stack([a, b, torch.ones_like(a)], 1))


def turned(angle: Tensor) -> Tensor:
    c, s, o, i = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    return torch.stack([c, -s, o, s, c, o, o, o, i], 1).view(-1, 3, 3)


def moved(across: Tensor, down: Tensor) -> Tensor:
    o, i = torch.zeros_like(across), torch.ones_like(across)
    return torch.stack([i, o, across, o, i, down, o, o, i], 1).view(-1, 3, 3)


def warp(x: Tensor, matrix: Tensor) -> Tensor:
    """The picture at the places that `matrix` [N, 3, 3] sends every pixel to, bilinear, borders reflected.

    Made of `gather`, which can be differentiated twice; torch's grid_sample cannot, and R1 needs it.
    """
    height, width = x.shape[2:]
    ys, xs = (torch.arange(s, device=x.device) * (2 / s) + (1 / s - 1) for s in (height, width))
    rows, columns = torch.meshgrid(ys, xs, indexing="ij")
    grid = torch.stack([columns, rows, torch.ones_like(rows)]).flatten(1)  # [3, H W]
    at = (matrix.float() @ grid)[:, :2]  # [N, 2, H W]
    column, row = ((at[:, i] + 1) * side / 2 - 0.5 for i, side in ((0, width), (1, height)))
    left, top = column.floor(), row.floor()
    right, bottom = column - left, row - top  # weights of the further neighbours
    flat = x.flatten(2)
    out = torch.zeros_like(flat)
    for dy, wy in ((0, 1 - bottom), (1, bottom)):
        for dx, wx in ((0, 1 - right), (1, right)):
            index = reflected(top + dy, height) * width + reflected(left + dx, width)
            out = out + flat.gather(2, index[:, None].expand_as(flat)) * (wy * wx)[:, None].to(x.dtype)
    return out.view_as(x)


def reflected(at: Tensor, side: int) -> Tensor:
    """Whole places beyond the border, back inside: ... 2 1 0 | 0 1 2 ... (int64)."""
    around = at.long().remainder(2 * side)
    return torch.minimum(around, 2 * side - 1 - around)


def colour(n: int, p: Tensor, x: Tensor) -> Tensor:
    """Matrices on (channels, 1): brightness, contrast, luma flip; of RGB hue and saturation too.  [n, C + 1, C + 1]"""
    flipped = luma_flip(n, p, x)
    if x.shape[1] != 3:
        return flipped @ light(n, p, x)
    return hue_and_saturation(n, p, x) @ flipped @ light(n, p, x)


def grays(x: Tensor) -> Tensor:
    """The projection onto the axis of grays, on which all channels are alike.  [C + 1, C + 1]"""
    v = torch.ones(x.shape[1] + 1, device=x.device) / math.sqrt(x.shape[1])
    v[-1] = 0
    return torch.outer(v, v)


def luma_flip(n: int, p: Tensor, x: Tensor) -> Tensor:
    """Light to dark and back.  [n, C + 1, C + 1]"""
    flip = either(chosen(n, p, x), (torch.rand(n, device=x.device) < 0.5).float(), 0.0)
    return torch.eye(x.shape[1] + 1, device=x.device) - 2 * grays(x) * flip.view(-1, 1, 1)


def hue_and_saturation(n: int, p: Tensor, x: Tensor) -> Tensor:
    """A turn about the axis of grays, and a stretch away from it.  [n, 4, 4]"""
    u, normal = partial(torch.rand, n, device=x.device), partial(torch.randn, n, device=x.device)
    along = grays(x)
    angle = either(chosen(n, p, x), 2 * math.pi * u() - math.pi, 0.0)
    s = either(chosen(n, p, x), (math.log(2) * normal()).exp(), 1.0)
    cross = torch.tensor([[0.0, -1, 1, 0], [1, 0, -1, 0], [-1, 1, 0, 0], [0, 0, 0, 0]], device=x.device) / math.sqrt(3)
    chroma = torch.diag(torch.tensor([1.0, 1.0, 1.0, 0.0], device=x.device)) - along
    last = torch.diag(torch.tensor([0.0, 0.0, 0.0, 1.0], device=x.device))
    hue = along + last + chroma * angle.cos().view(-1, 1, 1) + cross * angle.sin().view(-1, 1, 1)
    saturated = along + last + chroma * s.view(-1, 1, 1)
    return saturated @ hue


def light(n: int, p: Tensor, x: Tensor) -> Tensor:
    """Brightness, then contrast, of as many channels as there are, and 1.  [n, C + 1, C + 1]"""
    channels = x.shape[1]
    normal = partial(torch.randn, n, device=x.device)
    b = either(chosen(n, p, x), 0.2 * normal(), 0.0)
    c = either(chosen(n, p, x), (0.5 * math.log(2) * normal()).exp(), 1.0)
    matrix = torch.eye(channels + 1, device=x.device).repeat(n, 1, 1)
    matrix[:, :channels] *= c.view(-1, 1, 1)
    matrix[:, :channels, channels] = (b * c)[:, None]
    return matrix


def coloured(x: Tensor, matrix: Tensor) -> Tensor:
    """x [N, C, H, W] with every pixel's (channels, 1) sent through matrix [N, C + 1, C + 1]."""
    flat = pad(x.flatten(2), (0, 0, 0, 1), value=1.0)
    return (matrix.to(x.dtype) @ flat)[:, :-1].reshape(x.shape)


# DiffAugment: colour, translation, cutout


def diffaugment(x: Tensor, p: Tensor) -> Tensor:
    """Brightness, saturation, contrast; a shift of up to an eighth; a square hole of half the side (Sec. 4)."""
    height, width = x.shape[2:]
    return cut_out(translated(recoloured(x)), height // 2, width // 2)


def recoloured(x: Tensor) -> Tensor:
    """DiffAugment's colour: brightness, saturation and contrast of each picture.  [N, C, H, W]"""
    u = partial(torch.rand, len(x), 1, 1, 1, device=x.device, dtype=x.dtype)
    x = x + (u() - 0.5)
    gray = x.mean(1, keepdim=True)
    x = (x - gray) * (2 * u()) + gray
    mean = x.mean((1, 2, 3), keepdim=True)
    return (x - mean) * (u() + 0.5) + mean


def translated(x: Tensor) -> Tensor:
    """DiffAugment's translation: each picture moved by up to an eighth of its sides.  [N, C, H, W]"""
    return shifted(x, x.shape[2] // 8, x.shape[3] // 8)


def shifted(x: Tensor, most_down: int, most_across: int) -> Tensor:
    """Each picture moved by whole pixels; what comes in is 0."""
    n, c, height, width = x.shape
    down, across = (torch.randint(-most, most + 1, (n, 1), device=x.device) for most in (most_down, most_across))
    rows = (torch.arange(height, device=x.device) + down).clamp(-1, height) + 1
    columns = (torch.arange(width, device=x.device) + across).clamp(-1, width) + 1
    index = rows[:, :, None] * (width + 2) + columns[:, None, :]  # [N, H, W] into the padded picture
    return pad(x, (1, 1, 1, 1)).flatten(2).gather(2, index.flatten(1)[:, None].expand(n, c, -1)).view_as(x)


def cut_out(x: Tensor, hole_height: int, hole_width: int) -> Tensor:
    """Each picture with a hole of 0, whose middle is anywhere."""
    n, _, height, width = x.shape
    near = []
    for side, hole in ((height, hole_height), (width, hole_width)):
        start = torch.randint(0, side + 1, (n, 1), device=x.device) - hole // 2
        at = torch.arange(side, device=x.device)
        near.append((at >= start) & (at < start + hole))
    return x * ~(near[0][:, None, :, None] & near[1][:, None, None, :])


PIPES: Mapping[str, Pipe] = {"ada": ada, "diffaugment": diffaugment}
ADAPTIVE = {"ada"}

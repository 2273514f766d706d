"""Toy versions of the games that ask most of a trainer, on 8x8 images: small, but with all the structure of the real.

Each has the paper's players, phases, hooks and buffers; what is left out is depth, width and quality.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import nn
from torch.nn import functional as fn

from ganzoo_core.nn import Code, Discriminator, Generator, Image, Images, Latent
from ganzoo_core.objectives import (
    Objective,
    Phase,
    Player,
    Step,
    adam,
    gradient_penalty,
    halfway_to_zero,
    least_squares,
    nonsaturating,
    r1,
    wasserstein,
)
from ganzoo_core.seeds import hash32

Z, BATCH = 4, 4
C = 3  # not 1: memory formats would all be the same
LATENT, IMAGE = Latent((Z,)), Image((C, 8, 8))


def feed(*, start, batch_size, rank=0, world=1, **options):
    """Endless full batches, each a function of the count at which it starts."""
    while True:
        rng = torch.Generator().manual_seed(hash32(7, "batch", start))
        draw = lambda: torch.rand(batch_size, C, 8, 8, generator=rng) * 2 - 1  # noqa: E731, B023
        yield {k: v[rank::world] for k, v in {"x": draw(), "a": draw(), "b": draw()}.items()}
        start += batch_size


# ---- networks --------------------------------------------------------------------------------------------------------
class G0(Generator):
    """Latent and codes -> image."""

    output = Images((C, 8, 8))

    def __init__(self, codes=0):
        super().__init__()
        self.inputs = {"z": LATENT} | ({"code": Code((codes,))} if codes else {})
        self.net = nn.Sequential(
            nn.Linear(Z + codes, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, C * 64), nn.Unflatten(1, (C, 8, 8))
        )

    def forward(self, *inputs):
        return self.net(torch.cat(inputs, 1)).tanh()


class Translator(Generator):
    inputs = {"image": IMAGE}
    output = Images((C, 8, 8))

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(C, 4, 3, padding=1), nn.ReLU(), nn.Dropout(0.2), nn.Conv2d(4, C, 1))

    def forward(self, image):
        return self.net(image).tanh()


class D0(Discriminator):
    def __init__(self, norm=False):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(C * 64, 16), nn.BatchNorm1d(16) if norm else nn.Tanh())
        self.head = nn.Linear(16, 1)

    def features(self, x):
        return self.body(x).relu()

    def forward(self, x):
        return self.head(self.features(x))


# ---- games -----------------------------------------------------------------------------------------------------------
class GAN(Objective):
    """Goodfellow et al. 2014, Alg. 1, with k = 2."""

    def __init__(self):
        super().__init__()
        self.G, self.D = G0(), D0()

    def phases(self):
        D, G = Player("D", [self.D], adam(1e-2)), Player("G", [self.G], adam(1e-2))
        return [Phase("main", [Step(D, self.d_loss, repeat=2), Step(G, self.g_loss)], 5 * 2 * BATCH)]

    def d_loss(self, b):
        return nonsaturating.d(self.D(b["x"]), self.D(self.G(self.G.prior(len(b["x"])))))

    def g_loss(self, b):
        return {"adv": nonsaturating.g(self.D(self.G(self.G.prior(len(b["x"])))), None)}


class ABA(GAN):
    """Pretraining, adversarial training, polishing: the player of the first phase returns in the third."""

    def phases(self):
        A, D = Player("G", [self.G], adam(1e-2), {"lr": halfway_to_zero}), Player("D", [self.D], adam(1e-2))
        G = Player("G", [self.G], adam(1e-3))  # another player, though of the same name and the same weights
        fit = Step(A, self.fit)
        return [
            Phase("A", [fit], 3 * BATCH),
            Phase("B", [Step(D, self.d_loss), Step(G, self.g_loss)], 4 * BATCH),
            Phase("A again", [fit], 3 * BATCH),
        ]

    def fit(self, b):
        return {"l2": fn.mse_loss(self.G(self.G.prior(len(b["x"]))), b["x"])}


class InfoGAN(Objective):
    """Chen et al. 2016, Eq. 6: Q reads D's features, and moves with G."""

    def __init__(self):
        super().__init__()
        self.G, self.D, self.Q = G0(codes=3), D0(norm=True), nn.Linear(16, 3)

    def phases(self):
        D, G = Player("D", [self.D], adam(2e-3)), Player("G", [self.G, self.Q], adam(1e-2))
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], 5 * BATCH)]

    def fake(self, n):
        k = torch.randint(3, (n,))
        return self.G(self.G.prior(n), fn.one_hot(k, 3).float()), k

    def d_loss(self, b):
        return nonsaturating.d(self.D(b["x"]), self.D(self.fake(len(b["x"]))[0]))

    def g_loss(self, b):
        x, k = self.fake(len(b["x"]))
        h = self.D.features(x)
        return {"adv": nonsaturating.g(self.D.head(h), None), "info": fn.cross_entropy(self.Q(h), k)}


class ImagePool(nn.Module):
    """The last `size` fakes (Shrivastava et al. 2017): a buffer and a count."""

    def __init__(self, size):
        super().__init__()
        self.register_buffer("images", torch.zeros(size, C, 8, 8))
        self.register_buffer("count", torch.tensor(0))

    @torch.no_grad()
    def exchange(self, fakes):
        out = []
        for fake in fakes:
            if self.count < len(self.images):
                self.images[self.count] = fake
                self.count += 1
            elif torch.rand(()) < 0.5:
                i = int(torch.randint(len(self.images), ()))
                fake, self.images[i] = self.images[i].clone(), fake
            out.append(fake)
        return torch.stack(out)


class CycleGAN(Objective):
    """Zhu et al. 2017: G : X -> Y and F : Y -> X are one player, D_X and D_Y another."""

    needs, published = frozenset({"a", "b"}), ("G", "F")

    def __init__(self):
        super().__init__()
        self.G, self.F, self.D_X, self.D_Y = Translator(), Translator(), D0(), D0()
        self.pool_x, self.pool_y = ImagePool(6), ImagePool(6)

    def phases(self):
        G = Player("G", [self.G, self.F], adam(1e-2), {"lr": halfway_to_zero})
        D = Player("D", [self.D_X, self.D_Y], adam(1e-2), {"lr": halfway_to_zero})
        return [Phase("main", [Step(G, self.g_loss), Step(D, self.d_loss)], 6 * BATCH)]

    def g_loss(self, b):
        x, y = b["a"], b["b"]
        fake_x, fake_y = self.F(y), self.G(x)
        adv = least_squares.g(self.D_Y(fake_y), None) + least_squares.g(self.D_X(fake_x), None)
        return {"adv": adv, "cycle": 10 * (fn.l1_loss(self.F(fake_y), x) + fn.l1_loss(self.G(fake_x), y))}

    def d_loss(self, b):
        d_x = least_squares.d(self.D_X(b["a"]), self.D_X(self.pool_x.exchange(self.F(b["b"]))))
        d_y = least_squares.d(self.D_Y(b["b"]), self.D_Y(self.pool_y.exchange(self.G(b["a"]))))
        return {f"{k}_x": v for k, v in d_x.items()} | {f"{k}_y": v for k, v in d_y.items()}


class Growing(nn.Module):
    """What ProGAN's two networks share: blocks of all resolutions, `depth` and `alpha` say which are in use."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(nn.Conv2d(4, 4, 3, padding=1) for _ in range(2))
        self.register_buffer("depth", torch.tensor(0))
        self.register_buffer("alpha", torch.tensor(1.0))

    def grow(self, depth, alpha):
        self.depth.fill_(depth)
        self.alpha.fill_(alpha)


class GrowingG(Growing, Generator):
    inputs = {"z": Latent((4, 4, 4))}
    output = Images((C, None, None))

    def __init__(self):
        super().__init__()
        self.rgb = nn.ModuleList(nn.Conv2d(4, C, 1) for _ in range(2))

    def forward(self, z):
        h = self.blocks[0](z).tanh()
        if self.depth == 0:
            return self.rgb[0](h)
        low = fn.interpolate(h, scale_factor=2)
        return torch.lerp(self.rgb[0](low), self.rgb[1](self.blocks[1](low).tanh()), self.alpha)


class GrowingD(Growing, Discriminator):
    def __init__(self):
        super().__init__()
        self.rgb, self.out = nn.ModuleList(nn.Conv2d(C, 4, 1) for _ in range(2)), nn.Linear(64, 1)

    def forward(self, x):
        if self.depth == 0:
            h = self.rgb[0](x)
        else:
            h = fn.avg_pool2d(self.blocks[1](self.rgb[1](x)).tanh(), 2)
            h = torch.lerp(self.rgb[0](fn.avg_pool2d(x, 2)), h, self.alpha)
        return self.out(self.blocks[0](h).tanh().flatten(1))


class ProGAN(Objective):
    """Karras et al. 2018: 4x4, then 8x8 faded in, then 8x8; new optimizers at every resolution."""

    def __init__(self):
        super().__init__()
        self.G, self.D = GrowingG(), GrowingD()

    def phases(self):
        def stretch(name, steps, depth, alpha, **options):
            return Phase(name, steps, 3 * BATCH, on_start=partial(self.grow, depth, alpha), **options)

        small, large = self.steps(), self.steps()
        return [
            stretch("4px", small, 0, 1.0, data={"image_size": 4}),
            stretch("8px fade", large, 1, 0.0, on_step_end=lambda u: self.grow(1, u)),
            stretch("8px", large, 1, 1.0),
        ]

    def steps(self):
        D, G = (Player(name, [net], adam(1e-2, 0.0, 0.99)) for name, net in (("D", self.D), ("G", self.G)))
        return [Step(D, self.d_loss), Step(G, self.g_loss)]

    def grow(self, depth, alpha):
        self.G.grow(depth, alpha)
        self.D.grow(depth, alpha)

    def d_loss(self, b):
        fake = self.G(self.G.prior(len(b["x"])))
        real = fn.adaptive_avg_pool2d(b["x"], fake.shape[-1])
        return wasserstein.d(self.D(real), self.D(fake)) | {"gp": 10 * gradient_penalty(self.D, real, fake)}

    def g_loss(self, b):
        return {"adv": wasserstein.g(self.D(self.G(self.G.prior(len(b["x"])))), None)}


class StyleGAN2(Objective):
    """Karras et al. 2020: lazy R1 and path length, style mixing, pl_mean; its average is the trainer's."""

    def __init__(self):
        super().__init__()
        self.G, self.D = G0(), D0()
        self.register_buffer("pl_mean", torch.tensor(0.0))

    def phases(self):
        D, G = Player("D", [self.D], adam(1e-2, 0.0, 0.99)), Player("G", [self.G], adam(1e-2, 0.0, 0.99))
        steps = [
            Step(G, self.g_main), Step(G, self.g_path, every=2), Step(D, self.d_main), Step(D, self.d_r1, every=4),
        ]  # fmt: skip
        return [Phase("main", steps, 7 * BATCH)]

    def fake(self, n):
        z, other = self.G.prior(n), self.G.prior(n)
        return self.G(torch.where(torch.rand(n, 1) < 0.9, z, other))

    def g_main(self, b):
        return {"adv": nonsaturating.g(self.D(self.fake(len(b["x"]))), None)}

    def g_path(self, b):
        z = self.G.prior(len(b["x"])).requires_grad_()
        x = self.G(z)
        jacobian = torch.autograd.grad((x * torch.randn_like(x) / 8).sum(), z, create_graph=True)[0]
        lengths = jacobian.norm(dim=1)
        self.pl_mean.lerp_(lengths.detach().mean(), 0.1)
        return {"path": 4 * (lengths - self.pl_mean).square().mean(), "pl_mean": self.pl_mean.clone()}

    def d_main(self, b):
        return nonsaturating.d(self.D(b["x"]), self.D(self.fake(len(b["x"]))))

    def d_r1(self, b):
        return {"r1": 4 * 5 * r1(self.D, b["x"])}


class Pyramid(Generator):
    """SinGAN's generators, coarse to fine, with all that sampling from them needs."""

    inputs = {"z": Latent((C, 4, 4))}
    output = Images((C, None, None))

    def __init__(self, sizes):
        super().__init__()
        self.sizes = sizes
        self.nets = nn.ModuleList(patch() for _ in sizes)
        self.register_buffer("amp", torch.zeros(len(sizes)))
        self.register_buffer("scale", torch.tensor(0))

    def forward(self, z, noise=True):
        y = torch.zeros_like(z)
        for s in range(int(self.scale) + 1):
            y = resize(y, self.sizes[s])
            if s > 0:
                z = torch.randn_like(y) if noise else torch.zeros_like(y)
            y = y + self.nets[s](self.amp[s] * z + y)
        return y


class SinGAN(Objective):
    """Shaham et al. 2019: a phase per scale, each from the weights of the one before, all on one image of any size."""

    prepare_on = 1

    def __init__(self, sizes=(4, 6, 8)):
        super().__init__()
        self.G, self.Ds = Pyramid(sizes), nn.ModuleList(patch() for _ in sizes)
        self.register_buffer("image", torch.zeros(0))  # its shape is known when it is seen
        self.register_buffer("z_star", torch.zeros(1, C, 4, 4))

    def prepare(self, b):
        self.image = b["x"].clone()
        self.z_star = torch.randn_like(self.z_star)

    def phases(self):
        phases = []
        for s, size in enumerate(self.G.sizes):
            D, G = Player("D", [self.Ds[s]], adam(5e-3)), Player("G", [self.G.nets[s]], adam(5e-3))
            steps = [Step(D, partial(self.d_loss, s), repeat=3), Step(G, partial(self.g_loss, s), repeat=3)]
            phases.append(Phase(f"{size}px", steps, 2 * 3, {"batch_size": 1}, on_start=partial(self.start, s)))
        return phases

    @torch.no_grad()
    def start(self, s):
        self.G.scale.fill_(s)
        self.G.amp[s] = 1.0
        if s > 0:
            self.G.nets[s].load_state_dict(self.G.nets[s - 1].state_dict())
            self.Ds[s].load_state_dict(self.Ds[s - 1].state_dict())
            gap = fn.mse_loss(self.G(self.z_star, noise=False), resize(self.image, self.G.sizes[s]))
            self.G.amp[s] = 0.1 * gap.sqrt()

    def d_loss(self, s, b):
        return wasserstein.d(self.Ds[s](resize(self.image, self.G.sizes[s])), self.Ds[s](self.G(self.G.prior(1))))

    def g_loss(self, s, b):
        same = self.G(self.z_star, noise=False)
        return {
            "adv": wasserstein.g(self.Ds[s](self.G(self.G.prior(1))), None),
            "rec": 10 * fn.mse_loss(same, resize(self.image, self.G.sizes[s])),
        }


def patch():
    return nn.Sequential(nn.Conv2d(C, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Tanh(), nn.Conv2d(4, C, 3, padding=1))


def resize(x, size):
    return fn.interpolate(x, (size, size), mode="bilinear")


GAMES = {game.__name__: game for game in (GAN, ABA, InfoGAN, CycleGAN, ProGAN, StyleGAN2, SinGAN)}

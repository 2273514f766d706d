"""Metrics on whole models: what is alike scores well, what is not does not, and all say through what they looked."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_metrics import fidelity, labels, manifolds, neighbours, pairs, perceptual, points
from ganzoo_metrics.extractors import load_extractor
from torch import Tensor, nn
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from ganzoo_core.data import DATASETS, DatasetInfo, Tensors, open_dataset
from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalConfig, EvalContext
from ganzoo_core.nn import Category, Generator, Image, Images, Label, Latent, Points

SETS = {d.name: d for d in DATASETS}
LABEL = Label(10)


@pytest.fixture(scope="module")
def digits():
    return open_dataset("digits", image_size=28, datasets=SETS)


class Held:
    """As much of a model as a metric looks at."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator

    def network(self, name: str) -> Generator:
        return self.generator

    def __repr__(self) -> str:
        return "Held"


def context(net: Generator, source, n: int = 400, seed: int = 0, extractor: str = "mnist-cnn") -> EvalContext:
    config = EvalConfig("digits", (), n, (seed,), extractor)
    return EvalContext(Held(net), source, config, seed, lambda *_: None, None)  # type: ignore[arg-type]


class Copies(Generator):
    """Draws an index; the sample is that digit of the data, and `blur` of noise."""

    def __init__(self, source: Tensors, blur: float = 0.0, few: int = 0) -> None:
        super().__init__()
        self.inputs = {"z": Latent((1,), (0.0, 1.0))}
        self.output = Images((1, 28, 28))
        self.register_buffer("x", source.fetch(range(few or len(source)))["x"])
        self.blur = nn.Parameter(torch.tensor(blur))

    def forward(self, z: Tensor) -> Tensor:
        x = self.x[(z[:, 0] * len(self.x)).long().clamp(max=len(self.x) - 1)]
        return (x + self.blur * torch.randn_like(x)).clamp(-1, 1)


class OfClass(Copies):
    """Copies of the class that is asked for; `shift` names another."""

    def __init__(self, source: Tensors, shift: int = 0) -> None:
        super().__init__(source)
        self.inputs = {**self.inputs, "label": LABEL, "c": Category(5)}
        self.y = source.fetch(range(len(source)))["label"]
        self.shift = shift

    def forward(self, z: Tensor, label: Tensor, c: Tensor) -> Tensor:
        rows = [torch.nonzero(self.y == (k + self.shift) % 10)[:, 0] for k in label.tolist()]
        picked = torch.stack([r[int(u * len(r)) % len(r)] for r, u in zip(rows, z[:, 0].tolist(), strict=True)])
        return self.x[picked] + 0 * self.blur


def value(found) -> float:
    ((_, number, _),) = list(found)
    return number


def test_data_are_closer_to_themselves_than_noisy_ones_by_every_distance(digits) -> None:
    same, noisy = context(Copies(digits), digits), context(Copies(digits, blur=0.8), digits)
    for metric in (fidelity.fid, fidelity.kid):
        assert value(metric(same)) < value(metric(noisy)) / 3
    for metric in (manifolds.precision, manifolds.recall, manifolds.coverage, manifolds.density):
        assert value(metric(same)) > value(metric(noisy)) + 0.2
    assert value(fidelity.inception(same)) > value(fidelity.inception(context(Copies(digits, few=1), digits))) + 1


def test_dropped_modes_cost_recall_and_coverage_but_not_precision(digits) -> None:
    few = context(Copies(digits, few=20), digits)
    assert value(manifolds.precision(few)) > 0.95
    assert value(manifolds.recall(few)) < 0.3 and value(manifolds.coverage(few)) < 0.3


def test_scores_carry_their_extractor(digits) -> None:
    ((name, _, protocol),) = fidelity.fid(context(Copies(digits), digits))
    assert name == "fid[mnist-cnn]"
    assert protocol["extractor_sha256"] == load_extractor("mnist-cnn").sha256 and protocol["resize"] == "none"


def test_another_size_is_resized_and_says_so(digits) -> None:
    class Large(Copies):
        def __init__(self, source: Tensors) -> None:
            super().__init__(source)
            self.output = Images((1, 56, 56))

        def forward(self, z: Tensor) -> Tensor:
            return super().forward(z).repeat_interleave(2, 2).repeat_interleave(2, 3)

    source = open_dataset("digits", image_size=56, datasets=SETS)
    ((_, number, protocol),) = fidelity.fid(context(Large(digits), source))
    assert "to 28" in protocol["resize"] and number < 100


def test_labels_are_counted_right_and_wrong(digits) -> None:
    right = value(labels.label_accuracy(context(OfClass(digits), digits)))
    wrong = value(labels.label_accuracy(context(OfClass(digits, shift=1), digits)))
    assert right > 0.8 and wrong < 0.1  # 8x8 digits, enlarged: the classifier knows MNIST's


def test_a_model_without_labels_is_refused(digits) -> None:
    with pytest.raises(GanzooError, match="label_accuracy: Held takes no label"):
        list(labels.label_accuracy(context(Copies(digits), digits)))


def test_a_code_that_says_nothing_is_hardly_pure(digits) -> None:
    codes = value(labels.code_purity(context(OfClass(digits), digits, n=1000)))
    assert 0.1 < codes < 0.5  # 5 codes cycle with 10 labels: each sees two


def test_diversity_is_nought_where_all_are_alike(digits) -> None:
    one = value(perceptual.lpips(context(Copies(digits, few=1), digits, n=100)))
    many = value(perceptual.lpips(context(Copies(digits), digits, n=100)))
    assert one == pytest.approx(0, abs=1e-6) and many > 0.05


def test_the_perceptual_distance_is_its_formula() -> None:
    looking = load_extractor("mnist-cnn")
    a, b = torch.rand(2, 3, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    total = torch.zeros(3)
    for m, n in zip(looking.maps(a), looking.maps(b), strict=True):
        for i in range(3):
            for h in range(m.shape[2]):
                for w in range(m.shape[3]):
                    p, q = m[i, :, h, w], n[i, :, h, w]
                    p, q = p / (p.norm() + 1e-10), q / (q.norm() + 1e-10)
                    total[i] += (p - q).square().sum() / (m.shape[2] * m.shape[3])
    torch.testing.assert_close(perceptual.Perceptual(looking)(a, b), total.detach(), rtol=1e-3, atol=1e-5)


class Path(Generator):
    """Brightness follows z, `scale` times as fast."""

    def __init__(self, scale: float, label: bool = False) -> None:
        super().__init__()
        self.inputs = {"z": Latent((4,)), **({"label": LABEL} if label else {})}
        self.output = Images((1, 28, 28))
        self.scale = nn.Parameter(torch.tensor(scale))
        self.basis = torch.randn(4, 784, generator=torch.Generator().manual_seed(0))

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return torch.tanh(self.scale * z @ self.basis).unflatten(1, (1, 28, 28))


@pytest.mark.parametrize("label", [False, True])
def test_a_steeper_generator_has_a_longer_path(digits, label) -> None:
    flat, steep = (value(perceptual.ppl(context(Path(s, label), digits, n=100))) for s in (0.01, 0.1))
    assert 0 < flat < steep
    assert steep == value(perceptual.ppl(context(Path(0.1, label), digits, n=100)))


def test_what_is_drawn_inside_is_alike_at_both_ends_of_a_path(digits) -> None:
    """A hundred times the noise of a step would be all that is measured, were it drawn anew."""

    class Noisy(Path):
        def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
            x = super().forward(z)
            return x + 0.1 * torch.randn_like(x)

    quiet, noisy = (value(perceptual.ppl(context(net(0.1), digits, n=100))) for net in (Path, Noisy))
    assert noisy < 10 * quiet


def test_options_of_sampling_do_not_reach_a_path(digits) -> None:
    asked = context(Path(0.1), digits, n=10)
    asked.options = {"noise": "const"}
    with pytest.raises(GanzooError, match="ppl: is of G itself"):
        list(perceptual.ppl(asked))


def test_a_generator_without_a_latent_has_no_path() -> None:
    with pytest.raises(GanzooError, match="has no path"):
        list(perceptual.ppl(context(Negative(), paired(), n=8)))


class Negative(Generator):
    """a -> -a, with a little noise."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"a": Image((1, 16, 16))}, Images((1, 16, 16))
        self.noise = nn.Parameter(torch.tensor(0.1))

    def forward(self, a: Tensor) -> Tensor:
        return (self.noise * torch.linspace(-1, 1, 16) - a).clamp(-1, 1)


def paired() -> Tensors:
    a = torch.randint(256, (20, 1, 16, 16), generator=torch.Generator().manual_seed(1)).to(torch.uint8)
    return Tensors(DatasetInfo("pairs", frozenset("ab"), 16, 1, None, (), "", "0" * 64), {"a": a, "b": 255 - a}, {})


def test_psnr_and_ssim_compare_every_output_with_its_target() -> None:
    source, net = paired(), Negative()
    batch = source.fetch(range(20))
    made = net(batch["a"]).detach()
    expected = 10 * torch.log10(4 / (made - batch["b"]).square().mean((1, 2, 3)))
    asked = context(net, source, n=10_000)
    (name, psnr, protocol), (other, idle, _) = pairs.psnr(asked)
    assert (name, other) == ("psnr", "psnr[identity]") and protocol["n"] == 20  # every pair once
    same = 10 * torch.log10(4 / (batch["a"] - batch["b"]).square().mean((1, 2, 3)))
    assert idle == pytest.approx(float(same.mean()), rel=1e-5)
    assert psnr == pytest.approx(float(expected.mean()), rel=1e-5)
    assert psnr == pytest.approx(float(peak_signal_noise_ratio(made, batch["b"], data_range=2.0)), rel=0.05)
    ssim = structural_similarity_index_measure(made + 1, batch["b"] + 1, data_range=2.0)
    assert next(iter(pairs.ssim(asked)))[1] == pytest.approx(float(ssim), rel=1e-5)
    distances = {found: v for found, v, _ in pairs.l1(asked)}
    assert distances["l1"] == pytest.approx(float((made - batch["b"]).abs().mean()), rel=1e-5)
    assert distances["l1[identity]"] == pytest.approx(float((batch["a"] - batch["b"]).abs().mean()), rel=1e-5)


def test_ssim_compares_luminance_from_0() -> None:
    """Two grays are 0.995 alike by Eq. 6 of Wang et al. 2004, and were 0.04 on a scale around 0."""
    a, b = (torch.full((1, 1, 16, 16), v) for v in (0.0, 0.1))
    c1 = (0.01 * 2) ** 2
    expected = (2 * 1.0 * 1.1 + c1) / (1.0**2 + 1.1**2 + c1)
    assert float(pairs.each_ssim(a, b, torch.ones_like(a))) == pytest.approx(expected, abs=1e-4)


def test_luma_from_16_to_235_scores_higher_by_a_constant() -> None:
    a, b = torch.rand(2, 3, 1, 8, 8) * 2 - 1
    where = torch.ones_like(a)
    more = pairs.each_psnr_y(a, b, where) - pairs.each_psnr(a, b, where)
    torch.testing.assert_close(more, torch.full((3,), 20 * math.log10(255 / 219)))
    black, white = torch.full((1, 1, 8, 8), -1.0), torch.ones(1, 1, 8, 8)
    assert float(pairs.each_psnr_y(black, white, torch.ones_like(black))) == pytest.approx(20 * math.log10(255 / 219))


def test_what_is_right_to_the_bit_is_as_good_as_eight_bits() -> None:
    """And not infinitely good, which no mean survives: 255^2 * 12 steps of rounding."""
    x, where = torch.rand(2, 1, 8, 8), torch.ones(2, 1, 8, 8)
    torch.testing.assert_close(pairs.each_psnr(x, x, where), torch.full((2,), 10 * math.log10(255**2 * 12)))
    torch.testing.assert_close(pairs.each_psnr_y(x, x, where), torch.full((2,), 10 * math.log10(255**4 * 12 / 219**2)))


def test_pairs_for_diversity_agree_in_their_classes() -> None:
    label = torch.tensor([2, 0, 2, 1, 2, 0, 2, 1, 2])
    a, b = perceptual.alike({"label": label}, 9)
    assert torch.equal(label[a], label[b]) and len(a) == 4 and len(set(a.tolist() + b.tolist())) == 8
    a, b = perceptual.alike({}, 6)
    assert a.tolist() == [0, 1, 2] and b.tolist() == [3, 4, 5]


def test_inside_a_hole_only_the_hole_counts() -> None:
    target, mask = torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8)
    target[..., :4] = 1.0
    mask[..., 2:6, 2:6] = 1
    made = torch.where(mask > 0, 0.5, target + 9)  # nonsense outside
    answers, how = pairs.answers({"x": made, "target": target, "mask": mask})
    assert how == {"region": "hole"}
    found = {who: float(pairs.each_l1(y, target, answers.where)) for who, y in answers.made.items()}
    assert found == pytest.approx({"": 0.5, "mean colour": 0.5, "nearest pixel": 0.0})
    assert float(pairs.each_psnr(made, target, answers.where)) == pytest.approx(10 * math.log10(4 / 0.25))


def test_small_pictures_are_compared_in_luma_without_the_border_beside_bicubic() -> None:
    target = torch.rand(2, 3, 32, 32) * 2 - 1
    low = torch.nn.functional.interpolate(target, (8, 8), mode="bicubic", antialias=True)
    answers, how = pairs.answers({"x": target, "target": target, "low": low})
    assert how["border_left_out"] == 4 and answers.target.shape == (2, 1, 24, 24)
    assert torch.equal(answers.made[""], answers.target)
    r, g, b = (((target + 1) * 127.5).round() / 127.5 - 1)[..., 4:-4, 4:-4].unbind(1)
    torch.testing.assert_close(answers.target[:, 0], 0.299 * r + 0.587 * g + 0.114 * b)
    assert not torch.equal(answers.made["bicubic"], answers.target)


def test_outputs_are_closer_to_their_targets_than_what_takes_no_model() -> None:
    (name, made, protocol), (other, idle, _) = perceptual.lpips_target(context(Negative(), paired(), n=100))
    assert (name, other) == ("lpips_target[mnist-cnn]", "lpips_target[mnist-cnn][identity]")
    assert 0 < made < idle and protocol["n_real"] == 20


class Shaded(Generator):
    """a -> -a, with columns as bright as is drawn; `told`, it does what is drawn, else not."""

    def __init__(self, told: float) -> None:
        super().__init__()
        self.inputs, self.output = {"a": Image((1, 16, 16)), "z": Latent((16,))}, Images((1, 16, 16))
        self.told = nn.Parameter(torch.tensor(told))

    def forward(self, a: Tensor, z: Tensor) -> Tensor:
        return (self.told * z[:, None, None] - a).clamp(-1, 1)


def test_answers_to_one_input_differ_where_what_is_drawn_is_heard(digits) -> None:
    deaf, hears = (value(perceptual.lpips_answers(context(Shaded(told), paired(), n=20))) for told in (0.0, 1.0))
    assert deaf == pytest.approx(0, abs=1e-6) and hears > 0.05
    ((_, _, said),) = perceptual.lpips_answers(context(Shaded(1.0), paired(), n=20))
    assert said["n"] == 40
    for net, source in ((Negative(), paired()), (Copies(digits), digits)):  # one answer, and nothing that is asked
        with pytest.raises(GanzooError, match="does not draw several answers"):
            list(perceptual.lpips_answers(context(net, source, n=20)))


def test_doing_nothing_has_a_distance_too(digits) -> None:
    class Copy(Negative):
        def forward(self, a: Tensor) -> Tensor:
            return a + 0 * self.noise

    asked = context(Copy(), paired(), n=20)
    assert value(fidelity.fid_identity(asked)) == pytest.approx(value(fidelity.fid(asked)), rel=1e-6)
    with pytest.raises(GanzooError, match="given no pictures"):
        list(fidelity.fid_identity(context(Copies(digits), digits)))


def test_outputs_without_targets_are_refused(digits) -> None:
    with pytest.raises(GanzooError, match="nothing to compare with"):
        list(pairs.psnr(context(Copies(digits), digits)))


def test_copies_are_found_and_strangers_are_not(digits) -> None:
    copies = value(neighbours.nearest(context(Copies(digits), digits, n=50)))
    noisy = value(neighbours.nearest(context(Copies(digits, blur=0.5), digits, n=50)))
    assert copies == pytest.approx(0, abs=0.2) and noisy > 20  # cdist rounds


def test_nearest_is_brute_force_in_grey_levels() -> None:
    images, data = (torch.rand(2, 7, 1, 5, 5, generator=torch.Generator().manual_seed(0)) * 2 - 1).unbind(0)
    expected = [min(float(((x - y) * 127.5).square().mean().sqrt()) for y in data) for x in images]
    assert neighbours.closest(images, data.split(3)).tolist() == pytest.approx(expected, rel=1e-3)


def test_a_picture_is_at_no_distance_from_itself_and_at_some_from_another(digits) -> None:
    class Same(Copies):
        def __init__(self, source: Tensors, which: int) -> None:
            super().__init__(source)
            self.register_buffer("x", source.fetch([which])["x"])

    assert value(fidelity.sifid(context(Same(digits, 0), digits, n=3))) == pytest.approx(0, abs=1e-4)
    assert value(fidelity.sifid(context(Same(digits, 1), digits, n=3))) > 0.01


class Ring(Generator):
    """Points on the ring's own modes, of `found` of them."""

    def __init__(self, found: int) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((1,), (0.0, 1.0))}, Points((2,))
        self.scale, self.found = nn.Parameter(torch.ones(())), found

    def forward(self, z: Tensor) -> Tensor:
        from ganzoo_core.data import ring_modes

        return self.scale * ring_modes()[0][(z[:, 0] * self.found).long()]


@pytest.mark.parametrize("found", [1, 5, 8])
def test_modes_are_counted(found) -> None:
    source = open_dataset("ring", datasets=SETS)
    scores = {name: number for name, number, _ in points.modes(context(Ring(found), source, n=3000))}
    assert scores["modes"] == found and scores["modes_good"] == 1
    assert scores["modes_kl"] == pytest.approx(math.log(8 / found), abs=0.01)


def test_modes_of_pictures_are_refused(digits) -> None:
    with pytest.raises(GanzooError, match="digits is no known mixture"):
        list(points.modes(context(Copies(digits), digits)))


def test_too_few_samples_are_refused(digits) -> None:
    with pytest.raises(GanzooError, match="is: 40 images are too few"):
        list(fidelity.inception(context(Copies(digits), digits, n=40)))

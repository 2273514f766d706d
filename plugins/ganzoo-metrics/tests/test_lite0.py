"""EfficientNet-Lite0: the published network's outputs, two photographs, its file and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from ganzoo_metrics import lite0
from ganzoo_metrics.extractors import load_extractor, to_size
from PIL import Image
from torch import Tensor

from ganzoo_core.errors import GanzooError, IntegrityError

CAT, ESPRESSO = 285, 967  # of ImageNet's 1000: Egyptian cat, espresso
here = pytest.mark.skipif(lite0.find_spec(lite0.PACKAGE) is None, reason="the extra lite0 is not installed")
PHOTOGRAPHS = Path(os.environ.get("GANZOO_DATA", "")) / "single_images"


def test_it_has_the_published_number_of_weights() -> None:
    with torch.device("meta"):
        assert sum(w.numel() for w in lite0.Net().parameters()) == 4_652_008


def test_padding_is_tensorflows() -> None:
    """Where it cannot be even, the extra row and column are below and on the right."""
    conv = lite0.Same(1, 1, 3, 2, bias=False)
    torch.nn.init.ones_(conv.weight)
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert conv(x)[0, 0].tolist() == [[45.0, 39.0], [66.0, 50.0]]
    assert conv(torch.ones(1, 1, 5, 5)).shape == (1, 1, 3, 3)


def test_taking_norms_into_convolutions_changes_nothing() -> None:
    torch.manual_seed(0)
    net = lite0.Net()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor in (module.weight.data, module.running_var, module.bias.data, module.running_mean):
                torch.nn.init.uniform_(tensor, 0.5, 1.5)
    x = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        before = net.eval().features(x)
        torch.testing.assert_close(lite0.fused(net).features(x), before, rtol=1e-4, atol=1e-4)


@here
def test_outputs_are_the_published_ones() -> None:
    """Within 1e-5 of the network in efficientnet-lite-pytorch, where that is installed (extra interop)."""
    theirs = pytest.importorskip("efficientnet_lite_pytorch", reason="the extra interop is not installed")
    want = theirs.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(lite0.find_file())).eval()
    ours = load_extractor("lite0")
    x = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        features, logits = ours(x)
        seen = (((x + 1) / 2) - ours.mean) / ours.std
        torch.testing.assert_close(features, want.extract_features(seen).mean((2, 3)), rtol=0, atol=1e-5)
        torch.testing.assert_close(logits, want(seen), rtol=1e-5, atol=2e-5)


def photograph(name: str) -> Tensor:
    """Its centre square.  [1, 3, S, S] in [-1, 1]"""
    image = Image.open(PHOTOGRAPHS / name).convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    pixels = np.asarray(image.crop((left, top, left + side, top + side))).copy()
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 127.5 - 1


@here
@pytest.mark.skipif(not (PHOTOGRAPHS / "coffee.png").is_file(), reason="the photographs are not here")
@pytest.mark.parametrize(("name", "what"), [("chelsea.png", CAT), ("coffee.png", ESPRESSO)])
@pytest.mark.parametrize("size", [lite0.SIZE, 224])
def test_photographs_are_what_they_are(name: str, what: int, size: int) -> None:
    looking = load_extractor("lite0")
    with torch.inference_mode():
        assert int(looking.logits(to_size(photograph(name), size)).argmax()) == what


@here
def test_what_it_sees() -> None:
    looking = load_extractor("lite0")
    x = torch.rand(2, 1, 32, 32) * 2 - 1
    prepared = looking.prepared(x)
    assert prepared.shape == (2, 3, lite0.SIZE, lite0.SIZE)
    features, logits = looking(prepared)
    assert features.shape == (2, looking.dim) and logits.shape == (2, 1000) == (2, len(looking.classes))
    assert [m.shape[1] for m in looking.maps(prepared)] == [16, 24, 40, 112, 320]
    assert looking.local(prepared).shape == (2, 16, 80, 80)
    alone = torch.cat([looking.features(one[None]) for one in prepared])
    torch.testing.assert_close(features, alone, rtol=1e-4, atol=1e-4)  # a batch is no more than its images


def test_where_it_is_not_installed_one_line_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lite0, "PACKAGE", "no_such_package_of_weights")
    with pytest.raises(GanzooError) as fault:
        load_extractor("lite0")
    assert "ganzoo-metrics[lite0]" in str(fault.value) and "--extractor emoji-cnn" in str(fault.value)


def test_another_file_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "weights_of_somebody"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('a line of it ran')")
    (package / lite0.FILE).write_bytes(b"something else")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(lite0, "PACKAGE", "weights_of_somebody")
    with pytest.raises(IntegrityError, match="is not the published file"):
        load_extractor("lite0")

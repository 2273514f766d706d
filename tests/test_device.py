"""Which device `auto` takes, and when it trusts one."""

from __future__ import annotations

import pytest
import torch

from ganzoo_core.nn import device as devices
from ganzoo_core.nn.device import computes_as_the_cpu, penalised, pick_device, pick_precision

CPU, ELSEWHERE = torch.device("cpu"), torch.device("meta")


def test_a_device_is_trusted_that_computes_what_the_cpu_does() -> None:
    assert computes_as_the_cpu(CPU)
    assert not computes_as_the_cpu(ELSEWHERE)  # it has no numbers


@pytest.mark.parametrize(("fault", "trusted"), [(1e-5, True), (1e-2, False), (float("nan"), False)])
def test_a_device_that_is_somewhat_wrong_is_not(fault: float, trusted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    right = penalised(CPU)
    monkeypatch.setattr(devices, "penalised", lambda on: right if on == CPU else tuple(g * (1 + fault) for g in right))
    assert computes_as_the_cpu(ELSEWHERE) is trusted


def test_auto_is_the_cpu_where_nothing_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto") == (torch.device("mps") if torch.backends.mps.is_available() else CPU)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(devices, "computes_as_the_cpu", lambda on: on.type == "mps")
    assert pick_device("auto").type == "mps" and pick_precision("auto", torch.device("mps")) == torch.float32

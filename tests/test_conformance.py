"""Every installed family keeps every promise."""

import pytest

from ganzoo_core.registry import registry
from ganzoo_core.testing import Conformance


@pytest.mark.parametrize("family", list(registry().families))
class TestZoo(Conformance):
    pass


def test_there_is_a_zoo():
    assert {"gan", "dcgan"} <= set(registry().families)

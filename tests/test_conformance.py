"""Every installed family keeps every promise; one process looks at all of a family, so that it is trained once."""

import pytest

from ganzoo_core.registry.plugins import registry
from ganzoo_core.testing import Conformance

FAMILIES = [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in registry().families]


@pytest.mark.parametrize("family", FAMILIES)
class TestZoo(Conformance):
    pass


def test_there_is_a_zoo():
    assert {"gan", "dcgan"} <= set(registry().families)

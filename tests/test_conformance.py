"""Every installed family keeps every promise; one process looks at all of a family, so that it is trained once."""

import pytest

from ganzoo_core.registry.plugins import registry
from ganzoo_core.testing import Conformance

FAMILIES = [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in registry().families]


@pytest.mark.parametrize("family", FAMILIES)
class TestZoo(Conformance):
    @pytest.mark.slow  # torch.export wants over a second for each, as much as half of all else
    def test_generators_are_programs(self, family: str) -> None:
        super().test_generators_are_programs(family)


def test_there_is_a_zoo():
    assert {"gan", "dcgan"} <= set(registry().families)

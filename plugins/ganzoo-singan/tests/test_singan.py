import pytest
from ganzoo_core.testing import Conformance


@pytest.mark.parametrize("family", ["singan"])
class TestConformance(Conformance): ...

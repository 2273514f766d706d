import pytest

from ganzoo_core.testing import Conformance


@pytest.mark.parametrize("family", ["caae", "age_cgan"])
class TestConformance(Conformance):
    """Both keep what every family of the zoo promises."""

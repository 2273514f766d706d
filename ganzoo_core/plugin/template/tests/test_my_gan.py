import pytest

from ganzoo_core.testing import Conformance


@pytest.mark.parametrize("family", ["my_gan"])
class TestConformance(Conformance):
    """MyGAN keeps what every family of the zoo promises; add what is its own."""

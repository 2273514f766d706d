"""MyGAN keeps what every family of the zoo promises; add what is its own."""

import pytest

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.testing import Conformance


@pytest.mark.parametrize("family", ["my_gan"])
class TestConformance(Conformance):
    pass


def test_an_odd_size_is_refused_in_one_line():
    with pytest.raises(GanzooError, match="image_size 17"):
        gz.create("my_gan", image_size=17)

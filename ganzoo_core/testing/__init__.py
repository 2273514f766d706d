"""What a plugin's tests import: five lines put a family under the conformance suite.

import pytest
from ganzoo_core.testing import Conformance

@pytest.mark.parametrize("family", ["dcgan"])
class TestConformance(Conformance): ...
"""

from ganzoo_core.testing.conformance import Conformance as Conformance
from ganzoo_core.testing.synthetic import synthetic as synthetic

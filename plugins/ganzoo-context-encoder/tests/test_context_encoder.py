"""Context encoder."""

from __future__ import annotations

import pytest

from ganzoo_core.testing import Conformance


@pytest.mark.parametrize("family", ["context_encoder"])
class TestConformance(Conformance): ...

"""What the tests of the generators share."""

import pytest

from titrant.model.space import RangeParameterConfig, search_space


@pytest.fixture
def square():
    return search_space([RangeParameterConfig("x", (0.0, 1.0)), RangeParameterConfig("y", (0.0, 1.0))])

"""The fixtures of mockpump, with this project's pump in place of mockpump's own."""

import pytest
from own_pump import TiredPump

pytest_plugins = ["mockpump.fixtures"]


@pytest.fixture
def pump() -> TiredPump:
    return TiredPump.new()

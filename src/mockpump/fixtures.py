"""Fixtures for pytest: a pump, a programmer, a bad line, a pump on a pty.

In your `conftest.py`:

pytest_plugins = ["mockpump.fixtures"]

@pytest.fixture
def pump():
    return MyPump.new()      # all the others take what `pump` gives

`pump`, `world` and `programmer` live in virtual time: nothing sleeps.  A test under `@given` makes
its own instead: Hypothesis calls it many times for one fixture.
"""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from mockpump import Pump, World
from mockpump.emulator.channel.channel import Channel
from mockpump.emulator.channel.impairments import Impairments
from mockpump.emulator.programmer.client import PumpClient
from mockpump.protocol.units import WHOLE

__all__ = ["bad_line", "programmer", "pump", "pump_port", "world"]

_SPEED = 3_600


@pytest.fixture
def pump() -> Pump:
    """A new pump in RAM, with a full reservoir, a program running, and no keys."""
    return Pump.new()


@pytest.fixture
def bad_line() -> Impairments:
    """What is wrong with a bad line: chunks lost, damaged, doubled and out of order; 20 ms late."""
    share = WHOLE // 20
    return Impairments(
        loss=share, ber=WHOLE // 10_000, duplicate=share, reorder=share, delay=20_000
    )


@pytest.fixture
def world(pump: Pump) -> World:
    """That pump on a good line in virtual time, an hour of pump time to a second of line time.

    `world.impair(bad_line)` makes the line bad; `world.run_until(86_400)` lets a day pass.
    """
    return World(pump, speed=_SPEED, channel=Channel(Impairments(), 0))


@pytest.fixture
def programmer(world: World) -> Iterator[PumpClient]:
    """A programmer that is connected to that pump."""
    with world.connect() as client:
        yield client


@pytest.fixture
def pump_port() -> Iterator[str]:
    """The path of a pty with a pump of mockpump's behind it, in real time, in its own process."""
    command = [sys.executable, "-m", "mockpump", "pump", "run", "--open", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["port"]
        finally:
            process.terminate()

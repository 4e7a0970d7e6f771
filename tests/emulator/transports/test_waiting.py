"""A port that is not there yet: how often it is tried, how long, and what is said."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.transports import waiting
from mockpump.emulator.transports.errors import PortAbsent, PortError
from mockpump.emulator.transports.serial_port import open_port


class Line:
    """A clock, and a port that is there from a moment on; the sleeper turns the clock."""

    def __init__(self, there_from: float) -> None:
        self.now = 0
        self.there_from = there_from
        self.told: list[tuple[int, str]] = []

    def open(self) -> str:
        if self.now < self.there_from:
            raise PortAbsent("not there")
        return "port"

    def sleep(self, seconds: float) -> None:
        self.now += int(seconds * 1e6)

    def tell(self, why: str) -> None:
        self.told.append((self.now, why))


def opened(line: Line, patience: int) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waiting, "line_now", lambda: line.now)
        patch.setattr(waiting.time, "sleep", line.sleep)
        return waiting.opened(line.open, patience, line.tell)


@given(st.integers(0, 10_000_000), st.integers(0, 5_000_000))
def test_it_is_waited_for_and_no_longer_than_wanted(there_from: int, patience: int) -> None:
    line = Line(there_from)
    if there_from <= patience - 50_000:
        assert opened(line, patience) == "port"
        assert line.now < there_from + 50_000
    elif there_from >= patience + 50_000:
        with pytest.raises(PortAbsent, match="not there"):
            opened(line, patience)
        assert patience <= line.now < patience + 50_000
    assert [why for _, why in line.told] == ["not there"] * (line.now > 300_000)


def test_without_patience_there_is_one_try_and_not_a_word() -> None:
    line = Line(1)
    with pytest.raises(PortAbsent):
        opened(line, 0)
    assert (line.now, line.told) == (0, [])


def test_somebody_is_told_once_after_a_moment() -> None:
    line = Line(float("inf"))
    with pytest.raises(PortAbsent):
        opened(line, 3_000_000)
    assert line.told == [(300_000, "not there")]


def test_what_waiting_does_not_mend_is_not_waited_for() -> None:
    tries = itertools.count()

    def busy() -> None:
        next(tries)
        raise PortError("busy")

    with pytest.raises(PortError, match="busy"):
        waiting.opened(busy, 3_000_000, print)
    assert next(tries) == 1


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("./not-there", PortAbsent),
        ("tcp:127.0.0.1:1", PortAbsent),
        ("127.0.0.1:1", PortError),
        ("", PortError),
        (".", PortError),
        ("nonsense://x", PortError),
    ],
)
def test_which_ports_may_still_come(url: str, kind: type[PortError]) -> None:
    with pytest.raises(PortError) as caught:
        open_port(url)
    assert type(caught.value) is kind

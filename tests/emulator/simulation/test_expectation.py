"""What a scenario expects, and what is not so."""

import pytest
from msgspec import convert

from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.simulation.expectations import ExpectPart, differences
from mockpump.protocol.messages import Alarm, LogKind, Reason


@pytest.mark.parametrize(
    ("expected", "wrong"),
    [
        ({}, []),
        ({"mode": "running", "program": "factory", "delivered": 20_000, "alarms": []}, []),
        ({"boluses": 0, "sessions": 0, "turned_away": 0, "log": ["made"]}, []),
        ({"mode": "fault"}, ["mode fault, got running"]),
        ({"program": "day"}, ["program day, got factory"]),
        ({"delivered": 1}, ["delivered 1, got 20000"]),
        ({"boluses": 1, "sessions": 2}, ["boluses 1, got 0", "sessions 2, got 0"]),
        ({"alarms": ["empty"]}, ["alarms ['empty'], got []"]),
        ({"log": ["clock-set"]}, ["an entry clock-set in the log, got none"]),
    ],
)
def test_what_is_not_as_expected(expected: dict[str, object], wrong: list[str]) -> None:
    pump = new_pump()
    pump.advance(3_600)
    assert list(differences(pump, convert(expected, ExpectPart))) == wrong


@pytest.mark.parametrize("actions", [0, 1])
def test_whoever_was_turned_away_is_counted_written_or_not(actions: int) -> None:
    pump = new_pump()
    for _ in range(7):
        pump.log(LogKind.TURNED_AWAY, Reason.NO_SESSION, 1)
    for _ in range(actions):
        pump.log(LogKind.RESUMED)
    pump.change(lambda: None)
    assert list(differences(pump, ExpectPart(turned_away=7))) == []
    assert list(differences(pump, ExpectPart(turned_away=1))) == ["turned_away 1, got 7"]


@pytest.mark.parametrize("name", ["low_battery", "low-battery"])
def test_an_alarm_may_be_named_as_it_is_acknowledged(name: str) -> None:
    pump = new_pump()
    pump.show(Alarm.LOW_BATTERY)
    assert list(differences(pump, ExpectPart(alarms=[name]))) == []
    assert list(differences(pump, ExpectPart(alarms=["stalled"]))) != []

"""`mockpump programmer clock`: set by minutes it moves by minutes, and what it crosses is said."""

import json
import sys

import click
import pytest
from msgspec.structs import replace
from outside import Command, in_process, pump_thread
from pump_state import give

from mockpump.emulator.pump.factory import new_pump
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.schedule import DAY, WEEK
from mockpump.protocol import messages as m
from mockpump.protocol.program import Program, RampStep

FLAT = Program.flat("ramped", 10_000)
RAMPED = Program(FLAT.format, FLAT.name, FLAT.week, FLAT.patterns, (RampStep(6, 200),))
SUNDAY_NIGHT = 7 * DAY - 600


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return in_process(capsys, monkeypatch)


def over_the_edge() -> Pump:
    """One whose clock went over Sunday's midnight a minute ago; its ramp has gone up on Sunday."""
    pump = new_pump(program=RAMPED)
    pump.advance(WEEK + 60)
    return pump


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Somebody at a terminal, who agrees; what they were asked."""
    questions: list[str] = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "confirm", lambda text, **_: questions.append(text) or True)
    return questions


def test_over_the_edge_of_a_week_it_goes_back_by_minutes(command: Command) -> None:
    with pump_thread(pump=over_the_edge()) as pump:
        ended = command("programmer", "--port", pump.path, "--json", "clock", "--set", "Sun 23:50")
        done = json.loads(ended.out)
        assert (ended.code, ended.err) == (0, "")
        assert done["clock"] == SUNDAY_NIGHT
        assert (done["percent"], done["program"]) == (None, None)
        assert pump.pump.delivery.percent == 200


def test_a_week_can_be_named_as_the_clock_is_shown(command: Command) -> None:
    with pump_thread(pump=over_the_edge()) as pump:
        at = ("programmer", "--port", pump.path)
        ended = command(*at, "clock", "--set", "Sun 23:50:05, week 1")
        assert ended.code == 0
        shown = command(*at, "clock").out.strip()
        assert "to Sun 23:50:05, week 1" in ended.out
        assert command(*at, "clock", "--set", shown).code == 0
        assert pump.pump.delivery.clock // WEEK == 1


def test_what_is_crossed_is_said(command: Command) -> None:
    pump = new_pump(program=RAMPED)
    pump.advance(5 * DAY)
    give(pump, Program.flat("later", 5_000), m.When.MIDNIGHT)
    with pump_thread(pump=pump) as served:
        at = ("programmer", "--port", served.path)
        ended = command(*at, "clock", "--set", "Sat 12:00")
        assert ended.out.splitlines()[1:] == []
        ended = command(*at, "clock", "--set", "Sun 12:00")
        assert ended.out.splitlines()[1:] == ['the pending program "later" has taken over']
    pump = new_pump(program=RAMPED)
    pump.advance(5 * DAY)
    with pump_thread(pump=pump) as served:
        at = ("programmer", "--port", served.path)
        ended = command(*at, "clock", "--set", "Sun 12:00")
        assert ended.out.splitlines()[1:] == ["the ramp went from 100 % to 200 %"]
        told = json.loads(command(*at, "--json", "clock", "--set", "Sat 12:00").out)
        assert told["percent"] == {"before": 200, "after": 100}


@pytest.mark.parametrize(("to", "asks"), [("Sat 12:00", False), ("Sun 12:00", True)])
def test_on_a_terminal_it_is_asked_about_unless_nothing_is_crossed(
    command: Command, somebody: list[str], to: str, asks: bool
) -> None:
    pump = new_pump(program=RAMPED)
    pump.advance(5 * DAY)
    with pump_thread(pump=pump) as served:
        at = ("programmer", "--port", served.path)
        ended = command(*at, "clock", "--set", to)
        assert ended.code == 0
        assert bool(somebody) is asks
        assert ("the ramp stands at 100 %, and will stand at 100 % or 200 %" in ended.out) is asks
        somebody.clear()
        assert command(*at, "clock", "--set", "Fri 12:00", "--yes").code == 0
        assert somebody == []


def test_who_says_no_changes_nothing(
    command: Command, somebody: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(click, "confirm", lambda *_, **__: False)
    pump = new_pump(program=RAMPED)
    pump.advance(5 * DAY)
    with pump_thread(pump=pump) as served:
        ended = command("programmer", "--port", served.path, "clock", "--set", "Sun 12:00")
        assert not [each for each in served.received if isinstance(each, m.SetClock)]
    assert ended.code == 1
    assert ended.line == "mockpump: not confirmed; nothing was changed"


def test_another_pump_that_answers_after_the_question_is_left_alone(
    command: Command, somebody: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pump = new_pump(program=RAMPED)
    pump.advance(5 * DAY)
    with pump_thread(pump=pump) as served:

        def meanwhile(*_: object, **__: object) -> bool:
            pump.identity = replace(pump.identity, serial=7)
            return True

        monkeypatch.setattr(click, "confirm", meanwhile)
        ended = command("programmer", "--port", served.path, "clock", "--set", "Sun 12:00")
        assert not [each for each in served.received if isinstance(each, m.SetClock)]
    assert ended.code == 3
    assert 'pump 7 ("' in ended.line
    assert "answers, not pump 1001" in ended.line
    assert ended.line.endswith("nothing was changed")


def test_a_pump_that_has_changed_meanwhile_is_asked_about_anew(
    command: Command, somebody: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pump = new_pump(program=RAMPED)
    pump.advance(5 * DAY)
    with pump_thread(pump=pump) as served:

        def meanwhile(*_: object, **__: object) -> bool:
            give(pump, Program.flat("later", 5_000), m.When.MIDNIGHT)
            return True

        monkeypatch.setattr(click, "confirm", meanwhile)
        ended = command("programmer", "--port", served.path, "clock", "--set", "Sun 12:00")
        assert not [each for each in served.received if isinstance(each, m.SetClock)]
    assert ended.code == 1
    assert ended.line == (
        "mockpump: the pump has changed meanwhile: ask again; nothing was changed"
    )


def test_before_the_first_week_there_is_nothing_to_set_it_to(command: Command) -> None:
    with pump_thread() as pump:
        at = ("programmer", "--port", pump.path)
        ended = command(*at, "clock", "--set", "Sun 23:50")
        assert ended.code == 2
        assert "nothing was changed" in ended.err
        assert "week 0" in ended.err
        assert not [each for each in pump.received if isinstance(each, m.SetClock)]
        for week in (7_000, 99_999):
            far = command(*at, "clock", "--set", f"Mon 00:00, week {week}")
            assert far.code == 2
            assert "a clock can be set up to" in far.err


@pytest.mark.parametrize("at", [m.GetDetails, m.ReadProgram])
def test_a_line_that_goes_before_it_is_set_changed_nothing(
    command: Command, at: type[m.Message]
) -> None:
    with pump_thread(at) as pump:
        ended = command("programmer", "--port", pump.path, "clock", "--set", "Tue 12:00")
    assert ended.code == 3
    assert ended.line.endswith("; nothing was changed")


@pytest.mark.parametrize("wrong", ["Mon 07:30, week", "Mon 07:30 week 2", ","])
def test_what_names_no_week(command: Command, wrong: str) -> None:
    ended = command("programmer", "--port", "/no/such", "clock", "--set", wrong)
    assert ended.code == 2

"""How quantities are typed; the devices' integers come out exact."""

from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.cli import quantities as q
from mockpump.emulator.pump.time_scale import MAX_SPEED
from mockpump.protocol import units as written


def test_how_a_speed_is_written() -> None:
    assert q.speed_text(MAX_SPEED) == "max"
    assert q.speed_text(0) == "0"


@given(st.integers(0, 7 * 86_400 - 1))
def test_a_time_of_the_week_reads_as_it_is_written(clock: int) -> None:
    assert convert(q.ClockTime(), written.clock_time(clock).partition(",")[0]) == clock


def convert(kind: click.ParamType[Any], value: object) -> object:
    return kind.convert(value, None, None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("07:30", 27_000),
        ("mon 7:30", 27_000),
        ("Sunday 23:59:59", 604_799),
        (" Tue 00:00 ", 86_400),
    ],
)
def test_times_as_people_write_them(text: str, seconds: int) -> None:
    assert convert(q.ClockTime(), text) == seconds


@pytest.mark.parametrize("text", ["Monkey 07:30", "Montag 07:30", "T 07:30", "Mon 24:00", "noon"])
def test_what_is_no_time_of_the_week(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"invalid time .*: use Mon 07:30"):
        convert(q.ClockTime(), text)


@pytest.mark.parametrize("text", ["", "07:30"])
def test_where_the_day_must_be_said_no_time_without_one_is_shown(text: str) -> None:
    with pytest.raises(click.BadParameter) as error:
        convert(q.ClockDate(), text)
    assert "07:30:15" not in str(error.value)


def test_zero_is_not_called_a_wrong_form() -> None:
    with pytest.raises(click.BadParameter, match="the shortest is 1s"):
        convert(q.Duration(), "0s")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("1h30m", 5_400), ("1d2h3m4s", 93_784), ("0h1s", 1)]
)
def test_durations(text: str, seconds: int) -> None:
    assert convert(q.Duration(), text) == seconds


@pytest.mark.parametrize("text", ["", "1", "1hour", "30m1h", "1h 30m", "-1s", "1.5h", "99999999s"])
def test_no_durations(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"invalid duration .*: use 90s, 30m, 2h"):
        convert(q.Duration(), text)


@given(st.integers(1, 10**7 - 1))
def test_a_duration_is_read_as_it_adds_up(seconds: int) -> None:
    days, rest = divmod(seconds, 86_400)
    text = f"{days}d{rest // 3600}h{rest % 3600 // 60}m{rest % 60}s"
    assert convert(q.Duration(), text) == convert(q.Duration(), f"{seconds}s") == seconds


def test_a_default_that_is_a_number_stays() -> None:
    assert convert(q.ClockTime(), 5) == 5


@pytest.mark.parametrize(
    "text", ["", "24:00", "07:60", "07:30:60", "Fun 07:30", "7", "Mon", "-1:00", "\u0660\u0667:30"]
)
def test_no_times_of_the_week(text: str) -> None:
    with pytest.raises(click.BadParameter):
        convert(q.ClockTime(), text)


@pytest.mark.parametrize(
    ("text", "speed"), [("0", 0), ("1", 1), ("3600", 3600), ("1000000", 1_000_000), ("max", None)]
)
def test_speeds(text: str, speed: int | None) -> None:
    assert convert(q.Speed(), text) == speed


@pytest.mark.parametrize("text", ["", "-1", "1.5", "fast", "1000001", "9" * 5000, "\u0661", "MAX"])
def test_no_speeds(text: str) -> None:
    with pytest.raises(click.BadParameter):
        convert(q.Speed(), text)


def test_a_day_of_the_week_may_be_asked_for() -> None:
    assert convert(q.ClockDate(), "Tue 06:30").second == 86_400 + 6 * 3_600 + 30 * 60
    with pytest.raises(click.BadParameter, match="it needs a day, as in Tue 06:30"):
        convert(q.ClockDate(), "06:30")


def test_a_lowest_speed_may_be_asked_for() -> None:
    assert convert(q.Speed(minimum=1), "1") == 1
    with pytest.raises(click.BadParameter, match="1 to 1000000"):
        convert(q.Speed(minimum=1), "0")

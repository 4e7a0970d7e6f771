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
    ("text", "seconds"),
    [
        ("90s", 90),
        ("1h30m", 5_400),
        ("1h 30m", 5_400),
        ("1d2h3m4s", 93_784),
        ("0h1s", 1),
        ("1m", 60),
        ("1.5h", 5_400),
        ("2 h", 7_200),
    ],
)
def test_durations(text: str, seconds: int) -> None:
    assert convert(q.Duration(), text) == seconds


@pytest.mark.parametrize("text", ["", "1", "1hour", "30m1h", "1h1h", "-1s", "1.h", "1,5h"])
def test_no_durations(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"invalid duration .*: use 90s, 30m, 2h"):
        convert(q.Duration(), text)


@pytest.mark.parametrize(
    ("text", "why"),
    [("0s", "shortest is 1s"), ("0.5s", "shortest is 1s"), ("1.5s", "whole seconds of pump time")],
)
def test_a_fraction_of_a_second_of_pump_time_is_refused(text: str, why: str) -> None:
    with pytest.raises(click.BadParameter, match=why):
        convert(q.Duration(), text)


def test_a_number_alone_is_a_duration_only_where_its_unit_is_known() -> None:
    assert convert(q.Duration(bare=True), "600") == convert(q.Duration(bare=True), "10m") == 600
    with pytest.raises(click.BadParameter, match="use 90s"):
        convert(q.Duration(), "600")


@pytest.mark.parametrize(
    ("scale", "text", "amount"),
    [
        (written.VOLUME, "5000", 5_000),
        (written.VOLUME, "5_000", 5_000),
        (written.VOLUME, "5,000 nL", 5_000),
        (written.VOLUME, "20uL", 20_000),
        (written.VOLUME, "20 \N{MICRO SIGN}L", 20_000),
        (written.VOLUME, "20 \N{GREEK SMALL LETTER MU}l", 20_000),
        (written.VOLUME, "10 mL", 10_000_000),
        (written.VOLUME, "0.000001ml", 1),
        (written.RATE, "1.5mL/h", 1_500_000),
        (written.RATE, "20000", 20_000),
        (written.PERCENTAGE, "150%", 150),
        (written.PERCENTAGE, "150 %", 150),
        (written.PERCENTAGE, "150", 150),
        (written.CONCENTRATION, "900 du/mL", 900),
    ],
)
def test_amounts(scale: written.Scale, text: str, amount: int) -> None:
    assert convert(q.Amount(scale), text) == amount


def test_an_amount_may_be_below_zero_where_that_is_wanted() -> None:
    assert convert(q.Amount(written.DRIFT, -50, 50), "-20ppm") == -20


@given(st.sampled_from(list(written.VOLUME.units.items())), st.integers(0, 2**32 - 1))
def test_an_amount_is_exact_in_any_unit(unit: tuple[str, int], amount: int) -> None:
    whole, rest = divmod(amount, unit[1])
    text = f"{whole}.{rest:0{len(str(unit[1])) - 1}} {unit[0]}" if unit[1] > 1 else f"{whole}"
    assert convert(q.Amount(written.VOLUME), text) == amount


@given(st.integers(0, 10**6), st.integers(1, 999))
def test_a_fraction_of_the_smallest_amount_is_refused_and_says_why(whole: int, rest: int) -> None:
    for text in (f"{whole}.{rest:03} nL", f"{whole}.{rest:03}", f"0.000{rest:03} uL"):
        with pytest.raises(click.BadParameter, match="nothing is smaller than 1 nL; use a whole"):
            convert(q.Amount(written.VOLUME), text)


@pytest.mark.parametrize("text", ["", "uL", "1,5", "1.uL", "5 gal", "20uL/h", "1e3", "5 000", "%"])
def test_what_is_no_volume_is_answered_with_examples(text: str) -> None:
    with pytest.raises(click.BadParameter, match="use 5000, 5,000 nL, 20uL or 10 mL"):
        convert(q.Amount(written.VOLUME), text)


@pytest.mark.parametrize("text", ["0", "-1", "1.000001mL", "9" * 10])
def test_an_amount_out_of_range_is_answered_with_the_range(text: str) -> None:
    with pytest.raises(click.BadParameter, match="use 1 to 1,000,000 nL"):
        convert(q.Amount(written.VOLUME, 1, 1_000_000), text)


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
    with pytest.raises(click.BadParameter, match="invalid time '25:00': use Mon 07:30"):
        convert(q.ClockDate(), "25:00")


def test_a_lowest_speed_may_be_asked_for() -> None:
    assert convert(q.Speed(minimum=1), "1") == 1
    with pytest.raises(click.BadParameter, match="1 to 1000000"):
        convert(q.Speed(minimum=1), "0")

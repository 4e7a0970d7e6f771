"""A solution of exercise 10: histories, what holds after each, and what one deed more changes."""

from collections.abc import Iterator
from copy import copy
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump.alarms import ALARMS, AlarmPanel, Shown
from mockpump.protocol.messages import Alarm, Priority

# Equals are among them, and they meet often.
ALARM = st.sampled_from([Alarm.EMPTY, Alarm.STALLED, Alarm.LOW_BATTERY])
DEED = st.sampled_from(["show", "acknowledge", "end", "pass"])
T = TypeVar("T")


def long(each: st.SearchStrategy[T]) -> st.SearchStrategy[list[T]]:
    """A list that Hypothesis draws is seldom long: here the length itself is drawn."""
    return st.integers(0, 25).flatmap(lambda size: st.lists(each, min_size=size, max_size=size))


HISTORIES = long(st.tuples(DEED, ALARM))


def do(panel: AlarmPanel, deed: str, alarm: Alarm, second: int = 99) -> None:
    if deed == "end":
        panel.end(alarm)
    elif deed != "acknowledge":
        panel.show(alarm, second, lasting=deed == "show")
    elif alarm in panel.shown:
        panel.acknowledge(alarm)


def states(history: list[tuple[str, Alarm]]) -> Iterator[AlarmPanel]:
    """A panel as it is at first and after each deed of all that happens, a deed a second."""
    panel = AlarmPanel()
    yield panel
    for second, (deed, alarm) in enumerate(history):
        do(panel, deed, alarm, second)
        yield panel


def after(history: list[tuple[str, Alarm]]) -> AlarmPanel:
    """A panel as it is when all has happened."""
    *_, panel = states(history)
    return panel


def all_shown(panel: AlarmPanel) -> dict[int, Shown]:
    """What is shown; it does not change when the panel does."""
    return {alarm: copy(each) for alarm, each in panel.shown.items()}


@given(HISTORIES, ALARM, st.booleans())
def test_one_alarm_more_lowers_nothing(
    history: list[tuple[str, Alarm]], alarm: Alarm, lasting: bool
) -> None:
    panel = after(history)
    before, stood = panel.priority, panel.stopping
    panel.show(alarm, 99, lasting=lasting)
    assert panel.priority >= max(before, ALARMS[alarm].priority)
    assert panel.stopping >= stood


@given(HISTORIES)
def test_the_highest_of_those_shown_is_the_priority(history: list[tuple[str, Alarm]]) -> None:
    for panel in states(history):
        weights = [ALARMS[Alarm(each)].priority for each in panel.shown]
        assert panel.priority is max(weights, default=Priority.NONE)


@given(HISTORIES)
def test_the_motor_stands_while_one_is_shown_that_stops_it(
    history: list[tuple[str, Alarm]],
) -> None:
    for panel in states(history):
        assert panel.stopping is any(ALARMS[Alarm(each)].stops for each in panel.shown)


@given(long(DEED), ALARM)
def test_an_alarm_stays_until_it_has_gone_and_was_seen(deeds: list[str], alarm: Alarm) -> None:
    panel, there, unseen = AlarmPanel(), False, False
    for second, deed in enumerate(deeds):
        do(panel, deed, alarm, second)
        there = deed == "show" or (there and deed not in ("end", "pass"))
        unseen = deed in ("show", "pass") or (unseen and deed != "acknowledge")
        assert panel.present(alarm) is there
        assert (alarm in panel.shown) is (there or unseen)


@given(HISTORIES, ALARM)
def test_to_acknowledge_one_is_nothing_to_the_others(
    history: list[tuple[str, Alarm]], alarm: Alarm
) -> None:
    panel = after(history)
    panel.show(alarm, 99)
    before = all_shown(panel)
    panel.acknowledge(alarm)
    before[alarm].acknowledged = True
    assert panel.shown == before


@given(HISTORIES, DEED, ALARM)
def test_a_copy_put_aside_stays_as_it_was(
    history: list[tuple[str, Alarm]], deed: str, alarm: Alarm
) -> None:
    panel = after(history)
    aside, before = panel.copy(), all_shown(panel)
    do(panel, deed, alarm)
    assert aside.shown == before

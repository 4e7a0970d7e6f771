"""Alarms are latched: shown while the cause is there or nobody has seen it, and for no longer."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump.alarms import ALARMS, AlarmPanel
from mockpump.protocol.messages import Alarm, Priority

DEEDS = st.lists(
    st.tuples(st.sampled_from(["show", "pass", "end", "acknowledge"]), st.sampled_from(Alarm)),
    max_size=25,
)


def do(panel: AlarmPanel, name: str, alarm: Alarm, second: int) -> Any:
    if name in ("show", "pass"):
        return panel.show(alarm, second, lasting=name == "show")
    if name == "acknowledge" and alarm not in panel.shown:
        return None
    return getattr(panel, name)(alarm)


def test_every_alarm_has_a_row_that_counts() -> None:
    assert set(ALARMS) == set(Alarm)
    assert all(rule.priority > Priority.NONE for rule in ALARMS.values())
    assert {a for a, rule in ALARMS.items() if rule.stops} == {
        Alarm.EMPTY,
        Alarm.STALLED,
        Alarm.MEMORY_FAULT,
        Alarm.LIMIT_REACHED,
    }
    assert all(rule.priority is Priority.HIGH for rule in ALARMS.values() if rule.stops)


@given(DEEDS, st.sampled_from(Alarm), st.booleans())
def test_another_alarm_never_lowers_the_priority_or_starts_the_pump(
    deeds: Any, alarm: Alarm, lasting: bool
) -> None:
    panel = AlarmPanel()
    for second, (name, each) in enumerate(deeds):
        do(panel, name, each, second)
    before = (panel.priority, panel.stopping)
    panel.show(alarm, 99, lasting=lasting)
    assert panel.priority == max(before[0], ALARMS[alarm].priority)
    assert panel.stopping == (before[1] or ALARMS[alarm].stops)


@given(DEEDS)
def test_shown_is_what_is_there_or_has_not_been_seen(deeds: Any) -> None:
    panel, present, unseen, since = AlarmPanel(), set[Alarm](), set[Alarm](), dict[Alarm, int]()
    for second, (name, alarm) in enumerate(deeds):
        was_there = alarm in present
        said = do(panel, name, alarm, second)
        if name in ("show", "pass"):
            assert said == (not was_there)
            since.setdefault(alarm, second)
            unseen.add(alarm)
            present = present | {alarm} if name == "show" else present - {alarm}
        elif name == "end":
            assert said == was_there
            present.discard(alarm)
        else:
            unseen.discard(alarm)
        since = {each: second for each, second in since.items() if each in present | unseen}
        assert set(panel.shown) == present | unseen
        assert {each for each in Alarm if panel.present(each)} == present
        assert {a for a, shown in panel.shown.items() if not shown.acknowledged} == unseen
        assert {a: shown.since for a, shown in panel.shown.items()} == since
        assert panel.priority == max((ALARMS[a].priority for a in present | unseen), default=0)


@given(st.sampled_from(Alarm))
def test_one_that_came_and_went_in_the_night_is_there_in_the_morning(alarm: Alarm) -> None:
    panel = AlarmPanel()
    assert panel.show(alarm, 3)
    assert panel.end(alarm)
    assert (panel.shown[alarm].since, panel.priority) == (3, ALARMS[alarm].priority)
    panel.acknowledge(alarm)
    assert (panel.shown, panel.priority, panel.stopping) == ({}, Priority.NONE, False)


def test_what_is_not_shown_cannot_be_acknowledged() -> None:
    with pytest.raises(KeyError):
        AlarmPanel().acknowledge(Alarm.EMPTY)


def test_a_copy_does_not_change_with_the_panel() -> None:
    panel = AlarmPanel()
    empty = panel.copy()
    panel.show(Alarm.STALLED, 5)
    stalled = panel.copy()
    panel.acknowledge(Alarm.STALLED)
    assert empty.shown == {}
    assert not stalled.shown[Alarm.STALLED].acknowledged

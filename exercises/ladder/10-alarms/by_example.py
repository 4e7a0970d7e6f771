"""Exercise 10 as one would write it without properties: right, and caught nothing."""

import pytest

from mockpump.emulator.pump.alarms import ALARMS, AlarmPanel
from mockpump.protocol.messages import Alarm, Priority


@pytest.fixture
def panel() -> AlarmPanel:
    """One on which an alarm is shown since second 60."""
    panel = AlarmPanel()
    panel.show(Alarm.LOW_BATTERY, 60)
    return panel


def test_a_new_panel_shows_nothing() -> None:
    panel = AlarmPanel()
    assert (panel.shown, panel.priority, panel.stopping) == ({}, Priority.NONE, False)


def test_an_alarm_is_shown(panel: AlarmPanel) -> None:
    assert panel.present(Alarm.LOW_BATTERY)
    assert panel.priority is Priority.MEDIUM
    assert not panel.stopping


def test_it_is_news_once(panel: AlarmPanel) -> None:
    assert not panel.show(Alarm.LOW_BATTERY, 70)
    assert panel.shown[Alarm.LOW_BATTERY].since == 60


def test_it_comes_and_goes_in_the_night(panel: AlarmPanel) -> None:
    assert panel.end(Alarm.LOW_BATTERY)
    assert not panel.present(Alarm.LOW_BATTERY)
    assert panel.priority is Priority.MEDIUM
    panel.acknowledge(Alarm.LOW_BATTERY)
    assert not panel.shown


def test_it_is_seen_before_it_goes(panel: AlarmPanel) -> None:
    panel.acknowledge(Alarm.LOW_BATTERY)
    assert Alarm.LOW_BATTERY in panel.shown
    assert panel.end(Alarm.LOW_BATTERY)
    assert not panel.shown


def test_a_worse_one_comes_and_goes(panel: AlarmPanel) -> None:
    panel.show(Alarm.STALLED, 90)
    assert (panel.priority, panel.stopping) == (Priority.HIGH, True)
    panel.acknowledge(Alarm.STALLED)
    assert not panel.shown[Alarm.LOW_BATTERY].acknowledged
    panel.end(Alarm.STALLED)
    assert (panel.priority, panel.stopping) == (Priority.MEDIUM, False)


def test_a_copy_is_the_same(panel: AlarmPanel) -> None:
    copy = panel.copy()
    assert copy == panel
    copy.show(Alarm.EMPTY, 80)
    assert Alarm.EMPTY not in panel.shown


@pytest.mark.parametrize("alarm", Alarm)
def test_what_stops_is_high(alarm: Alarm) -> None:
    assert not ALARMS[alarm].stops or ALARMS[alarm].priority is Priority.HIGH


def test_what_is_not_shown_cannot_be_acknowledged() -> None:
    with pytest.raises(KeyError):
        AlarmPanel().acknowledge(Alarm.EMPTY)

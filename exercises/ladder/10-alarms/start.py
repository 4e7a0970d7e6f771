"""Exercise 10: nothing lowers an alarm."""

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump.alarms import ALARMS, AlarmPanel
from mockpump.protocol.messages import Alarm


@given(st.sampled_from(Alarm))
def test_a_panel_shows_its_only_alarm(alarm: Alarm) -> None:
    """A worked property, of the simplest panels there are."""
    panel = AlarmPanel()
    panel.show(alarm, 60)
    assert panel.priority is ALARMS[alarm].priority
    assert panel.stopping is ALARMS[alarm].stops


# Yours.  You need histories: lists of what is done to a panel, and with which alarm.

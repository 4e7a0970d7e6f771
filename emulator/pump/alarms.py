"""The pump's alarms, as one table, and the panel on which they are latched.

Which alarms there are is in `mockpump.protocol.messages.types`; a cause is reported by `Pump.show`
and `Pump.end`, from `pump.py` (what comes of itself), `faults.py` and `operations.py`.

An alarm is shown while its cause is present or nobody has acknowledged it.  So one that came and
went in the night is still there in the morning, and adding an alarm never lowers what is shown.
"""

from typing import NamedTuple

import msgspec

from mockpump.protocol.messages import Alarm, Priority


class AlarmRule(NamedTuple):
    """One row of the table.  `stops`: delivery stands in fault for as long as it is shown."""

    cause: str
    priority: Priority
    stops: bool
    ends: str


ALARMS: dict[Alarm, AlarmRule] = {
    Alarm.EMPTY: AlarmRule(
        "the reservoir cannot give another micro-step", Priority.HIGH, True, "a refill"
    ),
    Alarm.STALLED: AlarmRule(
        "the motor does not turn", Priority.HIGH, True, "the motor turns again"
    ),
    Alarm.MEMORY_FAULT: AlarmRule(
        "the memory cannot be written", Priority.HIGH, True, "a write that succeeds"
    ),
    Alarm.LIMIT_REACHED: AlarmRule(
        "going on would have broken a limit", Priority.HIGH, True, "at once: delivery has stopped"
    ),
    Alarm.LOW_RESERVOIR: AlarmRule(
        "a tenth of the filling is left", Priority.MEDIUM, False, "a refill"
    ),
    Alarm.LOW_BATTERY: AlarmRule("the battery is low", Priority.MEDIUM, False, "a fresh battery"),
    Alarm.SENSOR_STUCK: AlarmRule(
        "the reservoir's sensor shows the same whatever is moved",
        Priority.MEDIUM,
        False,
        "the sensor follows again",
    ),
    Alarm.PAIRING_LOCKED: AlarmRule(
        "too many wrong proofs of a pairing key", Priority.LOW, False, "the lock runs out"
    ),
    Alarm.RESTARTED: AlarmRule(
        "the power was gone, and some volume may be unaccounted for",
        Priority.LOW,
        False,
        "at once: the pump runs again",
    ),
}


# Those whose cause is over as soon as it has come.
PASSING = frozenset({Alarm.LIMIT_REACHED, Alarm.RESTARTED})


class Shown(msgspec.Struct):
    """An alarm on the panel: since which elapsed second, and what is still to happen to it."""

    since: int
    present: bool = True
    acknowledged: bool = False


class AlarmPanel(msgspec.Struct):
    """The alarms that are shown, by their number."""

    shown: dict[int, Shown] = msgspec.field(default_factory=dict)

    def copy(self) -> "AlarmPanel":
        """The same panel, which does not change when this one does."""
        if not self.shown:
            return AlarmPanel()
        return AlarmPanel(
            {alarm: msgspec.structs.replace(each) for alarm, each in self.shown.items()}
        )

    def show(self, alarm: Alarm, elapsed: int, *, lasting: bool = True) -> bool:
        """The cause of an alarm is there; not `lasting`: and gone again.  Whether that is news."""
        known = self.shown.get(alarm)
        news = known is None or not known.present
        self.shown[alarm] = Shown(known.since if known else elapsed, lasting)
        return news

    def end(self, alarm: Alarm) -> bool:
        """The cause is gone.  Whether it had been there."""
        known = self.shown.get(alarm)
        if known is None or not known.present:
            return False
        known.present = False
        self._take_down(alarm)
        return True

    def present(self, alarm: Alarm) -> bool:
        """Whether its cause is there."""
        return alarm in self.shown and self.shown[alarm].present

    def acknowledge(self, alarm: Alarm) -> None:
        """Somebody has seen it; KeyError when it is not shown."""
        self.shown[alarm].acknowledged = True
        self._take_down(alarm)

    def _take_down(self, alarm: Alarm) -> None:
        known = self.shown[alarm]
        if known.acknowledged and not known.present:
            del self.shown[alarm]

    @property
    def priority(self) -> Priority:
        """The highest among the alarms shown."""
        return max((ALARMS[Alarm(each)].priority for each in self.shown), default=Priority.NONE)

    @property
    def stopping(self) -> bool:
        """Whether an alarm is shown that stops delivery."""
        return bool(self.shown) and any(ALARMS[Alarm(each)].stops for each in self.shown)

"""A pump of one's own: all that mockpump's pump does, but its battery is low after a day.

Everything here is fictional; nothing connects to a real device.
"""

from mockpump import Pump
from mockpump import messages as m

LIFE = 86_400


class TiredPump(Pump):
    """Raises an alarm when it is a day old.  Times in seconds of pump time."""

    def advance(self, elapsed):
        """Live on until `elapsed`; whether the mode changed on the way."""
        changed = super().advance(elapsed)
        if self.elapsed >= LIFE:
            # It may have been asked to go on for longer than it lasts.
            self.show(m.Alarm.LOW_BATTERY, LIFE)
            self.settle()
        return changed

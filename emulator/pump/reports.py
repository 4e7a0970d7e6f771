"""Who hears of the pump by itself: the lines with telemetry, so that nobody walks past the others.

A line is noted whenever something may have changed what it has asked for; all else costs what the
subscribers cost, however many lines there are.
"""

from mockpump.emulator.pump.endpoint import Endpoint


class Reports:
    """The subscribed lines of one pump.

    `next` is the elapsed second at which the next report is due, None without a subscriber; `fresh`
    are the lines for which something has been taken down since somebody last looked.
    """

    __slots__ = ("_due", "fresh", "next")

    def __init__(self) -> None:
        self._due: dict[Endpoint, int] = {}
        self.fresh: dict[Endpoint, None] = {}
        self.next: int | None = None

    def __bool__(self) -> bool:
        return bool(self._due)

    def note(self, endpoint: Endpoint) -> None:
        """Whatever a line has asked for so far, this is what it asks for now."""
        due = endpoint.next_report()
        if due != self._due.get(endpoint):
            self._take(endpoint, due)
            self.next = min(self._due.values(), default=None)

    def _take(self, endpoint: Endpoint, due: int | None) -> None:
        if due is None:
            del self._due[endpoint]
        else:
            self._due[endpoint] = due

    def forget(self, endpoint: Endpoint) -> None:
        """That line is gone."""
        self.fresh.pop(endpoint, None)
        if self._due.pop(endpoint, None) is not None:
            self.next = min(self._due.values(), default=None)

    def tell(self, changed: bool) -> None:
        """The pump has lived on; `changed`: and everybody is to know of it."""
        if self.next is None or not (changed or next(iter(self._due)).pump.elapsed >= self.next):
            return
        for endpoint in tuple(self._due):
            if endpoint.pump_advanced(changed):
                self.fresh[endpoint] = None
            # A line may have ended its session, and with it this, while it was sending.
            self._take(endpoint, endpoint.next_report())
        self.next = min(self._due.values(), default=None)

    def newest_by(self, elapsed: int) -> set[int]:
        """The second of the newest report that each line is to have by then."""
        intervals = {endpoint.peer.interval for endpoint in self._due} - {0}
        return {elapsed // each * each for each in intervals}

    @property
    def all_sent(self) -> bool:
        """Whether no report waits for its line."""
        return all(endpoint.peer.pending is None for endpoint in self._due)

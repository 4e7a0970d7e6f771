"""When which line must be looked after: kept so that a byte on one line asks no other.

A deadline that moves away leaves its place in the heap: when that comes up, nothing is due, and the
line is asked anew.  So only one that comes nearer costs anything, and a busy line's rarely does.
"""

from heapq import heapify, heappop, heappush

from mockpump.emulator.pump.endpoint import Endpoint


class Deadlines:
    """The nearest deadline of many lines; early by what has moved away since, never late."""

    def __init__(self) -> None:
        # The number is for lines with the same deadline, of which neither is the lesser.
        self._heap: list[tuple[int, int, Endpoint]] = []
        self._known: dict[Endpoint, int] = {}
        self._number = 0

    def note(self, endpoint: Endpoint) -> None:
        """Something has happened on that line."""
        deadline = endpoint.next_deadline()
        if deadline is not None and deadline < self._known.get(endpoint, deadline + 1):
            self._number += 1
            self._known[endpoint] = deadline
            heappush(self._heap, (deadline, self._number, endpoint))
            if len(self._heap) > 2 * len(self._known) + 64:
                self._heap = [each for each in self._heap if self._holds(each)]
                heapify(self._heap)

    def forget(self, endpoint: Endpoint) -> None:
        """That line is gone."""
        self._known.pop(endpoint, None)

    def next(self) -> int | None:
        """When `due` has something to give at the earliest."""
        while self._heap and not self._holds(self._heap[0]):
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now: int) -> list[Endpoint]:
        """The lines whose deadline may have come; each is to be noted again."""
        endpoints: list[Endpoint] = []
        while (deadline := self.next()) is not None and deadline <= now:
            endpoint = heappop(self._heap)[2]
            del self._known[endpoint]
            endpoints.append(endpoint)
        return endpoints

    def _holds(self, entry: tuple[int, int, Endpoint]) -> bool:
        return self._known.get(entry[2]) == entry[0]

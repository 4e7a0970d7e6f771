"""The trace of two links on a line, as `LinkPair` writes it."""

from mockpump.emulator.channel.channel import Arrival, Fault, FaultKind, FaultSpan
from mockpump.emulator.trace.format import PROGRAMMER, PUMP, SIDES, Ends, head_of
from mockpump.emulator.trace.reading import Undecoded
from mockpump.emulator.trace.writer import TraceWriter


class PairTrace:
    """Takes what the ends send and hear, in bytes; end 0 stands where a programmer does."""

    def __init__(self, ends: Ends) -> None:
        self._ends = ends
        self._lines: list[str] = []
        self._writer = TraceWriter(self._lines.append)
        self._chunks = self._arrivals = 0

    def recording(self, title: str) -> Undecoded:
        """What has happened so far."""
        return Undecoded(head_of("virtual", self._ends, title), list(self._lines))

    def waiting(self, now: int, payloads: tuple[int, int]) -> None:
        """This many payloads of each end wait for room in its window."""
        for side, count in zip(SIDES, payloads, strict=True):
            self._writer.waiting(now, side, count)

    def sent(self, now: int, side: int, data: bytes, *, lost: bool) -> int:
        """An end has sent the bytes of a frame, which may be lost; the number of the chunk."""
        self._chunks += 1
        fault = Fault(FaultKind.LOSS, side == 0, now) if lost else None
        self._writer.sent(now, self._chunks, SIDES[side], data, fault)
        return self._chunks

    def arrived(self, now: int, to: int, chunk: int, sent: bytes, data: bytes) -> None:
        """The bytes of a frame have arrived as they were sent, or as others; 0: nobody sent it."""
        self._arrivals += 1
        if not chunk:
            self._chunks += 1
            self._writer.heard(now, self._chunks, (PROGRAMMER, PUMP)[to], data, 0)
            return
        fault = Fault(FaultKind.FLIP, to == 1, now)
        places = [at for at, pair in enumerate(zip(sent, data, strict=False)) if pair[0] != pair[1]]
        spans = tuple(FaultSpan(fault, at, at + 1) for at in places)
        self._writer.arrived(Arrival(now, self._arrivals, to == 1, data, spans, chunk))

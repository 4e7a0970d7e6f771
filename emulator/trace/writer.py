"""Writing a trace: what happens in a world, a line each, in the order in which it happens.

The same scenario and seed give the same lines, to the byte, on every machine; so comparing two runs
is comparing their lines.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from mockpump.emulator.channel import impairments
from mockpump.emulator.channel.channel import Arrival, Fault
from mockpump.emulator.channel.impairments import Impairments
from mockpump.emulator.programmer.belief import Belief
from mockpump.emulator.programmer.programmer import (
    Connected,
    Failed,
    Finished,
    Programmer,
    ProgrammerEvent,
    TelemetryReceived,
)
from mockpump.emulator.pump.alarms import Shown
from mockpump.emulator.pump.endpoint import Endpoint
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.trace import format as lines
from mockpump.emulator.trace.format import MAIN_LINE, PROGRAMMER, PUMP, SIDES, AnyLine, Sender
from mockpump.protocol.log import LogEntry
from mockpump.protocol.messages import Alarm, LogKind
from mockpump.protocol.messages.base import Message

_WHOLE_LOG = 2**31


class TraceWriter:
    """Writes lines of a trace; `write` takes each without its newline.

    Chunks have the numbers that the channel counts, from 1, whichever line they take.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._doings = 0
        self._waiting: dict[Sender, int] = dict.fromkeys(SIDES, 0)
        self._have_sent: set[Sender] = set()
        self._logged = 0
        self._pump: Pump | None = None
        self._alarms: dict[int, str] = {}
        self._mode = ""
        self._last_pump: lines.Pump | None = None
        self._heard_at: int | None = None
        self._sealed = False

    # -- the line --------------------------------------------------------------------------------

    def channel(self, now: int, line: Impairments) -> None:
        """From now on this is wrong with the line between the two."""
        self._put(lines.Channel(t=now, impairments=impairments.written(line)))

    def sent(
        self,
        now: int,
        number: int,
        by: Sender,
        data: bytes,
        lost: Fault | None = None,
        line: int = MAIN_LINE,
    ) -> None:
        """A side has given a chunk to a line, and perhaps it was lost."""
        self._chunk(now, number, by, data, line, lost.kind.value if lost else "")

    def heard(self, now: int, number: int, to: Sender, data: bytes, line: int) -> None:
        """A side has heard a chunk of which nobody has recorded that it was sent."""
        self._put(lines.Arrived(t=now, id=number, to=to, bytes=data.hex(), line=line))

    def arrived(self, arrival: Arrival) -> None:
        """A chunk has come out of the channel, and perhaps it was touched on the way."""
        self._put(
            lines.Arrived(
                t=arrival.at,
                id=arrival.chunk,
                to=PUMP if arrival.from_programmer else PROGRAMMER,
                bytes=arrival.data.hex(),
                faults=[(span.fault.kind.value, span.start, span.end) for span in arrival.spans],
            )
        )

    def waiting(self, now: int, by: Sender, payloads: int) -> None:
        """This many payloads of a side wait for room in its window.

        When it has sent something meanwhile these may be others than before.
        """
        if payloads != self._waiting[by] or (payloads and by in self._have_sent):
            self._waiting[by] = payloads
            self._put(lines.Waiting(t=now, by=by, payloads=payloads))
        self._have_sent.discard(by)

    def passed(self, now: int, number: int, by: Sender, to: Sender, data: bytes, line: int) -> None:
        """A chunk that took no time, on a line without a fault."""
        self._chunk(now, number, by, data, line, "")
        self._put(lines.Arrived(t=now, id=number, to=to, bytes=data.hex(), line=line))

    def _chunk(self, now: int, number: int, by: Sender, data: bytes, line: int, lost: str) -> None:
        self._have_sent.add(by)
        self._put(lines.Sent(t=now, id=number, by=by, bytes=data.hex(), line=line, lost=lost))

    # -- what the two do -------------------------------------------------------------------------

    @contextmanager
    def doing(self, clock: Callable[[], int], kind: Any, name: str) -> Iterator[None]:
        """Something of that kind and name begins here, and ends with the block."""
        self._doings += 1
        number, error = self._doings, ""
        self._put(lines.Began(t=clock(), id=number, kind=kind, name=name))
        try:
            yield
        except Exception as failed:
            error = str(failed) or type(failed).__name__
            raise
        finally:
            self._put(lines.Ended(t=clock(), id=number, error=error))

    def happened(self, now: int, event: ProgrammerEvent) -> None:
        """Something has happened to the programmer."""
        self._put(lines.Programmer(t=now, event=type(event).__name__, facts=_facts(event)))

    def told(self, now: int, kind: Any, text: str) -> None:
        """A line of the scenario."""
        self._put(lines.Told(t=now, kind=kind, text=text))

    # -- what the two are ------------------------------------------------------------------------

    def turned(self, now: int, programmer: Programmer, pump: Pump, port: Endpoint) -> None:
        """Something may have happened to them: what is new since the last time."""
        self.pump_turned(now, pump, port.connection.is_sealed)
        self.programmer_turned(now, programmer)

    def pump_turned(self, now: int, pump: Pump, sealed: bool) -> None:
        """The same of the pump; `sealed`: somebody has a session with it."""
        if pump is not self._pump:
            self._began_anew(now, pump)
        page = pump.memory.log(self._logged + 1, _WHOLE_LOG)
        for number, entry in enumerate(page.entries, start=page.first):
            self._put(_logged(now, number, entry))
        new, self._logged = page.newest != self._logged, page.newest
        self._panel(now, pump.panel.shown)
        if new or pump.mode.name != self._mode:
            self.truth(now, pump, sealed)

    def programmer_turned(self, now: int, programmer: Programmer) -> None:
        """The same of the programmer."""
        belief, sealed = programmer.belief, programmer.connection.is_sealed
        if belief.heard_at != self._heard_at or sealed is not self._sealed:
            self._heard_at, self._sealed = belief.heard_at, sealed
            self._put(_believed(now, belief, sealed))

    def truth(self, now: int, pump: Pump, sealed: bool) -> None:
        """What the pump is at this moment, when it is another than it was."""
        self._mode = pump.mode.name
        line = _state(now, pump, sealed)
        if self._last_pump is None or line != msgspec.structs.replace(self._last_pump, t=now):
            self._last_pump = line
            self._put(line)

    def _began_anew(self, now: int, pump: Pump) -> None:
        if self._pump is not None:
            self._put(lines.Power(t=now, mode=pump.mode.name.lower()))
        self._pump = pump

    def _panel(self, now: int, shown: dict[int, Shown]) -> None:
        if not (shown or self._alarms):
            return
        states = {alarm: _alarm_state(each) for alarm, each in shown.items()}
        for alarm in sorted({*states, *self._alarms}):
            state = states.get(alarm, "gone")
            if state != self._alarms.get(alarm):
                name = Alarm(alarm).name.lower()
                self._put(lines.Alarm(t=now, alarm=name, state=state))  # type: ignore[arg-type]
        self._alarms = states

    def _put(self, line: AnyLine) -> None:
        self._write(msgspec.json.encode(line).decode())


def _facts(event: ProgrammerEvent) -> dict[str, Any]:
    if isinstance(event, TelemetryReceived):
        return {"report": msgspec.to_builtins(event.telemetry)}
    if isinstance(event, Finished):
        result = event.result
        return {"result": type(result).__name__ if isinstance(result, Message) else ""}
    if isinstance(event, Failed):
        return {"error": str(event.error)}
    if isinstance(event, Connected):
        return {"room": event.max_payload, "window": event.window}
    return {"reason": event.reason.value}


def _alarm_state(shown: Shown) -> str:
    if not shown.present:
        return "past"
    return "acknowledged" if shown.acknowledged else "present"


def _logged(now: int, number: int, entry: LogEntry) -> lines.Log:
    facts = msgspec.structs.asdict(entry)
    return lines.Log(t=now, number=number, **{**facts, "kind": LogKind(entry.kind).name.lower()})


def _state(now: int, pump: Pump, sealed: bool) -> lines.Pump:
    report = pump.report()
    return lines.Pump(
        t=now,
        mode=report.mode.name.lower(),
        elapsed=report.elapsed,
        clock=report.clock,
        program=pump.digest.hex(),
        rate=report.rate,
        delivered=report.delivered,
        bolus_left=pump.bolus_left,
        reservoir=report.reservoir,
        sealed=sealed,
    )


def _believed(now: int, belief: Belief, sealed: bool) -> lines.Belief:
    return lines.Belief(
        t=now,
        mode=None if belief.mode is None else belief.mode.name.lower(),
        elapsed=belief.elapsed,
        clock=belief.clock,
        program=None if belief.program is None else belief.program.hex(),
        rate=belief.rate,
        delivered=belief.delivered,
        reservoir=belief.reservoir,
        heard_at=belief.heard_at,
        sealed=sealed,
    )

"""A trace: everything that happens in a world, a line each, in the order in which it happens.

Each line is an object of JSON: `t` the line time in microseconds, `what` it was, and the facts.
The same scenario and seed give the same lines, to the byte, on every machine; so comparing two runs
is comparing their lines.
"""

import json
from collections.abc import Callable
from typing import Any

import msgspec

from mockpump.emulator.channel.channel import Arrival, Fault
from mockpump.emulator.programmer.programmer import (
    Connected,
    Failed,
    Finished,
    ProgrammerEvent,
    TelemetryReceived,
)
from mockpump.emulator.pump.pump import Pump
from mockpump.protocol.log import LogEntry
from mockpump.protocol.messages.base import Message

_WHOLE_LOG = 2**31
_SIDES = {True: "programmer", False: "pump"}


class TraceWriter:
    """Writes a world down; `write` takes the lines."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._logged = 0
        self._mode = ""

    def sent(self, now: int, from_programmer: bool, data: bytes, lost: Fault | None) -> None:
        """A side has sent a chunk, and perhaps it was lost."""
        facts = {"by": _SIDES[from_programmer], "bytes": data.hex()}
        self.note(now, "sent", **facts, **({"lost": lost.kind.value} if lost else {}))

    def arrived(self, arrival: Arrival) -> None:
        """A chunk has come to the other side, and perhaps it was touched on the way."""
        facts: dict[str, Any] = {
            "from": _SIDES[arrival.from_programmer],
            "bytes": arrival.data.hex(),
        }
        if arrival.spans:
            facts["faults"] = [
                [span.fault.kind.value, span.start, span.end] for span in arrival.spans
            ]
        self.note(arrival.at, "arrived", **facts)

    def happened(self, now: int, event: ProgrammerEvent) -> None:
        """Something has happened to the programmer."""
        self.note(now, "programmer", event=type(event).__name__, **_facts(event))

    def turned(self, now: int, pump: Pump) -> None:
        """A turn of the world is over: what the pump has logged in it, and a mode that is new."""
        page = pump.memory.log(self._logged + 1, _WHOLE_LOG)
        for number, entry in enumerate(page.entries, start=page.first):
            self.note(now, "log", number=number, **_entry(entry))
        self._logged = page.newest
        if pump.mode.name != self._mode:
            self._mode = pump.mode.name
            self.note(now, "mode", mode=self._mode.lower(), elapsed=pump.elapsed)

    def told(self, now: int, kind: str, text: str) -> None:
        """A line of the scenario."""
        self.note(now, "told", kind=kind, text=text)

    def note(self, now: int, what: str, **facts: Any) -> None:
        """Anything else."""
        self._write(json.dumps({"t": now, "what": what, **facts}, separators=(",", ":")))


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


def _entry(entry: LogEntry) -> dict[str, Any]:
    return {**msgspec.structs.asdict(entry), "kind": entry.kind.name.lower()}

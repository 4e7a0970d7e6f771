"""What stands beside the ladder: narration, the log, the line, and whoever else was on it."""

import re
from collections.abc import Iterator
from typing import Any, Literal

from mockpump.display.page import model as page
from mockpump.display.page.model import SIDES
from mockpump.display.page.times import clock, span
from mockpump.emulator.channel.impairments import read_impairments
from mockpump.emulator.pump.log_text import what_happened
from mockpump.emulator.trace import format as lines
from mockpump.emulator.trace.format import RIVAL, SOMEBODY
from mockpump.emulator.trace.run import Run
from mockpump.protocol import messages as m
from mockpump.protocol.log import LogEntry

_MICROSECONDS = re.compile(r"(\d+)us")


def captions_of(run: Run) -> Iterator[page.Caption]:
    """What is told, what the pump has logged, and where the trace lacks something."""
    for note in run.notes:
        tell = _CAPTIONS.get(type(note.line))
        told = tell(note.line) if tell else None
        if told is not None:
            kind, text, lead = told
            yield page.Caption(at=note.at, order=note.order, kind=kind, text=text, lead=lead)
    for hole in run.holes:
        missing = ", ".join(hole.missing)
        text = f"the trace lacks something here: the {hole.side} and {missing}"
        yield page.Caption(at=hole.at, order=0, kind="failed", text=text)


_Told = tuple[Literal["say", "do", "answer", "event", "failed", "log"], str, str]
_KINDS: dict[str, Literal["say", "do", "answer", "failed"]] = {
    "say": "say",
    "do": "do",
    "pump": "answer",
    "failed": "failed",
}


def _of_told(line: lines.Told) -> _Told:
    return _KINDS[line.kind], line.text, ""


def _of_log(line: lines.Log) -> _Told:
    kind = m.LogKind[line.kind.upper()]
    entry = LogEntry(line.elapsed, line.clock, kind, line.first, line.second)
    return "log", what_happened(entry), clock(line.clock)


def _of_power(line: lines.Power) -> _Told:
    return "event", f"the pump lost its power and started again, {line.mode}", ""


def _of_alarm(line: lines.Alarm) -> _Told:
    name = line.alarm.replace("_", " ")
    return "event", f"alarm {name}: {line.state}", ""


def _of_programmer(line: lines.Programmer) -> _Told | None:
    if line.event == "Connected":
        return "event", "connected; from now on both sides seal", ""
    if line.event == "Disconnected":
        return "event", f"disconnected: {line.facts.get('reason', '')}", ""
    if line.event == "Failed":
        return "failed", str(line.facts.get("error", "")), ""
    return None


_CAPTIONS: dict[type[lines.AnyLine], Any] = {
    lines.Told: _of_told,
    lines.Log: _of_log,
    lines.Power: _of_power,
    lines.Alarm: _of_alarm,
    lines.Programmer: _of_programmer,
}


def lines_of(run: Run) -> Iterator[tuple[int, str]]:
    """What is wrong with the main line, and from when on."""
    for note in run.notes:
        if isinstance(note.line, lines.Channel) and not note.line.line:
            given = note.line.impairments.items()
            words = [f"{key} {_channel_value(value)}" for key, value in given]
            yield note.at, " \N{MIDDLE DOT} ".join(words) or "nothing is wrong with the line"


def _channel_value(value: object) -> str:
    text = " and ".join(map(str, value)) if isinstance(value, list) else str(value)
    return _MICROSECONDS.sub(lambda found: span(int(found[1])), text).replace("@", " from ")


def outages_of(run: Run) -> Iterator[tuple[int, int]]:
    """From when to when the main line was out."""
    for note in run.notes:
        if isinstance(note.line, lines.Channel) and not note.line.line:
            for begin, lasting in read_impairments(note.line.impairments).outage:
                yield begin, begin + lasting


def guests_of(run: Run) -> Iterator[page.Guest]:
    """Who else was on a line, and from when to when."""
    for who in (SOMEBODY, RIVAL):
        theirs = [each for each in run.frames if who in (each.sender, each.receiver)]
        if theirs:
            ends = [arrival.at for each in theirs for arrival in each.arrivals]
            yield page.Guest(
                side=SIDES.index(who),
                starts=theirs[0].at,
                ends=max([*ends, theirs[-1].at]),
            )

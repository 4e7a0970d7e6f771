"""A run told as the page needs it: `model_of` puts every fact into words, once."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from mockpump.emulator.channel.impairments import read_impairments
from mockpump.emulator.pump.log_text import what_happened
from mockpump.emulator.trace import explain
from mockpump.emulator.trace import format as lines
from mockpump.emulator.trace.format import PROGRAMMER, PUMP, RIVAL, SOMEBODY
from mockpump.emulator.trace.run import Arrival, Run, Transmission
from mockpump.emulator.trace.shadow import LinkState
from mockpump.protocol import messages as m
from mockpump.protocol.log import LogEntry
from mockpump.protocol.units import WEEKDAYS, rate, time_of_day, volume, words_of
from mockpump.view import page_model as page
from mockpump.view.layers import image_of

SIDES = (PROGRAMMER, PUMP, SOMEBODY, RIVAL)
_SIDE_NAMES = ["programmer", "pump", "somebody else", "second programmer"]
_LINK_ROWS = ["connection", "in flight", "kept", "timer", "round trip"]
_FACT_ROWS = ["session", "mode", "program", "rate", "clock", "delivered", "reservoir", "bolus left"]
_DRIFTING = ["clock", "delivered", "reservoir", "bolus left", "rate"]
_WEEK, _DAY = 604_800, 86_400
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# A curve of fewer points shows nothing.
_LEAST_OF_A_DAY = 8


def model_of(run: Run, name: str, programs: Mapping[str, str] | None = None) -> page.Model:
    """The model of a run; `programs` are the names of programs by their digest, in hex."""
    return _Telling(run, programs or {}).model(name)


def span(microseconds: int) -> str:
    """A span of line time, as short as it can be said."""
    if microseconds < 1_000:
        return f"{microseconds} \N{MICRO SIGN}s"
    if microseconds < 999_500:
        digits = 1 if microseconds % 1_000 and microseconds < 10_000 else 0
        return f"{microseconds / 1_000:.{digits}f} ms"
    seconds = microseconds / 1_000_000
    return f"{seconds:.{2 if seconds < 10 else 1 if seconds < 100 else 0}f} s"


def moment(microseconds: int) -> str:
    """A moment of line time."""
    return f"{microseconds / 1_000_000:.3f} s"


class _Telling:
    """Makes a model; texts and reasons that come again are held once."""

    def __init__(self, run: Run, programs: Mapping[str, str]) -> None:
        self._run = run
        self._programs = programs
        self._texts: dict[str, int] = {}
        self._reasons: dict[explain.Reason, int] = {}
        self._images: dict[str, int] = {}
        self._pictures: list[Any] = []

    def model(self, name: str) -> page.Model:
        run = self._run
        frames = [self._frame(each) for each in run.frames]
        states = [self._state(each) for each in run.states]
        truth, belief = list(self._truth()), list(self._belief())
        return page.Model(
            name=name,
            title=run.head.title or name,
            claim=claim_of(run),
            sums=sums_of(run.frames),
            source=source_of(run),
            ends=max([run.ends, *(each.ends for each in run.frames)]),
            sides=_SIDE_NAMES,
            line=list(_lines(run)),
            outages=list(_outages(run)),
            guests=list(_guests(run)),
            frames=frames,
            images=self._pictures,
            reasons=[page.Reason(*each) for each in self._reasons],
            captions=list(_captions(run)),
            knots=[_knot(each) for each in run.knots],
            timers=list(_timers(run)),
            bars=[*_flights(run), *_kept(run)],
            texts=list(self._texts),
            link_rows=_LINK_ROWS,
            states=states,
            fact_rows=_FACT_ROWS,
            drifting=_DRIFTING,
            truth=truth,
            belief=belief,
            changes=[_change(each) for each in run.changes],
            day=_day(run),
        )

    def _text(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts))

    def _frame(self, sent: Transmission) -> page.Frame:
        trouble = trouble_of(self._run, sent)
        why = explain.why(self._run, sent.number)[1:]
        return page.Frame(
            by=SIDES.index(sent.sender),
            to=SIDES.index(sent.receiver),
            shape=_SHAPES.get(sent.kind, "control"),
            name=_name(sent),
            label=_label(sent),
            at=sent.at,
            begins=sent.begins,
            ends=sent.ends,
            order=sent.order,
            size=len(sent.data),
            lost=explain.FAULT_WORDS[sent.lost] if sent.lost else "",
            trouble=trouble,
            is_harmed=bool(sent.faults) or isinstance(sent.content, m.Refused),
            is_troubled=sent.is_troubled or isinstance(sent.content, m.Refused),
            is_quiet=sent.cause.why == "keepalive" and not sent.is_troubled,
            count=sent.count,
            counts=sent.counts,
            first=sent.first,
            arrivals=[_arrival(sent, each) for each in sent.arrivals],
            fate=explain.fate(sent),
            why=[self._reasons.setdefault(each, len(self._reasons)) for each in why],
            cause=sent.cause.frame,
            effects=sent.effects,
            image=self._image(sent),
            wait=_wait(sent),
        )

    def _image(self, sent: Transmission) -> int:
        key = sent.data.hex()
        if key not in self._images:
            self._images[key] = len(self._pictures)
            self._pictures.append(image_of(sent))
        return self._images[key]

    def _state(self, state: LinkState) -> page.State:
        link = state.link
        is_open = link.state in ("open", "closing")
        connection = f"{link.state} {link.connection or 0:04x}" if link.state != "idle" else "none"
        flight = ", ".join(str(each.seq) for each in link.in_flight)
        due = "not running" if link.due_at is None else f"expires at {moment(link.due_at)}"
        words = (
            "not in the trace" if state.blind else connection,
            f"{flight or 'nothing'} (at most {link.window})" if is_open else "nothing",
            ", ".join(map(str, link.early)) or "nothing",
            due if link.due_at is None else f"{span(link.timeout)}, {due}",
            "not measured" if link.round_trip is None else span(link.round_trip),
        )
        numbers = [self._text(each) for each in words]
        side = SIDES.index(state.side)
        return page.State(state.at, side, is_open, numbers, link.timeout, link.round_trip)

    def _truth(self) -> Iterator[page.Facts]:
        for note in self._run.notes:
            if isinstance(note.line, lines.Pump):
                words = self._facts(note.line)
                words.append(self._text(volume(note.line.bolus_left)))
                yield page.Facts(note.at, note.order, words)

    def _belief(self) -> Iterator[page.Facts]:
        for note in self._run.notes:
            if isinstance(note.line, lines.Belief):
                yield page.Facts(note.at, note.order, [*self._facts(note.line), -1])

    def _facts(self, line: lines.Pump | lines.Belief) -> list[int]:
        program = line.program
        words = (
            "sealed" if line.sealed else "none",
            line.mode,
            None if program is None else self._programs.get(program, f"{program[:8]}..."),
            None if line.rate is None else rate(line.rate),
            None if line.clock is None else clock(line.clock),
            None if line.delivered is None else volume(line.delivered),
            None if line.reservoir is None else volume(line.reservoir),
        )
        return [-1 if each is None else self._text(each) for each in words]


# -- the head ------------------------------------------------------------------------------------


def claim_of(run: Run) -> str:
    """What was asked for, and whether it was done, in a line."""
    asked = len(run.changes)
    if not asked:
        return "nothing was asked to be changed"
    done = sum(each.done is not None for each in run.changes)
    known = sum(each.known is not None for each in run.changes)
    plural = "s" * (asked > 1)
    return f"{number(asked)} change{plural} asked for, {number(done)} done, {number(known)} known"


def sums_of(frames: list[Transmission]) -> str:
    """How many frames there are, and what happened to them."""
    counted = Counter(word for frame in frames for word in _sorts(frame))
    told = ", ".join(f"{count} {word}" for word, count in counted.items())
    return f"{len(frames):,} frames: {told or 'nothing happens to any of them'}"


def _sorts(frame: Transmission) -> Iterator[str]:
    if frame.lost:
        yield "lost"
    if any("garbage" in each.faults for each in frame.arrivals):
        yield "with garbage in front"
    if frame.is_damaged:
        yield "damaged"
    if len(frame.arrivals) > 1:
        yield "come twice"
    if frame.count > 1:
        yield "sent again"


def source_of(run: Run) -> str:
    """Where the figures come from, and whether the trace is whole."""
    told = "Frames, faults and log entries: recorded; windows, timers and causes follow from them"
    if run.holes:
        return f"{told}, but the trace lacks something at {moment(run.holes[0].at)}."
    return f"{told}: two links that are fed with the trace send the same frames."


def number(count: int) -> str:
    """A small number in letters."""
    return _NUMBERS[count] if count < len(_NUMBERS) else f"{count:,}"


def clock(seconds: int) -> str:
    """A pump's clock, without its seconds."""
    week = f", week {seconds // _WEEK}" if seconds >= _WEEK else ""
    return f"{WEEKDAYS[seconds % _WEEK // _DAY]} {time_of_day(seconds)}{week}"


# -- frames --------------------------------------------------------------------------------------

_SHAPES: dict[str, Literal["data", "ack", "control"]] = {"DATA": "data", "ACK": "ack"}
_ENDS: dict[str, Literal["kept", "dropped", "stopped"]] = {
    "rejected": "stopped",
    "incomplete": "stopped",
    "dropped": "dropped",
    "kept": "kept",
}
# What ends a silence before a frame, by its cause.
_WAITS = {
    "timer": "then the {}'s timer expires",
    "keepalive": "then the {} says that it is there",
    "delayed": "then the acknowledgement goes by itself",
}


def _name(sent: Transmission) -> str:
    return {"DATA": sent.message or "DATA", "ACK": "ack", "?": "no frame"}.get(sent.kind, sent.kind)


def _label(sent: Transmission) -> str:
    if sent.frame is None or sent.kind not in ("DATA", "ACK"):
        return ""
    return str(sent.frame.seq if sent.kind == "DATA" else sent.frame.ack)


def _wait(sent: Transmission) -> str:
    return _WAITS.get(sent.cause.why, "").format(sent.sender)


def trouble_of(run: Run, sent: Transmission) -> tuple[str, str] | None:
    """What happened to a frame, in full and in a word; None when nothing did."""
    if sent.lost:
        words = explain.FAULT_WORDS[sent.lost]
        return words.replace(" on the line", ""), "lost"
    if sent.arrivals and (found := _trouble_of_arrival(sent.arrivals[0])):
        return found
    if len(sent.arrivals) > 1:
        return "comes twice", "twice"
    if isinstance(sent.content, m.Refused):
        return f"refused: {words_of(sent.content.reason)}", "refused"
    return None


def _trouble_of_arrival(arrival: Arrival) -> tuple[str, str] | None:
    word, detail = arrival.verdict
    if arrival.flips:
        places = ", ".join(str(each.byte) for each in arrival.flips[:3])
        more = ", ..." * (len(arrival.flips) > 3)
        plural = "s" * (len(arrival.flips) > 1)
        return f"damaged in byte{plural} {places}{more}", "damaged"
    if not arrival.is_good:
        return ("cut short", "cut") if "truncate" in arrival.faults else (detail, "stopped")
    if arrival.garbage:
        return f"{arrival.garbage} byte{'s' * (arrival.garbage > 1)} of garbage first", "garbage"
    if word == "dropped":
        return detail, "here" if detail == "already here" else "dropped"
    if word == "kept":
        return "kept: too early", "kept"
    if "reorder" in arrival.faults:
        return "late: overtaken", "late"
    if word == "delivered" and detail:
        return "fills the gap", "fills"
    return None


def _arrival(sent: Transmission, arrival: Arrival) -> page.Arrival:
    return page.Arrival(
        at=arrival.at,
        begins=arrival.begins,
        order=arrival.order,
        end=_ENDS.get(arrival.verdict.word, "taken"),
        words=explain.arrival_words(arrival),
        garbage=arrival.data[: arrival.garbage].hex(),
        flips=[page.Flip(*each, list(each.bits)) for each in arrival.flips],
        is_late="reorder" in arrival.faults,
    )


# -- beside the ladder ---------------------------------------------------------------------------


def _captions(run: Run) -> Iterator[page.Caption]:
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


def _lines(run: Run) -> Iterator[tuple[int, str]]:
    """What is wrong with the main line, and from when on."""
    for note in run.notes:
        if isinstance(note.line, lines.Channel) and not note.line.line:
            given = note.line.impairments.items()
            words = [f"{key} {_channel_value(value)}" for key, value in given]
            yield note.at, " \N{MIDDLE DOT} ".join(words) or "nothing is wrong with the line"


def _channel_value(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{text[:-5]} ms" if text.endswith("000us") else text.replace("us", " \N{MICRO SIGN}s")


def _outages(run: Run) -> Iterator[tuple[int, int]]:
    for note in run.notes:
        if isinstance(note.line, lines.Channel) and not note.line.line:
            for begin, lasting in read_impairments(note.line.impairments).outage:
                yield begin, begin + lasting


def _guests(run: Run) -> Iterator[page.Guest]:
    for who in (SOMEBODY, RIVAL):
        theirs = [each for each in run.frames if who in (each.sender, each.receiver)]
        if theirs:
            ends = [arrival.at for each in theirs for arrival in each.arrivals]
            yield page.Guest(
                side=SIDES.index(who),
                starts=theirs[0].at,
                ends=max([*ends, theirs[-1].at]),
            )


def _knot(knot: Any) -> page.Knot:
    return page.Knot(
        number=knot.number,
        title=knot.title,
        text=knot.text,
        frames=list(knot.frames),
        focus=knot.focus,
        starts=knot.starts,
        ends=knot.ends,
        weight=knot.weight,
    )


def _change(change: Any) -> page.Change:
    return page.Change(
        name=change.name,
        asked=change.asked,
        done=change.done,
        known=change.known,
        request=change.frames[0],
        answer=change.answer,
    )


# -- beside the lifelines ------------------------------------------------------------------------


def _timers(run: Run) -> Iterator[page.Timer]:
    sent = _by_side_and_time(run)
    for timer in run.timers:
        if timer.how == "expired":
            yield page.Timer(
                SIDES.index(timer.side),
                timer.starts,
                timer.ends,
                sent.get((timer.side, timer.starts), 0),
                sent.get((timer.side, timer.ends), 0),
                span(timer.timeout),
            )


def _by_side_and_time(run: Run) -> dict[tuple[str, int], int]:
    found: dict[tuple[str, int], int] = {}
    for frame in run.frames:
        if not frame.line:
            found.setdefault((frame.sender, frame.at), frame.number)
    return found


def _flights(run: Run) -> Iterator[page.Bar]:
    sendings = _sendings(run)
    for flight in run.flights:
        key = flight.side, flight.connection, flight.seq
        frames = [
            each.number for each in sendings.get(key, []) if flight.starts <= each.at <= flight.ends
        ]
        kind: Literal["flight", "given up"] = "given up" if flight.how == "given up" else "flight"
        side = SIDES.index(flight.side)
        yield page.Bar(side, flight.lane, flight.starts, flight.ends, frames, kind)


def _sendings(run: Run) -> dict[tuple[str, int, int], list[Transmission]]:
    found: dict[tuple[str, int, int], list[Transmission]] = {}
    for frame in run.frames:
        if frame.kind == "DATA" and frame.frame is not None and not frame.line:
            key = frame.sender, frame.frame.connection, frame.frame.seq
            found.setdefault(key, []).append(frame)
    return found


def _kept(run: Run) -> Iterator[page.Bar]:
    """What a side keeps behind a gap, until it is handed up; beside what is in flight itself."""
    lanes = Counter({flight.side: 0 for flight in run.flights})
    for flight in run.flights:
        lanes[flight.side] = max(lanes[flight.side], flight.lane + 1)
    busy: dict[tuple[str, int], int] = {}
    for frame in run.frames:
        kept = [each for each in frame.arrivals if each.verdict.word == "kept"]
        if not kept or frame.line:
            continue
        starts, ends = kept[0].at, frame.handed_up or run.ends
        lane = next(n for n in range(len(run.frames)) if busy.get((frame.receiver, n), -1) < starts)
        busy[frame.receiver, lane] = ends
        side = SIDES.index(frame.receiver)
        yield page.Bar(side, lanes[frame.receiver] + lane, starts, ends, [frame.number], "kept")


def _day(run: Run) -> page.Day | None:
    pumps = [note.line for note in run.notes if isinstance(note.line, lines.Pump)]
    if len(pumps) < _LEAST_OF_A_DAY:
        return None
    return page.Day(
        elapsed=[each.elapsed for each in pumps],
        rate=[each.rate for each in pumps],
        reservoir=[each.reservoir for each in pumps],
    )

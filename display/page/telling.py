"""A run told as the page needs it: `model_of` puts every fact into words, once."""

from collections.abc import Iterator, Mapping

from mockpump.display import words
from mockpump.display.page import model as page
from mockpump.display.page.frames import (
    SHAPES,
    arrival_of,
    fate_of,
    is_harmed,
    label_of,
    name_of,
    trouble_of,
    wait_of,
)
from mockpump.display.page.lanes import bars_of, day_of, timers_of
from mockpump.display.page.layers import Image, image_of
from mockpump.display.page.margin import captions_of, guests_of, lines_of, outages_of
from mockpump.display.page.model import SIDES
from mockpump.display.page.summary import claim_of, source_of
from mockpump.display.page.times import clock, moment, span
from mockpump.emulator.trace import explain
from mockpump.emulator.trace import format as lines
from mockpump.emulator.trace.run import Change, Knot, Run, Transmission
from mockpump.emulator.trace.shadow import LinkState
from mockpump.emulator.trace.waits import MOST_NAMED, Wait, waits_of
from mockpump.protocol import messages as m
from mockpump.protocol.units import rate, volume

_LINK_ROWS = ["connection", "in flight", "kept", "timer", "round trip"]
_FACT_ROWS = ["session", "mode", "program", "rate", "clock", "delivered", "reservoir", "bolus left"]
# The head of the page has room for so many commands.
_MOST_WAITS = 4
_DRIFTING = ["clock", "delivered", "reservoir", "bolus left", "rate"]


def model_of(run: Run, name: str, programs: Mapping[str, str] | None = None) -> page.Model:
    """The model of a run; `programs` are the names of programs by their digest, in hex."""
    return _Telling(run, programs or {}).model(name)


class _Telling:
    """Makes a model; texts and reasons that come again are held once."""

    def __init__(self, run: Run, programs: Mapping[str, str]) -> None:
        self._run = run
        self._programs = programs
        self._texts: dict[str, int] = {}
        self._reasons: dict[explain.Reason, int] = {}
        self._images: dict[str, int] = {}
        self._pictures: list[Image] = []

    def model(self, name: str) -> page.Model:
        run = self._run
        frames = [self._frame(each) for each in run.frames]
        states = [self._state(each) for each in run.states]
        truth, belief = list(self._truth()), list(self._belief())
        return page.Model(
            format=page.FORMAT,
            name=name,
            title=run.head.title or name,
            claim=claim_of(run),
            sums=words.score(run),
            source=source_of(run),
            ends=max([run.ends, *(each.ends for each in run.frames)]),
            sides=page.SIDE_NAMES,
            line=list(lines_of(run)),
            outages=list(outages_of(run)),
            guests=list(guests_of(run)),
            frames=frames,
            images=self._pictures,
            reasons=[page.Reason(*each) for each in self._reasons],
            captions=list(captions_of(run)),
            knots=[_knot(each) for each in run.knots],
            timers=list(timers_of(run)),
            bars=list(bars_of(run)),
            texts=list(self._texts),
            link_rows=_LINK_ROWS,
            states=states,
            fact_rows=_FACT_ROWS,
            drifting=_DRIFTING,
            truth=truth,
            belief=belief,
            changes=[_change(each) for each in run.changes],
            waits=[_wait(each) for each in waits_of(run)[:_MOST_WAITS]],
            day=day_of(run),
        )

    def _text(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts))

    def _frame(self, sent: Transmission) -> page.Frame:
        trouble = trouble_of(sent)
        why = explain.why(self._run, sent.number)[1:]
        return page.Frame(
            by=SIDES.index(sent.sender),
            to=SIDES.index(sent.receiver),
            shape=SHAPES.get(sent.kind, "control"),
            name=name_of(sent),
            label=label_of(sent),
            at=sent.at,
            begins=sent.begins,
            ends=sent.ends,
            order=sent.order,
            size=len(sent.data),
            lost=explain.FAULT_WORDS[sent.lost] if sent.lost else "",
            trouble=trouble,
            is_harmed=is_harmed(sent),
            is_troubled=sent.is_troubled or isinstance(sent.content, m.Refused),
            is_quiet=sent.cause.why == "keepalive" and not sent.is_troubled,
            count=sent.count,
            counts=sent.counts,
            first=sent.first,
            arrivals=[arrival_of(each) for each in sent.arrivals],
            fate=fate_of(self._run, sent),
            why=[self._reasons.setdefault(each, len(self._reasons)) for each in why],
            cause=sent.cause.frame,
            effects=sent.effects,
            image=self._image(sent),
            wait=wait_of(sent),
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
            f"seq {flight}; window {link.window}" if flight else "nothing",
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


def _knot(knot: Knot) -> page.Knot:
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


def _wait(wait: Wait) -> page.Wait:
    numbers = [knot.number for knot in wait.knots[:MOST_NAMED]]
    return page.Wait(words.waited(wait), numbers)


def _change(change: Change) -> page.Change:
    return page.Change(
        name=change.name,
        asked=change.asked,
        done=change.done,
        known=change.known,
        request=change.frames[0],
        answer=change.answer,
    )

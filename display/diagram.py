"""A part of a run as a picture: an SVG that stands by itself, in a document or a notebook.

Two lifelines, line time downwards; an arrow leaves where its frame was sent and lands where it
arrived, so its slope is the delay.  Each frame has its label beside the lifeline that it leaves,
and no label is above another: time is stretched where two would meet, and cut where nothing
happens.  Colour says nothing that a shape does not say as well.
"""

import html
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mockpump.display.page.document import asset
from mockpump.display.page.frames import trouble_of
from mockpump.display.text import cells, cut, on_one_line
from mockpump.display.words import log_words, stamp
from mockpump.emulator.trace.explain import FAULT_WORDS
from mockpump.emulator.trace.format import PROGRAMMER, PUMP, Log, Sender
from mockpump.emulator.trace.run import Arrival, Run, Transmission

_WIDTH, _TOP, _FOOT = 760, 64, 72
# Where the lifelines are, and the labels beside them.
_AT: dict[Sender, int] = {PROGRAMMER: 262, PUMP: 498}
_LABEL = {PROGRAMMER: 250, PUMP: 510}
_LABEL_HEIGHT, _LABEL_CELLS, _TITLE_CELLS = 19, 36, 88
# Pixels from one moment to the next: at least, and at most where nothing happens.
_LEAST, _MOST = 3, 48
# How far down the usual flight of a frame takes its arrow.
_FLIGHT = 22
_LOST_AT = 0.62


class _Event(NamedTuple):
    """Something at a moment; `label` tells beside which lifeline it needs room.

    What was sent is on its way until it `lands`: no time is cut out meanwhile.
    """

    at: int
    order: int
    label: Sender | None
    lands: int


def diagram(run: Run, frames: Iterable[int], title: str = "") -> str:
    """The frames of these numbers, as the text of an SVG; foreign text is escaped.

    `KeyError` for a frame that is not in the run.
    """
    chosen = [run.frame(number) for number in frames]
    return "".join(_Diagram(run, chosen, title or run.head.title).parts())


class _Diagram:
    """Places the moments of some frames, then draws them."""

    def __init__(self, run: Run, frames: list[Transmission], title: str) -> None:
        self._frames, self._title = frames, title
        arrivals = [each.at for sent in frames for each in sent.arrivals]
        begin = frames[0].at if frames else 0
        end = max([*arrivals, *(sent.at for sent in frames)], default=0)
        self._logged = [
            (note.at, note.order, note.line)
            for note in run.notes
            if frames and isinstance(note.line, Log) and begin <= note.at <= end
        ]
        self._labels: dict[tuple[int, Sender], int] = {}
        self._heights: dict[int, int] = {}
        self._cuts: list[tuple[int, str]] = []
        self._height = self._place(sorted(self._events())) + _FOOT

    def _events(self) -> Iterator[_Event]:
        for sent in self._frames:
            lands = max([each.at for each in sent.arrivals], default=sent.at)
            yield _Event(sent.at, sent.order, _side(sent), lands)
            for each in sent.arrivals:
                yield _Event(each.at, each.order, None, each.at)
        for at, order, _ in self._logged:
            yield _Event(at, order, PUMP, at)

    def _place(self, events: list[_Event]) -> int:
        """Find how far down each moment and each label is; how far down the last one is."""
        y, now, landed = _TOP, events[0].at if events else 0, 0
        free = dict.fromkeys(_AT, _TOP)
        for event in events:
            passed = (event.at - now) * _FLIGHT // self._usual_flight
            if passed > _MOST and event.at > landed:
                self._cuts.append((y + 2 * _MOST // 3, f"{stamp(event.at - now)} s"))
            landed = max(landed, event.lands)
            y += min(max(passed, _LEAST), _MOST) if event.at > now else 0
            if event.label is not None:
                y = max(y, free[event.label])
                free[event.label] = y + _LABEL_HEIGHT
                self._labels[event.order, event.label] = y
            # The moment is where its last event is: an arrow leaves beside its label.
            self._heights[event.order] = y
            now = event.at
        return y

    @property
    def _usual_flight(self) -> int:
        times = (each.at - sent.at for sent in self._frames for each in sent.arrivals)
        flights = sorted(time for time in times if time) or [1]
        return flights[len(flights) // 2]

    # -- drawing ---------------------------------------------------------------------------------

    def parts(self) -> Iterator[str]:
        """The text of the SVG, piece by piece."""
        size = f'width="{_WIDTH}" height="{self._height}" viewBox="0 0 {_WIDTH} {self._height}"'
        title = _text(cut(on_one_line(self._title), _TITLE_CELLS))
        yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
        yield f"<title>{title}</title><style>{asset('diagram.css')}</style>"
        yield f'<rect class="ground" width="{_WIDTH}" height="{self._height}"/>'
        yield f'<text class="head" x="16" y="24">{title}</text>'
        for side, x in _AT.items():
            yield f'<text class="{side} head" x="{x}" y="50" text-anchor="middle">{side}</text>'
            yield f'<path class="life" d="M{x} 56V{self._height - 56}"/>'
        yield from self._gaps()
        for sent in self._frames:
            yield from self._frame(sent)
        for _, order, entry in self._logged:
            yield from self._entry(self._labels[order, PUMP], entry)
        for place, text in enumerate(_LEGEND):
            yield f'<text class="dim" x="16" y="{self._height - 32 + 18 * place}">{text}</text>'
        yield "</svg>\n"

    def _gaps(self) -> Iterator[str]:
        middle = sum(_AT.values()) // 2
        for y, text in self._cuts:
            for x in _AT.values():
                yield f'<path class="cut" d="M{x} {y - 5}v10"/>'
            yield f'<text class="dim" x="{middle}" y="{y + 4}" text-anchor="middle">{text}</text>'

    def _frame(self, sent: Transmission) -> Iterator[str]:
        side = _side(sent)
        y = self._labels[sent.order, side]
        yield _label(sent, side, y)
        if not sent.arrivals:
            yield from self._lost(sent, side, y)
        for each in sent.arrivals:
            yield from _arrow(sent, side, y, self._heights[each.order], each)

    def _lost(self, sent: Transmission, side: Sender, y: int) -> Iterator[str]:
        begin, end = _AT[side], _AT[_other(side)]
        x, down = round(begin + (end - begin) * _LOST_AT), y + round(_FLIGHT * _LOST_AT)
        yield f'<path class="{_classes(sent, side)}" d="M{begin} {y}L{x} {down}"/>'
        if sent.lost:
            yield _cross(x, down)

    def _entry(self, y: int, entry: Log) -> Iterator[str]:
        x = _AT[PUMP]
        yield f'<rect class="deed" x="{x - 4}" y="{y - 4}" width="8" height="8"/>'
        told = _text(cut(log_words(entry), _LABEL_CELLS))
        yield f'<text x="{_LABEL[PUMP]}" y="{y + 4}">{told}</text>'


_LEGEND = (
    "thick: sent again · dotted: acknowledgement · cross: lost, or rejected on arrival",
    "hollow head: not handed up at once · square: the pump does it · all of it is fictional",
)


def _side(sent: Transmission) -> Sender:
    """Beside which lifeline it leaves: whoever else is on the line stands at the programmer's."""
    return PUMP if sent.sender == PUMP else PROGRAMMER


def _other(side: Sender) -> Sender:
    return PROGRAMMER if side == PUMP else PUMP


def _classes(sent: Transmission, side: Sender) -> str:
    again, ack = " again" * (sent.count > 1), " ack" * (sent.kind == "ACK")
    return f"{side}{again}{ack}"


def _label(sent: Transmission, side: Sender, y: int) -> str:
    who = "" if sent.sender in _AT else f"{sent.sender}: "
    name = cut(on_one_line(who + sent.name), _LABEL_CELLS - 14)
    room = _LABEL_CELLS - cells(name) - len(str(sent.number)) - 2
    told = _trouble(sent, room)
    remark = f'<tspan class="fault"> {_text(told)}</tspan>' if told else ""
    number = f'<tspan class="dim">{sent.number} </tspan>'
    anchor = ' text-anchor="end"' * (side == PROGRAMMER)
    return f'<text x="{_LABEL[side]}" y="{y + 4}"{anchor}>{number}{_text(name)}{remark}</text>'


def _trouble(sent: Transmission, room: int) -> str:
    """What happened to it, in full where there is room."""
    full, short = trouble_of(sent) or ("", "")
    full = FAULT_WORDS[sent.lost] if sent.lost else full
    return cut(on_one_line(full if cells(full) <= room else short), room)


def _arrow(
    sent: Transmission, side: Sender, begin: int, end: int, arrival: Arrival
) -> Iterator[str]:
    x, to = _AT[side], _AT[_other(side)]
    yield f'<path class="{_classes(sent, side)}" d="M{x} {begin}L{to} {end}"/>'
    if not arrival.is_good:
        yield _cross(to, end)
        return
    back = -9 if to > x else 9
    hollow = " hollow" * (arrival.verdict.word in ("dropped", "kept"))
    points = f"{to},{end} {to + back},{end - 4} {to + back},{end + 4}"
    yield f'<polygon class="{side}{hollow}" points="{points}"/>'


def _cross(x: int, y: int) -> str:
    return f'<path class="cross" d="M{x - 5} {y - 5}l10 10m0 -10l-10 10"/>'


def _text(text: str) -> str:
    return html.escape(text, quote=True)

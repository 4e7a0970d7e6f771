"""What is between the two lifelines: a row of cells on which arrows and texts are drawn.

An arrow is drawn from its sender's end, whichever side that is: place 0 is at the sender, and a row
of the pump's is turned round.  A frame during which the other side says something is drawn in two
rows, where it leaves and where it lands, and goes down in between in a column of its own; so what
crosses on the line crosses here.
"""

from typing import NamedTuple

from mockpump.display.glyphs import Glyphs
from mockpump.display.spans import Line, Span, Style, line
from mockpump.display.text import cells, cut
from mockpump.display.words import title
from mockpump.emulator.trace.format import PUMP, RIVAL, SOMEBODY
from mockpump.emulator.trace.run import Arrival, Transmission

# What the part of an arrow behind its label has at least: garbage, kept, heads and a piece of line.
_TAIL = 10
# The same where nothing happens to it.
_CLEAN_TAIL = 4
# How far apart columns of frames are that are under way, and how many are tried.
_APART = 2


# A cell that nothing was written on; a blank inside a text is another.
_EMPTY = Span(" ")


class Row:
    """The cells of one line between the lifelines."""

    def __init__(self, width: int) -> None:
        self._cells: list[Span] = [_EMPTY] * width

    def put(self, at: int, text: str, style: Style = "") -> None:
        """Write a text from a place on; what has no room is left out."""
        for place, char in enumerate(text, start=at):
            if 0 <= place < len(self._cells):
                self._cells[place] = Span(char, style)

    def under_way(self, at: int, glyphs: Glyphs, style: Style) -> None:
        """A frame that is under way goes down here, behind a text and across a line."""
        across = (glyphs.first, glyphs.again, glyphs.ack)
        if self._cells[at] is _EMPTY:
            self._cells[at] = Span(glyphs.under_way, style)
        elif self._cells[at].text in across:
            self._cells[at] = Span(glyphs.crossing, style)

    def spans(self) -> Line:
        """The cells as a line."""
        return line(*self._cells)


class Way:
    """The part of a row that a frame takes, with its sender's end first."""

    def __init__(self, row: Row, begin: int, end: int, from_right: bool) -> None:
        self._row, self._begin, self._end = row, begin, end
        self._from_right = from_right
        self.length = end - begin

    def put(self, at: int, text: str, style: Style) -> None:
        """Write a text, which reads as it is, so far from the sender."""
        place = self._end - at - cells(text) if self._from_right else self._begin + at
        self._row.put(place, text, style)

    def fill(self, begin: int, end: int, char: str, style: Style) -> None:
        """The same character from one place to another."""
        if end > begin:
            self.put(begin, char * (end - begin), style)

    def column(self, at: int) -> int:
        """The column of the row that is so far from the sender."""
        return self._end - at - 1 if self._from_right else self._begin + at

    def place(self, column: int) -> int:
        """How far from the sender a column of the row is."""
        return self._end - column - 1 if self._from_right else column - self._begin


class Heads(NamedTuple):
    """How an arrow of one direction ends and turns."""

    full: str
    hollow: str
    leaves: str
    lands: str


class Arrows:
    """Draws frames on rows of a width."""

    def __init__(self, width: int, glyphs: Glyphs) -> None:
        self.width = width
        self._glyphs = glyphs
        self._heads = {
            False: Heads(
                glyphs.right, glyphs.hollow_right, glyphs.leaves_right, glyphs.lands_right
            ),
            True: Heads(glyphs.left, glyphs.hollow_left, glyphs.leaves_left, glyphs.lands_left),
        }

    def level(self, frame: Transmission) -> Row:
        """A frame in one row, from its sender's end to where it comes to."""
        row, way = self._row(frame)
        begin = self._label(way, frame)
        if frame.lost or not frame.arrivals:
            middle = begin + (way.length - begin) // 2
            way.fill(begin, middle, self._body(frame), style_of(frame))
            end = Span(self._glyphs.lost, "fault") if frame.lost else Span(self._glyphs.more, "dim")
            way.put(middle, end.text, end.style)
        else:
            self._into(way, begin, frame, frame.arrivals)
        return row

    def leaving(self, frame: Transmission, column: int) -> Row:
        """A frame that leaves, and turns down in that column."""
        row, way = self._row(frame)
        turn = way.place(column)
        way.fill(self._label(way, frame, turn), turn, self._body(frame), style_of(frame))
        way.put(turn, self._heads[frame.sender == PUMP].leaves, style_of(frame))
        return row

    def landing(self, frame: Transmission, arrival: Arrival, column: int) -> Row:
        """It lands, coming down in that column."""
        row, way = self._row(frame)
        turn = way.place(column)
        way.put(turn, self._heads[frame.sender == PUMP].lands, style_of(frame))
        number = f" {frame.number} "
        way.put(turn + 1, number, style_of(frame))
        self._into(way, turn + 1 + len(number), frame, [arrival])
        return row

    def columns(self, frame: Transmission) -> list[int]:
        """The columns in which a frame may go down, the best first."""
        _, way = self._row(frame)
        first = cells(title(frame)) + 4
        last = way.length - _TAIL - len(str(frame.number))
        middle = max(first, min(way.length * 3 // 5, last))
        places = [*range(middle, last + 1, _APART), *range(middle - _APART, first - 1, -_APART)]
        return [way.column(each) for each in places]

    # -- parts of an arrow -----------------------------------------------------------------------

    def _row(self, frame: Transmission) -> tuple[Row, Way]:
        """An empty row, and the part of it that the frame takes."""
        row, begin = Row(self.width), 0
        others = {frame.sender, frame.receiver} & {SOMEBODY, RIVAL}
        if others:
            begin = self.width * 2 // 5
            (who,) = others
            row.put(begin - len(who) - 2, who, "dim")
            row.put(begin - 1, self._glyphs.other, "other")
        return row, Way(row, begin, self.width, frame.sender == PUMP)

    def _label(self, way: Way, frame: Transmission, limit: int | None = None) -> int:
        """What it is called, at its sender's end; where the line goes on behind that."""
        glyphs = self._glyphs
        style = style_of(frame)
        plain = frame.kind in ("DATA", "ACK")
        way.put(0, self._body(frame) if plain else glyphs.control, style)
        behind = _TAIL if frame.faults else _CLEAN_TAIL
        label = cut(glyphs.clean(title(frame)), (limit or way.length - behind) - 3)
        way.put(2, label, style)
        return cells(label) + 3

    def _body(self, frame: Transmission) -> str:
        if frame.kind == "ACK":
            return self._glyphs.ack
        return self._glyphs.again if frame.count > 1 else self._glyphs.first

    def _into(self, way: Way, begin: int, frame: Transmission, arrivals: list[Arrival]) -> None:
        """From a place on to the receiver: the line, what has harmed it, and a head an arrival."""
        glyphs, style = self._glyphs, style_of(frame)
        end = way.length
        for arrival in arrivals:
            end -= 1
            head = self._head(frame, arrival)
            way.put(end, head.text, head.style)
        first = arrivals[0]
        if first.verdict.word == "kept":
            end -= 1
            way.put(end, glyphs.kept, style)
        if first.garbage:
            before, end = end, end - min(4, 1 + first.garbage // 8)
            way.fill(end, before, glyphs.garbage, "fault")
        way.fill(begin, end, self._body(frame), style)
        if "truncate" in first.faults:
            way.fill(begin + (end - begin) * 2 // 3, end, " ", "")
        if first.flips:
            # From the place of the first damaged byte on.
            share = (first.flips[0].byte - 1) / len(frame.data)
            way.fill(begin + int((end - begin - 1) * share), end, glyphs.damaged, "fault")
        if "reorder" in first.faults:
            way.put(end - 4, glyphs.overtaken, "fault")

    def _head(self, frame: Transmission, arrival: Arrival) -> Span:
        if not arrival.is_good:
            return Span(self._glyphs.lost, "fault")
        heads = self._heads[frame.sender == PUMP]
        hollow = frame.kind == "ACK" or arrival.verdict.word in ("dropped", "kept")
        return Span(heads.hollow if hollow else heads.full, style_of(frame))


def style_of(frame: Transmission) -> Style:
    """The style of who sends a frame."""
    styles: dict[str, Style] = {"programmer": "programmer", "pump": "pump"}
    return styles.get(frame.sender, "other")

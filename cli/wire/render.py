"""What `mockpump wire` shows: frames layer by layer, layouts, the catalogue; 80 columns wide.

Plain text in a pipe; on a terminal the same words in colour, and only then is Rich imported.
"""

import textwrap
from collections.abc import Iterable, Iterator
from enum import Enum

from mockpump.cli.render import show
from mockpump.cli.wire.decode import Part, Stretch, parts_of
from mockpump.protocol.fields import Choice, Record, fields_of
from mockpump.protocol.framing import CHECKSUM, Frame, Header, Kind, RejectedFrame, RejectReason
from mockpump.protocol.messages.base import Entry
from mockpump.reference import diagram
from mockpump.reference.protocol import catalogue, frame_diagram, said, summary

WIDTH = 80
_LABEL, _HEX = 13, 24  # columns; the hex of eight bytes
_SHORT, _LONG = 8, 16  # bytes on a line, with a text behind them and alone

# -- decoded -------------------------------------------------------------------------------------


def show_stretch(number: int, stretch: Stretch) -> None:
    """A frame, or what was none, from its first byte to its last."""
    where = f" {number} at byte {stretch.offset}: "
    if isinstance(stretch.found, RejectedFrame):
        reason = stretch.found.reason
        show(("rejected", "bold red"), where, (f"{reason.name}, {reason.value}", "red"))
    else:
        show(("frame", "bold"), where, (_title(stretch.found, stretch), "bold"))
    show_parts(parts_of(stretch))
    show()


def _title(frame: Frame, stretch: Stretch) -> str:
    content = stretch.payload.content
    carried = type(content).__name__ if content is not None else stretch.payload.fault
    return f"{frame.kind.name} {carried}".rstrip()


def show_parts(parts: Iterable[Part]) -> None:
    """Bytes on the left, what they mean on the right."""
    for part in parts:
        rows = list(_part_rows(part))
        for place, (data, text) in enumerate(rows):
            label = "" if place else part.label
            style = "red" if part.bad else ""
            line = f"{data:<{_HEX}} " if text else data
            show((f"  {label:<{_LABEL - 2}}", "dim"), (line, "cyan"), (text, style))


def _part_rows(part: Part) -> Iterator[tuple[str, str]]:
    """Hex and text, a line each: side by side while the hex is short, else one above the other."""
    texts = textwrap.wrap(part.text, WIDTH - _LABEL - _HEX - 1) or [""]
    if len(part.data) <= _SHORT:
        yield part.data.hex(" "), texts[0]
    else:
        for at in range(0, len(part.data), _LONG):
            yield part.data[at : at + _LONG].hex(" "), ""
        yield "", texts[0]
    for text in texts[1:]:
        yield "", text


# -- explained -----------------------------------------------------------------------------------


def show_catalogue(others: Iterable[str]) -> None:
    """Every message on a line."""
    show(("number  message             what it is", "bold"))
    for entry in catalogue():
        indent = "" if entry.reply else "  "
        first, *more = textwrap.wrap(summary(entry.message), WIDTH - 28)
        name = f"{indent}{entry.name}"
        show((f"{entry.number:#04x}    ", "dim"), (f"{name:<18}  ", "cyan"), first)
        for text in more:
            show(" " * 28 + text)
    show()
    wrapped = textwrap.wrap(
        f"Take one apart with `mockpump wire explain NAME`; there are also {', '.join(others)}.",
        WIDTH,
    )
    for text in wrapped:
        show(text)


def show_message(entry: Entry) -> None:
    """A message: who says it, where its fields lie, what they mean."""
    show((f"{entry.name}  {entry.number:#04x}", "bold"), f"  {said(entry).replace('`', '')}")
    _show_layout(entry.message, entry.number)


def show_frame() -> None:
    """A whole frame."""
    show(("00 | COBS( header | payload | CRC-16 ) | 00", "bold"))
    show_text(f"What COBS encodes, the checksum being {CHECKSUM} of header and payload:")
    show()
    show((frame_diagram(), "cyan"))
    _show_fields(Header, 0)
    for members in (Kind, RejectReason):
        show()
        show_enumeration(members)


def show_record(record: type[Record]) -> None:
    """A record that is not a message."""
    show((record.__name__, "bold"))
    _show_layout(record, None)


def _show_layout(record: type[Record], number: int | None) -> None:
    show_text(summary(record))
    show()
    show((diagram.diagram(record, number), "cyan"))
    _show_fields(record, 0 if number is None else 1)
    for _, declaration in fields_of(record):
        if isinstance(declaration, Choice):
            show()
            show_enumeration(declaration.members)


def _show_fields(record: type[Record], lead: int) -> None:
    if fields_of(record):
        show()
    for row in diagram.field_rows(record, lead):
        what = f"{row.type} at {row.offset}, size {row.size}, {row.range} {row.unit}".rstrip()
        name = (f"  {row.name:<13} ", "bold")
        for text in (*textwrap.wrap(what, WIDTH - 16), *textwrap.wrap(row.doc, WIDTH - 16)):
            show(name, text)
            name = (" " * 16, "")


def show_enumeration(members: type[Enum]) -> None:
    """An enumeration: its numbers, or what each name means."""
    doc = " ".join((members.__doc__ or "").split())
    first, *more = textwrap.wrap(f"{members.__name__}  {doc}", WIDTH)
    show((members.__name__, "bold"), first.removeprefix(members.__name__))
    for text in more:
        show(text)
    for member in members:
        number = f"{member.value:>3} " if isinstance(member.value, int) else ""
        meaning = "" if number else f"  {member.value}"
        show(f"  {number}", (member.name.lower(), "cyan"), meaning)


def show_text(text: str) -> None:
    """A paragraph."""
    for line in textwrap.wrap(text, WIDTH):
        show(line)

"""The protocol's reference, generated: every layout, number and limit as Markdown.

The one idea: `BLOCKS` maps the name of a block to a function without arguments, and what that says
is read from the declarations; so docs/PROTOCOL.md and `mockpump wire explain` cannot disagree with
the code.  `mockpump.protocol.markdown.render` puts the blocks into a document.
"""

from collections.abc import Callable, Iterator
from enum import IntEnum

from mockpump.protocol import diagram
from mockpump.protocol.catalogue import CATALOGUE, Access, Direction, Entry
from mockpump.protocol.diagram import Cell
from mockpump.protocol.fields import Record
from mockpump.protocol.framing import (
    CHECKSUM,
    HEADER_SIZE,
    MAX_ENCODED,
    MAX_PAYLOAD,
    OVERHEAD,
    VERSION,
    Header,
    Kind,
    RejectReason,
    checksum,
)
from mockpump.protocol.link.types import Offer
from mockpump.protocol.link_document import BLOCKS as LINK_BLOCKS
from mockpump.protocol.log import ENTRY_SIZE, FIGURES, LogEntry
from mockpump.protocol.markdown import code, fenced, members, table
from mockpump.protocol.messages import (
    CHAIN_SIZE,
    DIGEST_SIZE,
    MAX_CHUNK,
    MAX_IMAGE,
    MAX_NAME,
    MAX_RECORDED,
    PROTOCOL_VERSION,
    Alarm,
    BolusKind,
    Fate,
    LogKind,
    Mode,
    Priority,
    RampMove,
    RampState,
    Reason,
    SessionEnd,
    Slot,
    When,
)
from mockpump.protocol.program import (
    FORMAT,
    MAX_PATTERN_NAME,
    MAX_PATTERNS,
    MAX_PERCENT,
    MAX_RAMP,
    MAX_RATE,
    MAX_SEGMENTS,
    UNITS_PER_NL,
    DayPattern,
    Program,
    RampStep,
    Segment,
)
from mockpump.protocol.session_document import BLOCKS as SESSION_BLOCKS

PROGRAM_RECORDS: tuple[type[Record], ...] = (Program, DayPattern, Segment, RampStep)
ENUMERATIONS: tuple[type[IntEnum], ...] = (
    Kind,
    Access,
    Mode,
    Slot,
    When,
    BolusKind,
    RampState,
    RampMove,
    Alarm,
    Priority,
    Fate,
    SessionEnd,
    LogKind,
    Reason,
)

_FIELDS = ("offset", "size", "type", "name", "unit", "range", "what it is")


def catalogue() -> list[Entry]:
    """Every message: the requests, each with its reply after it, then what is nobody's reply."""
    ordered = [CATALOGUE[number] for number in sorted(CATALOGUE)]
    replies = {entry.reply: entry for entry in ordered}
    by_type = {entry.message: entry for entry in ordered}
    found = [
        each
        for entry in ordered
        if entry.reply is not None
        for each in (entry, by_type[entry.reply])
    ]
    return found + [e for e in ordered if e.reply is None and e.message not in replies]


def summary(record: type[Record]) -> str:
    """A record's doc as one line."""
    return " ".join((record.__doc__ or "").split())


def said(entry: Entry) -> str:
    """Who says a message, and in answer to what."""
    askers = [code(each.name) for each in CATALOGUE.values() if each.reply is entry.message]
    if entry.direction is Direction.REPLY:
        return f"pump to programmer, in answer to {' or '.join(askers) or 'any request'}"
    answer = f", answered by {code(entry.reply.__name__)}" if entry.reply else ""
    return f"{entry.direction.value}{answer}"


def fields(record: type[Record], lead: int = 0) -> str:
    """A record's fields as a table; `lead` bytes stand in front."""
    rows = (
        (row.offset, row.size, row.type, code(row.name), row.unit, row.range, row.doc)
        for row in diagram.field_rows(record, lead)
    )
    return table(_FIELDS, rows)


def _catalogue() -> str:
    rows = [
        (
            f"`{entry.number:#04x}`",
            code(entry.name),
            _signature(entry),
            said(entry),
            summary(entry.message),
        )
        for entry in catalogue()
    ]
    return table(["number", "message", "its fields", "who says it", "what it is"], rows)


def _signature(entry: Entry) -> str:
    rows = diagram.field_rows(entry.message)
    return ", ".join(f"{code(row.name)} {row.type}" for row in rows)


def _messages() -> str:
    return "\n\n".join(part for entry in catalogue() for part in _message(entry))


def _message(entry: Entry) -> Iterator[str]:
    yield f"#### {entry.name} (`{entry.number:#04x}`)"
    yield summary(entry.message)
    yield f"*{said(entry)[0].upper()}{said(entry)[1:]}.*"
    yield fenced(diagram.diagram(entry.message, entry.number))
    if entry.message.__struct_fields__:
        yield fields(entry.message, lead=1)


def _record(record: type[Record]) -> Iterator[str]:
    yield fenced(diagram.diagram(record))
    yield fields(record)


def _program() -> str:
    parts = []
    for record in PROGRAM_RECORDS:
        parts += [f"#### {record.__name__}", summary(record), *_record(record)]
    return "\n\n".join(parts)


def frame_diagram() -> str:
    """The body of a frame, before COBS."""
    payload = Cell(f"payload: 0..{MAX_PAYLOAD} bytes", None)
    return diagram.draw([*diagram.cells_of(Header), payload, Cell(CHECKSUM.partition("/")[0], 2)])


def _frame() -> str:
    return f"{fenced(frame_diagram())}\n\n{fields(Header)}"


def _frame_limits() -> str:
    rows = [
        ("version", VERSION),
        ("header", f"{HEADER_SIZE} bytes"),
        ("header and checksum", f"{OVERHEAD} bytes"),
        ("largest payload", f"{MAX_PAYLOAD:,} bytes"),
        ("longest body", f"{OVERHEAD + MAX_PAYLOAD:,} bytes"),
        ("longest encoded frame, without delimiters", f"{MAX_ENCODED:,} bytes"),
        ("checksum of the ASCII digits 1 to 9", f"`{checksum(b'123456789'):04x}`"),
    ]
    return table(["constant", "value"], rows)


def _message_limits() -> str:
    rows = [
        ("protocol version, in `Identity`", PROTOCOL_VERSION),
        ("digest", f"{DIGEST_SIZE} bytes"),
        ("longest program image", f"{MAX_IMAGE:,} bytes"),
        ("longest piece of an image in one message", f"{MAX_CHUNK} bytes"),
        ("longest name", f"{MAX_NAME} bytes of UTF-8"),
        ("longest reply to a request with a transaction", f"{MAX_RECORDED} bytes"),
        ("entry of the event log", f"{ENTRY_SIZE} bytes"),
        ("chain of the event log", f"{CHAIN_SIZE} bytes"),
    ]
    return table(["constant", "value"], rows)


def _program_limits() -> str:
    rows = [
        ("format", FORMAT),
        ("day patterns", f"1..{MAX_PATTERNS}"),
        ("segments of a pattern", f"1..{MAX_SEGMENTS}"),
        ("ramp steps", f"0..{MAX_RAMP}"),
        ("highest rate", f"{MAX_RATE:,} nL/h"),
        ("highest ramp step", f"{MAX_PERCENT} %"),
        ("name", f"at most {MAX_NAME} bytes of UTF-8, may be empty"),
        ("name of a pattern", f"1..{MAX_PATTERN_NAME} bytes of UTF-8"),
        ("units in a nanolitre", f"{UNITS_PER_NL:,}"),
        ("longest image that the declarations allow", f"{diagram.largest(Program):,} bytes"),
    ]
    return table(["constant", "value"], rows)


def _enumerations() -> str:
    parts = []
    # What a frame is for stands with the frames.
    for each in ENUMERATIONS[1:]:
        parts += [f"#### {each.__name__}", " ".join((each.__doc__ or "").split()), members(each)]
    return "\n\n".join(parts)


def _log() -> str:
    kinds = ((code(kind.name), *FIGURES[kind]) for kind in LogKind)
    return "\n\n".join([*_record(LogEntry), table(["kind", "first", "second"], kinds)])


BLOCKS: dict[str, Callable[[], str]] = {
    "frame": _frame,
    "frame-kinds": lambda: members(Kind),
    "frame-limits": _frame_limits,
    "reject-reasons": lambda: members(RejectReason),
    "offer": lambda: "\n\n".join(_record(Offer)),
    **LINK_BLOCKS,
    **SESSION_BLOCKS,
    "catalogue": _catalogue,
    "messages": _messages,
    "enumerations": _enumerations,
    "message-limits": _message_limits,
    "log": _log,
    "program": _program,
    "program-limits": _program_limits,
}

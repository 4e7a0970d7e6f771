"""The protocol's reference, generated: every layout, number and limit as Markdown.

The one idea: `BLOCKS` maps the name of a block to a function without arguments, and what that says
is read from the declarations; so docs/PROTOCOL.md and `mockpump wire explain` cannot disagree with
the code.  `mockpump.reference.markdown.render` puts the blocks into a document.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from enum import IntEnum

from mockpump.protocol.fields import Integer, Record, fields_of
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
from mockpump.protocol.keys import SECRET_SIZE
from mockpump.protocol.link.arq import REACH, REORDERING, SACK_BITS
from mockpump.protocol.link.link import REMEMBERED_CONNECTIONS
from mockpump.protocol.link.states import TRANSITIONS, Action, Input, State
from mockpump.protocol.link.types import (
    MAX_WINDOW,
    MIN_PAYLOAD,
    CloseReason,
    DropReason,
    LinkSettings,
    Offer,
)
from mockpump.protocol.log import ENTRY_SIZE, FIGURES, LogEntry
from mockpump.protocol.messages import (
    CHAIN_SIZE,
    DIGEST_SIZE,
    MAX_CHUNK,
    MAX_IMAGE,
    MAX_NAME,
    MAX_RECORDED,
    NONCE_SIZE,
    PROOF_SIZE,
    PROTOCOL_VERSION,
    Alarm,
    BolusKind,
    LogKind,
    Mode,
    OutcomeStatus,
    Priority,
    RampMove,
    RampState,
    Reason,
    SessionEnd,
    Slot,
    When,
)
from mockpump.protocol.messages.base import CATALOGUE, Access, Direction, Entry
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
from mockpump.protocol.session import LABEL, LAST_COUNTER, SCHEDULE, SEAL_SIZE, TAG_SIZE, Seal
from mockpump.reference import diagram
from mockpump.reference.diagram import Cell, cells_of, draw, field_rows
from mockpump.reference.markdown import code, fenced, members, table

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
    OutcomeStatus,
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


def transitions() -> str:
    """What happens down the side, states across, an action in each cell."""
    head = ["what happens", *(state.name for state in State)]
    rows = ([code(event.name), *(_cell(state, event) for state in State)] for event in Input)
    return table(head, rows)


def _cell(state: State, event: Input) -> str:
    action, following, reason = TRANSITIONS[state][event]
    done = action.name if reason is None else f"{action.name} ({reason.name})"
    return done if following is state else f"{done} → **{following.name}**"


def state_diagram() -> str:
    """The transitions that lead from one state to another, for Mermaid."""
    return fenced("\n".join(_mermaid()), "mermaid")


def _mermaid() -> Iterator[str]:
    yield "stateDiagram-v2"
    yield "    [*] --> IDLE"
    arrows: dict[tuple[State, State, Action], list[str]] = defaultdict(list)
    for state, row in TRANSITIONS.items():
        for event, (action, following, _) in row.items():
            if following is not state:
                arrows[state, following, action].append(event.name)
    for (state, following, action), events in arrows.items():
        yield f"    {state.name} --> {following.name}: {', '.join(events)} / {action.name}"


def settings() -> str:
    """Every size and timer of the link, with its default."""
    head = ["setting", "default", "unit", "range", "what it is"]
    return table(head, _settings())


def _settings() -> Iterator[list[str]]:
    defaults = LinkSettings()
    for name, declaration in fields_of(LinkSettings):
        assert isinstance(declaration, Integer)
        value: int = getattr(defaults, name)
        shown = f"{value:,}{_in_seconds(value) if declaration.unit == 'us' else ''}"
        yield [code(name), shown, declaration.unit, declaration.rule, declaration.doc]


def _in_seconds(microseconds: int) -> str:
    seconds, rest = divmod(microseconds, 1_000_000)
    return f" ({seconds} s)" if not rest else f" ({microseconds / 1_000:g} ms)"


def limits() -> str:
    """The link's constants, which are not negotiable."""
    rows = [
        ("smallest payload that may be offered", f"{MIN_PAYLOAD} bytes"),
        ("largest window that may be offered", f"{MAX_WINDOW} frames"),
        ("sequence numbers", "0..255, then 0 again"),
        ("reach: how far ahead of the oldest missing frame others are kept", f"{REACH} numbers"),
        ("frames that `sack` can name", SACK_BITS),
        ("later transmissions that prove a loss", REORDERING),
        ("connection ids that an acceptor remembers", REMEMBERED_CONNECTIONS),
    ]
    return table(["constant", "value"], rows)


LINK_BLOCKS: dict[str, Callable[[], str]] = {
    "link-states": lambda: members(State),
    "link-inputs": lambda: members(Input, "what happens"),
    "link-actions": lambda: members(Action, "what is done"),
    "link-transitions": transitions,
    "link-diagram": state_diagram,
    "link-settings": settings,
    "link-limits": limits,
    "drop-reasons": lambda: members(DropReason),
    "close-reasons": lambda: members(CloseReason),
}


def seal_diagram() -> str:
    """A sealed payload."""
    return draw([*cells_of(Seal), Cell("message", None)])


def seal() -> str:
    """A sealed payload, drawn and as a table."""
    rows = (
        (row.offset, row.size, row.type, code(row.name), row.unit, row.range, row.doc)
        for row in field_rows(Seal, 0)
    )
    head = ("offset", "size", "type", "name", "unit", "range", "what it is")
    return f"{fenced(seal_diagram())}\n\n{table(head, rows)}"


def schedule() -> str:
    """What is expanded from the secret of a session."""
    rows = ((code(name), f"{size} bytes", code(info)) for name, (size, info) in _names())
    return table(["name", "size", "`info`, in ASCII"], rows)


def _names() -> list[tuple[str, tuple[int, str]]]:
    return [(name, (size, info.decode())) for name, (size, info) in SCHEDULE.items()]


def access() -> str:
    """Every request, and who may ask it."""
    ordered = [CATALOGUE[number] for number in sorted(CATALOGUE)]
    rows = (
        [code(each.name), *("yes" if each.needs in allowed else "" for allowed in _GROUPS)]
        for each in ordered
        if each.direction is Direction.REQUEST
    )
    return table(["request", "without a session", *(code(a.name) for a in Access)], rows)


# What each column of that table may ask: more and more.
_GROUPS: tuple[tuple[Access | None, ...], ...] = (
    (None,),
    (None, Access.OBSERVER),
    (None, Access.OBSERVER, Access.CLINICIAN),
)


def constants() -> str:
    """The sizes and numbers of the session."""
    rows = [
        ("protocol version", PROTOCOL_VERSION),
        ("pairing key", f"{SECRET_SIZE} bytes"),
        ("nonce", f"{NONCE_SIZE} bytes"),
        ("proof", f"{PROOF_SIZE} bytes"),
        ("tag", f"{TAG_SIZE} bytes, the first of 32"),
        ("seal", f"{SEAL_SIZE} bytes: this much less room for a message"),
        ("largest counter", f"{LAST_COUNTER:,}"),
        ("label of the transcript", code(LABEL.decode())),
    ]
    return table(["constant", "value"], rows)


SESSION_BLOCKS: dict[str, Callable[[], str]] = {
    "seal": seal,
    "key-schedule": schedule,
    "access": access,
    "session-constants": constants,
}


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

"""The session in tables: what a seal is made of, what the keys are derived with, who may ask what.

Read from `mockpump.protocol.session` and the catalogue; nothing is said twice.
"""

from collections.abc import Callable

from mockpump.protocol.catalogue import CATALOGUE, Access, Direction
from mockpump.protocol.diagram import Cell, cells_of, draw, field_rows
from mockpump.protocol.markdown import code, fenced, table
from mockpump.protocol.messages import NONCE_SIZE, PROOF_SIZE, PROTOCOL_VERSION
from mockpump.protocol.pairing import SECRET_SIZE
from mockpump.protocol.session import LABEL, LAST_COUNTER, SCHEDULE, SEAL_SIZE, TAG_SIZE, Seal


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
        ("seal", f"{SEAL_SIZE} bytes: so much less room for a message"),
        ("largest counter", f"{LAST_COUNTER:,}"),
        ("label of the transcript", code(LABEL.decode())),
    ]
    return table(["constant", "value"], rows)


BLOCKS: dict[str, Callable[[], str]] = {
    "seal": seal,
    "key-schedule": schedule,
    "access": access,
    "session-constants": constants,
}

"""`mockpump wire explain` and `spec`: the reference on a screen, and in the document.

Both are generated from the declarations; this module only finds what was asked for.
"""

from enum import Enum
from pathlib import Path

import click

from mockpump.cli.files import read_text, write_file
from mockpump.cli.main import EXIT_REFUSED, EXIT_USAGE, fail
from mockpump.cli.render import as_json, show
from mockpump.cli.terminal import echo, write_out
from mockpump.cli.wire import render
from mockpump.cli.wire.encode import KINDS, nearest
from mockpump.emulator.transports.errors import reason_of
from mockpump.emulator.transports.reading import Unreadable
from mockpump.protocol import messages as m
from mockpump.protocol.fields import Record, cut
from mockpump.protocol.framing import Header, RejectReason
from mockpump.protocol.link.types import CloseReason, DropReason, Offer
from mockpump.protocol.messages.base import CATALOGUE, Entry
from mockpump.protocol.session import Seal
from mockpump.reference import diagram, markdown, protocol, pump, scenario
from mockpump.reference.markdown import MarkerError

# What stands in docs/PROTOCOL.md; and all that can stand in a document.
BLOCKS = {**protocol.BLOCKS, **pump.BLOCKS}
EVERY_BLOCK = {**BLOCKS, **scenario.BLOCKS}
RECORDS: dict[str, tuple[type[Record], ...]] = {
    "frame": (Header,),
    "offer": (Offer,),
    "program": protocol.PROGRAM_RECORDS,
    "seal": (Seal,),
}
# Far more than any document has.
_MOST_TEXT = 16 * 1024 * 1024
_ENUMS: tuple[type[Enum], ...] = (
    *protocol.ENUMERATIONS,
    RejectReason,
    DropReason,
    CloseReason,
)
ENUMERATIONS = {each.__name__.lower(): each for each in _ENUMS}


# -- explain -------------------------------------------------------------------------------------


@click.command()
@click.argument("name", required=False, metavar="[MESSAGE]")
@click.option("--json", "json_", is_flag=True, help="Print JSON, one object a line.")
def explain(name: str | None, json_: bool) -> None:
    """Show where the fields of a MESSAGE lie and what they mean.

    Without a name, list the messages.  Also: frame, offer, seal, program, and the enumerations.

    \b
    mockpump wire explain Status
    mockpump wire explain frame
    """
    show = _explain_json if json_ else _explain_text
    if name is None:
        show(None)
        return
    wanted = name.lower()
    found = m.entry_named(wanted) or RECORDS.get(wanted) or ENUMERATIONS.get(wanted)
    if found is None and wanted.upper() in KINDS:
        found = RECORDS["offer" if wanted.startswith("open") else "frame"]
    if found is None:
        known = [each.name for each in CATALOGUE.values()]
        names = [*known, *RECORDS, *(each.__name__ for each in ENUMERATIONS.values())]
        fail(f"there is nothing called {cut(name)}{nearest(name, names)}", EXIT_USAGE)
    show(found)


_Found = Entry | tuple[type[Record], ...] | type[Enum] | None


def _explain_text(found: _Found) -> None:
    if found is None:
        render.show_catalogue([*RECORDS, *(e.__name__ for e in ENUMERATIONS.values())])
    elif isinstance(found, Entry):
        render.show_message(found)
    elif found == (Header,):
        render.show_frame()
    elif isinstance(found, tuple):
        for place, record in enumerate(found):
            if place:
                show()
            render.show_record(record)
    else:
        render.show_enumeration(found)


def _explain_json(found: _Found) -> None:
    if found is None:
        for entry in protocol.catalogue():
            echo(as_json(_entry_facts(entry)))
    elif isinstance(found, Entry):
        echo(as_json({**_entry_facts(found), **_layout(found.message, found.number)}))
    elif isinstance(found, tuple):
        for record in found:
            facts = {"name": record.__name__, "doc": protocol.summary(record)}
            echo(as_json({**facts, **_layout(record, None)}))
    else:
        named = {each.name.lower(): each.value for each in found}
        echo(as_json({"name": found.__name__, "members": named}))


def _entry_facts(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name,
        "number": entry.number,
        "direction": entry.direction,
        "reply": entry.reply.__name__ if entry.reply else None,
        "doc": protocol.summary(entry.message),
    }


def _layout(record: type[Record], number: int | None) -> dict[str, object]:
    rows = diagram.field_rows(record, 0 if number is None else 1)
    drawn = diagram.diagram(record, number)
    return {"fields": [row._asdict() for row in rows], "diagram": drawn.splitlines()}


# -- spec ----------------------------------------------------------------------------------------


@click.command(short_help="Write the generated parts of the protocol document.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when FILE is stale.")
def spec(file: Path | None, check: bool) -> None:
    """Write the generated parts of the protocol document into FILE, or print them.

    They stand between a line <!-- generated: NAME --> and a line <!-- end generated -->.

    \b
    mockpump wire spec docs/PROTOCOL.md
    mockpump wire spec --check docs/PROTOCOL.md
    """
    if file is None:
        if check:
            fail("--check needs a FILE to check", EXIT_USAGE)
        write_out(markdown.everything(BLOCKS))
        return
    text, newline = _read(file)
    try:
        fresh = markdown.render(text, EVERY_BLOCK)
    except MarkerError as error:
        fail(f"{file}: {error}", EXIT_USAGE)
    if markdown.END not in text:
        fail(f"{file} has no generated part", EXIT_USAGE)
    if check and fresh != text:
        fail(f"{file} is stale; run: mockpump wire spec {file}", EXIT_REFUSED)
    if fresh != text:
        _write(file, fresh, newline)


def _read(file: Path) -> tuple[str, str]:
    try:
        text = read_text(file, _MOST_TEXT)
    except Unreadable as error:
        fail(f"{file}: {error}", EXIT_USAGE)
    whole = text.replace("\r\n", "\n")
    # A line ends as all of them do.
    newline = "\r\n" if text.count("\n") == text.count("\r\n") > 0 else "\n"
    return whole, newline


def _write(file: Path, text: str, newline: str) -> None:
    try:
        write_file(file, text.replace("\n", newline).encode())
    except OSError as error:
        fail(f"{file}: {reason_of(error)}", EXIT_USAGE)

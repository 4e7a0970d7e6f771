"""`mockpump wire`: bytes taken apart and put together; see `mockpump.cli.wire.explain` too."""

from collections.abc import Callable, Mapping
from typing import Any

import click

from mockpump.cli.main import EXIT_REFUSED, EXIT_USAGE, fail
from mockpump.cli.render import as_json, show
from mockpump.cli.terminal import echo
from mockpump.cli.wire import render
from mockpump.cli.wire.decode import (
    Payload,
    content_parts,
    payload_json,
    payload_of,
    program_of,
    stretch_json,
    stretches,
)
from mockpump.cli.wire.encode import build
from mockpump.cli.wire.explain import explain, spec
from mockpump.cli.wire.input import read_input
from mockpump.cli.wire.send import send
from mockpump.protocol import program as programs
from mockpump.protocol.fields import Integer, cut, fields_of
from mockpump.protocol.framing import Frame, Header, Kind

_JSON = click.option("--json", "json_", is_flag=True, help="Print JSON, one object a line.")


@click.group()
def wire() -> None:
    """Take the made-up protocol TIDE/1 apart.  It is fictional.

    \b
    mockpump wire explain Status
    mockpump wire encode Suspend transaction=42
    mockpump wire encode Identify | mockpump wire decode -
    """


# -- decode --------------------------------------------------------------------------------------


@wire.command(short_help="Show what bytes mean, layer by layer.")
@click.argument("source", metavar="HEX|FILE|-")
@click.option("--payload", is_flag=True, help="The bytes are a message without its frame.")
@click.option("--program", is_flag=True, help="The bytes are the image of a program.")
@_JSON
def decode(source: str, payload: bool, program: bool, json_: bool) -> None:
    """Show what bytes mean: frames, layer by layer, and what is not a frame.

    HEX may have spaces, colons or 0x in it.  A FILE, or standard input with -, holds hex, with
    remarks behind #, or the bytes themselves.  Exit code 1 when something was rejected.

    \b
    mockpump wire decode "00 02 13 02 01 01 01 01 04 01 6e 81 00"
    mockpump wire decode --payload 20:00:00:00:2a
    """
    if payload and program:
        fail("a payload or a program, not both", EXIT_USAGE)
    data = read_input(source)
    if payload:
        _decode_content(payload_of(Frame(Kind.DATA, 0, payload=data)), data, {}, json_)
    elif program:
        _decode_content(program_of(data), data, {"digest": programs.digest(data)}, json_)
    else:
        _decode_frames(data, json_)


def _decode_frames(data: bytes, json_: bool) -> None:
    good = bad = 0
    for number, stretch in enumerate(stretches(data), start=1):
        if json_:
            echo(as_json(stretch_json(stretch)))
        else:
            render.show_stretch(number, stretch)
        good, bad = good + stretch.good, bad + (not stretch.good)
    if not json_:
        show(f"{good} good, {bad} rejected")
    if bad:
        raise SystemExit(EXIT_REFUSED)


def _decode_content(payload: Payload, data: bytes, facts: Mapping[str, bytes], json_: bool) -> None:
    if json_:
        echo(as_json({"bytes": data, **facts, **payload_json(payload)}))
    else:
        if payload.content is not None:
            render.show_parts(content_parts(payload.content, data))
        for name, value in facts.items():
            show(f"{name} {value.hex()}")
        if payload.fault:
            show(("rejected: ", "bold red"), (payload.fault, "red"))
    if payload.fault:
        raise SystemExit(EXIT_REFUSED)


# -- encode --------------------------------------------------------------------------------------


class Number(click.ParamType[int]):
    """A number as it is typed, 0x12 too, in the range of a header field."""

    name = "number"

    def __init__(self, field: str) -> None:
        declaration = dict(fields_of(Header))[field]
        assert isinstance(declaration, Integer)
        self.declaration = declaration
        self.option = f"--{field}"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The number."""
        try:
            number = int(str(value), 0)
        except ValueError:
            fail(f"{self.option}: {cut(str(value))} is not a number", EXIT_USAGE)
        if not self.declaration.minimum <= number <= self.declaration.maximum:
            fail(f"{self.option}: {cut(str(value))} is not in {self.declaration.rule}", EXIT_USAGE)
        return number


def _header(name: str, default: int) -> Callable[[Any], Any]:
    text = dict(fields_of(Header))[name].doc
    return click.option(
        f"--{name}", type=Number(name), default=default, show_default=True, help=f"Header: {text}."
    )


@wire.command(short_help="Print the bytes of a message or a frame.")
@click.argument("message")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@click.option("--payload", is_flag=True, help="Only the payload, without a frame around it.")
@_header("connection", 1)
@_header("seq", 0)
@_header("ack", 0)
@_header("sack", 0)
@_JSON
def encode(
    message: str, fields: tuple[str, ...], payload: bool, json_: bool, **header: int
) -> None:
    """Print the bytes of a MESSAGE, or of an OPEN, OPEN_ACK, ACK, CLOSE or RESET.

    A VALUE is a number (0x.. too), a name of an enumeration, hex where there are bytes, or text.

    \b
    mockpump wire encode SetClock transaction=7 clock=3600
    mockpump wire encode OPEN window=1 --connection 0x1234
    """
    frame, content, line = build(message, fields, header)
    if json_:
        carried = Payload(content)
        facts = {"kind": frame.kind, **payload_json(carried), "payload": frame.payload}
        echo(as_json({**facts, "bytes": frame.payload if payload else line}))
    elif payload and not frame.payload:
        fail(f"{frame.kind.name} has no payload", EXIT_USAGE)
    else:
        echo((frame.payload if payload else line).hex(" "))


wire.add_command(explain)
wire.add_command(spec)
wire.add_command(send)

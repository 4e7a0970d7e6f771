"""`mockpump wire send`: raw bytes, or one message, put on a line; and what comes back."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from mockpump.cli.keys import DEFAULT_KEYRING, open_option
from mockpump.cli.main import EXIT_REFUSED, EXIT_USAGE, fail
from mockpump.cli.programmer.session import Options, connected
from mockpump.cli.quantities import LineTime
from mockpump.cli.render import as_json, show
from mockpump.cli.terminal import echo
from mockpump.cli.wire import render
from mockpump.cli.wire.decode import stretch_json, stretches
from mockpump.cli.wire.encode import request_of
from mockpump.emulator.programmer.errors import RequestRefused
from mockpump.emulator.programmer.known_pump import KnownPump
from mockpump.emulator.programmer.procedures import ask
from mockpump.emulator.transports.clock import line_now
from mockpump.emulator.transports.serial_port import SerialPort
from mockpump.protocol import messages as m
from mockpump.protocol.fields import cut, from_hex
from mockpump.protocol.link.types import LinkSettings

_ARROWS = {True: ("sent", "cyan"), False: ("came", "magenta")}


@click.command(short_help="Put bytes or a message on a line, and show what comes.")
@click.argument("what", metavar="HEX|MESSAGE")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@click.option(
    "--port",
    envvar="MOCKPUMP_PORT",
    help="A pty or serial port, tcp:HOST:PORT, or any pyserial URL (also from MOCKPUMP_PORT).",
)
@click.option(
    "--keyring",
    type=click.Path(path_type=Path),
    envvar="MOCKPUMP_KEYRING",
    default=DEFAULT_KEYRING,
    help="Where the pairing keys are (also from MOCKPUMP_KEYRING).",
)
@open_option("Open no session for a MESSAGE (also from MOCKPUMP_OPEN).")
@click.option(
    "--for",
    "lasting",
    type=LineTime(),
    default="2s",
    show_default=True,
    help="How long to listen after HEX.",
)
@click.option("--json", "json_", is_flag=True, help="Print JSON, one object a frame.")
def send(
    what: str,
    fields: tuple[str, ...],
    port: str | None,
    keyring: Path,
    is_open: bool,
    lasting: int,
    json_: bool,
) -> None:
    """Put bytes on a line as they are, or have a MESSAGE sent, and show every frame.

    HEX goes out as it is: no connection, no acknowledgement, no repetition.  A MESSAGE goes in a
    connection that is opened for it, sealed if the keyring has the pump's key; a transaction that
    is not given is drawn.  Exit code 1 when the pump refuses it.

    \b
    mockpump wire send --port ./pump 00041169680101010105f008de4700
    mockpump wire send --port ./pump --open GetStatus
    """
    if port is None:
        raise click.UsageError("name the pump's port with --port or MOCKPUMP_PORT")
    shown = _Shown(json_)
    if m.entry_named(what) is None:
        _send_bytes(port, _bytes(what, fields), lasting, shown)
    else:
        options = Options(port, LinkSettings(), json_, keyring, None, is_open, KnownPump(None))
        _send_message(options, request_of(what, fields), shown)


def _bytes(what: str, fields: tuple[str, ...]) -> bytes:
    try:
        return from_hex(" ".join((what, *fields)))
    except ValueError:
        fail(
            f"{cut(what)} is neither hex nor a message; `mockpump wire explain` lists the messages",
            EXIT_USAGE,
        )


class _Shown:
    """A tap on a line that shows every frame, and what is none, as soon as it has come whole."""

    def __init__(self, json_: bool) -> None:
        self._json = json_
        self._begun = {True: b"", False: b""}
        self._count = 0

    def __call__(self, sent: bool, data: bytes) -> None:
        whole, delimiter, begun = (self._begun[sent] + data).rpartition(b"\0")
        self._begun[sent] = begun
        for stretch in stretches(whole + delimiter):
            self._count += 1
            word, style = _ARROWS[sent]
            if self._json:
                echo(as_json({"direction": word, **stretch_json(stretch)}))
            else:
                show((f"{word}:", style))
                render.show_stretch(self._count, stretch)

    def conclude(self) -> None:
        """Say what has come and was never ended by a delimiter, or that nothing has."""
        rest = self._begun[False]
        if self._json:
            return
        if rest:
            show(f"{len(rest)} bytes came behind the last delimiter: {cut(rest.hex(' '))}")


def _send_bytes(port: str, data: bytes, lasting: int, shown: _Shown) -> None:
    with closing(SerialPort(port)) as line:
        line.send(data)
        shown(True, data)
        for came in _heard(line, lasting):
            shown(False, came)
    shown.conclude()


def _heard(line: SerialPort, lasting: int) -> Iterator[bytes]:
    last = line_now() + lasting
    while (left := last - line_now()) > 0:
        yield line.receive(left / 1e6)


def _send_message(options: Options, message: Any, shown: Callable[[bool, bytes], None]) -> None:
    with connected(options, tap=shown) as session:
        try:
            session.device.run(ask(message))
        except RequestRefused as refused:
            fail(str(refused), EXIT_REFUSED)

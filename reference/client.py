"""The programmer's clients as source text: a method for each request, made from the catalogue.

What it writes is `mockpump.emulator.programmer.client`; a test holds it fresh.  Methods that are
written out, and not made when they are asked for, can be read, completed and type-checked.

    python -m mockpump.reference.client
"""

import inspect
import re
import textwrap
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import get_type_hints

from mockpump.protocol import messages as m
from mockpump.protocol.fields import Choice, Declaration, Integer, fields_of
from mockpump.protocol.messages.base import CATALOGUE, Direction, Entry

# What opens a session, which whoever connects has done; and what is answered by reports that come
# unasked, for which a client that is asked has no place.
_LEFT_OUT = (m.Hello, m.Prove, m.Subscribe)
_WIDTH = 100
_HEAD = '''"""What a user calls: a client with a method for each request, blocking or awaited.

Written by `mockpump.reference.client` from the catalogue; a change belongs there.

A method asks one thing and returns the pump's reply.  What any of them may raise, of
`mockpump.errors`:

- `RequestRefused`: the pump said no; `refused` has the reason and the figures.
- `OutcomeUnknown`: the reply to a change was lost, and it may or may not have been carried out.
- `ConnectionLost`, `PortError`, `NoReply`, `UnexpectedReply`, `SessionTaken`, `SessionSpent`: the
  connection is over; nothing was changed.
- `LocalProtocolError`: a value that no message can carry, or no pump is connected.
"""

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Protocol, TypeVar

from mockpump.emulator.programmer.procedures import (
    LogRead,
    Procedure,
    ProgramRead,
    ask,
    read_log,
    read_program,
    set_program,
)
from mockpump.emulator.programmer.programmer import Connected
from mockpump.protocol import messages as m
from mockpump.protocol.program import Program

T = TypeVar("T")


class Runs(Protocol):
    """How a procedure is run to its end."""

    def __call__(self, procedure: Procedure[T], /) -> T:
        """Its result; raises what it fails with."""


class RunsAwaited(Protocol):
    """The same, awaited."""

    def __call__(self, procedure: Procedure[T], /) -> Awaitable[T]:
        """Its result; raises what it fails with."""
'''
_CLASS = '''
class {name}:
    """A programmer that is connected to a pump, {how}.

    Volumes in nL, rates in nL/h, times in seconds of pump time.  Used in {use},
    it hangs up at the end.
    """

    def __init__(
        self,
        run: {runs},
        transaction: Callable[[], int],
        close: Callable[[], {closed}],
        terms: Connected,
    ) -> None:
        """`transaction` draws a fresh number for each change; `close` ends the connection.

        `terms` is what was agreed on with the pump, and who it is.
        """
        self.run = run
        self.terms = terms
        self._transaction = transaction
        self._close = close

    {define}close(self) -> None:
        """Hang up in good order."""
        {wait}self._close()

    {define}__{a}enter__(self) -> "{name}":
        return self

    {define}__{a}exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        {wait}self.close()

    # -- several requests in one ------------------------------------------------------------------

    {define}program(self, slot: m.Slot = m.Slot.ACTIVE) -> ProgramRead:
        """The program in a slot, read piece by piece and checked."""
        return {wait}self.run(read_program(slot))

    {define}set_program(self, program: Program, when: m.When = m.When.NOW) -> m.ProgramCommitted:
        """Stage a program, read it back, compare, and commit it; it rules from `when` on.

        `ReadbackDiffers`, and nothing changed, when what the pump holds is not what was sent.
        """
        active = {wait}self.program()
        room, transaction = self.terms.max_payload, self._transaction()
        return {wait}self.run(set_program(program, active.digest, transaction, room, when))

    {define}log(self, first: int = 1) -> LogRead:
        """The event log from an entry on, with its chain verified."""
        return {wait}self.run(read_log(first))

    # -- one request each -------------------------------------------------------------------------
'''


def source() -> str:
    """The module's text."""
    parts = [_HEAD]
    for name, how, define, use in (
        ("PumpClient", "and waits for each answer", "def ", "a `with`"),
        ("AsyncPumpClient", "and awaits each answer", "async def ", "an `async with`"),
    ):
        awaited = define != "def "
        parts.append(
            _CLASS.format(
                name=name,
                how=how,
                use=use,
                define=define,
                wait="await " if awaited else "",
                a="a" if awaited else "",
                runs="RunsAwaited" if awaited else "Runs",
                closed="Awaitable[None]" if awaited else "None",
            )
        )
        parts += ["\n".join(_method(entry, define)) for entry in _requests()]
    return "\n".join(parts).rstrip() + "\n"


def _requests() -> Iterator[Entry]:
    for _, entry in sorted(CATALOGUE.items()):
        if entry.direction is Direction.REQUEST and entry.message not in _LEFT_OUT:
            yield entry


def method_name(request: str) -> str:
    """The method of a request: `start_bolus` for StartBolus, `clock` for GetClock."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", request).lower().removeprefix("get_")


def _method(entry: Entry, define: str) -> Iterator[str]:
    fields = [(n, d) for n, d in fields_of(entry.message) if n != "transaction"]
    hints = get_type_hints(entry.message)
    reply = entry.reply.__name__ if entry.reply else "Refused"
    parameters = ["self", *(f"{name}: {_type(hints[name])}" for name, _ in fields)]
    yield from _definition(f"{define}{method_name(entry.name)}", parameters, f"m.{reply}")
    yield f'        """{_summary(entry)}' + ("" if fields else '"""')
    if fields:
        yield ""
        yield from (line for name, declared in fields for line in _field(name, declared))
        yield '        """'
    names = ["self._transaction()"] if "transaction" in hints else []
    values = ", ".join([*names, *(name for name, _ in fields)])
    wait = "" if define == "def " else "await "
    yield f"        request = m.{entry.name}({values})"
    yield f"        reply: m.{reply} = {wait}self.run(ask(request))"
    yield "        return reply\n"


def _definition(start: str, parameters: list[str], result: str) -> Iterator[str]:
    line = f"    {start}({', '.join(parameters)}) -> {result}:"
    if len(line) <= _WIDTH:
        yield line
        return
    together = f"        {', '.join(parameters)}"
    yield f"    {start}("
    if len(together) <= _WIDTH:
        yield together
    else:
        yield from (f"        {each}," for each in parameters)
    yield f"    ) -> {result}:"


def _summary(entry: Entry) -> str:
    paragraphs = inspect.cleandoc(entry.message.__doc__ or "").split("\n\n")
    return "\n\n".join(
        "\n".join(textwrap.wrap(" ".join(each.split()), _WIDTH - 11, subsequent_indent=" " * 8))
        for each in paragraphs
    ).replace("\n\n", "\n\n        ")


def _field(name: str, declared: Declaration) -> Iterator[str]:
    unit = f", {declared.unit}" if isinstance(declared, Integer) and declared.unit else ""
    rule = f" ({declared.rule}{unit})" if not isinstance(declared, Choice) else ""
    yield from textwrap.wrap(
        f"- `{name}`: {declared.doc}{rule}",
        _WIDTH,
        initial_indent=" " * 8,
        subsequent_indent=" " * 10,
        break_long_words=False,
    )


def _type(hint: object) -> str:
    if isinstance(hint, type):
        return f"m.{hint.__name__}" if issubclass(hint, IntEnum) else hint.__name__
    return str(hint)


if __name__ == "__main__":
    from mockpump.emulator.programmer import client

    Path(client.__file__).write_text(source(), "utf-8")

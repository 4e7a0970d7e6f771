"""mockpump: a fictional mock pump and mock programmer that talk over a pseudo-serial link.

Nothing here is, models or makes a claim about a real device, drug or patient.

A world is both devices and the line between them, in virtual time:

    >>> from mockpump import Program, Pump, World
    >>> world = World(Pump.new(program=Program.flat("demo", 20_000)), speed=3600, seed=7)
    >>> with world.connect() as programmer:
    ...     world.run_until(86_400)
    ...     print(programmer.status().delivered, "nL")
    480010 nL

Volumes are in nL, rates in nL/h, pump time in seconds, line time in microseconds; all are integers.

`World`, `Pump`, `Channel`, `Program`    a run in virtual time, and what it is made of
`Programmer`, `Connection`, `LinkSettings`, `Role`    the sans-IO layers beneath
`Message`, `messages`, `Access`    what is said, and who may say it
`Trace`, `view`    a run to look at: frame by frame, as a ladder, on one page
`MockpumpError`, `LocalProtocolError`, `DecodeError`    who is at fault

In real time: `mockpump.aio` (asyncio) and `mockpump.serial` (blocking, over any serial port).  For
programs that bring their own bytes: `mockpump.sansio`.  For tests of your own: `mockpump.testing`.
What may go wrong: `mockpump.errors`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockpump.display.trace import Trace, view
    from mockpump.emulator.channel.channel import Channel
    from mockpump.emulator.programmer.programmer import Programmer
    from mockpump.emulator.pump.pump import Pump
    from mockpump.emulator.simulation.world import World
    from mockpump.protocol import messages
    from mockpump.protocol.connection import Connection
    from mockpump.protocol.errors import DecodeError, LocalProtocolError, MockpumpError
    from mockpump.protocol.link.types import LinkSettings, Role
    from mockpump.protocol.messages.base import Access, Message
    from mockpump.protocol.program import Program

__all__ = [
    "Access",
    "Channel",
    "Connection",
    "DecodeError",
    "LinkSettings",
    "LocalProtocolError",
    "Message",
    "MockpumpError",
    "Program",
    "Programmer",
    "Pump",
    "Role",
    "Trace",
    "World",
    "messages",
    "view",
]

# Where each name is; it is loaded when it is first asked for (PEP 562).
_HOMES = {
    "Access": "mockpump.protocol.messages.base",
    "Channel": "mockpump.emulator.channel.channel",
    "Connection": "mockpump.protocol.connection",
    "DecodeError": "mockpump.protocol.errors",
    "LinkSettings": "mockpump.protocol.link.types",
    "LocalProtocolError": "mockpump.protocol.errors",
    "Message": "mockpump.protocol.messages.base",
    "MockpumpError": "mockpump.protocol.errors",
    "Program": "mockpump.protocol.program",
    "Programmer": "mockpump.emulator.programmer.programmer",
    "Pump": "mockpump.emulator.pump.pump",
    "Role": "mockpump.protocol.link.types",
    "Trace": "mockpump.display.trace",
    "World": "mockpump.emulator.simulation.world",
    "view": "mockpump.display.trace",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("mockpump")
    if name == "messages":
        return import_module("mockpump.protocol.messages")
    if name not in _HOMES:
        raise AttributeError(f"module 'mockpump' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, "__version__"])

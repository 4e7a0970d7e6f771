"""A sans-IO machine and a line, brought together by somebody who waits for the line.

The one idea: the machine says what it has to send and when it must be called at the latest; the
line takes the one, waits no longer than the other, and says what came.  That is a turn, whatever
the clock: `SerialProgrammer` waits with `poll`, a `World` jumps to the next thing that happens.

The order within a turn is the rule:

1. Events are taken before anything is sent.  Whoever gets the reply asks the next thing at once,
   and its acknowledgement travels with that request instead of alone.
2. Bytes before timers.  What came in time counts as in time, however late it was read.
3. The line is asked for the time before the wait and after it: a procedure that runs inside the
   machine may take as long as it likes, and no timer is the worse for it.

Who drives a machine otherwise, and why:

- `AsyncDrive`: in asyncio nobody waits.  The loop calls, with bytes or when the time has come.
- `PumpRunner`: many lines behind one timer, so a heap of deadlines and not the least of a few.
- `LinkPair`: both ends and all between them, one thing at a time, so that a test sees any order.
- `Cable` and the `mockpump://` port of pyserial: they are the line that somebody else waits for.
- The adversary's calls: time stands still for them, so there is no deadline to wait for.
- The bare connections that `bench` measures: what a rule costs must not be counted as theirs.
"""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

E = TypeVar("E")
E_co = TypeVar("E_co", covariant=True)


class Driven(Protocol[E_co]):
    """A machine as its driver sees it: a `Programmer`, a `Connection`.  Times in microseconds."""

    def receive_data(self, data: bytes, now: int, /) -> None:
        """Take bytes from the line."""

    def data_to_send(self, now: int, /) -> bytes:
        """The bytes that must go out now."""

    def next_deadline(self) -> int | None:
        """When `handle_timer` must be called at the latest; None: nothing is awaited."""

    def handle_timer(self, now: int, /) -> None:
        """Do what is due by now; harmless when nothing is."""

    def next_event(self) -> E_co | None:
        """What happened, oldest first; None when there is nothing more."""


class Line(Protocol):
    """What a machine speaks through, with the clock that it goes by."""

    @property
    def now(self) -> int:
        """The time, in microseconds; it never goes back."""

    def exchange(self, data: bytes, until: int | None, /) -> Iterable[bytes]:
        """Send what there is to send, wait for bytes until then at the latest; what came."""


def turn(machine: Driven[object], line: Line, last: int | None = None) -> None:
    """Have one turn of a machine at its line, which ends by `last`."""
    data = machine.data_to_send(line.now)
    until = machine.next_deadline()
    if until is None or (last is not None and last < until):
        until = last
    came = line.exchange(data, until)
    now = line.now
    for data in came:
        machine.receive_data(data, now)
    if until is not None and now >= until:
        machine.handle_timer(now)


def drive(machine: Driven[E], line: Line, wanted: Callable[[E], bool]) -> E:
    """Have turns until an event is the wanted one, and return it; `wanted` sees those before."""
    while True:
        while (event := machine.next_event()) is not None:
            if wanted(event):
                return event
        turn(machine, line)


def earliest(*times: int | None) -> int | None:
    """The least of some deadlines; None when there is none."""
    return min((time for time in times if time is not None), default=None)

"""How long each command waited for the line, the slowest first, and what held it up.

A command is a call of the programmer or a procedure: what it asks of the pump, and waits for.
"""

from typing import NamedTuple

from mockpump.emulator.trace.run import Doing, Knot, Run

_KINDS = ("call", "procedure")
# A procedure that only asks for one change bears the name of what it asks for.
_PLAIN = "ask"
# Where there is little room, so many of the knots that held a command up are named.
MOST_NAMED = 3


class Wait(NamedTuple):
    """A command, what it took in microseconds, and the knots inside it, the longest first.

    `is_over` is false when the run ends before it does.
    """

    name: str
    starts: int
    took: int
    is_over: bool
    knots: tuple[Knot, ...]


def waits_of(run: Run) -> list[Wait]:
    """Every command of a run, the slowest first."""
    found = (_wait(run, doing) for doing in run.doings if doing.kind in _KINDS)
    return sorted(found, key=lambda wait: (-wait.took, wait.starts))


def _wait(run: Run, doing: Doing) -> Wait:
    ends = run.ends if doing.ends is None else doing.ends
    inside = [knot for knot in run.knots if doing.starts <= knot.starts < ends]
    inside.sort(key=lambda knot: (knot.starts - min(knot.ends, ends), knot.starts))
    return Wait(
        _name(run, doing, ends),
        doing.starts,
        ends - doing.starts,
        doing.ends is not None,
        tuple(inside),
    )


def _name(run: Run, doing: Doing, ends: int) -> str:
    if doing.kind == "call":
        return "call"
    asked = (each.name for each in run.changes if doing.starts <= each.asked <= ends)
    return next(asked, _PLAIN) if doing.name == _PLAIN else doing.name.replace("_", " ")

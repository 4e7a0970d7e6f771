"""After a refill: how long what is in the catheter still comes out before the new fluid.

The pump says what volume that is.  When it is pumped follows from the program, so the programmer
can say it at once.
"""

from mockpump.emulator.programmer.procedures import Procedure, read_program
from mockpump.emulator.schedule import DAY, Schedule
from mockpump.protocol import messages as m
from mockpump.protocol.fields import Record
from mockpump.protocol.program import UNITS_PER_NL, Program, RampStep

# A catheter that takes longer than this to be emptied is as good as blocked.
_LONGEST = 60 * DAY


class Bridge(Record, frozen=True):
    """The span of pump time, in seconds; None when as things stand it never ends."""

    seconds: int | None


def bridge(program: Program, percent: int, clock: int, dead: int) -> Bridge:
    """How long `dead` nL take from this clock second on, at the present ramp step."""
    steady = Program(
        program.format, program.name, program.week, program.patterns, (RampStep(0, percent),)
    )
    units = dead * UNITS_PER_NL
    moment = Schedule(steady, clock // DAY).moment_of(clock, units, _LONGEST)
    return Bridge(None if moment is None else moment - clock)


def read_bridge(refilled: m.Refilled) -> Procedure[Bridge]:
    """Ask the pump for what it takes to know; bolus and temporary rate are left out."""
    status: m.Status = yield m.GetStatus()
    active = yield from read_program()
    if active.program is None or status.mode is not m.Mode.RUNNING:
        return Bridge(None)
    return bridge(active.program, status.percent, status.clock, refilled.dead)

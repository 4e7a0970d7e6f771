"""docs/PROTOCOL.md, sections 6 and 7: what a sentence says of a pump, shown by a pump.

A sentence stands here as it stands in the document, line breaks aside.  So one that is changed or
taken out fails here, as does a pump that does not do it any more.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from pump_state import FailingMemory, Line, state_of

from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.memory.interface import PowerCut
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump import faults
from mockpump.emulator.pump.catheter import MOST_FLUIDS
from mockpump.emulator.pump.clock import PumpClock
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.limits import WIDEST
from mockpump.emulator.pump.pump import LAST_SECOND, Pump
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.emulator.schedule import CLOCK_CYCLE
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.messages import Alarm, Limits, LogKind, Mode, Reason, When
from mockpump.protocol.program import DayPattern, Program, RampStep, Segment

DAY = 86_400
TEXT = " ".join(
    (Path(__file__).resolve().parents[2] / "docs" / "PROTOCOL.md").read_text("utf-8").split()
)
FLAT = Program.flat("flat", 3_600)
RAMPED = replace(FLAT, ramp=(RampStep(1, 150), RampStep(3, 200)))
HOURLY = Program(
    1, "hourly", (0,) * 7, (DayPattern("h", (Segment(0, 3_600), Segment(60, 7_200))),), ()
)
SAID: dict[str, Callable[[], None]] = {}


def says(sentence: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def take(shown: Callable[[], None]) -> Callable[[], None]:
        SAID[sentence] = shown
        return shown

    return take


def pump_with(
    program: Program | None = FLAT,
    reservoir: int = 10**7,
    limits: Limits = WIDEST,
    clock: int = 0,
    lived: int = 0,
) -> Line:
    memory = FailingMemory()
    initialize(
        memory, PumpConfig(PumpIdentity(reservoir=reservoir), program, limits, clock, dead=100)
    )
    line = Line(Pump(memory))
    line.pump.advance(lived)
    return line


def live(line: Line, seconds: int) -> None:
    line.pump.advance(line.pump.elapsed + seconds)


def do(line: Line, kind: type[Any], *fields: Any) -> Any:
    """Ask for something that changes the pump, under a fresh transaction."""
    return line.ask(kind(line.fresh(), *fields))


def bolus(line: Line, volume: int, duration: int) -> Any:
    return do(line, m.StartBolus, m.BolusKind.BOLUS, volume, duration)


def log(line: Line, since: int = 0) -> list[Any]:
    return [each for each in line.pump.memory.log(1, 1_000).entries if each.elapsed >= since]


def kinds(line: Line, since: int = 0) -> list[LogKind]:
    return [each.kind for each in log(line, since)]


def stall(line: Line, *, ends: bool = False) -> None:
    (faults.clear if ends else faults.inject)(line.pump, faults.Fault.STALL)


def again(line: Line) -> Line:
    """The power is cut, and comes back."""
    return Line(Pump(line.pump.memory))


# -- 5.5, 6.1: programs ----------------------------------------------------------------------------


@says("at the end of the image, and beyond, it sends an empty piece.")
def _() -> None:
    line = pump_with()
    length = len(line.pump.image)
    for offset in (length, length + 1, 10_000):
        assert line.ask(m.ReadProgram(m.Slot.ACTIVE, offset, 10)).data == b""


@says(
    "There, `length` is what is staged so far, and `digest` is the announced one (zeros when "
    "nothing was announced)."
)
def _() -> None:
    line = pump_with()
    empty = line.ask(m.ReadProgram(m.Slot.STAGED, 0, 10))
    assert (empty.length, empty.digest) == (0, bytes(8))
    image = programs.image(HOURLY)
    line.ask(m.BeginProgram(len(image), programs.digest(image), line.pump.digest))
    line.ask(m.WriteProgram(0, image[:9]))
    staged = line.ask(m.ReadProgram(m.Slot.STAGED, 0, 100))
    assert (staged.length, staged.digest, staged.data) == (9, programs.digest(image), image[:9])


@says(
    "A commit that is refused leaves the staged image as it is, one that is not leaves nothing "
    "staged, whatever `when` says."
)
def _() -> None:
    for when in When:
        line = pump_with()
        image = line.stage(HOURLY)
        no = line.ask(m.CommitProgram(line.fresh(), bytes(8), when))
        assert no.reason is Reason.BAD_DIGEST
        assert line.peer.staging.data == image
        line.ask(m.CommitProgram(line.fresh(), programs.digest(image), when))
        assert line.peer.staging.length == 0


@says("It takes over in any mode, and changes none; its ramp begins on the clock day on which it")
def _() -> None:
    for mode in (Mode.RUNNING, Mode.SUSPENDED, Mode.FAULT):
        line = pump_with()
        line.commit(RAMPED, when=When.MIDNIGHT)
        if mode is Mode.SUSPENDED:
            do(line, m.Suspend)
        elif mode is Mode.FAULT:
            stall(line)
        live(line, DAY)
        assert line.pump.mode is mode
        assert line.pump.program == RAMPED
        assert line.pump.delivery.percent == 100


@says("A bolus and a temporary rate go on. Limits are checked at the commit,")
def _() -> None:
    line = pump_with()
    bolus(line, 1_000, 2 * DAY // 2)
    do(line, m.SetTemporary, 50, 2 * DAY)
    line.commit(HOURLY, when=When.EDGE)
    live(line, DAY - 1)
    line.commit(Program.flat("now", 10), when=When.NOW)
    details = line.ask(m.GetDetails())
    assert details.bolus_ends == DAY
    assert (details.temporary, details.temporary_ends) == (50, 2 * DAY)


@says("There is at most one pending program. Any later commit forgets it, as does `DropPending`;")
def _() -> None:
    line = pump_with()
    line.commit(HOURLY, when=When.MIDNIGHT)
    line.commit(Program.flat("other", 9), when=When.EDGE)
    assert line.pump.pending_image == programs.image(Program.flat("other", 9))
    line.commit(Program.flat("now", 10), when=When.NOW)
    assert line.pump.pending_image == b""
    line.commit(HOURLY, when=When.MIDNIGHT)
    do(line, m.DropPending)
    assert line.pump.pending_image == b""


@says("while there is none, 0 bytes and the digest of no bytes.")
def _() -> None:
    none = pump_with().ask(m.ReadProgram(m.Slot.PENDING, 0, 10))
    assert (none.length, none.data, none.digest) == (0, b"", programs.digest(b""))


@says("`active` is the digest of the committed program, also while that pends;")
def _() -> None:
    line = pump_with()
    done = line.commit(HOURLY, when=When.MIDNIGHT)
    assert done.active == programs.digest(programs.image(HOURLY)) != line.pump.digest


@says(
    "`AbortProgram` forgets what is staged; it is answered in the same way when there was nothing."
)
def _() -> None:
    line = pump_with()
    line.stage(HOURLY)
    assert line.ask(m.AbortProgram()) == line.ask(m.AbortProgram()) == m.ProgramAborted()
    assert line.peer.staging.length == 0


# -- 7.1 to 7.5 ------------------------------------------------------------------------------------


@says("A pump without a program is `STOPPED`, and no other is;")
def _() -> None:
    line = pump_with(None)
    assert line.pump.mode is Mode.STOPPED
    stall(line)
    assert line.pump.mode is Mode.STOPPED
    line.commit(FLAT)
    assert line.pump.mode is not Mode.STOPPED


@says("Fluid is moved only while `RUNNING`.")
def _() -> None:
    for stop in (lambda line: do(line, m.Suspend), stall):
        line = pump_with(lived=100)
        stop(line)
        before = line.pump.delivery.due
        live(line, DAY)
        assert line.pump.delivery.due == before


@says(
    "So a `Resume` may be answered with `Resumed`, and the pump be in `FAULT` in the same second,"
)
def _() -> None:
    line = pump_with()
    do(line, m.Suspend)
    do(line, m.Refill, 5, 500)
    assert isinstance(do(line, m.Resume), m.Resumed)
    assert line.pump.mode is Mode.FAULT


@says("`MoveRamp` needs a program, so a `STOPPED` pump refuses it after all, with `WRONG_MODE`.")
def _() -> None:
    assert do(pump_with(None), m.MoveRamp, m.RampMove.HOLD).reason is Reason.WRONG_MODE


@says("it was never due, for no limit and no total.")
def _() -> None:
    line = pump_with(Program.flat("f", 100_000), reservoir=100)
    live(line, 10)
    assert (line.pump.delivery.due, line.pump.delivery.last_day) == (100 * 3_600, 100 * 3_600)


@says("but a pump that is `RUNNING` and has no whole micro-step left raises `EMPTY` at once.")
def _() -> None:
    line = pump_with(lived=100)
    do(line, m.Refill, 9, 500)
    assert (line.pump.mode, line.pump.panel.present(Alarm.EMPTY)) == (Mode.FAULT, True)


@says(
    "What falls into one second happens in this order: a bolus ends, a temporary rate ends, the "
    "program's next segment begins or the pending program takes over, the low and the empty level,"
)
def _() -> None:
    line = pump_with(FLAT, reservoir=8_000)
    live(line, 1)
    line.commit(HOURLY)
    line.commit(Program.flat("next", 7_200), when=When.EDGE)
    bolus(line, 3_600, 3_599)
    do(line, m.SetTemporary, 100, 3_599)
    live(line, 3_599)
    assert kinds(line, 3_600) == [
        LogKind.BOLUS_ENDED,
        LogKind.TEMPORARY_ENDED,
        LogKind.PROGRAM,
        LogKind.ALARM_RAISED,
    ]


@says("While the pump is suspended the rate is 0 and what is owed stays owed.")
def _() -> None:
    line = pump_with(Program.flat("f", 77), lived=100)
    do(line, m.Suspend)
    owed = line.pump.delivery.remainder
    live(line, 500)
    assert line.pump.delivery.remainder == owed > 0
    assert line.pump.delivery.rate == 0


@says("Where it was not held, nothing changes (but for a clock before `begin`,")
def _() -> None:
    line = pump_with(RAMPED, lived=DAY)
    before = state_of(line.pump)
    do(line, m.MoveRamp, m.RampMove.GO_ON)
    assert {**state_of(line.pump), "log": None} == {**before, "log": None}


@says("A held ramp stays held until `GO_ON` or until another program rules;")
def _() -> None:
    line = pump_with(RAMPED, lived=DAY)
    do(line, m.MoveRamp, m.RampMove.HOLD)
    live(line, 30 * DAY)
    assert line.ask(m.GetDetails()).ramp is m.RampState.HELD
    assert line.pump.delivery.percent == 150
    line.commit(replace(RAMPED, name="other"))
    assert line.ask(m.GetDetails()).ramp is m.RampState.FOLLOWING


@says(
    "So a clock that is set by minutes moves by minutes there too, and a reading may be negative."
)
def _() -> None:
    clock = PumpClock(CLOCK_CYCLE - 60)
    clock.set(240, 0)
    assert clock.at(0) == CLOCK_CYCLE + 240
    clock = PumpClock(60)
    clock.set(CLOCK_CYCLE - 240, 0)
    assert clock.at(0) == -240


@says("it stands still, and so does delivery; requests are answered as ever.")
def _() -> None:
    line = pump_with(Program.flat("f", 1), lived=LAST_SECOND)
    before = line.pump.delivery.due
    live(line, 1_000)
    assert (line.pump.elapsed, line.pump.delivery.due) == (LAST_SECOND, before)
    assert isinstance(do(line, m.Suspend), m.Suspended)


@says("A pump without a program shows 100 in `Status.percent` and 0 in `Status.pattern`.")
def _() -> None:
    status = pump_with(None).ask(m.GetStatus())
    assert (status.percent, status.pattern) == (100, 0)


# -- 7.6 to 7.8 ------------------------------------------------------------------------------------


@says("so given and left are always *V* together.")
def _() -> None:
    for seconds in (1, 7, 30, 59):
        line = pump_with()
        bolus(line, 101, 60)
        live(line, seconds)
        told, left = line.pump.report().bolus, line.ask(m.GetDetails()).bolus
        done = do(line, m.CancelBolus)
        (ended,) = [each for each in log(line) if each.kind is LogKind.BOLUS_ENDED]
        assert told == left == done.left == ended.second
        assert done.given + done.left == ended.first == 101


@says(
    "that is missing from the bolus first, as far as the bolus asked for it in that second, and "
    "then from the program."
)
def _() -> None:
    # Its second asks for 1 nL of the program and 50 nL of the bolus, and 30 nL are there.
    line = pump_with(FLAT, reservoir=30)
    bolus(line, 50, 1)
    live(line, 1)
    (ended,) = [each for each in log(line) if each.kind is LogKind.BOLUS_ENDED]
    assert (ended.first, ended.second) == (50, 21)


@says("So a bolus whose last second the reservoir could not give has ended early,")
def _() -> None:
    for held, expected in ((100, (0, 0)), (90, (100, 10))):
        line = pump_with(None, reservoir=held)
        line.commit(Program.flat("none", 0))
        bolus(line, 100, 2)
        live(line, 2)
        (ended,) = [each for each in log(line) if each.kind is LogKind.BOLUS_ENDED]
        assert (ended.first, ended.second) == expected


@says("A `PRIMING` bolus is given in just the same way, and the same limits hold.")
def _() -> None:
    seen = []
    for kind in m.BolusKind:
        line = pump_with(limits=replace(WIDEST, bolus=500))
        assert do(line, m.StartBolus, kind, 501, 60).reason is Reason.LIMIT_BOLUS
        do(line, m.StartBolus, kind, 500, 60)
        live(line, 30)
        seen.append(line.pump.report())
    assert seen[0] == seen[1]


@says("Another one takes its place. It ends by itself, with `CancelTemporary`, and with `FAULT`;")
def _() -> None:
    line = pump_with()
    do(line, m.SetTemporary, 50, 100)
    do(line, m.SetTemporary, 70, 200)
    live(line, 150)
    assert line.ask(m.GetDetails()).temporary == 70
    stall(line)
    assert line.ask(m.GetDetails()).temporary == 100


@says("its time goes on while the pump is suspended. It does not scale a bolus. At 0 % the program")
def _() -> None:
    line = pump_with()
    do(line, m.SetTemporary, 0, 100)
    assert (line.pump.delivery.rate, line.pump.mode) == (0, Mode.RUNNING)
    bolus(line, 100, 50)
    assert line.pump.delivery.rate == 7_200
    do(line, m.Suspend)
    live(line, 100)
    assert line.ask(m.GetDetails()).temporary == 100


@says("`LIMIT_REACHED` is raised and the pump goes to `FAULT`. Somebody acknowledges the alarm and")
def _() -> None:
    line = pump_with(FLAT, limits=replace(WIDEST, daily=DAY))
    bolus(line, 0 + 1_000, 10)
    assert line.pump.mode is Mode.RUNNING
    live(line, DAY)
    assert (line.pump.mode, list(line.pump.panel.shown)) == (Mode.FAULT, [Alarm.LIMIT_REACHED])
    assert line.pump.delivery.last_day <= DAY * 3_600
    do(line, m.AcknowledgeAlarm, Alarm.LIMIT_REACHED)
    assert isinstance(do(line, m.Resume), m.Resumed)


@says("It is allowed in every mode, and changes neither rate nor mode but by alarms:")
def _() -> None:
    for enter in (lambda _: None, lambda line: do(line, m.Suspend), stall):
        line = pump_with(lived=100)
        enter(line)
        before = (line.pump.mode, line.pump.delivery.rate)
        assert isinstance(do(line, m.Refill, 1_000, 900), m.Refilled)
        assert (line.pump.mode, line.pump.delivery.rate) == before
    assert isinstance(do(pump_with(None), m.Refill, 1_000, 900), m.Refilled)


@says("What the motor owes stays owed, now of the new fluid. `Refilled.before` is what was left.")
def _() -> None:
    line = pump_with(Program.flat("f", 77), lived=1_000)
    owed, left = line.pump.delivery.remainder, line.pump.delivery.reservoir
    assert do(line, m.Refill, 1_000, 900).before == left
    assert line.pump.delivery.remainder == owed > 0


@says("`old` may be equal to `new` without that, when another fluid is between them.")
def _() -> None:
    line = pump_with(lived=1_000)
    do(line, m.Refill, 10_000, 900)
    live(line, 10)
    told = do(line, m.Refill, 10_000, 500)
    assert (told.old, told.new, told.dead) == (500, 500, 100)


@says("while there are as many, a `Refill` with yet another concentration is refused with")
def _() -> None:
    line = pump_with(Program.flat("f", 1))
    for number in range(1, MOST_FLUIDS):
        live(line, 1)
        do(line, m.Refill, 10_000, number)
    live(line, 1)
    assert do(line, m.Refill, 10_000, 900).reason is Reason.OUT_OF_RANGE
    assert isinstance(do(line, m.Refill, 10_000, MOST_FLUIDS - 1), m.Refilled)


@says("shows what it was when it stuck; all else goes on with what is true.")
def _() -> None:
    line = pump_with(reservoir=10_000, lived=100)
    shown = line.ask(m.GetStatus()).reservoir
    for _each in range(2):
        faults.inject(line.pump, faults.Fault.SENSOR_STUCK)
        live(line, 500)
        assert line.ask(m.GetStatus()).reservoir == line.pump.report().reservoir == shown
    live(line, 10**6)
    assert line.pump.panel.present(Alarm.EMPTY)


# -- 7.9 to 7.11 -----------------------------------------------------------------------------------


@says("it must be acknowledged again; one that is present already does not come again.")
def _() -> None:
    line = pump_with()
    faults.inject(line.pump, faults.Fault.LOW_BATTERY)
    do(line, m.AcknowledgeAlarm, Alarm.LOW_BATTERY)
    before = kinds(line)
    faults.inject(line.pump, faults.Fault.LOW_BATTERY)
    assert line.pump.panel.shown[Alarm.LOW_BATTERY].acknowledged
    assert kinds(line) == before


@says("`AcknowledgeAlarm` takes one at a time, whether its cause is present or not;")
def _() -> None:
    line = pump_with()
    stall(line)
    assert do(line, m.AcknowledgeAlarm, Alarm.STALLED).mode is Mode.FAULT
    stall(line, ends=True)
    assert line.pump.mode is Mode.SUSPENDED
    assert do(line, m.AcknowledgeAlarm, Alarm.STALLED).reason is Reason.NO_SUCH_ALARM


@says(
    "It is `SUSPENDED` then, whatever it was before: nothing but `Resume` starts the motor again."
)
def _() -> None:
    for enter in (lambda _: None, lambda line: do(line, m.Suspend)):
        line = pump_with()
        enter(line)
        stall(line)
        stall(line, ends=True)
        do(line, m.AcknowledgeAlarm, Alarm.STALLED)
        assert line.pump.mode is Mode.SUSPENDED


@says("`clock` before it was set in `CLOCK_SET`. A figure that does not fit is 4294967295.")
def _() -> None:
    line = pump_with(lived=100)
    do(line, m.SetClock, 7_000)
    assert [(e.clock, e.first, e.second) for e in log(line, 1)] == [(100, 100, 7_000)]
    line.pump.change(partial(line.pump.log, LogKind.RESTARTED, 0, 2**40))
    assert log(line)[-1].second == 4294967295


@says("a commit that takes the pending program's place leaves only its own entry")
def _() -> None:
    line = pump_with(lived=5)
    line.commit(HOURLY, when=When.EDGE)
    line.commit(Program.flat("x", 9), when=When.EDGE)
    assert kinds(line, 5) == [LogKind.PENDING, LogKind.PENDING]


@says("the same; one temporary rate that takes another's place is one entry")
def _() -> None:
    line = pump_with(lived=5)
    do(line, m.SetTemporary, 50, 100)
    do(line, m.SetTemporary, 70, 100)
    assert kinds(line, 5) == [LogKind.TEMPORARY_STARTED] * 2


@says("a bolus that `Suspend` ends stands before `SUSPENDED`")
def _() -> None:
    line = pump_with()
    bolus(line, 100, 100)
    live(line, 5)
    do(line, m.Suspend)
    assert kinds(line, 5) == [LogKind.BOLUS_ENDED, LogKind.SUSPENDED]


@says("the cause goes; never for those whose cause ends at once")
def _() -> None:
    line = again(pump_with(FLAT, limits=replace(WIDEST, daily=DAY)))
    bolus(line, 1_000, 10)
    live(line, 2 * DAY)
    do(line, m.AcknowledgeAlarm, Alarm.LIMIT_REACHED)
    do(line, m.AcknowledgeAlarm, Alarm.RESTARTED)
    assert LogKind.ALARM_CLEARED not in kinds(line)


@says("A refused request leaves no entry. What `FAULT` ends leaves an entry of its own beside the")
def _() -> None:
    line = pump_with()
    bolus(line, 1_000, 1_000)
    do(line, m.SetTemporary, 50, 1_000)
    live(line, 500)
    do(line, m.Resume)
    assert kinds(line, 500) == []
    stall(line)
    ended = {LogKind.ALARM_RAISED, LogKind.BOLUS_ENDED, LogKind.TEMPORARY_ENDED}
    assert set(kinds(line, 500)) == ended
    assert [(e.first, e.second) for e in log(line, 500) if e.kind is LogKind.BOLUS_ENDED] == [
        (1_000, 500)
    ]


@says("also where that is 0 because its last units came early.")
def _() -> None:
    line = pump_with()
    bolus(line, 1, 7_200)
    live(line, 3_600)
    assert do(line, m.CancelBolus).left == 0
    assert (log(line)[-1].first, log(line)[-1].second) == (1, 0)


@says(
    "`first` is beyond the newest, a piece without entries comes, with `first` one more than "
    "`newest`"
)
def _() -> None:
    line = pump_with()
    newest = len(log(line))
    for first in (newest + 1, 2**32 - 1):
        piece = line.ask(m.ReadLog(first))
        assert (piece.first, piece.entries) == (newest + 1, b"")
        assert piece.before == piece.newest_chain


@says("Every request with a fresh transaction is refused with `MEMORY_FAILED` then;")
def _() -> None:
    line = pump_with(lived=10)
    memory: Any = line.pump.memory
    memory.broken = True
    for kind in (m.Suspend, m.Resume, m.CancelBolus, m.DropPending):
        assert do(line, kind).reason is Reason.MEMORY_FAILED
    assert line.pump.mode is Mode.FAULT
    assert isinstance(line.ask(m.GetStatus()), m.Status)
    memory.broken = False
    assert do(line, m.AcknowledgeAlarm, Alarm.MEMORY_FAULT).mode is Mode.SUSPENDED
    assert line.pump.mode is Mode.SUSPENDED


@says("and never more than the reservoir had.")
def _() -> None:
    # Its low level is passed, and it would run empty in the middle of a second.
    line = pump_with(Program.flat("f", 999_000), reservoir=10_000, lived=34)
    restarted = again(line)
    (entry,) = [each for each in log(restarted) if each.kind is LogKind.RESTARTED]
    assert (entry.first, entry.second) == (0, line.pump.delivery.reservoir)


@says(
    "The most, at 3600 units a nL, is counted in the last 24 h as if it had been given in the "
    "second before it woke up,"
)
def _() -> None:
    line = pump_with(Program.flat("f", 7_777), lived=100)
    do(line, m.SetTemporary, 99, 10_000)
    before = line.pump.delivery.last_day
    restarted = again(line)
    most = log(restarted)[-2 if kinds(restarted)[-1] is LogKind.ALARM_RAISED else -1].second
    assert restarted.pump.delivery.last_day - before == most * 3_600
    restarted.pump.delivery.suspend()
    second = restarted.pump.elapsed
    restarted.pump.advance(second + DAY - 1)
    assert restarted.pump.delivery.last_day == most * 3_600 + 7_777
    restarted.pump.advance(second + DAY)
    assert restarted.pump.delivery.last_day == 0


@says("the catheter and what is left of a bolus count nothing of it.")
def _() -> None:
    line = pump_with(lived=10)
    bolus(line, 500, 1_000)
    before = line.pump.report()
    assert replace(again(line).pump.report(), alarm=before.alarm) == before


@says("It is in the mode in which it was; if that is `RUNNING`, it runs.")
def _() -> None:
    for enter in (lambda _: None, lambda line: do(line, m.Suspend), stall):
        line = pump_with(lived=10)
        enter(line)
        assert again(line).pump.mode is line.pump.mode
        line.pump.shut_down()
        assert again(line).pump.mode is line.pump.mode


@says("So a power cut leaves the pump before the request or after it, and what was acknowledged is")
def _() -> None:
    memory = FaultyMemory(RamMemory())
    initialize(memory, PumpConfig())
    line = Line(Pump(memory))
    do(line, m.Refill, 1_000, 900)
    memory.brown_out = True
    with pytest.raises(PowerCut):
        do(line, m.Refill, 2_000, 700)
    assert again(line).pump.catheter.concentration == 900


@pytest.mark.parametrize("sentence", SAID, ids=lambda each: each[:50])
def test_what_the_document_says_is_so(sentence: str) -> None:
    """When the document is meant to say something else, this is where to say so too."""
    assert " ".join(sentence.split()) in TEXT
    SAID[sentence]()

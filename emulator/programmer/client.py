"""What a user calls: a client with a method for each request, blocking or awaited.

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


class PumpClient:
    """A programmer that is connected to a pump, and waits for each answer.

    Volumes in nL, rates in nL/h, times in seconds of pump time.  Used in a `with`,
    it hangs up at the end.
    """

    def __init__(
        self,
        run: Runs,
        transaction: Callable[[], int],
        close: Callable[[], None],
        terms: Connected,
    ) -> None:
        """`transaction` draws a fresh number for each change; `close` ends the connection.

        `terms` is what was agreed on with the pump, and who it is.
        """
        self.run = run
        self.terms = terms
        self._transaction = transaction
        self._close = close

    def close(self) -> None:
        """Hang up in good order."""
        self._close()

    def __enter__(self) -> "PumpClient":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # -- several requests in one ------------------------------------------------------------------

    def program(self, slot: m.Slot = m.Slot.ACTIVE) -> ProgramRead:
        """The program in a slot, read piece by piece and checked."""
        return self.run(read_program(slot))

    def set_program(self, program: Program, when: m.When = m.When.NOW) -> m.ProgramCommitted:
        """Stage a program, read it back, compare, and commit it; it rules from `when` on.

        `ReadbackDiffers`, and nothing changed, when what the pump holds is not what was sent.
        """
        active = self.program()
        room, transaction = self.terms.max_payload, self._transaction()
        return self.run(set_program(program, active.digest, transaction, room, when))

    def log(self, first: int = 1) -> LogRead:
        """The event log from an entry on, with its chain verified."""
        return self.run(read_log(first))

    # -- one request each -------------------------------------------------------------------------

    def identify(self) -> m.Identity:
        """Who are you?"""
        request = m.Identify()
        reply: m.Identity = self.run(ask(request))
        return reply

    def status(self) -> m.Status:
        """What are you doing?"""
        request = m.GetStatus()
        reply: m.Status = self.run(ask(request))
        return reply

    def clock(self) -> m.Clock:
        """What time is it?"""
        request = m.GetClock()
        reply: m.Clock = self.run(ask(request))
        return reply

    def set_clock(self, clock: int) -> m.ClockSet:
        """Set the clock. Nothing is delivered twice or skipped: the schedule follows the new time.

        - `clock`: since a Monday at midnight (0..2147483647, s)
        """
        request = m.SetClock(self._transaction(), clock)
        reply: m.ClockSet = self.run(ask(request))
        return reply

    def details(self) -> m.Details:
        """What goes on beside the program?"""
        request = m.GetDetails()
        reply: m.Details = self.run(ask(request))
        return reply

    def begin_program(self, length: int, digest: bytes, base: bytes) -> m.ProgramBegun:
        """Announce a program image; whatever was staged before is gone.

        - `length`: of the whole image (1..2048, B)
        - `digest`: of the whole image (exactly 8 bytes)
        - `base`: digest of the program believed active (exactly 8 bytes)
        """
        request = m.BeginProgram(length, digest, base)
        reply: m.ProgramBegun = self.run(ask(request))
        return reply

    def write_program(self, offset: int, data: bytes) -> m.ProgramWritten:
        """The next piece of the image.

        - `offset`: where it belongs: what is staged so far (0..2048, B)
        - `data`: the piece (at most 960 bytes)
        """
        request = m.WriteProgram(offset, data)
        reply: m.ProgramWritten = self.run(ask(request))
        return reply

    def read_program(self, slot: m.Slot, offset: int, count: int) -> m.ProgramData:
        """Read back a piece of an image.

        - `slot`: which image
        - `offset`: where to begin (0..2048, B)
        - `count`: how much at the most (1..960, B)
        """
        request = m.ReadProgram(slot, offset, count)
        reply: m.ProgramData = self.run(ask(request))
        return reply

    def commit_program(self, digest: bytes, when: m.When) -> m.ProgramCommitted:
        """Make the staged program the active one, all of it, now or at a moment to come.

        A program that was pending until then is forgotten.

        - `digest`: of the image meant (exactly 8 bytes)
        - `when`: from when on it is to rule
        """
        request = m.CommitProgram(self._transaction(), digest, when)
        reply: m.ProgramCommitted = self.run(ask(request))
        return reply

    def abort_program(self) -> m.ProgramAborted:
        """Forget what is staged."""
        request = m.AbortProgram()
        reply: m.ProgramAborted = self.run(ask(request))
        return reply

    def drop_pending(self) -> m.PendingDropped:
        """Forget the program that was committed for later."""
        request = m.DropPending(self._transaction())
        reply: m.PendingDropped = self.run(ask(request))
        return reply

    def suspend(self) -> m.Suspended:
        """Stop moving fluid until told to resume."""
        request = m.Suspend(self._transaction())
        reply: m.Suspended = self.run(ask(request))
        return reply

    def resume(self) -> m.Resumed:
        """Follow the program again."""
        request = m.Resume(self._transaction())
        reply: m.Resumed = self.run(ask(request))
        return reply

    def start_bolus(self, kind: m.BolusKind, volume: int, duration: int) -> m.BolusStarted:
        """Give a volume over a time, on top of the program.

        - `kind`: what it is for
        - `volume`: all of it (1..100000000, nL)
        - `duration`: of pump time (1..86400, s)
        """
        request = m.StartBolus(self._transaction(), kind, volume, duration)
        reply: m.BolusStarted = self.run(ask(request))
        return reply

    def cancel_bolus(self) -> m.BolusCancelled:
        """End the bolus that runs."""
        request = m.CancelBolus(self._transaction())
        reply: m.BolusCancelled = self.run(ask(request))
        return reply

    def set_temporary(self, percent: int, duration: int) -> m.TemporarySet:
        """Scale the program's rates for a while, in place of a temporary rate that runs already.

        - `percent`: of the program's rate (0..250, %)
        - `duration`: of pump time (1..604800, s)
        """
        request = m.SetTemporary(self._transaction(), percent, duration)
        reply: m.TemporarySet = self.run(ask(request))
        return reply

    def cancel_temporary(self) -> m.TemporaryCancelled:
        """End the temporary rate that runs."""
        request = m.CancelTemporary(self._transaction())
        reply: m.TemporaryCancelled = self.run(ask(request))
        return reply

    def refill(self, volume: int, concentration: int) -> m.Refilled:
        """Empty the reservoir and fill it anew.

        - `volume`: what is filled in (0..4294967295, nL)
        - `concentration`: fictional dose units in a millilitre (0..65535, du/mL)
        """
        request = m.Refill(self._transaction(), volume, concentration)
        reply: m.Refilled = self.run(ask(request))
        return reply

    def move_ramp(self, move: m.RampMove) -> m.RampMoved:
        """Hold the ramp at its present step, let it go on, or go back a step and hold there.

        - `move`: what to do
        """
        request = m.MoveRamp(self._transaction(), move)
        reply: m.RampMoved = self.run(ask(request))
        return reply

    def limits(self) -> m.Limits:
        """What will you not go beyond?"""
        request = m.GetLimits()
        reply: m.Limits = self.run(ask(request))
        return reply

    def set_limits(self, rate: int, bolus: int, daily: int, rise: int) -> m.LimitsSet:
        """Set all the limits. What runs already must be within them, or they are refused.

        - `rate`: highest rate of all that runs together (0..4294967295, nL/h)
        - `bolus`: largest bolus (0..100000000, nL)
        - `daily`: most within any 24 h that follow each other (0..4294967295, nL)
        - `rise`: largest rise between two programs or two ramp steps; 65535: any (0..65535, %)
        """
        request = m.SetLimits(self._transaction(), rate, bolus, daily, rise)
        reply: m.LimitsSet = self.run(ask(request))
        return reply

    def alarms(self) -> m.Alarms:
        """What is wrong?"""
        request = m.GetAlarms()
        reply: m.Alarms = self.run(ask(request))
        return reply

    def acknowledge_alarm(self, alarm: m.Alarm) -> m.AlarmAcknowledged:
        """Somebody has seen this alarm.

        - `alarm`: which
        """
        request = m.AcknowledgeAlarm(self._transaction(), alarm)
        reply: m.AlarmAcknowledged = self.run(ask(request))
        return reply

    def read_log(self, first: int) -> m.LogPiece:
        """Read the event log from an entry on; from the oldest kept when that one is kept no more.

        - `first`: number of the entry to begin with (1..4294967295)
        """
        request = m.ReadLog(first)
        reply: m.LogPiece = self.run(ask(request))
        return reply

    def query_outcome(self, asked: int) -> m.OutcomeKnown:
        """What happened to a transaction? The pump remembers the newest ones only.

        - `asked`: the transaction asked about (0..4294967295)
        """
        request = m.QueryOutcome(asked)
        reply: m.OutcomeKnown = self.run(ask(request))
        return reply


class AsyncPumpClient:
    """A programmer that is connected to a pump, and awaits each answer.

    Volumes in nL, rates in nL/h, times in seconds of pump time.  Used in an `async with`,
    it hangs up at the end.
    """

    def __init__(
        self,
        run: RunsAwaited,
        transaction: Callable[[], int],
        close: Callable[[], Awaitable[None]],
        terms: Connected,
    ) -> None:
        """`transaction` draws a fresh number for each change; `close` ends the connection.

        `terms` is what was agreed on with the pump, and who it is.
        """
        self.run = run
        self.terms = terms
        self._transaction = transaction
        self._close = close

    async def close(self) -> None:
        """Hang up in good order."""
        await self._close()

    async def __aenter__(self) -> "AsyncPumpClient":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    # -- several requests in one ------------------------------------------------------------------

    async def program(self, slot: m.Slot = m.Slot.ACTIVE) -> ProgramRead:
        """The program in a slot, read piece by piece and checked."""
        return await self.run(read_program(slot))

    async def set_program(self, program: Program, when: m.When = m.When.NOW) -> m.ProgramCommitted:
        """Stage a program, read it back, compare, and commit it; it rules from `when` on.

        `ReadbackDiffers`, and nothing changed, when what the pump holds is not what was sent.
        """
        active = await self.program()
        room, transaction = self.terms.max_payload, self._transaction()
        return await self.run(set_program(program, active.digest, transaction, room, when))

    async def log(self, first: int = 1) -> LogRead:
        """The event log from an entry on, with its chain verified."""
        return await self.run(read_log(first))

    # -- one request each -------------------------------------------------------------------------

    async def identify(self) -> m.Identity:
        """Who are you?"""
        request = m.Identify()
        reply: m.Identity = await self.run(ask(request))
        return reply

    async def status(self) -> m.Status:
        """What are you doing?"""
        request = m.GetStatus()
        reply: m.Status = await self.run(ask(request))
        return reply

    async def clock(self) -> m.Clock:
        """What time is it?"""
        request = m.GetClock()
        reply: m.Clock = await self.run(ask(request))
        return reply

    async def set_clock(self, clock: int) -> m.ClockSet:
        """Set the clock. Nothing is delivered twice or skipped: the schedule follows the new time.

        - `clock`: since a Monday at midnight (0..2147483647, s)
        """
        request = m.SetClock(self._transaction(), clock)
        reply: m.ClockSet = await self.run(ask(request))
        return reply

    async def details(self) -> m.Details:
        """What goes on beside the program?"""
        request = m.GetDetails()
        reply: m.Details = await self.run(ask(request))
        return reply

    async def begin_program(self, length: int, digest: bytes, base: bytes) -> m.ProgramBegun:
        """Announce a program image; whatever was staged before is gone.

        - `length`: of the whole image (1..2048, B)
        - `digest`: of the whole image (exactly 8 bytes)
        - `base`: digest of the program believed active (exactly 8 bytes)
        """
        request = m.BeginProgram(length, digest, base)
        reply: m.ProgramBegun = await self.run(ask(request))
        return reply

    async def write_program(self, offset: int, data: bytes) -> m.ProgramWritten:
        """The next piece of the image.

        - `offset`: where it belongs: what is staged so far (0..2048, B)
        - `data`: the piece (at most 960 bytes)
        """
        request = m.WriteProgram(offset, data)
        reply: m.ProgramWritten = await self.run(ask(request))
        return reply

    async def read_program(self, slot: m.Slot, offset: int, count: int) -> m.ProgramData:
        """Read back a piece of an image.

        - `slot`: which image
        - `offset`: where to begin (0..2048, B)
        - `count`: how much at the most (1..960, B)
        """
        request = m.ReadProgram(slot, offset, count)
        reply: m.ProgramData = await self.run(ask(request))
        return reply

    async def commit_program(self, digest: bytes, when: m.When) -> m.ProgramCommitted:
        """Make the staged program the active one, all of it, now or at a moment to come.

        A program that was pending until then is forgotten.

        - `digest`: of the image meant (exactly 8 bytes)
        - `when`: from when on it is to rule
        """
        request = m.CommitProgram(self._transaction(), digest, when)
        reply: m.ProgramCommitted = await self.run(ask(request))
        return reply

    async def abort_program(self) -> m.ProgramAborted:
        """Forget what is staged."""
        request = m.AbortProgram()
        reply: m.ProgramAborted = await self.run(ask(request))
        return reply

    async def drop_pending(self) -> m.PendingDropped:
        """Forget the program that was committed for later."""
        request = m.DropPending(self._transaction())
        reply: m.PendingDropped = await self.run(ask(request))
        return reply

    async def suspend(self) -> m.Suspended:
        """Stop moving fluid until told to resume."""
        request = m.Suspend(self._transaction())
        reply: m.Suspended = await self.run(ask(request))
        return reply

    async def resume(self) -> m.Resumed:
        """Follow the program again."""
        request = m.Resume(self._transaction())
        reply: m.Resumed = await self.run(ask(request))
        return reply

    async def start_bolus(self, kind: m.BolusKind, volume: int, duration: int) -> m.BolusStarted:
        """Give a volume over a time, on top of the program.

        - `kind`: what it is for
        - `volume`: all of it (1..100000000, nL)
        - `duration`: of pump time (1..86400, s)
        """
        request = m.StartBolus(self._transaction(), kind, volume, duration)
        reply: m.BolusStarted = await self.run(ask(request))
        return reply

    async def cancel_bolus(self) -> m.BolusCancelled:
        """End the bolus that runs."""
        request = m.CancelBolus(self._transaction())
        reply: m.BolusCancelled = await self.run(ask(request))
        return reply

    async def set_temporary(self, percent: int, duration: int) -> m.TemporarySet:
        """Scale the program's rates for a while, in place of a temporary rate that runs already.

        - `percent`: of the program's rate (0..250, %)
        - `duration`: of pump time (1..604800, s)
        """
        request = m.SetTemporary(self._transaction(), percent, duration)
        reply: m.TemporarySet = await self.run(ask(request))
        return reply

    async def cancel_temporary(self) -> m.TemporaryCancelled:
        """End the temporary rate that runs."""
        request = m.CancelTemporary(self._transaction())
        reply: m.TemporaryCancelled = await self.run(ask(request))
        return reply

    async def refill(self, volume: int, concentration: int) -> m.Refilled:
        """Empty the reservoir and fill it anew.

        - `volume`: what is filled in (0..4294967295, nL)
        - `concentration`: fictional dose units in a millilitre (0..65535, du/mL)
        """
        request = m.Refill(self._transaction(), volume, concentration)
        reply: m.Refilled = await self.run(ask(request))
        return reply

    async def move_ramp(self, move: m.RampMove) -> m.RampMoved:
        """Hold the ramp at its present step, let it go on, or go back a step and hold there.

        - `move`: what to do
        """
        request = m.MoveRamp(self._transaction(), move)
        reply: m.RampMoved = await self.run(ask(request))
        return reply

    async def limits(self) -> m.Limits:
        """What will you not go beyond?"""
        request = m.GetLimits()
        reply: m.Limits = await self.run(ask(request))
        return reply

    async def set_limits(self, rate: int, bolus: int, daily: int, rise: int) -> m.LimitsSet:
        """Set all the limits. What runs already must be within them, or they are refused.

        - `rate`: highest rate of all that runs together (0..4294967295, nL/h)
        - `bolus`: largest bolus (0..100000000, nL)
        - `daily`: most within any 24 h that follow each other (0..4294967295, nL)
        - `rise`: largest rise between two programs or two ramp steps; 65535: any (0..65535, %)
        """
        request = m.SetLimits(self._transaction(), rate, bolus, daily, rise)
        reply: m.LimitsSet = await self.run(ask(request))
        return reply

    async def alarms(self) -> m.Alarms:
        """What is wrong?"""
        request = m.GetAlarms()
        reply: m.Alarms = await self.run(ask(request))
        return reply

    async def acknowledge_alarm(self, alarm: m.Alarm) -> m.AlarmAcknowledged:
        """Somebody has seen this alarm.

        - `alarm`: which
        """
        request = m.AcknowledgeAlarm(self._transaction(), alarm)
        reply: m.AlarmAcknowledged = await self.run(ask(request))
        return reply

    async def read_log(self, first: int) -> m.LogPiece:
        """Read the event log from an entry on; from the oldest kept when that one is kept no more.

        - `first`: number of the entry to begin with (1..4294967295)
        """
        request = m.ReadLog(first)
        reply: m.LogPiece = await self.run(ask(request))
        return reply

    async def query_outcome(self, asked: int) -> m.OutcomeKnown:
        """What happened to a transaction? The pump remembers the newest ones only.

        - `asked`: the transaction asked about (0..4294967295)
        """
        request = m.QueryOutcome(asked)
        reply: m.OutcomeKnown = await self.run(ask(request))
        return reply

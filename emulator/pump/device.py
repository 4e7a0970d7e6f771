"""The mock pump itself: identity, mode, delivery, alarms and memory, driven by time and requests.

Pure but for its memory: pump time comes in by `advance`, requests by
`mockpump.emulator.pump.requests.dispatch`; nothing here knows a connection, a clock or a file.  It
is a toy; no real device works like this.
"""

from collections.abc import Callable

from mockpump.emulator.memory.interface import Memory, MemoryFailed, Outcome, StateLost
from mockpump.emulator.pump.delivery_state import STEP
from mockpump.emulator.pump.limits import Excess
from mockpump.emulator.pump.modes import ModeInput
from mockpump.emulator.pump.pump_core import PumpCore, digest_figure
from mockpump.emulator.pump.state import PumpIdentity, PumpState
from mockpump.protocol import program as programs
from mockpump.protocol.log import LogEntry
from mockpump.protocol.messages import (
    PROTOCOL_VERSION,
    Alarm,
    Identity,
    LogKind,
    Telemetry,
    When,
)
from mockpump.protocol.program import UNITS_PER_NL

# Elapsed time is a u32 on the wire: a pump's life ends there, after 136 years.
LAST_SECOND = 2**32 - 1
# Nor are outcomes counted beyond what fits there.
LAST_COUNT = 2**32 - 1
# Seconds of pump time between two checkpoints, at the most.
CHECKPOINT_EVERY = 60


class LimitBroken(Exception):
    """What was asked for would break a limit at once; nothing was changed."""

    def __init__(self, excess: Excess) -> None:
        super().__init__(excess.reason.name)
        self.excess = excess


def describe(identity: PumpIdentity) -> Identity:
    """What a pump of that identity says of itself."""
    return Identity(PROTOCOL_VERSION, identity.serial, identity.reservoir, STEP, identity.name)


class Pump(PumpCore):
    """A virtual pump.  Volumes in nL, rates in nL/h, times in seconds of pump time.

    Where the memory is durable, its state is recorded at the end of every `advance` that has passed
    a breakpoint of delivery, or `checkpoint_every` seconds since the last record; with `covers`,
    when that has come to `next_record` as well.
    """

    __slots__ = ()

    def __init__(self, memory: Memory, checkpoint_every: int = CHECKPOINT_EVERY) -> None:
        """The pump whose memory it is; `LocalProtocolError` when that never was one's.

        After a crash it goes on from the last checkpoint, with an alarm; what may have been
        delivered after that is counted against the daily limit and logged as an interval.
        """
        super().__init__(memory, checkpoint_every)

    # -- what it is and does -------------------------------------------------------------------

    @property
    def reservoir(self) -> int:
        """What the sensor shows of the reservoir."""
        return self.delivery.reservoir if self.sensor is None else self.sensor

    def describe(self) -> Identity:
        """Who this pump is."""
        return describe(self.identity)

    def report(self) -> Telemetry:
        """What the pump is doing at this moment."""
        d = self.delivery
        return Telemetry(
            self.mode,
            d.elapsed,
            d.clock,
            d.rate,
            d.delivered,
            d.remainder,
            self.reservoir,
            self.catheter.arrived(d.due) // UNITS_PER_NL,
            self.bolus_left,
            self.panel.priority,
        )

    @property
    def outcomes(self) -> int:
        """How many outcomes of transactions it has ever recorded, as far as a u32 counts."""
        return min(self.memory.outcome_count(), LAST_COUNT)

    @property
    def bolus_left(self) -> int:
        """What is left of the bolus that runs, in nL, rounded up; 0: none runs."""
        bolus = self.delivery.bolus
        return 0 if bolus is None else bolus.left(self.elapsed)

    # -- time ----------------------------------------------------------------------------------

    def advance(self, elapsed: int) -> bool:
        """Live on until `elapsed`; whether the mode changed on the way."""
        before = self.mode
        self.delivery.advance(min(elapsed, LAST_SECOND))
        self._take_events()
        # Where a record covers what comes, what has come of itself can wait for the next.
        if not self.covers or self.elapsed >= self.next_record:
            self.checkpoint()
        return self.mode is not before

    def checkpoint(self) -> None:
        """Record the state if that is due."""
        if self._checkpoint_due():
            self._keep()

    def cover(self, seconds: int) -> None:
        """Have a record stand for so many seconds at least, from one on that is made now."""
        self.covers = seconds
        self._keep()

    def next_checkpoint(self) -> int:
        """The elapsed second at which the state is to be recorded though nothing has events."""
        return self._recorded_at + self.checkpoint_every

    @property
    def every_record_counts(self) -> bool:
        """Whether it makes a difference if a record that another soon replaces is made at all.

        Somebody may see it, or it is the one that succeeds after others have failed.
        """
        memory = self.memory
        return memory.durable and (memory.observed or self.panel.present(Alarm.MEMORY_FAULT))

    def record_before(self, elapsed: int) -> int:
        """The second at which to record on the way to a later one; that one itself for none.

        Of the checkpoints that nobody could ever see only the last is worth config.
        """
        if not self.memory.durable:
            return elapsed
        if self.every_record_counts:
            due = self._record_by
        else:
            every = self.checkpoint_every
            due = self._recorded_at + (elapsed - self._recorded_at) // every * every
        return due if self.elapsed < due < elapsed else elapsed

    def _checkpoint_due(self) -> bool:
        if self._entries or not self.memory.durable:
            return bool(self._entries)
        turned = self.delivery.breakpoints_passed != self._recorded_turns
        return turned or self.elapsed >= self.next_checkpoint()

    # -- what changes it ---------------------------------------------------------------------------

    def change(
        self, effect: Callable[[], None], outcome: Outcome | None = None, image: bytes | None = None
    ) -> None:
        """Carry something out and record it, with an outcome and the image of a staged program.

        What somebody asked for has an outcome: `LimitBroken`, and nothing changed, when delivery
        would stop at a limit in this very second.  `MemoryFailed`, and nothing changed but for the
        alarm, when it cannot be recorded.
        """
        before, entries = self._state(), self._entries.copy()
        images = {} if image is None else {self.free_slot: image}
        self.delivery.excess = None
        effect()
        excess = self.delivery.excess
        self._take_events()
        self.settle()
        if excess is not None and outcome is not None:
            self._undo(before, entries)
            raise LimitBroken(excess)
        if not self._record(outcome, images):
            self._undo(before, entries)
            self._memory_failed()
            raise MemoryFailed("the pump could not record it; nothing was changed")
        for slot, each in images.items():
            self._images[slot] = each

    def _undo(self, before: PumpState, entries: list[LogEntry]) -> None:
        self._entries = entries
        self._set(before)

    @property
    def free_slot(self) -> int:
        """The slot for the next program: never that of the active one."""
        return 1 if self._active == 0 else 0

    def activate(self, image: bytes, when: When = When.NOW) -> None:
        """Make a staged program the active one, now or later.

        `DecodeError` or `ProgramError`, and nothing changed, when it is the image of none.
        """
        program = programs.from_image(image)
        slot = self.free_slot
        if when is When.NOW:
            self.delivery.set_program(program)
            self._active, self._later = slot, None
            self.enter(ModeInput.PROGRAM)
            self.log(LogKind.PROGRAM, digest_figure(image))
        else:
            self.delivery.set_pending(program, when)
            self._later = slot
            self.log(LogKind.PENDING, when, digest_figure(image))

    def drop_pending(self) -> None:
        """Forget the program that was to rule later."""
        self.delivery.drop_pending()
        self._later = None
        self.log(LogKind.PENDING_DROPPED)

    # -- the memory --------------------------------------------------------------------------------

    def shut_down(self) -> None:
        """The power is switched off in good order: nothing is unaccounted for afterwards.

        `StateLost` when that cannot be recorded: it will wake up as after a cut of its power.
        """
        if not self._record(clean=True):
            self._memory_failed()
            raise StateLost(f"the pump's last state could not be recorded: {self.memory_error}")

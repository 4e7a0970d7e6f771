"""The mock pump itself: identity, mode, delivery, alarms and journal, driven by time and requests.

Pure but for its memory: pump time comes in by `advance`, requests by
`mockpump.emulator.pump.requests.dispatch`; nothing here knows a connection, a clock or a file.  It
is a toy; no real device works like this.
"""

from collections.abc import Callable
from typing import Any, Self

from mockpump.emulator.memory.interface import Memory, MemoryFailed, Outcome, StateLost
from mockpump.emulator.pump.alarms import PASSING, AlarmPanel
from mockpump.emulator.pump.catheter import Catheter
from mockpump.emulator.pump.delivery import Delivery
from mockpump.emulator.pump.journal import Journal, steady_until
from mockpump.emulator.pump.limits import Excess
from mockpump.emulator.pump.modes import ModeInput, following
from mockpump.emulator.pump.overrides import CutBolus
from mockpump.emulator.pump.pairing import LOCKED_FOR, Pairing
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.state import (
    STEP,
    DeliveryEvent,
    PumpIdentity,
    PumpState,
    check_images,
    decode_state,
)
from mockpump.protocol import program as programs
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.log import LogEntry
from mockpump.protocol.messages import (
    PROTOCOL_VERSION,
    Alarm,
    Identity,
    LogKind,
    Mode,
    Telemetry,
    When,
)
from mockpump.protocol.program import UNITS_PER_NL, Program

# Bound once: they are asked for with every change (see `mockpump.protocol.link.states`).
_FAULT, _CLEARED = ModeInput.FAULT, ModeInput.CLEARED
# Elapsed time is a u32 on the wire: a pump's life ends there, after 136 years.
LAST_SECOND = 2**32 - 1
# Nor are outcomes counted beyond what fits there.
LAST_COUNT = 2**32 - 1
# Seconds of pump time between two checkpoints, at the most.
CHECKPOINT_EVERY = 60
_U32 = 2**32 - 1


def describe(identity: PumpIdentity) -> Identity:
    """What a pump of that identity says of itself."""
    return Identity(PROTOCOL_VERSION, identity.serial, identity.reservoir, STEP, identity.name)


def digest_figure(image: bytes) -> int:
    """This much of a program's digest as a figure of the log holds."""
    return int.from_bytes(programs.digest(image)[:4])


# What comes of itself while time goes by, and the alarm that it raises.
_ALARM_OF = {
    DeliveryEvent.EMPTY: Alarm.EMPTY,
    DeliveryEvent.LOW: Alarm.LOW_RESERVOIR,
    DeliveryEvent.LIMIT_RATE: Alarm.LIMIT_REACHED,
    DeliveryEvent.LIMIT_DAILY: Alarm.LIMIT_REACHED,
}
# What only the log is told; the one event beside both is that a pending program rules.
_ENTRY_OF = {
    DeliveryEvent.BOLUS_ENDED: LogKind.BOLUS_ENDED,
    DeliveryEvent.BOLUS_CUT: LogKind.BOLUS_ENDED,
    DeliveryEvent.TEMPORARY_ENDED: LogKind.TEMPORARY_ENDED,
}


def _times(alarm: Alarm) -> int:
    # Only the lock's alarm, which a stranger can cause, is ever joined with others of its kind.
    return 1 if alarm is Alarm.PAIRING_LOCKED else 0


class Pump:
    """A virtual pump.  Volumes in nL, rates in nL/h, times in seconds of pump time.

    Where the memory is durable, its state is recorded at the end of every `advance` that has passed
    a breakpoint of delivery, or a checkpoint's interval since the last record; where a record
    covers more, when that has come to `Journal.next_record` as well.
    """

    __slots__ = (
        "_active_slot",
        "_pending_slot",
        "catheter",
        "delivery",
        "identity",
        "journal",
        "lock_left",
        "mode",
        "pairing",
        "panel",
        "sensor",
        "serving",
    )

    def __init__(self, memory: Memory, checkpoint_every: int = CHECKPOINT_EVERY) -> None:
        """The pump whose memory it is; `LocalProtocolError` when that never was one's.

        After a crash it goes on from the last checkpoint, with an alarm; what may have been
        delivered after that is counted against the daily limit and logged as an interval.
        """
        recorded = memory.state()
        if recorded is None:
            raise LocalProtocolError("this memory is no pump's yet")
        self.identity: PumpIdentity
        self.mode: Mode
        self.delivery: Delivery
        self.catheter: Catheter
        self.panel: AlarmPanel
        self.pairing: Pairing
        # Whoever has the one session that there can be at a time.
        self.serving: Peer | None = None
        # How many seconds of line time a closed lock still stays closed, as the server says.
        self.lock_left = LOCKED_FOR
        # What the reservoir's sensor is stuck at; None while it follows.
        self.sensor: int | None
        # The slots of the program that rules and of the one that is to rule later.
        self._active_slot: int | None
        self._pending_slot: int | None
        self.journal = Journal(memory, checkpoint_every)
        state = decode_state(recorded)
        check_images(state, self.journal.images.__getitem__)
        self._set(state)
        self.journal.stand(self.delivery)
        if not state.clean_shutdown:
            self._account_for_crash(state)
        self.settle()
        self._keep()

    @classmethod
    def new(cls, **config: Any) -> Self:
        """A pump in RAM, with a full reservoir and a program running.

        `config` is what `PumpConfig` has: `program` (None: none), `identity`, `limits`, `clock` and
        so on.  `ProgramError` for a program that breaks a rule, `LocalProtocolError` for one that
        breaks a limit.

        >>> Pump.new(program=Program.flat("demo", 20_000)).delivery.rate
        20000
        """
        from mockpump.emulator.pump.factory import new_memory

        return cls(new_memory(**config))

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
        count = self.journal.memory.outcome_count()
        return count if count < LAST_COUNT else LAST_COUNT

    @property
    def bolus_left(self) -> int:
        """What is left of the bolus that runs, in nL, rounded up; 0: none runs."""
        bolus = self.delivery.bolus
        return 0 if bolus is None else bolus.left(self.elapsed)

    @property
    def memory(self) -> Memory:
        """Where everything is kept."""
        return self.journal.memory

    @property
    def elapsed(self) -> int:
        """Pump time since the pump was made."""
        return self.delivery.elapsed

    @property
    def image(self) -> bytes:
        """The image of the active program; empty when there is none."""
        return b"" if self._active_slot is None else self.journal.images[self._active_slot]

    @property
    def pending_image(self) -> bytes:
        """The image of the program that is to rule later; empty when there is none."""
        return b"" if self._pending_slot is None else self.journal.images[self._pending_slot]

    @property
    def digest(self) -> bytes:
        """The digest of the active program; that of nothing when there is none."""
        return programs.digest(self.image)

    @property
    def program(self) -> Program | None:
        """The active program."""
        return programs.from_image(self.image) if self.image else None

    # -- time ----------------------------------------------------------------------------------

    def advance(self, elapsed: int) -> bool:
        """Live on until `elapsed`; whether the mode changed on the way."""
        before = self.mode
        self.delivery.advance(elapsed if elapsed < LAST_SECOND else LAST_SECOND)
        self._take_events()
        journal = self.journal
        # Where a record covers what comes, what has come of itself can wait for the next.
        if not journal.covers or self.elapsed >= journal.next_record:
            self.checkpoint()
        return self.mode is not before

    def checkpoint(self) -> None:
        """Record the state if that is due."""
        if self.journal.is_due(self.delivery):
            self._keep()

    def cover(self, seconds: int) -> None:
        """Have a record stand for this many seconds at least, from one on that is made now."""
        self.journal.covers = seconds
        self._keep()

    @property
    def every_record_counts(self) -> bool:
        """Whether it makes a difference if a record that another soon replaces is made at all.

        Somebody may see it, or it is the one that succeeds after others have failed.
        """
        memory, panel = self.journal.memory, self.panel
        failing = panel.present(Alarm.MEMORY_FAULT) if panel.shown else False
        return memory.durable and (memory.observed or failing)

    def record_before(self, elapsed: int) -> int:
        """The second at which to record on the way to a later one; that one itself for none."""
        return self.journal.record_before(self.elapsed, elapsed, self.every_record_counts)

    # -- alarms and modes ------------------------------------------------------------------------

    def show(self, alarm: Alarm, elapsed: int | None = None) -> None:
        """Raise an alarm; `settle` when all that belongs together is done.

        A cause that is there already does not come again: whoever has seen it has seen it.
        """
        if self.panel.present(alarm):
            return
        when = self.elapsed if elapsed is None else elapsed
        self.panel.show(alarm, when, lasting=alarm not in PASSING)
        self.log(LogKind.ALARM_RAISED, alarm, _times(alarm), elapsed=when)

    def end(self, alarm: Alarm) -> None:
        """The cause of an alarm is gone; `settle` after it."""
        if self.panel.end(alarm):
            self.log(LogKind.ALARM_CLEARED, alarm, _times(alarm))

    def enter(self, event: ModeInput) -> None:
        """Change the mode as the table says, and have delivery follow."""
        before, self.mode = self.mode, following(self.mode, event)
        if self.mode is Mode.RUNNING:
            self.delivery.resume()
        elif self.mode is Mode.FAULT:
            self.delivery.halt()
        elif before is not self.mode or event is ModeInput.PROGRAM:
            self.delivery.suspend()
        self._take_events()

    def settle(self) -> None:
        """Be in the mode that the alarms call for."""
        if self.delivery.empty and self.mode is Mode.RUNNING:
            self.show(Alarm.EMPTY)
        event = _FAULT if self.panel.stopping else _CLEARED
        if following(self.mode, event) is not self.mode:
            self.enter(event)

    def _take_events(self) -> None:
        events = self.delivery.events
        if events:
            self.delivery.events = []
            for elapsed, event, cut in events:
                self._take_event(elapsed, event, cut)
            self.settle()

    def _take_event(self, elapsed: int, event: DeliveryEvent, cut: CutBolus | None) -> None:
        if event in _ALARM_OF:
            self.show(_ALARM_OF[event], elapsed)
        elif event in _ENTRY_OF:
            self.log(_ENTRY_OF[event], *(cut or (0, 0)), elapsed=elapsed)
        else:
            self._active_slot, self._pending_slot = self._pending_slot, None
            self.log(LogKind.PROGRAM, digest_figure(self.image), elapsed=elapsed)

    # -- what changes it ---------------------------------------------------------------------------

    def change(
        self, effect: Callable[[], None], outcome: Outcome | None = None, image: bytes | None = None
    ) -> Excess | None:
        """Carry something out and record it, with an outcome and the image of a staged program.

        What somebody asked for has an outcome: nothing is changed when delivery would stop at a
        limit in this very second, and that excess comes back; None when it is done.
        `MemoryFailed`, and nothing changed but for the alarm, when it cannot be recorded.
        """
        before, entries = self._state(), self.journal.entries
        images = {} if image is None else {_free_slot(self._active_slot): image}
        self.delivery.excess = None
        effect()
        excess = self.delivery.excess
        self._take_events()
        self.settle()
        if excess is not None and outcome is not None:
            self._undo(before, entries)
            return excess
        if not self._record(outcome, images):
            self._undo(before, entries)
            self._memory_failed()
            raise MemoryFailed("the pump could not record it; nothing was changed")
        return None

    def _undo(self, before: PumpState, entries: tuple[LogEntry, ...]) -> None:
        self._set(before)
        self.journal.take_back(entries, before.strangers)

    def activate(self, image: bytes, when: When = When.NOW) -> None:
        """Make a staged program the active one, now or later.

        `DecodeError` or `ProgramError`, and nothing changed, when it is the image of none.
        """
        program = programs.from_image(image)
        slot = _free_slot(self._active_slot)
        if when is When.NOW:
            self.delivery.set_program(program)
            self._active_slot, self._pending_slot = slot, None
            self.enter(ModeInput.PROGRAM)
            self.log(LogKind.PROGRAM, digest_figure(image))
        else:
            self.delivery.set_pending(program, when)
            self._pending_slot = slot
            self.log(LogKind.PENDING, when, digest_figure(image))

    def drop_pending(self) -> None:
        """Forget the program that was to rule later."""
        self.delivery.drop_pending()
        self._pending_slot = None
        self.log(LogKind.PENDING_DROPPED)

    # -- the journal -------------------------------------------------------------------------------

    def log(
        self, kind: LogKind, first: int = 0, second: int = 0, elapsed: int | None = None
    ) -> None:
        """Put down what has happened; it is recorded with the next change.

        What somebody without a key has caused may only be counted (`Strangers`).
        """
        when = self.elapsed if elapsed is None else elapsed
        shown = self.delivery.pump_clock.shown(when)
        first = first if first < _U32 else _U32
        second = second if second < _U32 else _U32
        self.journal.write(LogEntry(when, shown, kind, first, second))

    def shut_down(self) -> None:
        """The power is switched off in good order: nothing is unaccounted for afterwards.

        `StateLost` when that cannot be recorded: it will wake up as after a cut of its power.
        """
        if not self._record(clean_shutdown=True):
            self._memory_failed()
            raise StateLost(f"the pump's last state could not be recorded: {self.journal.error}")

    def _keep(self, *, clean_shutdown: bool = False) -> None:
        """Record the state as it is; a memory that cannot is an alarm."""
        if not self._record(clean_shutdown=clean_shutdown):
            self._memory_failed()

    def _record(
        self,
        outcome: Outcome | None = None,
        images: dict[int, bytes] | None = None,
        *,
        clean_shutdown: bool = False,
    ) -> bool:
        state = self._state(clean_shutdown=clean_shutdown)
        if not self.journal.record(state, self.delivery, outcome, images):
            return False
        if self.panel.shown and self.panel.present(Alarm.MEMORY_FAULT):
            # What was to be recorded is: whether the end of the alarm is too, is another matter.
            self.end(Alarm.MEMORY_FAULT)
            self.settle()
            self._keep(clean_shutdown=clean_shutdown)
        return True

    def _memory_failed(self) -> None:
        self.show(Alarm.MEMORY_FAULT)
        self.settle()

    def _state(self, *, clean_shutdown: bool = False) -> PumpState:
        """All that it must know to go on; nothing that happens later changes it."""
        return PumpState(
            self.identity,
            self.mode,
            self.delivery.state(),
            self.delivery.limits,
            self.catheter,
            self.panel.copy(),
            self._active_slot,
            self._pending_slot,
            self.sensor,
            self.journal.checkpoint_every,
            clean_shutdown,
            self.pairing,
            self.journal.strangers,
            self.journal.covers,
        )

    def _set(self, state: PumpState) -> None:
        self.identity, self.mode = state.identity, state.mode
        self.catheter, self.panel = state.catheter, state.panel
        self._active_slot, self._pending_slot = state.active_slot, state.pending_slot
        self.sensor, self.pairing = state.sensor, state.pairing
        self.journal.strangers = state.strangers
        self.delivery = self._going_on(state)
        self.journal.restart(self.delivery)

    def _going_on(self, state: PumpState) -> Delivery:
        delivery = Delivery(0, state.limits)
        later = programs.from_image(self.pending_image) if self.pending_image else None
        delivery.restore(state.delivery, self.program, later)
        return delivery

    def _account_for_crash(self, state: PumpState) -> None:
        """What may have been moved after the last record, before another had to be made."""
        d = self.delivery
        steady = steady_until(d, state.checkpoint_every) - d.elapsed
        units = d.rate * steady
        if state.covers > steady:
            alone = self._going_on(state)
            alone.advance(self.elapsed + state.covers)
            units = alone.due - d.due
        most = d.assume(units)
        self.show(Alarm.RESTARTED)
        self.log(LogKind.RESTARTED, 0, most)
        self._take_events()


def _free_slot(active: int | None) -> int:
    """The slot for the next program: never that of the active one."""
    return 1 if active == 0 else 0

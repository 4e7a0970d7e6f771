"""The pump's inner life: its mode, its alarms, and how both and all else are recorded.

The one idea about the memory: whatever changes the pump is done to the pump, then recorded as one
change together with the pump's whole state; if it cannot be recorded, it is undone.
`mockpump.emulator.pump.device` is the pump as others see it.
"""

from mockpump.emulator.memory.interface import SLOTS, Change, Memory, MemoryFailed, Outcome
from mockpump.emulator.pump.alarms import PASSING, AlarmPanel
from mockpump.emulator.pump.catheter import Catheter
from mockpump.emulator.pump.delivery import Delivery
from mockpump.emulator.pump.delivery_state import DeliveryEvent
from mockpump.emulator.pump.modes import ModeInput, following
from mockpump.emulator.pump.overrides import CutBolus
from mockpump.emulator.pump.pairing import LOCKED_FOR, Pairing
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.state import (
    PumpIdentity,
    PumpState,
    check_images,
    decode_state,
)
from mockpump.emulator.pump.strangers import NOBODY, Strangers, is_strangers
from mockpump.protocol import program as programs
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.log import LogEntry
from mockpump.protocol.messages import (
    Alarm,
    LogKind,
    Mode,
)
from mockpump.protocol.program import Program

_U32 = 2**32 - 1


def digest_figure(image: bytes) -> int:
    """So much of a program's digest as a figure of the log holds."""
    return int.from_bytes(programs.digest(image)[:4])


# What comes of itself while time goes by, and the alarm that it raises.
_ALARM_OF = {
    DeliveryEvent.EMPTY: Alarm.EMPTY,
    DeliveryEvent.LOW: Alarm.LOW_RESERVOIR,
    DeliveryEvent.LIMIT_RATE: Alarm.LIMIT_REACHED,
    DeliveryEvent.LIMIT_DAILY: Alarm.LIMIT_REACHED,
}


def _times(alarm: Alarm) -> int:
    # Only the lock's alarm, which a stranger can cause, is ever joined with others of its kind.
    return 1 if alarm is Alarm.PAIRING_LOCKED else 0


class PumpCore:
    """A pump without a front: what it is made of, how it reacts, what it keeps."""

    __slots__ = (
        "_active",
        "_entries",
        "_images",
        "_later",
        "_recorded_at",
        "_recorded_turns",
        "_stands_until",
        "catheter",
        "checkpoint_every",
        "covers",
        "delivery",
        "identity",
        "lock_left",
        "memory",
        "memory_error",
        "mode",
        "pairing",
        "panel",
        "sensor",
        "serving",
        "strangers",
    )

    def __init__(self, memory: Memory, checkpoint_every: int) -> None:
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
        # What people without a key have done since the last entry of what was done.
        self.strangers: Strangers
        self._active: int | None
        self._later: int | None
        # What the reservoir's sensor is stuck at; None while it follows.
        self.sensor: int | None
        self.memory = memory
        # Why it could not be written the last time that it could not.
        self.memory_error = ""
        self.checkpoint_every = checkpoint_every
        # How many seconds of pump time a record is to stand for at least; see `_recorded`.
        self.covers = 0
        self._images = [memory.image(slot) for slot in range(SLOTS)]
        self._entries: list[LogEntry] = []
        state = decode_state(recorded)
        check_images(state, self._images.__getitem__)
        self._set(state)
        self._recorded()
        if not state.clean:
            self._account_for_crash(state)
        self.settle()
        self._keep()

    @property
    def elapsed(self) -> int:
        """Pump time since the pump was made."""
        return self.delivery.elapsed

    @property
    def image(self) -> bytes:
        """The image of the active program; empty when there is none."""
        return b"" if self._active is None else self._images[self._active]

    @property
    def pending_image(self) -> bytes:
        """The image of the program that is to rule later; empty when there is none."""
        return b"" if self._later is None else self._images[self._later]

    @property
    def digest(self) -> bytes:
        """The digest of the active program; that of nothing when there is none."""
        return programs.digest(self.image)

    @property
    def program(self) -> Program | None:
        """The active program."""
        return programs.from_image(self.image) if self.image else None

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
        event = ModeInput.FAULT if self.panel.stopping else ModeInput.CLEARED
        if following(self.mode, event) is not self.mode:
            self.enter(event)

    def _take_events(self) -> None:
        events = self.delivery.events
        if events:
            self.delivery.events = []
            for elapsed, happening, cut in events:
                self._take_event(elapsed, happening, cut)
            self.settle()

    def _take_event(self, elapsed: int, happening: DeliveryEvent, cut: CutBolus | None) -> None:
        if happening in _ALARM_OF:
            self.show(_ALARM_OF[happening], elapsed)
        elif happening is DeliveryEvent.PROGRAM:
            self._active, self._later = self._later, None
            self.log(LogKind.PROGRAM, digest_figure(self.image), elapsed=elapsed)
        elif cut is not None:
            self.log(LogKind.BOLUS_ENDED, cut.volume, cut.left, elapsed=elapsed)
        elif happening is DeliveryEvent.BOLUS_ENDED:
            self.log(LogKind.BOLUS_ENDED, elapsed=elapsed)
        else:
            self.log(LogKind.TEMPORARY_ENDED, elapsed=elapsed)

    # -- the memory ----------------------------------------------------------------------------

    def log(
        self, kind: LogKind, first: int = 0, second: int = 0, elapsed: int | None = None
    ) -> None:
        """Put down what has events; it is recorded with the next change.

        What somebody without a key has caused may only be counted (`Strangers`).
        """
        when = self.elapsed if elapsed is None else elapsed
        shown = self.delivery.pump_clock.shown(when)
        entry = LogEntry(when, shown, kind, min(first, _U32), min(second, _U32))
        if not is_strangers(kind, first):
            if self.strangers is not NOBODY:
                self._entries += self.strangers.joined(when, shown)
                self.strangers = NOBODY
        elif self.strangers.is_first(kind):
            self.strangers = self.strangers.written(kind)
        else:
            self.strangers = self.strangers.counted(entry)
            return
        self._entries.append(entry)

    def _keep(self, *, clean: bool = False) -> None:
        """Record the state as it is; a memory that cannot is an alarm."""
        if not self._record(clean=clean):
            self._memory_failed()

    def _record(
        self,
        outcome: Outcome | None = None,
        images: dict[int, bytes] | None = None,
        *,
        clean: bool = False,
    ) -> bool:
        # Whether and when it is made into bytes is the memory's affair.
        entries = tuple(self._entries)
        change = Change(self._state(clean=clean), outcome, images or {}, entries)
        try:
            self.memory.record(change)
        except MemoryFailed as error:
            self.memory_error = str(error)
            # To be tried again as soon as there is anything to write, or an interval later.
            self._recorded()
            return False
        if entries:
            self._entries = []
        self._recorded_turns = self.delivery.breakpoints_passed
        self._recorded()
        if self.panel.shown and self.panel.present(Alarm.MEMORY_FAULT):
            # What was to be recorded is: whether the end of the alarm is too, is another matter.
            self.end(Alarm.MEMORY_FAULT)
            self.settle()
            self._keep(clean=clean)
        return True

    def _memory_failed(self) -> None:
        self.show(Alarm.MEMORY_FAULT)
        self.settle()

    def _state(self, *, clean: bool = False) -> PumpState:
        """All that it must know to go on; nothing that happens later changes it."""
        return PumpState(
            self.identity,
            self.mode,
            self.delivery.state(),
            self.delivery.limits,
            self.catheter,
            self.panel.copy(),
            self._active,
            self._later,
            self.sensor,
            self.checkpoint_every,
            clean,
            self.pairing,
            self.strangers,
            self.covers,
        )

    def _set(self, state: PumpState) -> None:
        self.identity, self.mode = state.identity, state.mode
        self.catheter, self.panel = state.catheter, state.panel
        self._active, self._later = state.active, state.later
        self.sensor = state.sensor
        self.pairing, self.strangers = state.pairing, state.strangers
        self.delivery = self._going_on(state)
        self._recorded_turns = self.delivery.breakpoints_passed

    def _going_on(self, state: PumpState) -> Delivery:
        delivery = Delivery(0, state.limits)
        later = programs.from_image(self.pending_image) if self.pending_image else None
        delivery.restore(state.delivery, self.program, later)
        return delivery

    # How far a record stands.  After one at second r the next is made by `_record_by` or before.
    # So what the power can take is what comes of itself from r to there, and not one unit more:
    # nothing that is done to the pump is among it, since that is recorded at once.
    #
    # By itself a pump records at the next breakpoint, or a checkpoint's interval after r, whichever
    # comes first.  Up to there the rate is constant: what may have been moved is rate times
    # seconds.  Where pump time goes by so fast that these would be hundreds of records a second,
    # whoever runs it sets `covers`, and a record says, before anything of it has events, that it
    # stands for so many seconds whatever breakpoints are in them.  Whoever wakes up with it lets a
    # second motor, which moves nothing, live those seconds.  Delivery is a function of its state,
    # so that is what was moved at their end, and at any of them it was no more.
    #
    # The next record is due in the middle of what one covers, at `next_record`, and may be late by
    # the other half: whoever is later still goes on from `_record_by` to `_record_by`.  So in any
    # stretch of time there are no more of them than halves of what one covers.

    def _recorded(self) -> None:
        """A record was made, or could not be: when, and how far it would stand alone."""
        self._recorded_at = self.delivery.elapsed
        self._stands_until = self._steady_until(self.checkpoint_every)

    def _steady_until(self, checkpoint_every: int) -> int:
        """The second until which the rate is constant, an interval from now at the most."""
        last, edge = self.delivery.elapsed + checkpoint_every, self.delivery.next_edge()
        return last if edge is None or last < edge else edge

    @property
    def next_record(self) -> int:
        """The second at which the next record is due."""
        return max(self._stands_until, self._recorded_at + self.covers // 2)

    @property
    def _record_by(self) -> int:
        """The second by which the next record is made."""
        return max(self._stands_until, self._recorded_at + self.covers)

    def _account_for_crash(self, state: PumpState) -> None:
        """What may have been moved after the last record, before another had to be made."""
        d = self.delivery
        steady = self._steady_until(state.checkpoint_every) - d.elapsed
        units = d.rate * steady
        if state.covers > steady:
            alone = self._going_on(state)
            alone.advance(self.elapsed + state.covers)
            units = alone.due - d.due
        most = d.assume(units)
        self.show(Alarm.RESTARTED)
        self.log(LogKind.RESTARTED, 0, most)
        self._take_events()

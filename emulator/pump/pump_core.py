"""The pump's inner life: its mode, its alarms, and how both and all else are recorded.

The one idea about the memory: whatever changes the pump is done to the pump, then recorded as one
change together with the pump's whole state; if it cannot be recorded, it is undone.
`mockpump.emulator.pump.device` is the pump as others see it.
"""

from mockpump.emulator.memory.interface import SLOTS, Change, Memory, MemoryFailed, Outcome
from mockpump.emulator.pump.alarms import AlarmPanel
from mockpump.emulator.pump.caller import Caller
from mockpump.emulator.pump.catheter import Catheter
from mockpump.emulator.pump.delivery import Delivery
from mockpump.emulator.pump.delivery_state import Happening
from mockpump.emulator.pump.modes import ModeInput, following
from mockpump.emulator.pump.overlay import Bolus
from mockpump.emulator.pump.pairing import Pairing
from mockpump.emulator.pump.pump_state import (
    PumpIdentity,
    PumpState,
    decode_state,
)
from mockpump.protocol import program as programs
from mockpump.protocol.errors import DecodeError, LocalProtocolError
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
    Happening.EMPTY: Alarm.EMPTY,
    Happening.LOW: Alarm.LOW_RESERVOIR,
    Happening.LIMIT_RATE: Alarm.LIMIT_REACHED,
    Happening.LIMIT_DAILY: Alarm.LIMIT_REACHED,
}
_PASSING = frozenset({Alarm.LIMIT_REACHED, Alarm.RESTARTED})


class PumpCore:
    """A pump without a front: what it is made of, how it reacts, what it keeps."""

    __slots__ = (
        "_active",
        "_entries",
        "_images",
        "_later",
        "_recorded_at",
        "_recorded_turns",
        "catheter",
        "checkpoint_every",
        "delivery",
        "identity",
        "memory",
        "memory_error",
        "mode",
        "pairing",
        "panel",
        "sensor",
        "serving",
        "turned_away",
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
        self.serving: Caller | None = None
        # In which stretch of time somebody was turned away last, and how often in it.
        self.turned_away = (0, 0)
        self._active: int | None
        self._later: int | None
        # What the reservoir's sensor is stuck at; None while it follows.
        self.sensor: int | None
        self.memory = memory
        # Why it could not be written the last time that it could not.
        self.memory_error = ""
        self.checkpoint_every = checkpoint_every
        self._images = [memory.image(slot) for slot in range(SLOTS)]
        self._entries: list[LogEntry] = []
        state = decode_state(recorded)
        for slot in (state.active, state.later):
            if slot is not None and not self._images[slot]:
                raise DecodeError(f"the memory names a program in slot {slot}, and there is none")
        self._set(state)
        self._recorded_at, self._recorded_turns = self.elapsed, self.delivery.turns
        if not state.clean:
            self._account_for_crash(state.checkpoint_every)
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
        """Raise an alarm; `settle` when all that belongs together is done."""
        when = self.elapsed if elapsed is None else elapsed
        if self.panel.show(alarm, when, lasting=alarm not in _PASSING):
            self.log(LogKind.ALARM_RAISED, alarm, elapsed=when)

    def end(self, alarm: Alarm) -> None:
        """The cause of an alarm is gone; `settle` after it."""
        if self.panel.end(alarm):
            self.log(LogKind.ALARM_CLEARED, alarm)

    def enter(self, event: ModeInput) -> None:
        """Change the mode as the table says, and have delivery follow."""
        before, self.mode = self.mode, following(self.mode, event)
        if self.mode is Mode.RUNNING:
            self.delivery.resume()
        elif self.mode is Mode.FAULT:
            self.delivery.halt()
        elif before is not self.mode or event is ModeInput.PROGRAM:
            self.delivery.suspend()
        self._take_happenings()

    def settle(self) -> None:
        """Be in the mode that the alarms call for."""
        if self.delivery.empty and self.mode is Mode.RUNNING:
            self.show(Alarm.EMPTY)
        event = ModeInput.FAULT if self.panel.stopping else ModeInput.CLEARED
        if following(self.mode, event) is not self.mode:
            self.enter(event)

    def _take_happenings(self) -> None:
        happened = self.delivery.happened
        if happened:
            self.delivery.happened = []
            for elapsed, happening, bolus in happened:
                self._take_happening(elapsed, happening, bolus)
            self.settle()

    def _take_happening(self, elapsed: int, happening: Happening, bolus: Bolus | None) -> None:
        if happening in _ALARM_OF:
            self.show(_ALARM_OF[happening], elapsed)
        elif happening is Happening.PROGRAM:
            self._active, self._later = self._later, None
            self.log(LogKind.PROGRAM, digest_figure(self.image), elapsed=elapsed)
        elif bolus is not None:
            self.log(LogKind.BOLUS_ENDED, bolus.volume, bolus.left(elapsed), elapsed=elapsed)
        elif happening is Happening.BOLUS_ENDED:
            self.log(LogKind.BOLUS_ENDED, elapsed=elapsed)
        else:
            self.log(LogKind.TEMPORARY_ENDED, elapsed=elapsed)

    # -- the memory ----------------------------------------------------------------------------

    def log(
        self, kind: LogKind, first: int = 0, second: int = 0, elapsed: int | None = None
    ) -> None:
        """Put down what has happened; it is recorded with the next change."""
        when = self.elapsed if elapsed is None else elapsed
        shown = self.delivery.clock_work.shown(when)
        self._entries.append(LogEntry(when, shown, kind, min(first, _U32), min(second, _U32)))

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
        change = Change(self._state(clean=clean), outcome, images or {}, tuple(self._entries))
        try:
            self.memory.record(change)
        except MemoryFailed as error:
            self.memory_error = str(error)
            # To be tried again an interval later, if nothing happens before.
            self._recorded_at = self.elapsed
            return False
        self._entries.clear()
        self._recorded_at, self._recorded_turns = self.elapsed, self.delivery.turns
        if self.panel.present(Alarm.MEMORY_FAULT):
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
            self.catheter.copy(),
            self.panel.copy(),
            self._active,
            self._later,
            self.sensor,
            self.checkpoint_every,
            clean,
            self.pairing,
        )

    def _set(self, state: PumpState) -> None:
        self.identity, self.mode = state.identity, state.mode
        self.catheter, self.panel = state.catheter, state.panel
        self._active, self._later = state.active, state.later
        self.sensor = state.sensor
        self.pairing = state.pairing
        self.delivery = Delivery(0, state.limits)
        later = programs.from_image(self.pending_image) if self.pending_image else None
        self.delivery.restore(state.delivery, self.program, later)
        self._recorded_turns = self.delivery.turns

    def _account_for_crash(self, checkpoint_every: int) -> None:
        """What may have been moved after the last checkpoint and before the next one."""
        d = self.delivery
        next_record = self.elapsed + checkpoint_every
        seconds = min(d.next_edge() or next_record, next_record) - self.elapsed
        most = d.assume(d.rate * seconds)
        self.show(Alarm.RESTARTED)
        self.log(LogKind.RESTARTED, 0, most)
        self._take_happenings()

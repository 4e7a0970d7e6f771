"""The pump's whole account of itself, as one value: what a checkpoint holds, as JSON.

Kept apart from the images of its programs, the outcomes and the log, which are the memory's own.
JSON, so that a curious person can read a checkpoint with any tool.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

import msgspec

from mockpump.emulator.memory.interface import SLOTS, Outcome
from mockpump.emulator.pump.alarms import PASSING, AlarmPanel, Shown
from mockpump.emulator.pump.catheter import MOST_FLUIDS, Catheter
from mockpump.emulator.pump.clock import MAX_DRIFT, PumpClock
from mockpump.emulator.pump.overrides import Bolus, TemporaryRate
from mockpump.emulator.pump.pairing import Pairing
from mockpump.emulator.pump.rolling_window import Piece, RateProfile, RollingVolume
from mockpump.emulator.pump.strangers import NOBODY, Strangers
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.errors import DecodeError, LocalProtocolError
from mockpump.protocol.fields import Record
from mockpump.protocol.keys import SECRET_SIZE
from mockpump.protocol.messages import PROTOCOL_VERSION, Alarm, Limits, Mode, When
from mockpump.protocol.messages.base import Message
from mockpump.protocol.program import UNITS_PER_NL, ProgramError
from mockpump.protocol.quick_enum import QuickEnum

STEP = 10
UNITS_PER_STEP = STEP * UNITS_PER_NL


class DeliveryEvent(QuickEnum):
    """What can come of itself while time goes by."""

    EMPTY = "the reservoir cannot give another whole micro-step"
    LOW = "the reservoir falls to its mark"
    LIMIT_RATE = "the rates of what runs together would be above the limit"
    LIMIT_DAILY = "the next second would break the limit of 24 h"
    BOLUS_ENDED = "a bolus has been given"
    BOLUS_CUT = "a bolus has ended early, because delivery has stopped"
    TEMPORARY_ENDED = "a temporary rate has ended"
    PROGRAM = "the program that was pending rules"


class ReservoirFill(msgspec.Struct, frozen=True):
    """A filling of the reservoir: `volume` nL, when `delivered` nL had been moved in all."""

    volume: int
    delivered: int = 0

    def level(self, left: int) -> int:
        """The sum due (1/3600 nL) at which no more than `left` nL, by whole steps, are left."""
        return (self.delivered + max(self.volume - left, 0)) // STEP * UNITS_PER_STEP


class Pending(msgspec.Struct, frozen=True):
    """When a program is to rule: at the next edge, or when the clock's day is after `day`."""

    when: When
    day: int


class DeliveryState(msgspec.Struct, frozen=True):
    """All that delivery knows, but for the programs and the limits, which are kept elsewhere."""

    elapsed: int
    due: int
    running: bool
    clock: PumpClock
    filling: ReservoirFill
    rolling: RollingVolume
    start_day: int
    held_day: int | None
    bolus: Bolus | None
    temporary: TemporaryRate | None
    pending: Pending | None


_U16, _U32 = 2**16 - 1, 2**32 - 1
RESERVOIR = 20_000_000


class PumpIdentity(Record, frozen=True):
    """What sets one made-up pump apart from another.  Reservoir in nL."""

    serial: int = 1001
    name: str = "mock pump"
    reservoir: int = RESERVOIR


class PumpState(
    msgspec.Struct,
    frozen=True,
    # As they have always stood in a memory.
    rename={"active_slot": "active", "pending_slot": "later", "clean_shutdown": "clean"},
):
    """All that a pump must know to go on.

    `active_slot` is that of the program that rules (None: none), `pending_slot` that of one that is
    pending; `sensor` is what the reservoir's sensor is stuck at (None: it follows).
    `checkpoint_every` is how many seconds of pump time there are between two checkpoints at most;
    `clean_shutdown` whether the pump was shut down in good order after this; `covers` for how many
    seconds from here on no other record need be made, whatever comes of itself.
    """

    identity: PumpIdentity
    mode: Mode
    delivery: DeliveryState
    limits: Limits
    catheter: Catheter
    panel: AlarmPanel
    active_slot: int | None
    pending_slot: int | None
    sensor: int | None
    checkpoint_every: int
    clean_shutdown: bool
    # A memory from before there were keys holds none: such a pump lets nobody in.
    pairing: Pairing = Pairing()
    strangers: Strangers = NOBODY
    covers: int = 0

    def __bytes__(self) -> bytes:
        return encode_state(self)


def _history_out(history: RollingVolume) -> list[Piece]:
    return history.pieces()


def _history_in(_: type[RollingVolume], pieces: Any) -> RollingVolume:
    return RollingVolume(msgspec.convert(pieces, list[Piece]))


_ENCODER = msgspec.json.Encoder(enc_hook=_history_out)
_DECODER = msgspec.json.Decoder(PumpState, dec_hook=_history_in)


def encode_state(state: PumpState) -> bytes:
    """A state as JSON."""
    return _ENCODER.encode(state)


def decode_state(data: bytes) -> PumpState:
    """The state that was encoded; `DecodeError` when it is none."""
    try:
        state = _DECODER.decode(data)
    except msgspec.MsgspecError as error:
        raise DecodeError(f"the memory holds no state of a pump: {error}") from None
    for what, sound in _checks(state):
        if not sound:
            raise DecodeError(f"the memory holds no state of a pump: {what} cannot be")
    return state


def check_images(state: PumpState, image: Callable[[int], bytes]) -> None:
    """`DecodeError` unless a program is in each slot that the state names; `image` gives it."""
    for slot in (state.active_slot, state.pending_slot):
        if slot is None:
            continue
        if not (held := image(slot)):
            raise DecodeError(f"the memory names a program in slot {slot}, and there is none")
        try:
            programs.from_image(held)
        except (DecodeError, ProgramError) as error:
            raise DecodeError(f"the memory holds no program in slot {slot}: {error}") from None


def check_outcomes(outcomes: Iterable[Outcome]) -> None:
    """`DecodeError` unless each is a request with its number, and what that can be answered."""
    for outcome in outcomes:
        what = f"the memory holds no outcome of transaction {outcome.transaction}"
        try:
            request, reply = m.decode(outcome.request), m.decode(outcome.reply)
        except DecodeError as error:
            raise DecodeError(f"{what}: {error}") from None
        if getattr(request, "transaction", None) != outcome.transaction:
            raise DecodeError(f"{what}: the request is of another")
        if type(reply) not in (m.entry_of(type(request)).reply, m.Refused):
            raise DecodeError(f"{what}: the reply is to another request")


# What no pump ever writes, whatever it has lived through.  A memory is a file that anybody can
# edit, and a value that cannot be would come out later: as a message that cannot be sent, a rate
# below zero, an alarm that nothing ends, a limit that is not a limit.  So each value is checked
# when a memory is opened, alone and against those that it must agree with.  A history that somebody
# has made up without a contradiction is as good as a true one.
def _checks(state: PumpState) -> Iterator[tuple[str, bool]]:
    """Each thing, and whether it is so."""
    yield "that identity", _can_be_said(m.Identity, PROTOCOL_VERSION, *_identity(state))
    yield "that limit", _can_be_said(Limits, *msgspec.structs.astuple(state.limits))
    yield "that slot", _slots_fit(state)
    yield "that mode", _mode_fits(state)
    yield "that alarm", all(_alarm_fits(state, *each) for each in state.panel.shown.items())
    yield "that sensor", state.sensor is None or 0 <= state.sensor <= state.identity.reservoir
    yield "that interval", 0 < state.checkpoint_every <= _U32
    yield "that span", 0 <= state.covers <= _U32
    yield "that pairing", _pairing_fits(state.pairing)
    yield "what strangers did", state.strangers.is_sound()
    d = state.delivery
    yield "that time", 0 <= d.elapsed <= _U32 and 0 <= d.due <= d.elapsed * _U32
    yield "that clock", _clock_fits(d)
    yield "that filling", _filling_fits(d, state.identity.reservoir)
    yield "that past", _past_fits(d)
    yield "that bolus", d.bolus is None or _bolus_fits(d.bolus, state)
    yield "that temporary rate", d.temporary is None or _temporary_fits(d.temporary, state)
    yield "that catheter", _catheter_fits(state.catheter, d.due)


def _can_be_said(kind: type[Message], *values: Any) -> bool:
    try:
        m.encode(kind(*values))
    except LocalProtocolError:
        return False
    return True


def _identity(state: PumpState) -> tuple[int, int, int, str]:
    return state.identity.serial, state.identity.reservoir, STEP, state.identity.name


def _slots_fit(state: PumpState) -> bool:
    pending = state.delivery.pending
    slots = [slot for slot in (state.active_slot, state.pending_slot) if slot is not None]
    if len(set(slots)) != len(slots) or not set(slots) <= set(range(SLOTS)):
        return False
    if state.pending_slot is None:
        return pending is None
    return state.active_slot is not None and pending is not None and pending.when is not When.NOW


def _mode_fits(state: PumpState) -> bool:
    """Without a program it is stopped, and with one it is not; the motor turns in one mode only."""
    if state.active_slot is None or state.mode is Mode.STOPPED:
        return state.active_slot is None and state.mode is Mode.STOPPED
    return state.delivery.running == (state.mode is Mode.RUNNING)


def _alarm_fits(state: PumpState, alarm: int, shown: Shown) -> bool:
    if alarm not in set(Alarm) or not 0 <= shown.since <= state.delivery.elapsed:
        return False
    if shown.present:
        # The cause of such a one is over at once: nothing would ever end it.
        return alarm not in PASSING
    return not shown.acknowledged


def _pairing_fits(pairing: Pairing) -> bool:
    keys = {len(pairing.observer), len(pairing.clinician)}
    return keys <= {0, SECRET_SIZE} and 0 <= pairing.failures <= _U32


def _clock_fits(d: DeliveryState) -> bool:
    days = (d.start_day, d.held_day or 0, d.pending.day if d.pending else 0)
    if d.held_day is not None and d.held_day < 0:
        return False
    far = max(map(abs, (d.clock.reading, *days)))
    return abs(d.clock.drift) <= MAX_DRIFT and 0 <= d.clock.elapsed <= d.elapsed and far < 2**62


def _filling_fits(d: DeliveryState, reservoir: int) -> bool:
    moved = d.due // UNITS_PER_STEP * STEP - d.filling.delivered
    return d.filling.delivered >= 0 and 0 <= moved <= d.filling.volume <= reservoir


def _past_fits(d: DeliveryState) -> bool:
    """A line of straight pieces without a gap, that never falls, up to now."""
    pieces = list(d.rolling.breakpoints)
    if not pieces or pieces[0][0] < -1 or pieces[-1][0] > d.elapsed:
        return False
    return all(
        isinstance(rate, int) and rate >= 0 and began < ended and due + rate * (ended - began) == to
        for (began, due, rate), (ended, to, _) in pairwise(pieces)
    ) and _reaches(pieces[-1], d)


def _reaches(last: tuple[int, int, int | RateProfile], d: DeliveryState) -> bool:
    began, due, rate = last
    return isinstance(rate, int) and rate >= 0 and due + rate * (d.elapsed - began) == d.due


def _bolus_fits(bolus: Bolus, state: PumpState) -> bool:
    now = state.delivery.elapsed
    return (
        _can_be_said(m.StartBolus, 0, bolus.kind, bolus.volume, bolus.duration)
        and 0 <= bolus.began <= now < bolus.ends <= _U32
        and bolus.volume <= state.limits.bolus
        and state.mode is Mode.RUNNING
    )


def _temporary_fits(temporary: TemporaryRate, state: PumpState) -> bool:
    left = temporary.ends - state.delivery.elapsed
    return (
        _can_be_said(m.SetTemporary, 0, temporary.percent, left)
        and temporary.ends <= _U32
        and state.mode in (Mode.RUNNING, Mode.SUSPENDED)
    )


def _catheter_fits(catheter: Catheter, due: int) -> bool:
    fluids, out = catheter.fluids, due - catheter.dead * UNITS_PER_NL
    if not 0 < len(fluids) <= MOST_FLUIDS or not 0 <= fluids[0].since <= max(out, 0):
        return False
    if not all(_can_be_said(m.Refill, 0, 0, each.concentration) for each in fluids):
        return False
    follow = all(
        before.since < after.since and before.concentration != after.concentration
        for before, after in pairwise(fluids)
    )
    known = 0 <= catheter.past <= fluids[0].since * _U16
    return follow and fluids[-1].since <= due and 0 <= catheter.dead <= _U32 and known

"""The pump's whole account of itself, as one value: what a checkpoint holds, as JSON.

Kept apart from the images of its programs, the outcomes and the log, which are the memory's own.
JSON, so that a curious person can read a checkpoint with any tool.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from mockpump.emulator.memory.interface import SLOTS
from mockpump.emulator.pump.alarms import AlarmPanel
from mockpump.emulator.pump.catheter import Catheter
from mockpump.emulator.pump.clock import MAX_DRIFT
from mockpump.emulator.pump.delivery_state import DeliveryState
from mockpump.emulator.pump.pairing import Pairing
from mockpump.emulator.pump.rolling import Piece, RollingVolume
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.fields import Record
from mockpump.protocol.messages import Alarm, Limits, Mode

RESERVOIR = 20_000_000


class PumpIdentity(Record, frozen=True):
    """What sets one made-up pump apart from another.  Reservoir in nL."""

    serial: int = 1001
    name: str = "mock pump"
    reservoir: int = RESERVOIR


class PumpState(msgspec.Struct, frozen=True):
    """All that a pump must know to go on.

    `active` is the slot of the program that rules (None: none), `later` the slot of one that is
    pending; `sensor` is what the reservoir's sensor is stuck at (None: it follows).
    `checkpoint_every` so many seconds of pump time the next one comes; `clean`: whether the pump
    was put down in good order after this.  `covers`: for so many seconds more, whatever comes of
    itself in them, there need be no other record.
    """

    identity: PumpIdentity
    mode: Mode
    delivery: DeliveryState
    limits: Limits
    catheter: Catheter
    panel: AlarmPanel
    active: int | None
    later: int | None
    sensor: int | None
    checkpoint_every: int
    clean: bool
    # A memory from before there were keys holds none: such a pump lets nobody in.
    pairing: Pairing = Pairing()
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


def _checks(state: PumpState) -> Iterator[tuple[str, bool]]:
    """What no pump ever writes, whatever it has lived through: each thing, and whether it is so."""
    d, slots = state.delivery, (None, *range(SLOTS))
    yield "that slot", state.active in slots and state.later in slots
    yield "that alarm", all(alarm in set(Alarm) for alarm in state.panel.shown)
    yield "that drift", abs(d.clock.drift) <= MAX_DRIFT
    yield "that bolus", d.bolus is None or (d.bolus.duration > 0 and d.bolus.volume > 0)
    past = d.rolling.corners
    yield "that past", bool(past) and all(began <= d.elapsed for began, _, _ in past)
    yield "that catheter", bool(state.catheter.fluids) and state.catheter.dead >= 0
    yield "that time", 0 <= d.elapsed < 2**32 and d.due >= 0 and state.checkpoint_every > 0
    yield "that span", 0 <= state.covers < 2**32
    yield "that filling", d.filling.volume >= 0 and d.filling.delivered >= 0

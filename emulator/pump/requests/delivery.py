"""Requests that change delivery: clock, suspend, bolus, temporary rate, refill, ramp."""

from collections.abc import Iterator
from functools import partial

from mockpump.emulator.pump import operations
from mockpump.emulator.pump.catheter import MOST_FLUIDS
from mockpump.emulator.pump.limits import Excess, daily_excesses, rise_excesses, rises
from mockpump.emulator.pump.modes import ModeInput
from mockpump.emulator.pump.overrides import Bolus, TemporaryRate
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests.decision import (
    ANY,
    Command,
    Decision,
    refuse,
    refuse_excess,
    where,
)
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.messages import Mode, Reason
from mockpump.protocol.messages.base import Message
from mockpump.protocol.program import UNITS_PER_NL, scaled

_U32 = 2**32 - 1
_RUNNING = frozenset({Mode.RUNNING})


def _set_clock(pump: Pump, request: m.SetClock, peer: Peer) -> Decision:
    for excess in _rises_to(pump, pump.delivery.percent_with(request.clock)):
        return refuse_excess(request, excess)
    reply = m.ClockSet(pump.delivery.clock, request.clock)
    return Decision(reply, partial(operations.set_clock, pump, request.clock))


def _suspend(pump: Pump, request: m.Suspend, peer: Peer) -> Decision:
    return Decision(m.Suspended(pump.elapsed), partial(operations.suspend, pump))


def _resume(pump: Pump, request: m.Resume, peer: Peer) -> Decision:
    return Decision(m.Resumed(pump.elapsed), partial(operations.resume, pump))


def _start_bolus(pump: Pump, request: m.StartBolus, peer: Peer) -> Decision:
    d = pump.delivery
    if d.bolus is not None:
        return refuse(request, Reason.BUSY, 0, d.bolus.ends)
    bolus = Bolus(request.kind, request.volume, request.duration, pump.elapsed)
    ends, rate = bolus.ends, bolus.rate
    if bolus.volume > d.limits.bolus:
        return refuse(request, Reason.LIMIT_BOLUS, 3, bolus.volume, d.limits.bolus)
    if d.rate + rate > d.limits.rate:
        return refuse(request, Reason.LIMIT_RATE, 4, d.rate + rate, d.limits.rate)
    for excess in daily_excesses(d.last_day + bolus.volume * UNITS_PER_NL, d.limits):
        return refuse_excess(request, excess, 3)
    if ends > _U32:
        return refuse(request, Reason.OUT_OF_RANGE, 4, request.duration, _U32 - pump.elapsed)
    return Decision(m.BolusStarted(ends, rate), partial(operations.start_bolus, pump, bolus))


def _cancel_bolus(pump: Pump, request: m.CancelBolus, peer: Peer) -> Decision:
    bolus = pump.delivery.bolus
    if bolus is None:
        return refuse(request, Reason.NOTHING_TO_END)
    left = pump.bolus_left
    return Decision(
        m.BolusCancelled(bolus.volume - left, left), partial(operations.end_bolus, pump)
    )


def _set_temporary(pump: Pump, request: m.SetTemporary, peer: Peer) -> Decision:
    d = pump.delivery
    temporary = TemporaryRate(request.percent, pump.elapsed + request.duration)
    if temporary.ends > _U32:
        return refuse(request, Reason.OUT_OF_RANGE, 3, request.duration, _U32 - pump.elapsed)
    rate = scaled(d.base_rate, request.percent) + d.bolus_rate
    if rate > d.limits.rate:
        return refuse(request, Reason.LIMIT_RATE, 2, rate, d.limits.rate)
    return Decision(
        m.TemporarySet(temporary.ends), partial(operations.set_temporary, pump, temporary)
    )


def _cancel_temporary(pump: Pump, request: m.CancelTemporary, peer: Peer) -> Decision:
    if pump.delivery.temporary is None:
        return refuse(request, Reason.NOTHING_TO_END)
    return Decision(
        m.TemporaryCancelled(pump.elapsed), partial(operations.set_temporary, pump, None)
    )


def _refill(pump: Pump, request: m.Refill, peer: Peer) -> Decision:
    if request.volume > pump.identity.reservoir:
        return refuse(request, Reason.OUT_OF_RANGE, 2, request.volume, pump.identity.reservoir)
    d = pump.delivery
    after = pump.catheter.refilled(d.due, request.concentration)
    if len(after.fluids) > MOST_FLUIDS:
        newest = pump.catheter.concentration
        return refuse(request, Reason.OUT_OF_RANGE, 3, request.concentration, newest)
    next_out, ahead = after.fluids[0].concentration, after.ahead(d.due)
    reply = m.Refilled(d.reservoir, next_out, request.concentration, ahead)
    return Decision(reply, partial(operations.refill, pump, request.volume, request.concentration))


def _rises_to(pump: Pump, percent: int) -> Iterator[Excess]:
    """What going to another percentage of the ramp at once would break."""
    d = pump.delivery
    yield from rises(d.percent, percent, d.limits)
    if pump.program is not None and pump.pending_image:
        # What waits was let in beside the present step.
        pending = programs.from_image(pump.pending_image)
        yield from rise_excesses(pump.program, percent, pending, d.limits)


def _move_ramp(pump: Pump, request: m.MoveRamp, peer: Peer) -> Decision:
    d = pump.delivery
    if d.schedule is None:
        return refuse(request, Reason.WRONG_MODE, 0, pump.mode)
    moved = d.schedule.moved(request.move, d.day)
    held = moved.held_day is not None
    state = m.RampState.HELD if held else m.RampState.FOLLOWING
    percent = moved.percent_at(d.pump_clock.at(pump.elapsed))
    for excess in _rises_to(pump, percent):
        return refuse_excess(request, excess)
    return Decision(m.RampMoved(percent, state), partial(operations.move_ramp, pump, request.move))


COMMANDS: dict[type[Message], Command] = {
    m.SetClock: Command(_set_clock, ANY),
    m.Suspend: Command(_suspend, where(ModeInput.SUSPEND)),
    m.Resume: Command(_resume, where(ModeInput.RESUME)),
    m.StartBolus: Command(_start_bolus, _RUNNING),
    m.CancelBolus: Command(_cancel_bolus, ANY),
    m.SetTemporary: Command(_set_temporary, _RUNNING),
    m.CancelTemporary: Command(_cancel_temporary, ANY),
    m.Refill: Command(_refill, ANY),
    m.MoveRamp: Command(_move_ramp, ANY),
}

"""Requests about limits and alarms."""

from collections.abc import Iterator
from functools import partial

import msgspec

from mockpump.emulator.pump import operations
from mockpump.emulator.pump.limits import Excess, daily_excesses, program_excesses, rise_excesses
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests.decision import ANY, Command, Decision, refuse, refuse_excess
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.messages import Alarm, Limits, Reason
from mockpump.protocol.messages.base import Message


def _get_limits(pump: Pump, request: m.GetLimits, peer: Peer) -> Decision:
    return Decision(pump.delivery.limits)


def _set_limits(pump: Pump, request: m.SetLimits, peer: Peer) -> Decision:
    limits = Limits(request.rate, request.bolus, request.daily, request.rise)
    for excess in _broken_now(pump, limits):
        return refuse_excess(request, excess)
    reply = m.LimitsSet(*msgspec.structs.astuple(limits))
    return Decision(reply, partial(operations.set_limits, pump, limits))


def _broken_now(pump: Pump, limits: Limits) -> Iterator[Excess]:
    """What limits would be broken by what the pump holds and does already."""
    d = pump.delivery
    for image in (pump.image, pump.pending_image):
        if image:
            yield from program_excesses(programs.from_image(image), limits)
    if pump.program is not None and pump.pending_image:
        pending = programs.from_image(pump.pending_image)
        yield from rise_excesses(pump.program, d.percent, pending, limits)
    if d.rate > limits.rate:
        yield Excess(Reason.LIMIT_RATE, d.rate, limits.rate)
    if d.bolus is not None and d.bolus.volume > limits.bolus:
        yield Excess(Reason.LIMIT_BOLUS, d.bolus.volume, limits.bolus)
    yield from daily_excesses(d.last_day, limits)


def _get_alarms(pump: Pump, request: m.GetAlarms, peer: Peer) -> Decision:
    shown = pump.panel.shown
    present = sum(1 << alarm for alarm, each in shown.items() if each.present)
    unacknowledged = sum(1 << alarm for alarm, each in shown.items() if not each.acknowledged)
    since = tuple(shown[alarm].since if alarm in shown else 0 for alarm in Alarm)
    return Decision(m.Alarms(pump.panel.priority, present, unacknowledged, since))


def _acknowledge(pump: Pump, request: m.AcknowledgeAlarm, peer: Peer) -> Decision:
    if request.alarm not in pump.panel.shown:
        return refuse(request, Reason.NO_SUCH_ALARM, 2, request.alarm)
    # Seen and gone, it keeps nothing stopped any more, if it is the last.
    mode = operations.mode_after_acknowledging(pump, request.alarm)
    return Decision(
        m.AlarmAcknowledged(request.alarm, mode),
        partial(operations.acknowledge, pump, request.alarm),
    )


COMMANDS: dict[type[Message], Command] = {
    m.GetLimits: Command(_get_limits, ANY),
    m.SetLimits: Command(_set_limits, ANY),
    m.GetAlarms: Command(_get_alarms, ANY),
    m.AcknowledgeAlarm: Command(_acknowledge, ANY),
}

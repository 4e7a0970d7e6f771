"""What can be done to a pump, each with its entry in the log.

They decide nothing and refuse nothing; whoever calls them has asked whether it is allowed, and
has the pump record it (`Pump.change`).
"""

from mockpump.emulator.pump.alarms import ALARMS
from mockpump.emulator.pump.modes import ModeInput, following
from mockpump.emulator.pump.overrides import Bolus, TemporaryRate
from mockpump.emulator.pump.pairing import paired_with
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.state import STEP
from mockpump.protocol.keys import PairingKey
from mockpump.protocol.messages import (
    PROTOCOL_VERSION,
    Access,
    Alarm,
    Limits,
    LogKind,
    Mode,
    RampMove,
)


def set_clock(pump: Pump, clock: int) -> None:
    """Set the clock, in seconds since a Monday at midnight."""
    pump.log(LogKind.CLOCK_SET, pump.delivery.clock, clock)
    pump.delivery.set_clock(clock)


def suspend(pump: Pump) -> None:
    """Stop delivery until `resume`; a bolus ends with it."""
    end_bolus(pump)
    pump.log(LogKind.SUSPENDED)
    pump.enter(ModeInput.SUSPEND)


def resume(pump: Pump) -> None:
    """Follow the program again."""
    pump.log(LogKind.RESUMED)
    pump.enter(ModeInput.RESUME)


def start_bolus(pump: Pump, bolus: Bolus) -> None:
    """Give a bolus on top of the program."""
    pump.log(LogKind.BOLUS_STARTED, bolus.volume, bolus.duration)
    pump.delivery.start_bolus(bolus)


def end_bolus(pump: Pump) -> None:
    """Give no more of the bolus that runs, if one does; its log entry says what was left."""
    if pump.delivery.bolus is not None:
        pump.log(LogKind.BOLUS_ENDED, pump.delivery.bolus.volume, pump.bolus_left)
        pump.delivery.end_bolus()


def set_temporary(pump: Pump, temporary: TemporaryRate | None) -> None:
    """Scale the program's rate for a while; None: no longer."""
    if temporary is None:
        pump.log(LogKind.TEMPORARY_ENDED)
    else:
        pump.log(LogKind.TEMPORARY_STARTED, temporary.percent, temporary.ends)
    pump.delivery.set_temporary(temporary)


def refill(pump: Pump, volume: int, concentration: int) -> None:
    """Fill the reservoir anew, nL and du/mL; what the catheter holds comes out first."""
    pump.log(LogKind.REFILLED, volume, concentration)
    pump.catheter = pump.catheter.refilled(pump.delivery.due, concentration)
    pump.delivery.fill(volume)
    if volume >= STEP:
        pump.end(Alarm.LOW_RESERVOIR)
        pump.end(Alarm.EMPTY)


def move_ramp(pump: Pump, move: RampMove) -> None:
    """Hold the ramp, let it go on, or go back a step."""
    pump.delivery.move_ramp(move)
    pump.log(LogKind.RAMP_MOVED, move, pump.delivery.percent)


def set_limits(pump: Pump, limits: Limits) -> None:
    """Hold other limits."""
    pump.log(LogKind.LIMITS_SET, limits.rate, limits.daily)
    pump.delivery.set_limits(limits)


def acknowledge(pump: Pump, alarm: Alarm) -> None:
    """Somebody has seen an alarm."""
    pump.log(LogKind.ALARM_ACKNOWLEDGED, alarm)
    pump.panel.acknowledge(alarm)


def start_session(pump: Pump, access: Access, ended: Access | None = None) -> None:
    """Somebody has proved to hold a key.  `ended`: the access of the session that ends with it."""
    if ended is not None:
        pump.log(LogKind.TAKEN_OVER, ended)
    pump.log(LogKind.SESSION_STARTED, access, PROTOCOL_VERSION)
    pump.pairing = pump.pairing.forgiven()


def fail_proof(pump: Pump, access: Access) -> None:
    """Somebody has proved nothing; too often in a row, and no proof is looked at for a while."""
    pump.pairing = pump.pairing.after_failure()
    pump.log(LogKind.PROOF_FAILED, access, 1)
    if pump.pairing.locked:
        pump.show(Alarm.PAIRING_LOCKED)


def unlock(pump: Pump) -> None:
    """The lock has been closed for long enough: proofs are looked at again."""
    pump.pairing = pump.pairing.forgiven()
    pump.end(Alarm.PAIRING_LOCKED)


def pair(pump: Pump, keys: dict[Access, PairingKey]) -> None:
    """Take new keys; the old ones prove nothing any more, and a lock is lifted."""
    pump.log(LogKind.PAIRED)
    pump.pairing = paired_with(keys)
    pump.end(Alarm.PAIRING_LOCKED)


def mode_after_acknowledging(pump: Pump, alarm: Alarm) -> Mode:
    """The mode that `acknowledge`, once recorded, leads to."""

    def is_left(each: int) -> bool:
        known = pump.panel.shown[each]
        # To record it is a write that succeeds: the memory is not at fault any more.
        present = known.present and each != Alarm.MEMORY_FAULT
        return present or not (known.acknowledged or each == alarm)

    stopping = any(ALARMS[Alarm(each)].stops for each in filter(is_left, pump.panel.shown))
    return following(pump.mode, ModeInput.FAULT if stopping else ModeInput.CLEARED)

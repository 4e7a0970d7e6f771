"""The pump's modes as one table: what may happen in which mode, and where it leads.

A cell that is missing is not allowed there; the pump refuses it with `Reason.WRONG_MODE`.
"""

from mockpump.protocol.messages import Mode
from mockpump.protocol.quick_enum import QuickEnum


class ModeInput(QuickEnum):
    """What can change the mode."""

    PROGRAM = "a program is committed"
    SUSPEND = "delivery is suspended"
    RESUME = "delivery is resumed"
    FAULT = "an alarm stops delivery"
    CLEARED = "the last alarm that stops delivery is gone and acknowledged"


MODES: dict[Mode, dict[ModeInput, Mode]] = {
    Mode.STOPPED: {
        ModeInput.PROGRAM: Mode.RUNNING,
        ModeInput.FAULT: Mode.STOPPED,
        ModeInput.CLEARED: Mode.STOPPED,
    },
    Mode.RUNNING: {
        ModeInput.PROGRAM: Mode.RUNNING,
        ModeInput.SUSPEND: Mode.SUSPENDED,
        ModeInput.FAULT: Mode.FAULT,
        ModeInput.CLEARED: Mode.RUNNING,
    },
    Mode.SUSPENDED: {
        ModeInput.PROGRAM: Mode.SUSPENDED,
        ModeInput.RESUME: Mode.RUNNING,
        ModeInput.FAULT: Mode.FAULT,
        ModeInput.CLEARED: Mode.SUSPENDED,
    },
    Mode.FAULT: {
        ModeInput.PROGRAM: Mode.FAULT,
        ModeInput.FAULT: Mode.FAULT,
        ModeInput.CLEARED: Mode.SUSPENDED,
    },
}


def allows(mode: Mode, event: ModeInput) -> bool:
    """Whether this may happen in that mode."""
    return event in MODES[mode]


def following(mode: Mode, event: ModeInput) -> Mode:
    """The mode it leads to; KeyError when it is not allowed (ask `allows` first)."""
    return MODES[mode][event]

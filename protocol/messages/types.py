"""The words that several messages use: enumerations, sizes, and fields with one meaning."""

from enum import IntEnum
from typing import Annotated

from mockpump.protocol.fields import fixed, u8, u16, u32, u64

PROTOCOL_VERSION = 1
DIGEST_SIZE = 8
MAX_IMAGE = 2048
MAX_NAME = 32
# A message must fit into the smallest payload a link may agree on (64 bytes) beside the room that
# a session layer will take; only `octets` fields grow beyond it, up to the payload agreed on.
MAX_CHUNK = 960
# The longest recorded reply that `OutcomeKnown` may have to carry within that smallest payload.
MAX_RECORDED = 32
MAX_TEMPORARY = 250
NO_RISE_LIMIT = 65_535
MAX_BOLUS = 100_000_000
CHAIN_SIZE = 8
NONCE_SIZE = 16
PROOF_SIZE = 16
# How many outcomes a pump remembers; an older transaction counts as never seen.
OUTCOMES = 64
LONGEST_BOLUS = 86_400
LONGEST_TEMPORARY = 7 * 86_400

# Fields that more than one message carries.
Transaction = Annotated[
    int, u32("", "chosen by the programmer; a repeated one is answered, not executed again")
]
Elapsed = Annotated[int, u32("s", "pump time since the pump was made; never set")]
ClockTime = Annotated[int, u32("s", "the pump's clock, since a Monday at midnight")]
Rate = Annotated[int, u32("nL/h", "present rate")]
Delivered = Annotated[int, u64("nL", "moved by the motor since the pump was made")]
Remainder = Annotated[int, u32("nL/3600", "owed by the motor: less than one micro-step")]
Reservoir = Annotated[int, u32("nL", "left in the reservoir")]
ActiveDigest = Annotated[bytes, fixed("digest of the active program", size=DIGEST_SIZE)]
Offset = Annotated[int, u16("B", "where the piece begins", maximum=MAX_IMAGE)]
Ends = Annotated[int, u32("s", "pump time at which it ends, as things stand; 0: nothing runs")]
Share = Annotated[int, u8("%", "of the program's rate", maximum=MAX_TEMPORARY)]
Concentration = Annotated[int, u16("du/mL", "fictional dose units in a millilitre")]
# Counted in the memory; what a programmer needs to tell "forgotten" from "never arrived".
Outcomes = Annotated[
    int, u32("", "outcomes recorded since the pump was made; stays at its maximum")
]
Interval = Annotated[int, u32("s", "of pump time; 0: none", maximum=86_400)]


class Mode(IntEnum):
    """What delivery is doing."""

    STOPPED = 0
    RUNNING = 1
    SUSPENDED = 2
    FAULT = 3


class Slot(IntEnum):
    """Which program a `ReadProgram` is about."""

    ACTIVE = 0
    STAGED = 1
    PENDING = 2


class When(IntEnum):
    """From when on a committed program rules."""

    NOW = 0
    EDGE = 1
    MIDNIGHT = 2


class BolusKind(IntEnum):
    """What a bolus is for; the pump gives both alike."""

    BOLUS = 0
    PRIMING = 1


class RampState(IntEnum):
    """Whether the ramp follows the calendar."""

    FOLLOWING = 0
    HELD = 1


class RampMove(IntEnum):
    """What to do with the ramp."""

    HOLD = 0
    GO_ON = 1
    STEP_BACK = 2


class Alarm(IntEnum):
    """What the pump can be in trouble with; the number is the bit in a set of alarms."""

    EMPTY = 0
    STALLED = 1
    MEMORY_FAULT = 2
    LIMIT_REACHED = 3
    LOW_RESERVOIR = 4
    LOW_BATTERY = 5
    SENSOR_STUCK = 6
    PAIRING_LOCKED = 7
    RESTARTED = 8


class Priority(IntEnum):
    """How much an alarm matters."""

    NONE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3


class OutcomeStatus(IntEnum):
    """What happened to a transaction."""

    NEVER_SEEN = 0
    DONE = 1
    REFUSED = 2


class LogKind(IntEnum):
    """What an entry of the event log is about; what its two figures are."""

    MADE = 0
    RESTARTED = 1
    PROGRAM = 2
    PENDING = 3
    SUSPENDED = 4
    RESUMED = 5
    CLOCK_SET = 6
    BOLUS_STARTED = 7
    BOLUS_ENDED = 8
    TEMPORARY_STARTED = 9
    TEMPORARY_ENDED = 10
    REFILLED = 11
    RAMP_MOVED = 12
    LIMITS_SET = 13
    ALARM_RAISED = 14
    ALARM_CLEARED = 15
    ALARM_ACKNOWLEDGED = 16
    PENDING_DROPPED = 17
    PAIRED = 18
    SESSION_STARTED = 19
    PROOF_FAILED = 20
    TURNED_AWAY = 21
    TAKEN_OVER = 22


class SessionEnd(IntEnum):
    """Why the pump ended a session by itself."""

    TAKEN_OVER = 0


class Reason(IntEnum):
    """Why the pump refused."""

    UNKNOWN_MESSAGE = 0
    MALFORMED = 1
    NOT_A_REQUEST = 2
    WRONG_MODE = 3
    NOTHING_STAGED = 4
    OUT_OF_ORDER = 5
    INCOMPLETE = 6
    BAD_DIGEST = 7
    BAD_PROGRAM = 8
    STALE_BASE = 9
    OUT_OF_RANGE = 10
    TRANSACTION_REUSED = 11
    LIMIT_RATE = 12
    LIMIT_BOLUS = 13
    LIMIT_DAILY = 14
    LIMIT_RISE = 15
    BUSY = 16
    NOTHING_TO_END = 17
    NO_SUCH_ALARM = 18
    MEMORY_FAILED = 19
    NO_SESSION = 20
    BAD_TAG = 21
    OLD_COUNTER = 22
    FORBIDDEN = 23
    WRONG_PROOF = 24
    PAIRING_LOCKED = 25
    WRONG_VERSION = 26
    NOT_PAIRED = 27

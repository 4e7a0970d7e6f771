"""What can be said: every message fits, is documented, and lies on the wire as written down."""

import struct
from enum import IntEnum
from typing import Any

import msgspec
import pytest
from hypothesis import given
from sample_records import MESSAGES

from mockpump.protocol import messages as m
from mockpump.protocol.fields import Declaration, Fixed, Integer, Integers, Octets, Text, fields_of
from mockpump.protocol.framing import MAX_PAYLOAD
from mockpump.protocol.link.types import MIN_PAYLOAD
from mockpump.protocol.messages.base import CATALOGUE, Direction, Message
from mockpump.protocol.strategies import messages

each_message = pytest.mark.parametrize(
    "message", MESSAGES, ids=[message.__name__ for message in MESSAGES]
)
ENUMERATIONS = [
    m.Mode,
    m.Slot,
    m.Reason,
    m.When,
    m.BolusKind,
    m.RampState,
    m.RampMove,
    m.Alarm,
    m.Priority,
    m.OutcomeStatus,
    m.LogKind,
]


def largest(declaration: Declaration, *, octets: int | None = None) -> int:
    """How many bytes a field can take; of octets, how many are to be counted."""
    match declaration:
        case Integer() | Fixed():
            return declaration.size
        case Text():
            return 1 + declaration.maximum
        case Integers():
            return declaration.count * declaration.element.size
        case Octets():
            return 2 + (declaration.maximum if octets is None else octets)
        case _:
            return 1


@each_message
def test_every_message_fits_into_the_smallest_payload(message: type[Message]) -> None:
    """Octets are cut to what has room; the rest must leave them some."""
    size = 1 + sum(largest(declaration, octets=1) for _, declaration in fields_of(message))
    assert size <= MIN_PAYLOAD
    most = 1 + sum(largest(declaration) for _, declaration in fields_of(message))
    assert most <= MAX_PAYLOAD


@given(messages())
def test_no_message_is_longer_than_its_fields_say(message: Message) -> None:
    most = 1 + sum(largest(declaration) for _, declaration in fields_of(type(message)))
    assert len(m.encode(message)) <= most


@each_message
def test_every_message_has_its_doc(message: type[Message]) -> None:
    assert message.__doc__
    assert message.__doc__.strip().endswith((".", "?", "bytes."))


@each_message
def test_a_message_cannot_be_changed_and_is_compared_by_value(message: type[Message]) -> None:
    config = message.__struct_config__
    assert config.frozen
    assert config.eq
    assert not config.gc


def test_what_changes_the_pump_carries_a_transaction_and_what_asks_does_not() -> None:
    carriers = {each for each in MESSAGES if "transaction" in each.__struct_fields__}
    assert carriers == {
        m.SetClock,
        m.CommitProgram,
        m.DropPending,
        m.Suspend,
        m.Resume,
        m.StartBolus,
        m.CancelBolus,
        m.SetTemporary,
        m.CancelTemporary,
        m.Refill,
        m.MoveRamp,
        m.SetLimits,
        m.AcknowledgeAlarm,
    }
    for each in carriers:
        assert each.__struct_fields__[0] == "transaction"
        assert CATALOGUE[entry_number(each)].direction is Direction.REQUEST


def entry_number(message: type[Message]) -> int:
    return m.entry_of(message).number


@pytest.mark.parametrize("members", ENUMERATIONS)
def test_an_enumeration_counts_from_zero_without_a_gap(members: Any) -> None:
    assert sorted(members) == list(range(len(members)))


AT_A_GLANCE: dict[type[IntEnum], list[str]] = {
    m.Mode: ["STOPPED", "RUNNING", "SUSPENDED", "FAULT"],
    m.Slot: ["ACTIVE", "STAGED", "PENDING"],
    m.When: ["NOW", "EDGE", "MIDNIGHT"],
    m.BolusKind: ["BOLUS", "PRIMING"],
    m.RampState: ["FOLLOWING", "HELD"],
    m.RampMove: ["HOLD", "GO_ON", "STEP_BACK"],
    m.Priority: ["NONE", "LOW", "MEDIUM", "HIGH"],
    m.OutcomeStatus: ["NEVER_SEEN", "DONE", "REFUSED"],
    m.SessionEnd: ["TAKEN_OVER"],
    m.Reason: [
        "UNKNOWN_MESSAGE",
        "MALFORMED",
        "NOT_A_REQUEST",
        "WRONG_MODE",
        "NOTHING_STAGED",
        "OUT_OF_ORDER",
        "INCOMPLETE",
        "BAD_DIGEST",
        "BAD_PROGRAM",
        "STALE_BASE",
        "OUT_OF_RANGE",
        "TRANSACTION_REUSED",
        "LIMIT_RATE",
        "LIMIT_BOLUS",
        "LIMIT_DAILY",
        "LIMIT_RISE",
        "BUSY",
        "NOTHING_TO_END",
        "NO_SUCH_ALARM",
        "MEMORY_FAILED",
        "NO_SESSION",
        "BAD_TAG",
        "OLD_COUNTER",
        "FORBIDDEN",
        "WRONG_PROOF",
        "PAIRING_LOCKED",
        "WRONG_VERSION",
        "NOT_PAIRED",
    ],
    m.Alarm: [
        "EMPTY",
        "STALLED",
        "MEMORY_FAULT",
        "LIMIT_REACHED",
        "LOW_RESERVOIR",
        "LOW_BATTERY",
        "SENSOR_STUCK",
        "PAIRING_LOCKED",
        "RESTARTED",
    ],
    m.LogKind: [
        "MADE",
        "RESTARTED",
        "PROGRAM",
        "PENDING",
        "SUSPENDED",
        "RESUMED",
        "CLOCK_SET",
        "BOLUS_STARTED",
        "BOLUS_ENDED",
        "TEMPORARY_STARTED",
        "TEMPORARY_ENDED",
        "REFILLED",
        "RAMP_MOVED",
        "LIMITS_SET",
        "ALARM_RAISED",
        "ALARM_CLEARED",
        "ALARM_ACKNOWLEDGED",
        "PENDING_DROPPED",
        "PAIRED",
        "SESSION_STARTED",
        "PROOF_FAILED",
        "TURNED_AWAY",
        "TAKEN_OVER",
    ],
}


@pytest.mark.parametrize("members", AT_A_GLANCE, ids=lambda each: each.__name__)
def test_the_enumerations_at_a_glance(members: type[IntEnum]) -> None:
    """As with the messages: another number is another protocol."""
    assert [each.name for each in sorted(members)] == AT_A_GLANCE[members]


STATUS = m.Status(
    m.Mode.RUNNING, 90_061, 140_461, 25_000, 123_456, 3_599, 19_876_500, 100, 1, 2, 9, 21
)


def test_a_status_is_44_bytes_and_these() -> None:
    expected = struct.pack(
        ">BBIIIQIIBBIII",
        *(0x82, 1, 90_061, 140_461, 25_000, 123_456, 3_599, 19_876_500, 100, 1, 2, 9, 21),
    )
    assert len(expected) == 44
    assert m.encode(STATUS) == expected
    assert m.decode(expected) == STATUS


@given(messages(Direction.REPLY))
def test_every_status_is_44_bytes(message: Message) -> None:
    if not isinstance(message, m.Status):
        message = STATUS
    assert len(m.encode(message)) == 44


def test_telemetry_begins_like_a_status() -> None:
    shared = m.Telemetry.__struct_fields__[:7]
    assert m.Status.__struct_fields__[:7] == shared
    telemetry = m.Telemetry(*(getattr(STATUS, n) for n in shared), 1_500, 0, m.Priority.LOW)
    assert m.encode(telemetry)[1:30] == m.encode(STATUS)[1:30]


def test_a_refusal_holds_figures_of_either_sign() -> None:
    refusal = m.Refused(0x04, m.Reason.OUT_OF_RANGE, 2, -(2**63), 2**63 - 1)
    expected = bytes.fromhex("ff 04 0a 02 8000000000000000 7fffffffffffffff")
    assert m.encode(refusal) == expected
    assert m.decode(expected) == refusal


def test_a_message_is_json_for_free() -> None:
    """Positional construction and JSON come with msgspec; the machine-readable output uses it."""
    assert msgspec.json.decode(msgspec.json.encode(STATUS), type=m.Status) == STATUS


NUMBERS = {
    0x01: "Identify",
    0x02: "GetStatus",
    0x03: "GetClock",
    0x04: "SetClock",
    0x05: "GetDetails",
    0x08: "Hello",
    0x09: "Prove",
    0x10: "BeginProgram",
    0x11: "WriteProgram",
    0x12: "ReadProgram",
    0x13: "CommitProgram",
    0x14: "AbortProgram",
    0x15: "DropPending",
    0x20: "Suspend",
    0x21: "Resume",
    0x22: "StartBolus",
    0x23: "CancelBolus",
    0x24: "SetTemporary",
    0x25: "CancelTemporary",
    0x26: "Refill",
    0x27: "MoveRamp",
    0x30: "Subscribe",
    0x40: "GetLimits",
    0x41: "SetLimits",
    0x42: "GetAlarms",
    0x43: "AcknowledgeAlarm",
    0x50: "ReadLog",
    0x51: "QueryOutcome",
    0x60: "Telemetry",
    0x61: "SessionEnded",
    0x81: "Identity",
    0x82: "Status",
    0x83: "Clock",
    0x84: "ClockSet",
    0x85: "Details",
    0x88: "Welcome",
    0x89: "Proven",
    0x90: "ProgramBegun",
    0x91: "ProgramWritten",
    0x92: "ProgramData",
    0x93: "ProgramCommitted",
    0x94: "ProgramAborted",
    0x95: "PendingDropped",
    0xA0: "Suspended",
    0xA1: "Resumed",
    0xA2: "BolusStarted",
    0xA3: "BolusCancelled",
    0xA4: "TemporarySet",
    0xA5: "TemporaryCancelled",
    0xA6: "Refilled",
    0xA7: "RampMoved",
    0xB0: "Subscribed",
    0xC0: "Limits",
    0xC1: "LimitsSet",
    0xC2: "Alarms",
    0xC3: "AlarmAcknowledged",
    0xD0: "LogPiece",
    0xD1: "OutcomeKnown",
    0xFF: "Refused",
}


def test_the_whole_catalogue_at_a_glance() -> None:
    """A renumbered message breaks every pump in another language: this list says so first."""
    assert {number: entry.name for number, entry in sorted(CATALOGUE.items())} == NUMBERS

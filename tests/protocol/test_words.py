"""How quantities and log entries are written; no unit is lost, and no kind is without words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.pump.log_text import what_happened
from mockpump.protocol import messages as m
from mockpump.protocol import units as q
from mockpump.protocol.log import FIGURES, LogEntry
from mockpump.protocol.strategies import records
from mockpump.protocol.units import choice_name, words_of


def test_how_quantities_are_written() -> None:
    assert q.volume(1_234_567) == "1,234,567 nL"
    assert q.rate(20_000) == "20,000 nL/h"
    assert q.exact_volume(7200) == "2 nL"
    assert q.exact_volume(7201) == "2 + 1/3600 nL"
    assert q.time_of_day(86_400 + 3_660) == "01:01"
    assert q.clock_time(8 * 86_400 + 5) == "Tue 00:00:05, week 1"
    assert q.duration(59) == "0:00:59"
    assert q.duration(86_400 * 2 + 3_661) == "2 d 1:01:01"
    assert q.microseconds(None) == "not measured"
    assert q.microseconds(1_500) == "1.5 ms"


@given(st.integers(0, 2**63))
def test_an_exact_volume_loses_nothing(units: int) -> None:
    whole, _, rest = q.exact_volume(units).replace(",", "").removesuffix(" nL").partition(" + ")
    assert int(whole) * 3600 + int(rest.removesuffix("/3600") or 0) == units


def test_how_the_members_of_an_enumeration_are_written() -> None:
    assert choice_name(m.Alarm.LOW_RESERVOIR) == "low-reservoir"
    assert words_of(m.Alarm.LOW_RESERVOIR) == "low reservoir"


@given(records(LogEntry))
def test_an_entry_is_one_line_that_names_its_kind(entry: LogEntry) -> None:
    text = what_happened(entry)
    own = {m.LogKind.TURNED_AWAY: "refused"}
    assert text.startswith(own.get(entry.kind, words_of(entry.kind)))
    assert text.isprintable()


@given(records(LogEntry), st.integers(0, 2**32 - 1))
def test_a_figure_that_means_nothing_is_not_shown(entry: LogEntry, other: int) -> None:
    first, second = FIGURES[entry.kind]
    changed = LogEntry(
        entry.elapsed,
        entry.clock,
        entry.kind,
        entry.first if first else other,
        entry.second if second else other,
    )
    assert what_happened(changed) == what_happened(entry)


@pytest.mark.parametrize(
    ("kind", "figures", "text"),
    [
        (m.LogKind.MADE, (7, 0), "made: serial 7"),
        (m.LogKind.ALARM_RAISED, (m.Alarm.STALLED, 0), "alarm raised: stalled"),
        (m.LogKind.ALARM_RAISED, (99, 0), "alarm raised: number 99"),
        (m.LogKind.BOLUS_ENDED, (0, 0), "bolus ended: all given"),
        (m.LogKind.BOLUS_ENDED, (5_000, 1_200), "bolus ended: 1,200 of 5,000 nL not given"),
        (m.LogKind.LIMITS_SET, (2**32 - 1, 8_000), "limits set: any rate, 8,000 nL/d"),
        (m.LogKind.LIMITS_SET, (500, 2**32 - 1), "limits set: 500 nL/h, any volume"),
        (m.LogKind.PENDING, (m.When.EDGE, 0xAB), "pending: 000000ab... from the next edge on"),
        (m.LogKind.SUSPENDED, (0, 0), "suspended"),
        (m.LogKind.TURNED_AWAY, (m.Reason.NO_SESSION, 1), "refused: no-session"),
        (m.LogKind.TURNED_AWAY, (m.Reason.BAD_TAG, 37), "refused: bad-tag, the last of 37"),
        (m.LogKind.PROOF_FAILED, (m.Access.OBSERVER, 1), "proof failed: observer"),
        (m.LogKind.PROOF_FAILED, (2, 1_005), "proof failed: clinician, the last of 1,005"),
        (m.LogKind.ALARM_RAISED, (m.Alarm.PAIRING_LOCKED, 1), "alarm raised: pairing-locked"),
        (m.LogKind.ALARM_CLEARED, (7, 3), "alarm cleared: pairing-locked, 3 times"),
        (m.LogKind.TAKEN_OVER, (m.Access.OBSERVER, 0), "taken over: the session of the observer"),
    ],
)
def test_what_entries_say(kind: m.LogKind, figures: tuple[int, int], text: str) -> None:
    assert what_happened(LogEntry(0, 0, kind, *figures)) == text

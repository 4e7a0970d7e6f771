"""The words for what happens to frames: one for everything that there is."""

from mockpump.display import words
from mockpump.emulator.channel.channel import FaultKind
from mockpump.emulator.trace.explain import FAULT_WORDS
from mockpump.protocol.framing import RejectReason
from mockpump.protocol.link.types import DropReason

# What happens to bytes that arrive all the same.
_TOUCHED = {"ber", "burst", "truncate", "duplicate", "reorder", "garbage", "flip"}


def test_every_fault_and_every_verdict_has_a_word() -> None:
    kinds = {kind.value for kind in FaultKind}
    assert set(words._LOST) == kinds - _TOUCHED
    assert set(FAULT_WORDS) == kinds
    assert set(words._STOPPED_BY) == {reason.value for reason in RejectReason}
    assert set(words._DROPPED) == {reason.value for reason in DropReason}
    # A remark has twenty columns.
    short = (*words._LOST.values(), *words._DROPPED.values(), *words._REASONS.values())
    assert all(len(word) <= 20 for word in short)


def test_places_and_times() -> None:
    told = [words.ordinal(count) for count in (1, 2, 3, 4, 11, 12, 13, 21, 112, 122)]
    assert told == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th", "122nd"]
    assert words.stamp(85_527_087) == "85.527"
    assert words.stamp(7_000) == "0.007"

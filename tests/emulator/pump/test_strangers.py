"""What people without a key do to the log: all of it is counted, and pushes nothing done out."""

import random
from collections import Counter
from collections.abc import Callable, Iterable

import pytest
from effort import few
from hypothesis import given
from hypothesis import strategies as st
from paired import KEYS, OTHER_KEYS, Line, paired_pump

from mockpump.emulator.memory.interface import Change
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump.pairing import LOCKED_FOR, MOST_FAILURES
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests.dispatch import handle
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.pump.strangers import (
    KINDS,
    MOST_BETWEEN,
    NOBODY,
    Strangers,
    is_strangers,
)
from mockpump.emulator.pump.time_scale import TimeScale
from mockpump.protocol import messages as m
from mockpump.protocol.log import LOG_ENTRIES, LogEntry, chain
from mockpump.protocol.messages import Alarm, LogKind, Reason
from mockpump.protocol.messages.base import Access

SECOND = 1_000_000
WRONG, CLINICIAN = OTHER_KEYS[Access.CLINICIAN], KEYS[Access.CLINICIAN]


def entries_of(pump: Pump) -> list[LogEntry]:
    return list(pump.memory.log(1, 2 * LOG_ENTRIES).entries)


def is_done(entry: LogEntry) -> bool:
    return not is_strangers(entry.kind, entry.first)


def longest_run(entries: Iterable[LogEntry]) -> int:
    """How many entries of strangers follow each other, at the most."""
    longest = run = 0
    for entry in entries:
        run = 0 if is_done(entry) else run + 1
        longest = max(longest, run)
    return longest


def tries(pump: Pump, kind: LogKind) -> int:
    """How many of a kind the log speaks of, with those that wait to be written."""
    logged = (each.second for each in entries_of(pump) if each.kind is kind and not is_done(each))
    return sum(logged) + pump.journal.strangers.count(kind)


# -- random attacks, at any speed --


class Siege:
    """Somebody without a key does what they like, and counts it; a clinician calls now and then."""

    def __init__(self, speed: int | None) -> None:
        server = PumpServer(paired_pump(), TimeScale(speed), random.Random(4).randbytes)
        self.it = Line(server)
        self.made = Counter[LogKind]()

    @property
    def pump(self) -> Pump:
        return self.it.server.pump

    def guess(self) -> None:
        locked = self.pump.pairing.locked
        self.it.prove(WRONG)
        self.it.hang_up()
        if not locked:
            self.made[LogKind.PROOF_FAILED] += 1
            self.made[LogKind.ALARM_RAISED] += self.pump.pairing.locked

    def ask(self) -> None:
        self.it.connect()
        self.it.ask(m.GetStatus())
        self.it.hang_up()
        self.made[LogKind.TURNED_AWAY] += 1

    def wait(self) -> None:
        self.made[LogKind.ALARM_CLEARED] += self.pump.pairing.locked
        # What is due in the last moment of a wait is not done in it.
        self.it.wait(LOCKED_FOR * SECOND + 1)

    def work(self) -> None:
        if not self.pump.pairing.locked:
            self.it.prove(CLINICIAN)
            self.it.ask(m.Suspend(len(entries_of(self.pump))))
            self.it.hang_up()

    def switch_off_and_on(self) -> None:
        self.pump.shut_down()
        self.it.server.reboot(self.it.now)


DEEDS: dict[str, Callable[[Siege], None]] = {
    "guess": Siege.guess,
    "ask": Siege.ask,
    "wait": Siege.wait,
    "work": Siege.work,
    "switch off and on": Siege.switch_off_and_on,
}
SPEEDS = st.sampled_from([0, 1, 60, 3_600, None])


@given(SPEEDS, st.lists(st.sampled_from(["guess", "guess", "ask", *DEEDS]), max_size=30))
def test_whatever_strangers_do_is_counted_and_pushes_out_nothing(
    speed: int | None, deeds: list[str]
) -> None:
    siege = Siege(speed)
    for deed in deeds:
        DEEDS[deed](siege)
    entries = entries_of(siege.pump)
    assert longest_run(entries) <= MOST_BETWEEN
    assert {kind: tries(siege.pump, kind) for kind in KINDS} == {
        kind: siege.made[kind] for kind in KINDS
    }
    page = siege.pump.memory.log(1, LOG_ENTRIES)
    assert chain(page.before, page.entries) == page.newest_chain
    assert [each.elapsed for each in entries] == sorted(each.elapsed for each in entries)


ATTEMPTS: dict[LogKind, tuple[int, int]] = {
    LogKind.PROOF_FAILED: (Access.CLINICIAN, 1),
    LogKind.TURNED_AWAY: (Reason.NO_SESSION, 1),
    LogKind.ALARM_RAISED: (Alarm.PAIRING_LOCKED, 1),
    LogKind.ALARM_CLEARED: (Alarm.PAIRING_LOCKED, 1),
}


TRIES = st.tuples(st.sampled_from(KINDS), st.integers(1, 3))


@few
@given(st.lists(TRIES, max_size=4, unique_by=lambda each: each[0]), st.randoms())
def test_of_a_whole_log_a_ninth_at_least_is_what_was_done(
    attempts: list[tuple[LogKind, int]], chance: random.Random
) -> None:
    """However strangers mix in what they do: the log keeps this many deeds."""
    pump = paired_pump()
    deed = 0
    while len(pump.journal.entries) < LOG_ENTRIES:
        deed += 1
        for kind, times in chance.sample(attempts, len(attempts)):
            for _ in range(times):
                pump.log(kind, *ATTEMPTS[kind])
        pump.log(LogKind.CLOCK_SET, deed, deed)
    pump.change(lambda: None)
    entries = entries_of(pump)
    assert len(entries) == LOG_ENTRIES
    assert sum(map(is_done, entries)) >= LOG_ENTRIES // (MOST_BETWEEN + 1)


def test_a_thousand_tries_leave_what_was_done_where_it_was() -> None:
    pump = paired_pump()
    pump.change(lambda: pump.log(LogKind.CLOCK_SET, 1, 2))
    for _ in range(2 * LOG_ENTRIES):
        reply = handle(pump, m.GetStatus(), Peer())
        assert isinstance(reply, m.Refused)
        assert reply.reason is Reason.NO_SESSION
    assert [each.kind for each in entries_of(pump)] == [
        LogKind.MADE,
        LogKind.CLOCK_SET,
        LogKind.TURNED_AWAY,
    ]
    pump.change(lambda: pump.log(LogKind.CLOCK_SET, 2, 3))
    *_, first, joined, done = entries_of(pump)
    assert (first.second, joined.second) == (1, 2 * LOG_ENTRIES - 1)
    assert done.kind is LogKind.CLOCK_SET


# -- the memory has its peace --


class CountingMemory(RamMemory):
    """Counts how often it is written."""

    __slots__ = ("records",)

    def __init__(self) -> None:
        super().__init__()
        self.records = 0

    def record(self, change: Change) -> None:
        self.records += 1
        super().record(change)


def test_a_stranger_does_not_keep_the_memory_busy() -> None:
    memory = CountingMemory()
    pump = paired_pump(memory=memory)
    before = memory.records
    for _ in range(500):
        handle(pump, m.GetStatus(), Peer())
    assert memory.records == before + 1


def test_guesses_are_recorded_one_by_one_as_long_as_the_lock_is_open() -> None:
    """The lock must know them after a power cut; and a minute has room for no more than these."""
    siege = Siege(0)
    for _ in range(20):
        siege.guess()
    assert siege.pump.pairing.failures == MOST_FAILURES
    assert tries(siege.pump, LogKind.PROOF_FAILED) == MOST_FAILURES


# -- what is counted --


def test_the_last_one_gives_a_joined_entry_its_figure_and_the_next_deed_its_time() -> None:
    pump = paired_pump()
    for reason in (Reason.NO_SESSION, Reason.BAD_TAG, Reason.FORBIDDEN):
        pump.log(LogKind.TURNED_AWAY, reason, 1)
    pump.advance(70)
    pump.change(lambda: pump.log(LogKind.SUSPENDED))
    _, first, joined, done = entries_of(pump)
    assert (first.elapsed, first.first, first.second) == (0, Reason.NO_SESSION, 1)
    assert (joined.elapsed, joined.first, joined.second) == (70, Reason.FORBIDDEN, 2)
    assert (joined.clock, done.elapsed) == (done.clock, 70)


def test_a_count_stays_at_its_maximum() -> None:
    entry = LogEntry(0, 0, LogKind.TURNED_AWAY, 1, 2**32 - 2)
    strangers = NOBODY.counted(entry).counted(entry)
    assert strangers.count(LogKind.TURNED_AWAY) == 2**32 - 1


@pytest.mark.parametrize("alarm", [each for each in Alarm if each is not Alarm.PAIRING_LOCKED])
def test_no_other_alarm_is_a_strangers_doing(alarm: Alarm) -> None:
    assert not is_strangers(LogKind.ALARM_RAISED, alarm)
    assert is_strangers(LogKind.ALARM_RAISED, Alarm.PAIRING_LOCKED)


def test_what_is_counted_outlasts_the_power_as_the_rest_does() -> None:
    pump = paired_pump()
    for _ in range(7):
        handle(pump, m.GetStatus(), Peer())
    pump.shut_down()
    again = Pump(pump.memory)
    assert again.journal.strangers == pump.journal.strangers
    assert again.journal.strangers.count(LogKind.TURNED_AWAY) == 6
    # And a memory from before they were counted has counted none.
    assert Strangers() == NOBODY

"""A server: however its time is cut, the pump is the same, and each line hears what it asked."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pump_state import state_of

from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.memory.interface import MemoryFailed
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump import faults
from mockpump.emulator.pump.endpoint import Endpoint
from mockpump.emulator.pump.factory import PumpConfig, initialize, new_pump
from mockpump.emulator.pump.pump import LAST_SECOND, Pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.emulator.pump.time_scale import MAX_SPEED, TimeScale
from mockpump.protocol import messages as m
from mockpump.protocol.connection import Connection, MessageReceived
from mockpump.protocol.link.types import LinkSettings, Role
from mockpump.protocol.messages import Mode
from mockpump.protocol.messages.base import Message
from mockpump.protocol.program import Program
from mockpump.protocol.strategies import programs as any_programs

SECOND = 1_000_000
SPEEDS = st.sampled_from([1, 2, 60, 3_600]) | st.integers(0, 10_000)
SPANS = st.lists(st.integers(0, 90 * SECOND), min_size=1, max_size=8)
INTERVALS = st.sampled_from([1, 7, 60, 600, 3_600])
PROGRAMS = any_programs(max_patterns=2, max_segments=3, max_steps=1)


# Links that bear more than an hour of silence.
PATIENT = LinkSettings(keepalive=2**31, idle_timeout=2**32 - 1)


class Watcher:
    """A programmer's end of one line into a server."""

    def __init__(self, server: PumpServer, now: int = 0) -> None:
        self.server = server
        self.port = server.attach(PATIENT)
        self.connection = Connection(Role.INITIATOR, PATIENT)
        self.connection.open(1, now)
        self.heard: list[Any] = []
        self.exchange(now)

    def exchange(self, now: int) -> None:
        while True:
            out = self.connection.data_to_send(now)
            if out:
                self.server.receive_data(self.port, out, now)
            back = self.port.data_to_send(now)
            self.connection.receive_data(back, now)
            events = iter(self.connection.next_event, None)
            self.heard += [e.message for e in events if isinstance(e, MessageReceived)]
            if not out and not back:
                return

    def turn(self, now: int) -> None:
        """Do what is due at this end too."""
        self.connection.handle_timer(now)
        self.exchange(now)

    def ask(self, request: Message, now: int) -> Any:
        """The answer, which may have telemetry behind it."""
        before = len(self.heard)
        self.connection.send(request, now)
        self.exchange(now)
        return next(each for each in self.heard[before:] if not isinstance(each, m.Telemetry))

    def reports(self) -> list[Any]:
        return [message for message in self.heard if isinstance(message, m.Telemetry)]

    def seconds(self) -> list[int]:
        return [report.elapsed for report in self.reports()]


def run(server: PumpServer, until: int, *watchers: Watcher) -> None:
    """Do what is due, when it is due, up to a line time."""
    turns = 0
    now = 0
    while (due := _next_deadline(server, now, *watchers)) is not None and due <= until:
        now = max(now, due)
        server.handle_timer(now)
        for watcher in watchers:
            watcher.turn(now)
        turns += 1
        assert turns < 10_000, "busy for ever"


def _next_deadline(server: PumpServer, now: int, *watchers: Watcher) -> int | None:
    deadlines = [server.next_deadline(now)]
    deadlines += [watcher.connection.next_deadline() for watcher in watchers]
    return min((each for each in deadlines if each is not None), default=None)


# -- time ----------------------------------------------------------------------------------------


@given(PROGRAMS, SPEEDS, SPANS, st.integers(0, 10**6))
def test_any_chopping_of_line_time_gives_the_same_pump(
    program: Program, speed: int, spans: list[int], reservoir: int
) -> None:
    identity = PumpIdentity(reservoir=reservoir)
    chopped = PumpServer(new_pump(identity, program), TimeScale(speed))
    whole = PumpServer(new_pump(identity, program), TimeScale(speed))
    watcher, now = Watcher(chopped), 0
    watcher.ask(m.Subscribe(60), 0)
    for span in spans:
        now += span
        chopped.handle_timer(now)
    whole.handle_timer(now)
    assert state_of(chopped.pump) == state_of(whole.pump)
    assert whole.pump.elapsed == sum(spans) * speed // SECOND


@given(SPEEDS, st.lists(st.tuples(st.integers(0, 5 * SECOND), SPEEDS), max_size=6))
def test_no_time_is_lost_when_the_pace_changes(first: int, changes: list[tuple[int, int]]) -> None:
    server, now, speed, ticks = PumpServer(new_pump(), TimeScale(first)), 0, first, 0
    for span, following in changes:
        now, ticks = now + span, ticks + span * speed
        server.set_speed(following, now)
        assert server.pump.elapsed == ticks // SECOND
        speed = following


@pytest.mark.parametrize("run_", [0, 1, 86_400, 2**40])
@pytest.mark.parametrize("speed", [0, 1, 3_600, MAX_SPEED])
@pytest.mark.parametrize("subscribed", [False, True])
def test_it_stands_still_after_the_run_and_is_not_busy(
    speed: int | None, run_: int, subscribed: bool
) -> None:
    server = PumpServer(new_pump())
    watcher = Watcher(server)
    if subscribed:
        watcher.ask(m.Subscribe(3_600 if run_ < 2**32 else 86_400), 0)
    server.pump.advance(LAST_SECOND - 86_400 * 30 if run_ == 2**40 else 0)
    begin = server.pump.elapsed
    server.set_speed(speed, 0, run_)
    moves = speed or (speed is MAX_SPEED and subscribed)
    run(server, 3 * 10**12 if moves and run_ == 2**40 else 10**11, watcher)
    server.handle_timer(10**16)
    assert server.pump.elapsed == (min(begin + run_, LAST_SECOND) if moves else begin)
    assert server.next_deadline(10**16) is None
    if subscribed and moves and run_:
        assert watcher.seconds()[-1] == min(begin + run_, LAST_SECOND)


def test_a_pump_that_is_ahead_of_its_pace_waits() -> None:
    pump = new_pump()
    pump.advance(100)
    server = PumpServer(pump)
    server.handle_timer(5 * SECOND)
    assert pump.elapsed == 100
    server.handle_timer(101 * SECOND)
    assert pump.elapsed == 101


def test_it_knows_how_far_it_comes() -> None:
    server = PumpServer(new_pump(), TimeScale(0))
    assert (server.comes_to(0), server.comes_to(1)) == (True, False)
    server.set_speed(1, 0, 10)
    assert (server.comes_to(10), server.comes_to(11)) == (True, False)
    server.set_speed(1, 0)
    assert (server.comes_to(LAST_SECOND), server.comes_to(2**32)) == (True, False)
    server.set_speed(MAX_SPEED, 0)
    assert not server.comes_to(1)
    Watcher(server).ask(m.Subscribe(1), 0)
    assert server.comes_to(LAST_SECOND)


# -- telemetry -----------------------------------------------------------------------------------


@given(INTERVALS, st.integers(0, 500), st.sampled_from([1, 60, 3_600, MAX_SPEED]))
def test_a_free_line_hears_every_exact_multiple(
    interval: int, begin: int, speed: int | None
) -> None:
    server = PumpServer(new_pump(program=Program.flat("idle", 0)))
    server.pump.advance(begin)
    watcher = Watcher(server)
    watcher.ask(m.Subscribe(interval), 0)
    server.set_speed(speed, 0, 6 * interval)
    run(server, (6 * interval + 1) * SECOND, watcher)
    first = begin // interval + 1
    multiples = [interval * place for place in range(first, first + 6)]
    end = begin + 6 * interval
    assert watcher.seconds() == sorted({*(each for each in multiples if each <= end), end})


@given(INTERVALS, INTERVALS, SPANS, st.integers(1, 5_000))
def test_a_late_driver_reports_the_newest_multiple(
    first: int, second: int, spans: list[int], speed: int
) -> None:
    server = PumpServer(new_pump(program=Program.flat("idle", 0)), TimeScale(speed))
    watchers = {first: Watcher(server), second: Watcher(server)}
    for interval, watcher in watchers.items():
        watcher.ask(m.Subscribe(interval), 0)
    now, expected = 0, {interval: [0] for interval in watchers}
    for span in spans:
        now += span
        server.handle_timer(now)
        for interval, watcher in watchers.items():
            watcher.turn(now)
            newest = server.pump.elapsed // interval * interval
            if newest > expected[interval][-1]:
                expected[interval].append(newest)
    for interval, watcher in watchers.items():
        assert watcher.seconds() == expected[interval][1:]


def test_a_blocked_line_holds_one_report_and_stops_a_pump_at_max_speed() -> None:
    server = PumpServer(new_pump())
    watcher = Watcher(server)
    watcher.ask(m.Subscribe(60), 0)
    server.set_speed(MAX_SPEED, 0)
    for _ in range(50):
        server.handle_timer(0)
        watcher.port.data_to_send(0)  # lost: the window fills, then nothing more goes out
    assert watcher.port.connection.link.unacknowledged == 8
    assert server.pump.elapsed == 60 * 8  # `Subscribed` is one of the eight, the eighth waits
    assert watcher.port.peer.pending == server.pump.report()
    assert server.next_deadline(0) == watcher.port.next_deadline()
    watcher.connection.abort(0)
    watcher.exchange(0)
    server.handle_timer(0)
    assert server.pump.elapsed == 60 * 8  # nobody is subscribed any more


def test_at_max_speed_nothing_moves_without_a_subscriber() -> None:
    server = PumpServer(new_pump(), TimeScale(MAX_SPEED))
    watcher = Watcher(server)
    for now in range(0, 10 * SECOND, SECOND):
        server.handle_timer(now)
        assert watcher.ask(m.GetClock(), now).elapsed == 0


def test_max_speed_waits_for_the_slowest_line() -> None:
    server = PumpServer(new_pump(), TimeScale(MAX_SPEED))
    fast, slow = Watcher(server), Watcher(server)
    slow.ask(m.Subscribe(600), 0)
    fast.ask(m.Subscribe(60), 0)
    for _ in range(100):
        server.handle_timer(0)
        fast.exchange(0)
    assert slow.port.peer.pending is not None
    assert server.pump.elapsed == 600
    assert server.next_deadline(0) != 0
    slow.exchange(0)
    server.handle_timer(0)
    assert server.pump.elapsed > 600


@pytest.mark.parametrize("speed", [1, 7, 3_600, MAX_SPEED])
@given(rate=st.integers(9_000, 50_000), reservoir=st.integers(10, 900))
def test_the_fault_is_reported_in_its_second(speed: int | None, rate: int, reservoir: int) -> None:
    pump = new_pump(PumpIdentity(reservoir=reservoir), Program.flat("x", rate))
    server = PumpServer(pump)
    watcher = Watcher(server)
    watcher.ask(m.Subscribe(86_400), 0)
    server.set_speed(speed, 0, 2_000)
    run(server, 2_000 * SECOND, watcher)
    emptied = -(-(reservoir // 10 * 10 * 3_600) // rate)
    assert pump.panel.shown[m.Alarm.EMPTY].since == emptied
    faults = [report for report in watcher.reports() if report.mode is Mode.FAULT]
    assert faults[0].elapsed == emptied
    assert faults[0].rate == 0
    assert faults[0].delivered == reservoir // 10 * 10
    assert watcher.ask(m.Resume(1), 2_000 * SECOND).reason is m.Reason.WRONG_MODE


def test_a_late_driver_reports_the_fault_in_its_second_too() -> None:
    server = PumpServer(new_pump(PumpIdentity(reservoir=20), Program.flat("x", 3_600)))
    watcher = Watcher(server)
    watcher.ask(m.Subscribe(86_400), 0)
    server.handle_timer(500 * SECOND)
    watcher.turn(500 * SECOND)
    (report,) = watcher.reports()
    assert (report.elapsed, report.mode, report.delivered) == (20, Mode.FAULT, 20)
    assert server.pump.elapsed == 500


@pytest.mark.parametrize("speed", [1, MAX_SPEED])
def test_in_the_last_second_nothing_is_awaited_any_more(speed: int | None) -> None:
    server = PumpServer(new_pump(program=Program.flat("idle", 0)))
    server.pump.advance(LAST_SECOND - 3)
    watcher = Watcher(server)
    watcher.ask(m.Subscribe(2), 0)
    server.set_speed(speed, 0)
    run(server, 100 * SECOND, watcher)
    assert watcher.seconds() == [LAST_SECOND - 1]
    assert server.pump.elapsed == (LAST_SECOND if speed is MAX_SPEED else LAST_SECOND - 1)
    server.handle_timer(200 * SECOND)
    assert server.pump.elapsed == LAST_SECOND
    deadline = server.next_deadline(200 * SECOND)
    assert deadline == watcher.port.next_deadline()


def test_a_change_of_mode_is_told_to_every_line() -> None:
    server = PumpServer(new_pump(), TimeScale(0))
    first, second, third = Watcher(server), Watcher(server), Watcher(server)
    for watcher in (first, second):
        watcher.ask(m.Subscribe(3_600), 0)
    assert third.ask(m.Suspend(1), 0) == m.Suspended(0)
    for watcher in (first, second, third):
        watcher.exchange(0)
    assert [report.mode for report in first.reports()] == [Mode.SUSPENDED]
    assert [report.mode for report in second.reports()] == [Mode.SUSPENDED]
    assert third.reports() == []
    assert first.ask(m.Resume(2), 0) == m.Resumed(0)
    assert [report.mode for report in first.reports()] == [Mode.SUSPENDED, Mode.RUNNING]
    assert isinstance(first.ask(m.Resume(3), 0), m.Refused)
    assert len(first.reports()) == 2


def test_a_line_that_is_gone_is_not_waited_for() -> None:
    server = PumpServer(new_pump(), TimeScale(MAX_SPEED))
    gone, here = Watcher(server), Watcher(server)
    gone.ask(m.Subscribe(60), 0)
    here.ask(m.Subscribe(60), 0)
    server.handle_timer(0)
    server.handle_timer(0)
    assert server.pump.elapsed == 60
    server.detach(gone.port)
    here.exchange(0)
    server.handle_timer(0)
    assert server.pump.elapsed > 60
    assert server.endpoints == [here.port]


def test_a_station_of_its_own_runs_at_speed_one() -> None:
    server = PumpServer(new_pump())
    assert isinstance(server.attach(), Endpoint)
    server.handle_timer(3 * SECOND)
    assert server.pump.elapsed == 3
    assert server.next_deadline(3 * SECOND) is None


class Observed(RamMemory):
    observed = True


def failing(speed: int) -> tuple[PumpServer, Endpoint]:
    """A pump with a subscriber, which has been told all so far, and whose memory takes no more."""
    memory = FaultyMemory(Observed())
    initialize(memory, PumpConfig())
    server = PumpServer(Pump(memory), TimeScale(speed))
    port = server.attach()
    port.peer.subscribe(86_400, 0)
    server.receive_data(port, b"", 0)
    memory.fail_writes = True
    return server, port


def inject(server: PumpServer) -> None:
    with pytest.raises(MemoryFailed):
        server.do(faults.FAULTS[faults.Fault.LOW_BATTERY].inject, 0)


def pace(server: PumpServer) -> None:
    server.between_records = 100_000
    server.set_speed(3_600, 0)


def live(server: PumpServer) -> None:
    server.between_records = 100_000
    server.advance(500_000)


@pytest.mark.parametrize(("fail", "speed"), [(inject, 1), (pace, 1), (live, 3_600)])
def test_a_memory_that_fails_is_reported_wherever_it_does(
    fail: Callable[[PumpServer], None], speed: int
) -> None:
    server, port = failing(speed)
    fail(server)
    assert server.pump.mode is Mode.FAULT
    assert port.peer.pending is not None
    assert port.peer.pending.mode is Mode.FAULT

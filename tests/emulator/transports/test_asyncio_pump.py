"""The real-time runner: one timer for everything, at any pace, and any line may come or go.

The runner reads the clock through one name, so a test puts its own clock there and fires the one
timer itself: no second of this module is a second of anybody's life.
"""

import asyncio
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from paired import KEYS, paired_pump

from mockpump.emulator.memory.interface import Change
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.programmer.handshake import open_session
from mockpump.emulator.programmer.procedures import ask
from mockpump.emulator.programmer.programmer import Connected, Disconnected, Programmer, result_of
from mockpump.emulator.pump.endpoint import Endpoint
from mockpump.emulator.pump.factory import PumpConfig, initialize, new_pump
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.pump.state import PumpIdentity, decode_state
from mockpump.emulator.pump.time_scale import MAX_SPEED, TimeScale
from mockpump.emulator.transports import asyncio_pump as runner_module
from mockpump.emulator.transports.asyncio_pump import PumpRunner
from mockpump.protocol import messages as m
from mockpump.protocol.connection import Connection, MessageReceived
from mockpump.protocol.link.types import CloseReason, Role
from mockpump.protocol.messages import SessionEnd
from mockpump.protocol.messages.base import Access
from mockpump.protocol.program import Program

SECOND = 1_000_000


class Clock:
    """A clock that goes when the test says so."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(runner_module, "line_now", clock)
    return clock


class Bench:
    """A runner, one peer on a line of its own, and the reports that peer has had."""

    def __init__(self, clock: Clock, speed: int | None) -> None:
        self.clock = clock
        self.runner = PumpRunner(PumpServer(new_pump(), TimeScale(speed)))
        self.reports: list[m.Telemetry] = []
        self.peer = Connection(Role.INITIATOR)
        self.port = self.runner.attach(self._hear)
        self.peer.open(1, 0)
        self.speak()

    def _hear(self, data: bytes) -> None:
        self.peer.receive_data(data, self.clock.now)
        while (event := self.peer.next_event()) is not None:
            if isinstance(event, MessageReceived) and isinstance(event.message, m.Telemetry):
                self.reports.append(event.message)

    def speak(self) -> None:
        """Let the peer send what it has to."""
        while data := self.peer.data_to_send(self.clock.now):
            self.runner.data_received(self.port, data)

    def ask(self, message: m.Message) -> None:
        self.peer.send(message, self.clock.now)
        self.speak()

    def fire(self) -> bool:
        """Turn the clock to the runner's timer and fire it; whether there was one."""
        timer = self.runner._timer
        if timer is None:
            return False
        self.clock.now = max(self.clock.now, self.runner._timer_at)
        timer.cancel()
        self.runner._on_timer()
        self.peer.handle_timer(self.clock.now)
        self.speak()
        return True

    def run_until(self, line_time: int) -> None:
        """Fire every timer up to a line time."""
        while self.runner._timer is not None and self.runner._timer_at <= line_time:
            self.fire()
        self.clock.now = line_time


def with_bench(clock: Clock, speed: int | None, test: Callable[[Bench], None]) -> None:
    async def run() -> None:
        bench = Bench(clock, speed)
        try:
            test(bench)
        finally:
            bench.runner.close()

    asyncio.run(run())


class SlowMemory(RamMemory):
    """A memory that somebody may look at, and each of whose records takes its time."""

    __slots__ = ("clock", "cost", "records")
    observed = True

    def __init__(self, clock: Clock, cost: int = 0) -> None:
        super().__init__()
        self.clock, self.cost, self.records = clock, cost, 0

    def record(self, change: Change) -> None:
        super().record(change)
        self.clock.now += self.cost
        self.records += 1


def alone(
    memory: SlowMemory, speed: int, reservoir: int, test: Callable[[PumpRunner], None]
) -> None:
    """A runner of a pump with that memory, into which no line leads."""

    async def run() -> None:
        initialize(memory, PumpConfig(PumpIdentity(reservoir=reservoir), Program.flat("f", 36_000)))
        runner = PumpRunner(PumpServer(Pump(memory), TimeScale(speed, now=memory.clock.now)))
        try:
            test(runner)
        finally:
            runner.close()

    asyncio.run(run())


def fire_until(runner: PumpRunner, clock: Clock, line_time: int) -> None:
    """Let the runner's timer fire whenever it is due."""
    while (timer := runner._timer) is not None and runner._timer_at <= line_time:
        clock.now = max(clock.now, runner._timer_at)
        timer.cancel()
        runner._on_timer()
    clock.now = max(clock.now, line_time)


def elapsed(reports: list[m.Telemetry]) -> Iterator[int]:
    return (report.elapsed for report in reports)


@pytest.mark.parametrize("speed", [1, 60, 3600])
def test_reports_come_at_their_second_at_every_speed(clock: Clock, speed: int) -> None:
    def test(bench: Bench) -> None:
        bench.ask(m.Subscribe(3600))
        bench.run_until(10 * 3600 * SECOND // speed + 1)
        assert list(elapsed(bench.reports)) == [3600 * hour for hour in range(1, 11)]
        assert clock.now == 10 * 3600 * SECOND // speed + 1

    with_bench(clock, speed, test)


def test_a_day_at_3600_breaks_no_timeout_of_the_link(clock: Clock) -> None:
    def test(bench: Bench) -> None:
        bench.ask(m.Subscribe(300))
        bench.run_until(24 * SECOND)
        assert bench.reports[-1].elapsed == 86_400
        assert bench.peer.is_open
        assert bench.peer.statistics.link.retransmissions == 0

    with_bench(clock, 3600, test)


def test_max_goes_as_fast_as_reports_are_carried_away_and_no_further(clock: Clock) -> None:
    def test(bench: Bench) -> None:
        assert not bench.runner.server.pump.elapsed
        bench.ask(m.Subscribe(300))
        bench.runner.set_speed(MAX_SPEED, 86_400)
        for _ in range(2000):
            bench.speak()
            if not bench.fire() or bench.runner.server.pump.elapsed >= 86_400:
                break
        bench.run_until(clock.now + SECOND)
        assert bench.runner.server.pump.elapsed == 86_400
        assert len(bench.reports) == 288
        assert clock.now < 20 * SECOND

    with_bench(clock, 0, test)


def test_max_stands_still_while_nobody_has_subscribed(clock: Clock) -> None:
    def test(bench: Bench) -> None:
        bench.run_until(60 * SECOND)
        assert bench.runner.server.pump.elapsed == 0

    with_bench(clock, MAX_SPEED, test)


def test_a_change_of_pace_starts_where_the_pump_is(clock: Clock) -> None:
    def test(bench: Bench) -> None:
        clock.now = 10 * SECOND
        bench.runner.set_speed(60)
        clock.now = 20 * SECOND
        bench.runner.set_speed(0)
        assert bench.runner.server.pump.elapsed == 10 + 600
        clock.now = 90 * SECOND
        bench.runner.set_speed(1, 5)
        clock.now = 200 * SECOND
        bench.ask(m.GetStatus())
        assert bench.runner.server.pump.elapsed == 610 + 5

    with_bench(clock, 1, test)


def test_a_slow_line_gets_the_newest_report_and_no_queue(clock: Clock) -> None:
    def test(bench: Bench) -> None:
        bench.ask(m.Subscribe(60))
        clock.now = 10 * SECOND
        bench.runner._on_timer()
        assert len(bench.reports) == 1
        assert bench.reports[0].elapsed == 36_000

    with_bench(clock, 3600, test)


def test_every_line_is_served_when_one_speaks(clock: Clock) -> None:
    """A report falls due while another line is the one that wakes the runner."""

    def test(bench: Bench) -> None:
        bench.ask(m.Subscribe(10))
        second = bench.runner.attach(lambda data: None)
        clock.now = 10 * SECOND
        bench.runner.data_received(second, b"anything")
        assert list(elapsed(bench.reports)) == [10]

    with_bench(clock, 1, test)


def test_a_line_that_is_gone_is_sent_nothing(clock: Clock) -> None:
    def test(bench: Bench) -> None:
        bench.ask(m.Subscribe(1))
        bench.runner.detach(bench.port)
        bench.runner.detach(bench.port)
        before = len(bench.reports)
        bench.run_until(30 * SECOND)
        assert len(bench.reports) == before
        assert bench.runner.server.endpoints == []

    with_bench(clock, 1, test)


def test_the_timer_moves_only_earlier_and_ends_with_the_runner(clock: Clock) -> None:
    def test(bench: Bench) -> None:
        first = bench.runner._timer_at
        bench.ask(m.Subscribe(1))
        assert bench.runner._timer_at <= first
        bench.runner.close()
        assert bench.runner._timer is None
        bench.runner.close()

    with_bench(clock, 1, test)


def test_bytes_after_the_end_wind_up_no_clock(clock: Clock) -> None:
    def test(bench: Bench) -> None:
        bench.runner.close()
        bench.ask(m.Subscribe(1))
        bench.runner.set_speed(60)
        assert bench.runner._timer is None

    with_bench(clock, 1, test)


def test_a_request_touches_its_own_line_only(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def test(bench: Bench) -> None:
        others = [bench.runner.attach(lambda data: None) for _ in range(50)]
        bench.ask(m.Subscribe(3_600))
        touched = list[Endpoint]()
        for name in ("next_deadline", "data_to_send", "handle_timer", "pump_advanced"):
            real = getattr(Endpoint, name)

            def noting(port: Endpoint, *arguments: int, real: Callable[..., Any] = real) -> Any:
                touched.append(port)
                return real(port, *arguments)

            monkeypatch.setattr(Endpoint, name, noting)
        for place in range(20):
            clock.now += 90_000
            bench.ask(m.Suspend(place) if place % 2 else m.Resume(place))
        assert bench.port in touched
        assert not set(others) & set(touched)

    with_bench(clock, 60, test)


def test_all_that_have_subscribed_are_told_of_a_change_by_another(clock: Clock) -> None:
    def test(bench: Bench) -> None:
        bench.ask(m.Subscribe(3_600))
        other, heard = Connection(Role.INITIATOR), list[bytes]()
        port = bench.runner.attach(heard.append)
        other.open(2, clock.now)
        bench.runner.data_received(port, other.data_to_send(clock.now))
        other.receive_data(heard.pop(), clock.now)
        other.send(m.Suspend(1), clock.now)
        bench.runner.data_received(port, other.data_to_send(clock.now))
        assert [report.mode for report in bench.reports] == [m.Mode.SUSPENDED]
        bench.runner.do(lambda pump: pump.change(lambda: pump.show(m.Alarm.STALLED)))
        assert [report.mode for report in bench.reports] == [m.Mode.SUSPENDED, m.Mode.FAULT]

    with_bench(clock, 0, test)


# -- a session that is taken over ---------------------------------------------------------------


class Clinician:
    """A clinician on a line of a runner; with `mute`, nothing that they say reaches it any more."""

    def __init__(self, runner: PumpRunner, clock: Clock) -> None:
        self.runner, self.clock = runner, clock
        self.programmer, self.mute = Programmer(), False
        self.heard: list[bytes] = []
        self.port = runner.attach(self.heard.append)

    def exchange(self) -> list[object]:
        """Hear what has come and say what there is to say, until nothing moves; what came of it."""
        while True:
            for data in self.heard:
                self.programmer.receive_data(data, self.clock.now)
            self.heard.clear()
            said = self.programmer.data_to_send(self.clock.now)
            if self.mute or not said:
                return list(iter(self.programmer.next_event, None))
            self.runner.data_received(self.port, said)

    def begin(self, connection: int, *, take_over: bool = False) -> None:
        opening = open_session(lambda _: KEYS[Access.CLINICIAN], bytes(16), take_over=take_over)
        self.programmer.connect(connection, self.clock.now, opening)
        assert isinstance(self.exchange()[-1], Connected)

    def ask(self, request: m.Message) -> object:
        self.programmer.start(ask(request), self.clock.now)
        return result_of(self.exchange()[-1])


def with_clinicians(clock: Clock, speed: int, test: Callable[[Clinician, Clinician], None]) -> None:
    """Two lines into a paired pump; the first clinician has a session, and subscribes to it."""

    async def run() -> None:
        server = PumpServer(paired_pump(), TimeScale(speed), Random(4).randbytes)
        runner = PumpRunner(server)
        first, second = Clinician(runner, clock), Clinician(runner, clock)
        first.begin(1)
        assert isinstance(first.ask(m.Subscribe(60)), m.Subscribed)
        first.mute = True
        try:
            test(first, second)
        finally:
            runner.close()

    asyncio.run(run())


def test_whoever_is_evicted_is_told_at_once(clock: Clock) -> None:
    """Their line has said nothing, nothing on it is due, and no time goes by."""

    def test(first: Clinician, second: Clinician) -> None:
        second.begin(2, take_over=True)
        assert first.heard
        first.mute = False
        assert first.exchange() == [Disconnected(CloseReason.CLOSED_HERE, SessionEnd.TAKEN_OVER)]
        assert clock.now == 0

    with_clinicians(clock, 0, test)


def test_what_the_evicted_has_subscribed_to_ends_at_once(clock: Clock) -> None:
    """Though their line says nothing more: the pump lives on for the others, past a report."""

    def test(first: Clinician, second: Clinician) -> None:
        second.begin(2, take_over=True)
        first.heard.clear()
        server = second.runner.server
        assert server.pump.elapsed == 0
        # So little line time that nothing is sent again to whoever says nothing.
        clock.now += 30_000
        assert isinstance(second.ask(m.GetStatus()), m.Status)
        assert server.pump.elapsed > 60
        assert first.heard == []

    with_clinicians(clock, 3_600, test)


# -- a pump that nobody calls ----------------------------------------------------------------------


@pytest.mark.parametrize("speed", [1, 60, 600, 100_000])
def test_what_is_due_by_itself_happens_by_itself(clock: Clock, speed: int) -> None:
    memory = SlowMemory(clock)

    def test(runner: PumpRunner) -> None:
        before = memory.records
        fire_until(runner, clock, 600 * SECOND)
        recorded = decode_state(memory.state() or b"")
        assert speed * 600 - recorded.delivery.elapsed <= max(60, speed // 10)
        # One more when it begins to cover what comes, and one when it stops.
        assert memory.records - before <= 10 * 600 + 2

    alone(memory, speed, 2**31, test)


def test_an_alarm_that_nobody_hears_is_recorded_in_its_second(clock: Clock) -> None:
    memory = SlowMemory(clock)

    def test(runner: PumpRunner) -> None:
        fire_until(runner, clock, 5 * SECOND)
        raised = [each for each in memory.log(1, 99).entries if each.kind is m.LogKind.ALARM_RAISED]
        assert [(each.first, each.elapsed) for each in raised] == [
            (m.Alarm.LOW_RESERVOIR, 90),
            (m.Alarm.EMPTY, 100),
        ]

    alone(memory, 60, 1_000, test)


# -- a memory that takes its time ------------------------------------------------------------------

RECORD = 20_000
# A slice, the record that ends it, and those of what was asked for.
LONGEST = 50_000 + 3 * RECORD


@pytest.mark.parametrize("speed", [60, 3_600, 100_000])
@pytest.mark.parametrize("late", [0, SECOND, 3_600 * SECOND])
def test_whoever_asks_waits_for_a_slice_and_not_for_all_that_was_missed(
    clock: Clock, speed: int, late: int
) -> None:
    memory = SlowMemory(clock, RECORD)

    def test(runner: PumpRunner) -> None:
        peer, heard = Connection(Role.INITIATOR), list[bytes]()
        port = runner.attach(heard.append)
        peer.open(1, clock.now)
        for place in range(20):
            fire_until(runner, clock, clock.now + 100_000)
            clock.now += late
            asked = clock.now
            if peer.is_open:
                peer.send(m.Suspend(place) if place % 2 else m.Resume(place), clock.now)
            runner.data_received(port, peer.data_to_send(clock.now))
            assert clock.now - asked <= LONGEST
            peer.receive_data(heard.pop(), clock.now)

    alone(memory, speed, 2**31, test)


def test_an_hour_in_which_its_process_stood_still_is_lived_within_a_slice(clock: Clock) -> None:
    """A record a checkpoint would take a minute; one vouches for all of it."""
    memory = SlowMemory(clock, RECORD)

    def test(runner: PumpRunner) -> None:
        server = runner.server
        fire_until(runner, clock, 2 * SECOND)
        clock.now += 3_600 * SECOND
        began, before, was = clock.now, memory.records, server.pump.elapsed
        runner._on_timer()
        assert clock.now - began <= LONGEST
        assert memory.records - before <= 3
        recorded = decode_state(memory.state() or b"")
        assert was < server.pump.elapsed <= recorded.delivery.elapsed + recorded.covers
        # It goes on from there, and can be put down at once.
        asked, was = clock.now, server.pump.elapsed
        clock.now += SECOND
        server.do(Pump.shut_down, clock.now)
        assert clock.now - asked - SECOND <= LONGEST
        assert server.pump.elapsed == server.time_scale.elapsed(asked + SECOND) >= was + 60

    alone(memory, 60, 2**31, test)


def test_in_real_time_the_loop_fires_the_timer() -> None:
    """The one test here that lets the real clock go: a hundredth of a second, 36 s of pump time."""

    async def run() -> None:
        runner = PumpRunner(PumpServer(new_pump(), TimeScale(3600, now=runner_module.line_now())))
        came = asyncio.Event()
        peer = Connection(Role.INITIATOR)

        def hear(data: bytes) -> None:
            peer.receive_data(data, runner_module.line_now())
            while (event := peer.next_event()) is not None:
                if isinstance(event, MessageReceived) and isinstance(event.message, m.Telemetry):
                    came.set()

        port = runner.attach(hear)
        peer.open(1, runner_module.line_now())
        runner.data_received(port, peer.data_to_send(runner_module.line_now()))
        peer.send(m.Subscribe(36), runner_module.line_now())
        runner.data_received(port, peer.data_to_send(runner_module.line_now()))
        await asyncio.wait_for(came.wait(), 10)
        runner.close()

    asyncio.run(run())

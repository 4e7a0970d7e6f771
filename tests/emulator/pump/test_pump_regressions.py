"""What a careful reader once found wrong with the pump, each as the few lines that show it."""

import json
from typing import Any

import pytest

from mockpump.emulator.memory.faulty import FaultyMemory
from mockpump.emulator.memory.interface import Change, MemoryFailed
from mockpump.emulator.memory.ram import RamMemory
from mockpump.emulator.pump import faults
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.limits import WIDEST
from mockpump.emulator.pump.overrides import TemporaryRate
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.requests.dispatch import handle
from mockpump.emulator.pump.server import PumpServer
from mockpump.emulator.pump.state import PumpIdentity, PumpState, decode_state
from mockpump.emulator.pump.time_scale import TimeScale
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.errors import DecodeError, LocalProtocolError
from mockpump.protocol.messages import Limits, LogKind, Mode
from mockpump.protocol.program import DayPattern, Program, RampStep, Segment

DAY = 86_400
BIG = PumpIdentity(reservoir=2**31)


def made(program: Program, limits: Limits = WIDEST, memory: Any = None, clock: int = 0) -> Pump:
    memory = memory or RamMemory()
    initialize(memory, PumpConfig(BIG, program, limits, clock))
    return Pump(memory)


def day(name: str, *segments: tuple[int, int]) -> DayPattern:
    return DayPattern(name, tuple(Segment(*each) for each in segments))


@pytest.mark.parametrize("step", [3_600, 7_001, 20 * DAY])
def test_a_leap_does_not_forget_what_a_temporary_rate_has_delivered(step: int) -> None:
    """Monday's evening at 250 %, and Tuesday's morning: too much within 24 h."""
    patterns = (
        day("m", (0, 0), (1_200, 2_000)),
        day("t", (0, 0), (60, 10_000), (180, 0)),
        day("none", (0, 0)),
    )
    program = Program(1, "p", (0, 1, 2, 2, 2, 2, 2), patterns, ())
    pump = made(program, Limits(10**6, 10**6, 30_000, 65_535), clock=4 * DAY)
    pump.advance(10)
    pump.delivery.set_temporary(TemporaryRate(250, 4 * DAY))
    for elapsed in [*range(step, 20 * DAY, step), 20 * DAY]:
        pump.advance(max(elapsed, 10))
    assert pump.mode is Mode.FAULT
    assert pump.delivery.delivered == 30_000


def test_a_durable_pump_records_at_every_edge_whoever_listens() -> None:
    program = Program(1, "p", (0,) * 7, (day("d", (0, 0), (1, 36_000), (2, 0)),), ())
    memory = FaultyMemory(RamMemory())
    limits = Limits(10**6, 10**6, 1_000, 65_535)
    initialize(memory, PumpConfig(BIG, program, limits, 59))
    server = PumpServer(Pump(memory), TimeScale(1))
    now = moved = 0
    for _ in range(5):
        memory.brown_out = True
        before = server.pump
        now = server.next_deadline(now) or 0
        server.handle_timer(now)
        moved += before.delivery.delivered
    assert moved <= 1_000


def test_a_late_timer_moves_no_more_than_is_reported() -> None:
    memory = FaultyMemory(RamMemory())
    initialize(memory, PumpConfig(BIG, Program.flat("f", 36_000)))
    server = PumpServer(Pump(memory), TimeScale(3_600))
    memory.brown_out = True
    before = server.pump
    server.handle_timer(100_000)
    (restarted,) = [e for e in memory.log(1, 9).entries if e.kind is LogKind.RESTARTED]
    assert before.delivery.delivered <= restarted.second


class Flaky(RamMemory):
    """A memory whose next writes fail where `plan` says so."""

    __slots__ = ("plan",)

    def __init__(self) -> None:
        super().__init__()
        self.plan: list[bool] = []

    def record(self, change: Change) -> None:
        if self.plan and self.plan.pop(0):
            raise MemoryFailed("planned")
        super().record(change)


def test_what_is_recorded_is_done_even_if_the_end_of_the_alarm_is_not() -> None:
    memory = Flaky()
    pump = made(Program.flat("f", 36_000), memory=memory)
    peer = Peer(largest_payload=240)
    pump.advance(100)
    memory.plan = [True]
    assert isinstance(handle(pump, m.Suspend(1), peer), m.Refused)
    memory.plan = [False, True]
    assert isinstance(handle(pump, m.Refill(7, 5_000_000, 900), peer), m.Refilled)
    assert pump.delivery.reservoir == 5_000_000
    known = handle(pump, m.QueryOutcome(7), peer)
    assert isinstance(known, m.OutcomeKnown)
    assert known.fate is m.OutcomeStatus.DONE
    assert Pump(memory).delivery.filling == pump.delivery.filling


def test_after_a_record_that_failed_it_is_tried_again() -> None:
    memory = FaultyMemory(RamMemory())
    initialize(memory, PumpConfig(BIG, Program.flat("f", 36_000)))
    server = PumpServer(Pump(memory), TimeScale(1))
    memory.fail_writes = True
    server.handle_timer(60_000_000)
    memory.fail_writes = False
    assert server.pump.panel.present(m.Alarm.MEMORY_FAULT)
    due = server.next_deadline(60_000_000)
    assert due is not None
    server.handle_timer(due)
    assert not server.pump.panel.present(m.Alarm.MEMORY_FAULT)


# -- a memory with nonsense in it --


def damaged(**changes: object) -> bytes:
    memory = RamMemory()
    initialize(memory, PumpConfig(BIG, Program.flat("f", 36_000)))
    facts = json.loads(memory.state() or b"")
    for path, value in changes.items():
        *parts, last = path.split("__")
        place = facts
        for part in parts:
            place = place[part]
        place[last] = value
    return json.dumps(facts).encode()


TRY = {"elapsed": 0, "clock": 0, "kind": 21, "first": 20, "second": 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"active": 7},
        {"later": 5},
        {"active": -1},
        {"panel__shown": {"99": {"since": 0}}},
        {"delivery__clock__drift": 2**62},
        {"delivery__clock__drift": -1_000_000},
        {"delivery__rolling": []},
        {"delivery__bolus": {"kind": 0, "volume": 1, "duration": 0, "began": 0}},
        {"catheter__fluids": []},
        {"checkpoint_every": 0},
        {"delivery__elapsed": -5},
        {"strangers__noted": [4]},
        {"strangers__waiting": [TRY]},
        {"strangers": {"noted": [21], "waiting": [{**TRY, "second": 2**32}]}},
        {"strangers": {"noted": [21], "waiting": [TRY, TRY]}},
    ],
)
def test_what_no_pump_ever_wrote_is_said_to_be_that(changes: dict[str, object]) -> None:
    with pytest.raises(DecodeError, match="no state of a pump"):
        decode_state(damaged(**changes))


def test_what_a_pump_wrote_is_read() -> None:
    assert isinstance(decode_state(damaged()), PumpState)


def test_a_program_that_is_named_and_is_not_there() -> None:
    memory = RamMemory()
    initialize(memory, PumpConfig(BIG, Program.flat("f", 36_000)))
    memory._images[0] = b""
    with pytest.raises(DecodeError, match="slot 0"):
        Pump(memory)


@pytest.mark.parametrize("config", [{"dead": 2**40}, {"concentration": 10**6}])
def test_what_no_message_can_carry_is_not_made(config: dict[str, int]) -> None:
    with pytest.raises(LocalProtocolError):
        initialize(RamMemory(), PumpConfig(BIG, **config))  # type: ignore[arg-type]


# -- bounded --


def test_restarts_and_refills_leave_no_heap_behind() -> None:
    memory = RamMemory()
    initialize(memory, PumpConfig(BIG, Program.flat("f", 36_000)))
    sizes: list[int] = []
    transactions = 0
    for _ in range(3):
        for _ in range(50):
            # Not put down: each start is one after a crash.
            pump = Pump(memory)
            transactions += 1
            handle(pump, m.Refill(transactions, 10**6, 500), Peer())
        sizes.append(len(memory.state() or b""))
    assert sizes[-1] < sizes[0] + 200


# -- the rise between two programs --


def test_going_back_a_step_is_no_way_round_what_waits() -> None:
    """Twice as much was let in for midnight beside 100 %; beside 50 % it would be four times."""
    memory = RamMemory()
    pattern = day("d", (0, 10_000))
    ramp = (RampStep(0, 50), RampStep(1, 100))
    program = Program(1, "p", (0,) * 7, (pattern,), ramp)
    initialize(memory, PumpConfig(BIG, program, Limits(10**6, 10**6, 2**32 - 1, 100)))
    pump = Pump(memory)
    pump.advance(DAY)
    image = programs.image(Program.flat("double", 20_000))
    pump.change(lambda: pump.activate(image, m.When.MIDNIGHT), None, image)
    back = handle(pump, m.MoveRamp(1, m.RampMove.STEP_BACK), Peer())
    assert isinstance(back, m.Refused)
    assert back.reason is m.Reason.LIMIT_RISE
    stricter = handle(pump, m.SetLimits(2, 10**6, 10**6, 2**32 - 1, 10), Peer())
    assert isinstance(stricter, m.Refused)
    assert stricter.reason is m.Reason.LIMIT_RISE


# -- what a fault ends --


def test_a_bolus_that_a_fault_cuts_short_says_what_was_left_of_it() -> None:
    pump = made(Program.flat("f", 36_000))
    handle(pump, m.StartBolus(1, m.BolusKind.BOLUS, 3_600, 3_600), Peer())
    handle(pump, m.SetTemporary(2, 50, 7_200), Peer())
    pump.advance(600)
    faults.inject(pump, faults.Fault.STALL)
    entries = pump.memory.log(1, 99).entries
    ended = [(e.elapsed, e.first, e.second) for e in entries if e.kind is LogKind.BOLUS_ENDED]
    assert ended == [(600, 3_600, 3_000)]
    assert [e.elapsed for e in entries if e.kind is LogKind.TEMPORARY_ENDED] == [600]

"""Every request gets its one reply; a no changes nothing; a yes happens once, or not at all."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pump_state import (
    REQUESTS,
    FailingMemory,
    Line,
    plain_requests,
    state_of,
    state_of_caller,
)

from mockpump.emulator.pump.factory import FACTORY_PROGRAM, PumpConfig, initialize, new_pump
from mockpump.emulator.pump.modes import MODES, ModeInput
from mockpump.emulator.pump.peer import Peer
from mockpump.emulator.pump.pump import LAST_SECOND, Pump
from mockpump.emulator.pump.requests.dispatch import COMMANDS
from mockpump.emulator.pump.state import PumpIdentity
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.fields import fields_of
from mockpump.protocol.messages import Alarm, Mode, Reason
from mockpump.protocol.messages.base import Message
from mockpump.protocol.program import Program
from mockpump.protocol.strategies import programs as any_programs
from mockpump.protocol.strategies import requests

PROGRAMS = any_programs(max_patterns=3, max_segments=6, max_steps=2)
TRANSACTIONAL = [each for each in REQUESTS if "transaction" in each.__struct_fields__]
PLAIN = plain_requests(new_pump())
STEPS = st.lists(PLAIN | st.integers(0, 40_000), max_size=12)
BAD_IMAGE = b"no program at all"


def pump_in(mode: Mode) -> Pump:
    """A pump in that mode, some time after it was made."""
    memory = FailingMemory()
    program = None if mode is Mode.STOPPED else FACTORY_PROGRAM
    initialize(memory, PumpConfig(PumpIdentity(reservoir=1_000_000), program))
    pump = Pump(memory)
    pump.advance(2**20 if mode is Mode.FAULT else 1_000)
    if mode is Mode.SUSPENDED:
        pump.enter(ModeInput.SUSPEND)
    assert pump.mode is mode
    return pump


def live(line: Line, steps: list[Any]) -> None:
    """Requests, and seconds that pass between them."""
    for step in steps:
        if isinstance(step, int):
            line.pump.advance(line.pump.elapsed + step)
        else:
            line.ask(step)


def is_reply(request: Message, reply: Message) -> bool:
    entry = m.entry_of(type(request))
    if isinstance(reply, m.Refused):
        return reply.request == entry.number
    return type(reply) is entry.reply


# -- the table -----------------------------------------------------------------------------------


def test_every_request_of_the_catalogue_has_a_row() -> None:
    assert set(COMMANDS) == set(REQUESTS)


def test_modes_are_those_of_the_table() -> None:
    allowed = {event: {mode for mode in Mode if event in MODES[mode]} for event in ModeInput}
    assert COMMANDS[m.Suspend].modes == allowed[ModeInput.SUSPEND] == {Mode.RUNNING}
    assert COMMANDS[m.Resume].modes == allowed[ModeInput.RESUME] == {Mode.SUSPENDED}
    assert COMMANDS[m.CommitProgram].modes == allowed[ModeInput.PROGRAM] == set(Mode)
    assert COMMANDS[m.StartBolus].modes == COMMANDS[m.SetTemporary].modes == {Mode.RUNNING}
    rest = set(COMMANDS) - {m.Suspend, m.Resume, m.StartBolus, m.SetTemporary}
    assert all(COMMANDS[request].modes == set(Mode) for request in rest)


@pytest.mark.parametrize("mode", Mode)
@given(st.lists(requests() | PLAIN, max_size=8))
def test_every_request_gets_its_reply_in_every_mode(mode: Mode, asked: list[Message]) -> None:
    line = Line(pump_in(mode), largest_payload=64)
    for request in asked:
        allowed = line.pump.mode in COMMANDS[type(request)].modes
        transaction = getattr(request, "transaction", None)
        fresh = transaction is None or line.pump.memory.outcome(transaction) is None
        reply = line.ask(request)
        assert is_reply(request, reply)
        assert len(m.encode(reply)) <= 64
        assert isinstance(reply, m.Refused) or allowed or not fresh


@given(STEPS, PLAIN)
def test_what_is_refused_changes_nothing(steps: list[Any], request_: Message) -> None:
    line = Line(new_pump(PumpIdentity(reservoir=300_000)))
    live(line, steps)
    pump, peer = state_of(line.pump), state_of_caller(line.peer)
    if isinstance(line.ask(request_), m.Refused):
        assert state_of(line.pump) == pump
        assert state_of_caller(line.peer) == peer


@pytest.mark.parametrize("request_", [m.Identify(), m.GetStatus(), m.GetClock()])
@given(steps=STEPS)
def test_to_ask_changes_nothing(request_: Message, steps: list[Any]) -> None:
    line = Line(new_pump())
    live(line, steps)
    pump, peer = state_of(line.pump), state_of_caller(line.peer)
    assert not isinstance(line.ask(request_), m.Refused)
    assert (state_of(line.pump), state_of_caller(line.peer)) == (pump, peer)


# -- transactions --------------------------------------------------------------------------------


@given(STEPS, STEPS, st.data())
def test_a_repeated_transaction_is_answered_and_not_done_again(
    before: list[Any], after: list[Any], data: st.DataObject
) -> None:
    line = Line(new_pump(PumpIdentity(reservoir=300_000)))
    live(line, before)
    asked = [step for step in before if type(step) in TRANSACTIONAL]
    once = {}
    for request in asked:
        once.setdefault(request.transaction, request)
    replies = {n: line.ask(request) for n, request in once.items()}
    live(line, after)
    state = state_of(line.pump)
    for n, request in once.items():
        assert line.ask(request) == replies[n]
    assert state_of(line.pump) == state


@pytest.mark.parametrize("mode", Mode)
def test_a_no_is_remembered_as_well_as_a_yes(mode: Mode) -> None:
    line = Line(pump_in(mode))
    first = [line.ask(m.Suspend(1)), line.ask(m.Resume(2)), line.ask(m.Resume(3))]
    assert any(isinstance(reply, m.Refused) for reply in first)
    state = state_of(line.pump)
    assert [line.ask(m.Suspend(1)), line.ask(m.Resume(2)), line.ask(m.Resume(3))] == first
    assert state_of(line.pump) == state


ONE = st.sampled_from(
    [
        m.Suspend(7),
        m.Resume(7),
        m.SetClock(7, 0),
        m.SetClock(7, 1),
        m.CommitProgram(7, bytes(8), m.When.NOW),
        m.CommitProgram(7, bytes(range(8)), m.When.NOW),
    ]
)


@given(ONE, ONE)
def test_a_reused_transaction_is_refused(first: Message, second: Message) -> None:
    line = Line(new_pump())
    reply = line.ask(first)
    state = state_of(line.pump)
    number = m.entry_of(type(second)).number
    reused = m.Refused(number, Reason.TRANSACTION_REUSED, 1, 7, 0)
    assert line.ask(second) == (reply if first == second else reused)
    assert state_of(line.pump) == state
    assert line.ask(first) == reply


def test_the_figure_of_a_reused_transaction() -> None:
    line = Line(new_pump())
    line.ask(m.Suspend(2**32 - 1))
    refused = line.ask(m.Resume(2**32 - 1))
    assert refused == m.Refused(0x21, Reason.TRANSACTION_REUSED, 1, 2**32 - 1, 0)
    assert line.pump.mode is Mode.SUSPENDED


def test_only_the_last_sixty_four_are_remembered() -> None:
    line = Line(new_pump())
    for transaction in range(65):
        line.ask(m.SetClock(transaction, 1_000 + transaction))
    assert line.ask(m.SetClock(1, 1_001)).before == 1_000  # the recorded reply
    assert line.pump.delivery.clock == 1_064
    assert line.ask(m.SetClock(0, 1_000)).before == 1_064  # done again
    assert line.pump.delivery.clock == 1_000


def test_transactions_are_the_pumps_not_a_connections() -> None:
    pump = new_pump()
    first, second = Line(pump), Line(pump)
    reply = first.ask(m.Suspend(5))
    pump.advance(100)
    assert second.ask(m.Suspend(5)) == reply == m.Suspended(0)


CHANGES = PLAIN.filter(lambda each: type(each) in TRANSACTIONAL)


@given(STEPS, CHANGES)
def test_nothing_happens_that_could_not_be_recorded(steps: list[Any], change: Message) -> None:
    line, twin = Line(pump_in(Mode.RUNNING)), Line(pump_in(Mode.RUNNING))
    for each in (line, twin):
        live(each, steps)
        each.stage(Program.flat("other", 1_234))
    transaction: int = change.transaction  # type: ignore[attr-defined]
    if line.pump.memory.outcome(transaction) is not None:
        return
    assert isinstance(line.pump.memory, FailingMemory)
    peer = state_of_caller(line.peer)
    line.pump.memory.broken = True
    assert line.ask(change).reason is Reason.MEMORY_FAILED
    assert line.pump.memory.outcome(transaction) is None
    # All that comes of it is the alarm.
    twin.pump.show(Alarm.MEMORY_FAULT)
    twin.pump.settle()
    assert state_of(line.pump) == state_of(twin.pump)
    assert state_of_caller(line.peer) == peer


def test_a_memory_that_works_again_ends_the_alarm() -> None:
    line = Line(pump_in(Mode.RUNNING))
    assert isinstance(line.pump.memory, FailingMemory)
    line.pump.memory.broken = True
    line.ask(m.Suspend(1))
    line.pump.advance(line.pump.elapsed + 1_000)
    assert (line.pump.mode, line.pump.delivery.rate) == (Mode.FAULT, 0)
    line.pump.memory.broken = False
    line.pump.advance(line.pump.elapsed + 1)
    shown = line.ask(m.GetAlarms())
    assert (shown.present, shown.unacknowledged) == (0, 1 << Alarm.MEMORY_FAULT)
    done = line.ask(m.AcknowledgeAlarm(2, Alarm.MEMORY_FAULT))
    assert done == m.AlarmAcknowledged(Alarm.MEMORY_FAULT, Mode.SUSPENDED)
    assert line.ask(m.Resume(3)) == m.Resumed(line.pump.elapsed)
    assert line.pump.mode is Mode.RUNNING


# -- program transfer ----------------------------------------------------------------------------


@given(PROGRAMS, st.lists(st.integers(0, 90), max_size=60), st.integers(64, 1_000))
def test_any_chunking_commits_exactly_the_image(
    program: Program, sizes: list[int], largest_payload: int
) -> None:
    line = Line(new_pump(), largest_payload)
    line.pump.advance(777)
    image = programs.image(program)
    assert not isinstance(
        line.ask(m.BeginProgram(len(image), programs.digest(image), line.pump.digest)), m.Refused
    )
    old, staged = state_of(line.pump), b""
    for size in [*sizes, 960, 960, 960]:
        piece = image[len(staged) : len(staged) + size]
        staged += piece
        assert line.ask(m.WriteProgram(len(staged) - len(piece), piece)).staged == len(staged)
        assert read(line, m.Slot.STAGED) == staged
        if len(staged) < len(image):
            refused = line.ask(m.CommitProgram(line.fresh(), programs.digest(image), m.When.NOW))
            assert refused.reason is Reason.INCOMPLETE
            assert (refused.figure, refused.limit) == (len(staged), len(image))
    assert state_of(line.pump) == old
    committed = line.ask(m.CommitProgram(1, programs.digest(image), m.When.NOW))
    assert committed == m.ProgramCommitted(programs.digest(image), 777)
    assert read(line, m.Slot.ACTIVE) == Pump(line.pump.memory).image == image
    assert read(line, m.Slot.STAGED) == b""
    nothing = line.ask(m.CommitProgram(2, programs.digest(image), m.When.NOW))
    assert nothing.reason is Reason.NOTHING_STAGED


def read(line: Line, slot: m.Slot) -> bytes:
    image = b""
    while (data := line.ask(m.ReadProgram(slot, len(image), 960))).data:
        assert len(m.encode(data)) <= line.peer.largest_payload
        assert data.offset == len(image)
        image += data.data
    assert data.length == len(image)
    return image


@given(st.integers(0, 2_048), st.integers(1, 960), st.integers(1, 960))
def test_a_piece_is_what_was_asked_for(offset: int, count: int, largest_piece: int) -> None:
    line = Line(new_pump(), largest_piece + len(m.encode(m.ProgramData(0, bytes(8), 0, b""))))
    data = line.ask(m.ReadProgram(m.Slot.ACTIVE, offset, count))
    image = line.pump.image
    assert data.data == image[offset : offset + min(count, largest_piece)]
    assert (data.length, data.digest, data.offset) == (len(image), line.pump.digest, offset)


@given(PROGRAMS, st.integers(1, 500_000), st.integers(0, 5_000))
def test_a_commit_rules_from_exactly_that_second(program: Program, at: int, after: int) -> None:
    line, alone = Line(new_pump()), new_pump()
    line.pump.advance(at)
    alone.advance(at)
    assert line.commit(program).elapsed == at
    assert line.pump.delivery.delivered == alone.delivery.delivered
    assert line.pump.delivery.remainder == alone.delivery.remainder
    alone.delivery.set_program(program)
    line.pump.advance(at + after)
    alone.advance(at + after)
    assert line.pump.report() == alone.report()


def test_an_old_base_is_refused_at_begin_and_at_commit() -> None:
    pump = new_pump()
    first, second = Line(pump), Line(pump)
    staged = second.stage(Program.flat("second", 2))
    first.commit(Program.flat("first", 1))
    refused = second.ask(m.CommitProgram(9, programs.digest(staged), m.When.NOW))
    assert refused == m.Refused(0x13, Reason.STALE_BASE, 0, 0, 0)
    begun = second.ask(m.BeginProgram(5, bytes(8), programs.digest(b"another")))
    assert begun == m.Refused(0x10, Reason.STALE_BASE, 3, 0, 0)
    assert programs.from_image(pump.image).name == "first"


def test_what_is_staged_outlasts_an_old_base() -> None:
    pump = new_pump()
    first, second = Line(pump), Line(pump)
    old = pump.image
    digest = programs.digest(second.stage(Program.flat("second", 2)))
    first.commit(Program.flat("first", 1))
    stale = m.Refused(0x13, Reason.STALE_BASE, 0, 0, 0)
    # Neither refusal takes anything away, and neither makes the base a better one.
    second.ask(m.BeginProgram(5, bytes(8), programs.digest(b"another")))
    for transaction in (1, 2):
        assert second.ask(m.CommitProgram(transaction, digest, m.When.NOW)) == stale
    assert second.ask(m.ReadProgram(m.Slot.STAGED, 0, 1)).digest == digest
    # The program that it names is active again.
    first.commit(programs.from_image(old))
    assert isinstance(second.ask(m.CommitProgram(3, digest, m.When.NOW)), m.ProgramCommitted)
    # What was refused is an outcome, and stays refused.
    assert second.ask(m.CommitProgram(1, digest, m.When.NOW)) == stale


@pytest.mark.parametrize("wrong", ["announced", "asked", "both"])
def test_a_digest_that_does_not_match_is_refused(wrong: str) -> None:
    line = Line(new_pump())
    image = programs.image(Program.flat("x", 5))
    good, bad = programs.digest(image), programs.digest(b"")
    line.ask(m.BeginProgram(len(image), good if wrong == "asked" else bad, line.pump.digest))
    line.ask(m.WriteProgram(0, image))
    refused = line.ask(m.CommitProgram(1, good if wrong == "announced" else bad, m.When.NOW))
    assert refused == m.Refused(0x13, Reason.BAD_DIGEST, 2, 0, 0)
    assert programs.from_image(line.pump.image) == FACTORY_PROGRAM


def test_what_is_no_program_is_refused_and_leaves_the_old_one() -> None:
    line = Line(new_pump())
    line.pump.advance(60)
    before = state_of(line.pump)
    line.ask(m.BeginProgram(len(BAD_IMAGE), programs.digest(BAD_IMAGE), line.pump.digest))
    line.ask(m.WriteProgram(0, BAD_IMAGE))
    refused = line.ask(m.CommitProgram(1, programs.digest(BAD_IMAGE), m.When.NOW))
    assert refused.reason is Reason.BAD_PROGRAM
    assert state_of(line.pump) == before


def test_a_format_that_is_not_known_is_no_program() -> None:
    """The version of an image has nothing to do with those of the protocol."""
    line = Line(new_pump())
    image = programs.image(Program.flat("x", 5))
    other = bytes((programs.FORMAT + 1,)) + image[1:]
    line.ask(m.BeginProgram(len(other), programs.digest(other), line.pump.digest))
    line.ask(m.WriteProgram(0, other))
    refused = line.ask(m.CommitProgram(1, programs.digest(other), m.When.NOW))
    assert refused.reason is Reason.BAD_PROGRAM


@pytest.mark.parametrize("offset", [0, 2, 4, 2_048])
def test_a_piece_out_of_order_is_refused_with_figure_and_limit(offset: int) -> None:
    line = Line(new_pump())
    line.ask(m.BeginProgram(10, bytes(8), line.pump.digest))
    line.ask(m.WriteProgram(0, b"abc"))
    refused = line.ask(m.WriteProgram(offset, b"d"))
    assert refused == m.Refused(0x11, Reason.OUT_OF_ORDER, 1, offset, 3)
    assert line.peer.staging.data == b"abc"


def test_more_than_was_announced_is_refused() -> None:
    line = Line(new_pump())
    line.ask(m.BeginProgram(10, bytes(8), line.pump.digest))
    line.ask(m.WriteProgram(0, b"abc"))
    assert line.ask(m.WriteProgram(3, bytes(8))) == m.Refused(0x11, Reason.OUT_OF_RANGE, 2, 8, 7)
    assert not isinstance(line.ask(m.WriteProgram(3, bytes(7))), m.Refused)


def test_without_a_begin_nothing_can_be_written_or_committed() -> None:
    line = Line(new_pump())
    assert line.ask(m.WriteProgram(0, b"")).reason is Reason.NOTHING_STAGED
    commit = m.CommitProgram(1, line.pump.digest, m.When.NOW)
    assert line.ask(commit).reason is Reason.NOTHING_STAGED
    line.stage(Program.flat("x", 5))
    assert line.ask(m.AbortProgram()) == m.ProgramAborted()
    assert line.ask(m.WriteProgram(0, b"")).reason is Reason.NOTHING_STAGED


# -- the rest ------------------------------------------------------------------------------------


@given(STEPS, st.integers(0, 2**31 - 1))
def test_to_set_the_clock_delivers_nothing_and_takes_no_time(steps: list[Any], to: int) -> None:
    line = Line(new_pump())
    live(line, steps)
    d = line.pump.delivery
    before = (d.elapsed, d.delivered, d.remainder, d.reservoir, line.pump.mode)
    said = d.clock
    assert line.ask(m.SetClock(line.fresh(), to)) == m.ClockSet(said, to)
    assert (d.elapsed, d.delivered, d.remainder, d.reservoir, line.pump.mode) == before
    assert line.ask(m.GetClock()) == m.Clock(to, d.elapsed)


def test_an_empty_pump_will_not_be_resumed() -> None:
    line = Line(pump_in(Mode.FAULT))
    assert line.ask(m.Resume(1)) == m.Refused(0x21, Reason.WRONG_MODE, 0, Mode.FAULT, 0)
    assert line.ask(m.Suspend(2)) == m.Refused(0x20, Reason.WRONG_MODE, 0, Mode.FAULT, 0)
    assert not isinstance(line.commit(Program.flat("new", 9_000)), m.Refused)
    assert (line.pump.mode, line.pump.delivery.rate) == (Mode.FAULT, 0)
    assert line.ask(m.GetStatus()).mode is Mode.FAULT


@pytest.mark.parametrize("mode", [Mode.STOPPED, Mode.RUNNING, Mode.SUSPENDED])
def test_a_commit_starts_only_a_pump_that_had_no_program(mode: Mode) -> None:
    line = Line(pump_in(mode))
    line.commit(Program.flat("new", 9_000))
    assert line.pump.mode is (Mode.SUSPENDED if mode is Mode.SUSPENDED else Mode.RUNNING)


@given(STEPS)
def test_status_says_what_the_pump_is_doing(steps: list[Any]) -> None:
    line = Line(new_pump(PumpIdentity(reservoir=300_000)))
    live(line, steps)
    status, report = line.ask(m.GetStatus()), line.pump.report()
    shared = [name for name, _ in fields_of(m.Telemetry) if hasattr(status, name)]
    assert [getattr(status, n) for n in shared] == [getattr(report, n) for n in shared]
    assert (status.percent, status.pattern) == (100, 0)
    assert line.ask(m.Identify()) == line.pump.describe()


def test_counters_stay_at_the_most_that_fits() -> None:
    line = Line(new_pump())
    line.peer = Peer(frames_rejected=2**32, bytes_discarded=2**40)
    status = line.ask(m.GetStatus())
    assert (status.rejected, status.dropped) == (2**32 - 1, 2**32 - 1)
    m.encode(status)


def test_every_reply_can_be_said_in_the_last_second() -> None:
    line = Line(new_pump(PumpIdentity(reservoir=2**32 - 1), Program.flat("fast", 1_000_000)))
    line.ask(m.SetClock(1, 2**31 - 1))
    line.pump.advance(LAST_SECOND)
    requests = (m.GetStatus(), m.GetClock(), m.Subscribe(86_400), m.Identify())
    said = [line.ask(request) for request in requests]
    said += [line.commit(Program.flat("slow", 1)), line.pump.report()]
    assert [m.decode(m.encode(each)) for each in said] == said

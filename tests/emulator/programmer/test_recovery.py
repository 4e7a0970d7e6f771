"""What happened to a change whose reply was lost: known on evidence, or not known."""

from collections import deque
from typing import Any

import paired
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pump_state import FailingMemory, Line

from mockpump.emulator.programmer.errors import (
    OtherPump,
    OutcomeForgotten,
    OutcomeUnknown,
    RequestRefused,
    SessionRefused,
)
from mockpump.emulator.programmer.handshake import meet_pump
from mockpump.emulator.programmer.known_pump import KnownPump, PumpMet
from mockpump.emulator.programmer.procedures import ask
from mockpump.emulator.programmer.programmer import Connected, Failed, Finished
from mockpump.emulator.programmer.recovery import Settled, never_recorded, settle
from mockpump.emulator.pump.factory import PumpConfig, initialize, new_pump
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.transports.loss import fail_pending
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.link.types import CloseReason
from mockpump.protocol.messages import OUTCOMES, Mode, OutcomeStatus, Reason
from mockpump.protocol.messages.base import Access, Message
from mockpump.protocol.program import Program

LAST = 2**32 - 1
SUSPEND = m.Suspend(7)


def met(pump: Pump) -> PumpMet:
    return PumpMet(pump.describe(), pump.outcomes)


def lost(before: PumpMet | None, request: Any = SUSPEND) -> OutcomeUnknown:
    return OutcomeUnknown(request, request.transaction, CloseReason.SILENCE, before)


def terms(pump: Pump, access: Access | None) -> Connected:
    return Connected(240, 8, access, PumpMet(pump.describe()))


def play(unknown: OutcomeUnknown, line: Line, access: Access | None = None) -> Settled:
    """Settle it on a new line into the pump, as a client would."""
    procedure = settle(unknown, terms(line.pump, access))
    try:
        request = next(procedure)
        while True:
            assert isinstance(request, Message)
            reply = line.ask(request)
            refused = isinstance(reply, m.Refused)
            request = (
                procedure.throw(RequestRefused(request, reply))
                if refused
                else procedure.send(reply)
            )
    except StopIteration as end:
        settled: Settled = end.value
        return settled


def others(line: Line, count: int) -> None:
    """This many other changes."""
    for _ in range(count):
        line.ask(m.SetTemporary(line.fresh(), 100, 60))


# -- the count ---------------------------------------------------------------------------------


@given(st.integers(0, 200), st.none() | st.integers(0, 200), st.integers(0, 200))
def test_never_seen_is_believed_only_where_nothing_can_be_forgotten(
    before: int, recorded_as: int | None, after: int
) -> None:
    """Beside a pump that keeps the newest numbers and knows which of them was the request."""
    kept: deque[bool] = deque(maxlen=OUTCOMES)
    kept.extend([False] * before)
    rest = [False] * after
    if recorded_as is not None:
        rest.insert(recorded_as % (after + 1), True)
    kept.extend(rest)
    fate = OutcomeStatus.DONE if True in kept else OutcomeStatus.NEVER_SEEN
    known = m.OutcomeKnown(7, fate, 0, b"", before + len(rest))
    if never_recorded(before, known):
        assert recorded_as is None
    elif fate is OutcomeStatus.NEVER_SEEN:
        assert len(rest) >= OUTCOMES


@pytest.mark.parametrize(
    ("before", "now", "evident"),
    [
        (0, 0, True),
        (5, 5 + OUTCOMES - 1, True),
        (5, 5 + OUTCOMES, False),
        (5, 4, False),
        (None, 0, False),
        (LAST - 2, LAST - 1, True),
        (LAST - 1, LAST, False),
        (LAST, LAST, False),
    ],
)
def test_how_far_the_count_may_have_gone(before: int | None, now: int, evident: bool) -> None:
    assert (
        never_recorded(before, m.OutcomeKnown(7, OutcomeStatus.NEVER_SEEN, 0, b"", now)) is evident
    )
    assert not never_recorded(before, m.OutcomeKnown(7, OutcomeStatus.DONE, 0x20, b"", now))


# -- what happened to it
# ----------------------------------------------------------------------------


@pytest.mark.parametrize("access", [None, Access.CLINICIAN])
@pytest.mark.parametrize("between", [0, 1, OUTCOMES - 1])
def test_what_was_done_or_refused_is_learnt(access: Access | None, between: int) -> None:
    line = Line(new_pump())
    before = met(line.pump)
    done = line.ask(SUSPEND)
    others(line, between)
    assert play(lost(before), line, access) == Settled(done)
    refused = line.ask(m.Suspend(8))
    assert isinstance(refused, m.Refused)
    assert play(lost(before, m.Suspend(8)), line, access) == Settled(refused)


@given(st.booleans(), st.integers(0, 130))
def test_in_a_session_nothing_is_sent_again(arrived: bool, between: int) -> None:
    line = Line(new_pump())
    before = met(line.pump)
    if arrived:
        line.ask(SUSPEND)
    others(line, between)
    mode = line.pump.mode
    try:
        settled = play(lost(before), line, Access.CLINICIAN)
    except OutcomeForgotten:
        assert between + arrived >= OUTCOMES
    else:
        assert (settled.reply is not None) is arrived
        assert not settled.repeated
    assert line.pump.mode is mode


@given(st.booleans(), st.integers(0, 130), st.booleans())
def test_on_an_open_pump_the_late_one_and_the_repeated_one_are_one(
    arrived: bool, between: int, late: bool
) -> None:
    """A bolus, which would be refused as busy or given twice."""
    request = m.StartBolus(7, m.BolusKind.BOLUS, 5_000, 3_600)
    line = Line(new_pump())
    before = met(line.pump)
    if arrived:
        line.ask(request)
    others(line, between)
    given_before = line.pump.delivery.bolus
    try:
        settled = play(lost(before, request), Line(line.pump))
    except OutcomeForgotten:
        assert line.pump.delivery.bolus == given_before
        return
    assert isinstance(settled.reply, m.BolusStarted)
    assert settled.repeated is not arrived
    if late:
        assert line.ask(request) == settled.reply
    started = [each for each in line.pump.memory.log(1, 999).entries if each.kind == 7]
    assert len(started) == 1


def test_a_commit_without_its_staged_program_is_refused_wherever_it_comes() -> None:
    line = Line(new_pump())
    old, before = line.pump.digest, met(line.pump)
    commit = m.CommitProgram(7, programs.digest(line.stage(Program.flat("new", 9_000))), m.When.NOW)
    settled = play(lost(before, commit), Line(line.pump))
    assert settled.repeated
    assert isinstance(settled.reply, m.Refused)
    assert settled.reply.reason is Reason.NOTHING_STAGED
    # The one from the old line, where the program is staged still.
    assert line.ask(commit) == settled.reply
    assert line.pump.digest == old


def test_a_no_that_is_no_outcome_leaves_it_unknown() -> None:
    """The pump cannot record it now; when it can, the one from the old line may be carried out."""
    memory = FailingMemory()
    initialize(memory, PumpConfig())
    line = Line(Pump(memory))
    before = met(line.pump)
    request = m.SetClock(7, 50_000)
    memory.broken = True
    with pytest.raises(OutcomeUnknown) as caught:
        play(lost(before, request), line)
    assert not isinstance(caught.value, OutcomeForgotten)
    assert caught.value.before == before
    memory.broken = False
    assert not isinstance(line.ask(m.AcknowledgeAlarm(8, m.Alarm.MEMORY_FAULT)), m.Refused)
    assert line.ask(request) == m.ClockSet(0, 50_000)


@pytest.mark.parametrize("reason", [Reason.TRANSACTION_REUSED, Reason.FORBIDDEN, Reason.NO_SESSION])
def test_reasons_that_are_not_recorded(reason: Reason) -> None:
    class Refusing(Line):
        def ask(self, request: Message) -> Any:
            if isinstance(request, m.Suspend):
                return m.Refused(0x20, reason, 0, 0, 0)
            return super().ask(request)

    line = Refusing(new_pump())
    with pytest.raises(OutcomeUnknown):
        play(lost(met(line.pump)), line)


# -- who answers ---------------------------------------------------------------------------------


def test_another_pump_is_not_even_asked() -> None:
    pump = new_pump()
    other = PumpMet(replace(pump.describe(), serial=2), 0)
    for access in (None, Access.CLINICIAN):
        with pytest.raises(OtherPump):
            next(settle(lost(other), terms(pump, access)))


def test_an_older_copy_of_the_pump_is_no_witness() -> None:
    line = Line(new_pump())
    others(line, 3)
    newer = PumpMet(line.pump.describe(), 4)
    line.ask(SUSPEND)
    assert line.pump.outcomes == 4
    older = Line(new_pump())
    with pytest.raises(OtherPump, match="older copy"):
        play(lost(newer), older)
    assert older.pump.mode is Mode.RUNNING


def test_who_did_not_ask_whom_it_talks_to_learns_what_is_remembered_and_no_more() -> None:
    line = Line(new_pump())
    with pytest.raises(OutcomeForgotten) as caught:
        play(lost(None), line)
    assert "may have forgotten it" in caught.value.__notes__[0]
    done = line.ask(SUSPEND)
    assert play(lost(None), line) == Settled(done)


def test_who_is_there_is_asked_if_nobody_has() -> None:
    pump = new_pump()
    procedure = settle(lost(met(pump)), Connected(240, 8))
    assert next(procedure) == m.Identify()
    with pytest.raises(OtherPump):
        procedure.send(replace(pump.describe(), serial=2))


@pytest.mark.parametrize("reply", [b"", b"\xfe", m.encode(m.Resumed(0)), m.encode(m.Identify())])
def test_a_record_that_is_no_reply_to_that_request_settles_nothing(reply: bytes) -> None:
    pump = new_pump()
    procedure = settle(lost(met(pump)), terms(pump, None))
    assert next(procedure) == m.QueryOutcome(7)
    with pytest.raises(OutcomeUnknown):
        procedure.send(m.OutcomeKnown(7, OutcomeStatus.DONE, 0x20, reply, 1))


def test_the_record_of_another_request_settles_nothing() -> None:
    line = Line(new_pump())
    before = met(line.pump)
    line.ask(m.SetTemporary(7, 150, 60))
    with pytest.raises(OutcomeUnknown):
        play(lost(before), line)


def test_a_count_at_its_end_says_so() -> None:
    pump = new_pump()
    procedure = settle(lost(PumpMet(pump.describe(), LAST)), terms(pump, None))
    next(procedure)
    with pytest.raises(OutcomeForgotten) as caught:
        procedure.send(m.OutcomeKnown(7, OutcomeStatus.NEVER_SEEN, 0, b"", LAST))
    assert "does not count outcomes any more" in caught.value.__notes__[0]


# -- bytes that wait on the old line ---------------------------------------------------------------


class TwoLines:
    """A pump with two lines into it; what the programmer says on the first may be held back."""

    def __init__(self, pump: Pump) -> None:
        self.old = paired.line(pump)
        self.new = paired.Line(self.old.server)
        self.held: list[bytes] = []

    def hold(self, request: Message) -> OutcomeUnknown:
        """Ask on the old line, and give up while the bytes are still under way."""
        self.old.tap = lambda sent, data: (self.held.append(data), b"")[1] if sent else b""
        self.old.programmer.start(ask(request), self.old.now)
        self.old.exchange()
        error = fail_pending(self.old.programmer, "the line has gone", self.old.now)
        assert isinstance(error, OutcomeUnknown)
        self.new.now = self.old.now
        return error

    def release(self) -> None:
        self.old.server.receive_data(self.old.port, b"".join(self.held), self.new.now)

    def settle(self, unknown: OutcomeUnknown, terms: Connected) -> Settled:
        self.new.events.clear()
        self.new.programmer.start(settle(unknown, terms), self.new.now)
        self.new.exchange()
        (ended,) = (e for e in self.new.events if isinstance(e, Finished | Failed))
        assert isinstance(ended, Finished), ended
        settled: Settled = ended.result
        return settled

    def meet(self, line: paired.Line) -> Connected:
        line.programmer.connect(
            line.random.randrange(2**16), line.now, meet_pump(KnownPump(count=True))
        )
        line.exchange()
        connected = line.events[-1]
        assert isinstance(connected, Connected)
        return connected


@pytest.mark.parametrize("first", [True, False])
def test_held_back_on_the_line_into_an_open_pump_it_happens_once(first: bool) -> None:
    lines = TwoLines(new_pump())
    lines.meet(lines.old)
    request = m.StartBolus(7, m.BolusKind.BOLUS, 5_000, 3_600)
    unknown = lines.hold(request)
    terms = lines.meet(lines.new)
    if first:
        lines.release()
    settled = lines.settle(unknown, terms)
    assert isinstance(settled.reply, m.BolusStarted)
    assert settled.repeated is not first
    lines.release()
    assert len(paired.logged(lines.old.server.pump, m.LogKind.BOLUS_STARTED)) == 1


def test_a_commit_held_back_finds_that_it_was_refused() -> None:
    lines = TwoLines(new_pump())
    lines.meet(lines.old)
    pump = lines.old.server.pump
    image = programs.image(Program.flat("new", 9_000))
    digest = programs.digest(image)
    lines.old.ask(m.BeginProgram(len(image), digest, pump.digest))
    lines.old.ask(m.WriteProgram(0, image))
    unknown = lines.hold(m.CommitProgram(7, digest, m.When.NOW))
    settled = lines.settle(unknown, lines.meet(lines.new))
    assert isinstance(settled.reply, m.Refused)
    assert settled.reply.reason is Reason.NOTHING_STAGED
    lines.release()
    assert pump.digest != digest
    assert lines.old.port.peer.staging.length


def test_held_back_in_a_session_it_is_not_carried_out_any_more() -> None:
    """The pump is busy until it gives the silent connection up; then nothing of it is heard."""
    lines = TwoLines(paired.paired_pump())
    key = paired.KEYS[Access.CLINICIAN]
    lines.old.prove(key)
    unknown = lines.hold(SUSPEND)
    refused = lines.new.prove(key)
    assert isinstance(refused, Failed)
    assert isinstance(refused.error, SessionRefused)
    assert refused.error.refused.reason is Reason.BUSY
    lines.new.hang_up()
    lines.new.wait(17_000_000)
    lines.new.events.clear()
    terms = lines.new.prove(key)
    assert isinstance(terms, Connected)
    assert lines.settle(unknown, terms) == Settled(None)
    lines.release()
    assert lines.old.server.pump.mode is Mode.RUNNING
    assert lines.old.server.pump.memory.outcome(7) is None

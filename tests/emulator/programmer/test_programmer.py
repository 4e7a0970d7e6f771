"""The programmer knows what happened to its request, or says that it does not, on a real port."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pump_state import give, state_of

from mockpump.emulator.programmer.errors import (
    ConnectionLost,
    NoReply,
    OutcomeUnknown,
    RequestRefused,
    UnexpectedReply,
)
from mockpump.emulator.programmer.handshake import meet_pump
from mockpump.emulator.programmer.known_pump import KnownPump, PumpMet
from mockpump.emulator.programmer.procedures import Procedure, ask, read_program, set_program
from mockpump.emulator.programmer.programmer import (
    REPLY_TIMEOUT,
    Connected,
    Disconnected,
    Failed,
    Finished,
    Programmer,
    TelemetryReceived,
)
from mockpump.emulator.programmer.request_batch import MOST_REPEATS
from mockpump.emulator.pump.endpoint import Endpoint
from mockpump.emulator.pump.factory import FACTORY_PROGRAM, new_pump
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.connection import Connection, MessageReceived
from mockpump.protocol.errors import LocalProtocolError
from mockpump.protocol.framing import Frame, Kind, encode_frame
from mockpump.protocol.link.types import CloseReason, LinkSettings, Role
from mockpump.protocol.messages import Mode, Reason
from mockpump.protocol.messages.base import Message
from mockpump.protocol.program import Program

NEW = Program.flat("new", 9_000)
STATUS = m.Status(Mode.RUNNING, 0, 0, 1, 2, 3, 4, 100, 0, 0, 0, 5)
NEW_DIGEST = programs.digest(programs.image(NEW))


class Bench:
    """A programmer, and a port or a double of one at the other end; messages pass one at a time."""

    def __init__(self) -> None:
        self.programmer = Programmer()
        self.port = Endpoint(new_pump())
        self.events: list[Any] = []
        self.programmer.connect(1, 0)
        self.exchange()

    def exchange(self, times: int = 1_000) -> None:
        """Carry bytes to and fro, at most this many times."""
        for _ in range(times):
            out = self.programmer.data_to_send(0)
            if out:
                self.port.receive_data(out, 0)
            back = self.port.data_to_send(0)
            if back:
                self.programmer.receive_data(back, 0)
            self.take_events()
            if not out and not back:
                return

    def take_events(self) -> None:
        self.events += iter(self.programmer.next_event, None)

    def run(self, procedure: Procedure[Any]) -> Any:
        self.programmer.start(procedure, 0)
        self.exchange()
        return self.ended()

    def ended(self) -> Any:
        self.take_events()
        (event,) = [each for each in self.events if isinstance(each, Finished | Failed)]
        self.events.clear()
        assert not self.programmer.busy
        return event.error if isinstance(event, Failed) else event.result

    def set_program(self) -> Procedure[m.ProgramCommitted]:
        return set_program(NEW, self.port.pump.digest, 77, 240)

    @property
    def asked(self) -> Message:
        """What the programmer waits for the answer to."""
        assert self.programmer._batch is not None
        return self.programmer._batch.next_unanswered

    def stop_before_commit(self) -> None:
        """Everything of a program transfer up to where the commit is about to be sent."""
        self.programmer.start(self.set_program(), 0)
        while not isinstance(self.asked, m.CommitProgram):
            self.exchange(times=1)


class Double(Bench):
    """At the other end is a pump that answers with what it is told to, or not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.pump = Connection(Role.ACCEPTOR)
        self.programmer = Programmer()
        self.programmer.connect(1, 0)
        self.carry()
        self.events.clear()

    def carry(self) -> None:
        for _ in range(10):
            self.pump.receive_data(self.programmer.data_to_send(0), 0)
            self.programmer.receive_data(self.pump.data_to_send(0), 0)
        self.take_events()

    def heard(self) -> list[Message]:
        self.carry()
        events = iter(self.pump.next_event, None)
        return [event.message for event in events if isinstance(event, MessageReceived)]

    def say(self, *messages: Message) -> None:
        for message in messages:
            self.pump.send(message, 0)
        self.carry()


# -- the good course -----------------------------------------------------------------------------


def test_it_connects_asks_and_disconnects() -> None:
    bench = Bench()
    assert bench.events == [Connected(240, 8)]
    bench.events.clear()
    assert bench.run(ask(m.Identify())) == bench.port.pump.describe()
    bench.programmer.disconnect(0)
    bench.exchange()
    assert bench.events == [Disconnected(CloseReason.CLOSED_HERE)]
    assert bench.programmer.next_deadline() is None


def test_a_program_is_set() -> None:
    bench = Bench()
    assert bench.run(bench.set_program()) == m.ProgramCommitted(NEW_DIGEST, 0)
    assert bench.run(read_program()).program == NEW
    # A commit may be about a program that is to rule later; what the pump says is active counts.
    assert bench.programmer.belief.program != NEW_DIGEST
    bench.run(ask(m.BeginProgram(1, NEW_DIGEST, NEW_DIGEST)))
    assert bench.programmer.belief.program == NEW_DIGEST


def test_telemetry_is_no_answer() -> None:
    double = Double()
    double.programmer.start(ask(m.GetClock()), 0)
    report = new_pump().report()
    double.say(report, report, m.Clock(5, 6))
    telemetry = [e.telemetry for e in double.events if isinstance(e, TelemetryReceived)]
    assert telemetry == [report, report]
    assert double.ended() == m.Clock(5, 6)


def test_an_answer_to_nothing_is_not_kept_for_the_next_question() -> None:
    double = Double()
    double.say(m.Clock(1, 1))
    double.programmer.start(ask(m.GetClock()), 0)
    double.say(m.Clock(2, 2))
    assert double.ended() == m.Clock(2, 2)


# -- a no ------------------------------------------------------------------------------------------


def test_a_refusal_is_raised_into_the_procedure() -> None:
    bench = Bench()
    error = bench.run(ask(m.Resume(1)))
    assert isinstance(error, RequestRefused)
    assert error.refused.reason is Reason.WRONG_MODE
    assert str(error) == "the pump refused Resume: wrong mode (it is running)"
    assert bench.programmer.connection.is_open


def test_a_refusal_may_be_caught() -> None:
    def stubborn() -> Procedure[str]:
        try:
            yield m.Resume(1)
        except RequestRefused:
            yield m.Suspend(2)
        return "suspended"

    assert Bench().run(stubborn()) == "suspended"


def test_figure_and_limit_are_told() -> None:
    error = RequestRefused(m.WriteProgram(9, b""), m.Refused(0x11, Reason.OUT_OF_ORDER, 1, 9, 3))
    assert str(error) == "the pump refused WriteProgram: out of order (9; allowed: 3)"


def test_a_stale_base_is_refused_and_the_other_program_stays() -> None:
    bench = Bench()
    procedure = bench.set_program()
    give(bench.port.pump, Program.flat("meanwhile", 5))
    error = bench.run(procedure)
    assert isinstance(error, RequestRefused)
    assert error.refused.reason is Reason.STALE_BASE
    assert programs.from_image(bench.port.pump.image).name == "meanwhile"


# -- losses ----------------------------------------------------------------------------------------


def test_lost_before_the_commit_the_old_program_stays() -> None:
    transfer = Bench()
    transfer.programmer.start(transfer.set_program(), 0)
    transfer.exchange(times=2)
    before = state_of(transfer.port.pump)
    transfer.programmer.handle_timer(16_000_000)
    error = transfer.ended()
    assert isinstance(error, ConnectionLost | NoReply)
    assert state_of(transfer.port.pump) == before
    assert programs.from_image(transfer.port.pump.image) == FACTORY_PROGRAM


def test_a_connection_that_ends_before_the_commit_is_just_lost() -> None:
    bench = Bench()
    bench.programmer.start(bench.set_program(), 0)
    bench.exchange(times=1)
    bench.port.connection.abort(0)
    bench.exchange()
    error = bench.ended()
    assert isinstance(error, ConnectionLost)
    assert error.reason is CloseReason.RESET
    assert str(error).startswith("connection lost: ")
    assert bench.port.pump.memory.outcome(77) is None


@pytest.mark.parametrize("done", [False, True])
def test_lost_between_commit_and_reply_the_outcome_is_unknown(done: bool) -> None:
    bench = Bench()
    bench.stop_before_commit()
    if done:
        bench.port.receive_data(bench.programmer.data_to_send(0), 0)
    bench.programmer.handle_timer(60_000_000)
    error = bench.ended()
    assert isinstance(error, OutcomeUnknown)
    assert (error.transaction, error.reason) == (77, CloseReason.SILENCE)
    assert error.request == m.CommitProgram(77, NEW_DIGEST, m.When.NOW)
    assert "outcome unknown" in str(error)
    assert "transaction 77" in str(error)
    expected = NEW if done else FACTORY_PROGRAM
    assert programs.from_image(bench.port.pump.image) == expected
    # What is believed is what was heard.
    assert bench.programmer.belief.program == programs.digest(programs.image(FACTORY_PROGRAM))


def test_a_pump_that_is_there_but_does_not_answer() -> None:
    double = Double()
    double.programmer.start(ask(m.GetStatus()), 5)
    double.heard()
    double.programmer.handle_timer(REPLY_TIMEOUT + 4)
    assert double.programmer.busy
    assert double.programmer.next_deadline() is not None
    double.programmer.handle_timer(REPLY_TIMEOUT + 5)
    double.take_events()
    assert double.events[-1] == Disconnected(CloseReason.CLOSED_HERE)
    assert isinstance(double.ended(), NoReply)
    assert not double.programmer.connection.is_open


def test_no_reply_to_what_changes_the_pump_is_an_unknown_outcome() -> None:
    double = Double()
    double.programmer.start(ask(m.Suspend(9)), 0)
    double.heard()
    double.programmer.handle_timer(REPLY_TIMEOUT)
    error = double.ended()
    assert isinstance(error, OutcomeUnknown)
    assert error.transaction == 9


@pytest.mark.parametrize("reply", [m.Resumed(3), m.ProgramAborted()])
@pytest.mark.parametrize("request_", [m.GetClock(), m.Suspend(4)])
def test_an_answer_to_another_question_ends_the_connection(
    request_: Message, reply: Message
) -> None:
    double = Double()
    double.programmer.start(ask(request_), 0)
    double.say(reply)
    error = double.ended()
    assert isinstance(error, OutcomeUnknown if isinstance(request_, m.Suspend) else UnexpectedReply)
    assert not double.programmer.connection.is_open


@pytest.mark.parametrize("nonsense", [b"", b"\x00", b"\xfe", m.encode(m.Clock(1, 2))[:-1]])
@pytest.mark.parametrize("request_", [m.GetClock(), m.Suspend(4)])
def test_what_is_no_message_in_place_of_a_reply_ends_the_connection(
    request_: Message, nonsense: bytes
) -> None:
    double = Double()
    double.programmer.start(ask(request_), 0)
    double.pump.link.send(nonsense, 0)
    double.carry()
    error = double.ended()
    assert isinstance(error, OutcomeUnknown if isinstance(request_, m.Suspend) else UnexpectedReply)
    assert not double.programmer.connection.is_open


def test_what_is_no_message_between_replies_is_dropped() -> None:
    double = Double()
    double.pump.link.send(b"\xfe", 0)
    double.carry()
    assert double.programmer.connection.is_open
    double.programmer.start(ask(m.GetClock()), 0)
    double.say(m.Clock(2, 2))
    assert double.ended() == m.Clock(2, 2)


# -- a request that was replaced on its way --------------------------------------------------------


def foreign(request: Message, reason: Reason = Reason.MALFORMED) -> m.Refused:
    return m.Refused(m.entry_of(type(request)).number, reason, 0, 0, 0)


@pytest.mark.parametrize(
    "no",
    [
        foreign(m.Suspend(4)),
        foreign(m.Suspend(4), Reason.BAD_TAG),
        foreign(m.Suspend(4), Reason.OLD_COUNTER),
        foreign(m.Suspend(4), Reason.NOT_A_REQUEST),
        m.Refused(0, Reason.UNKNOWN_MESSAGE, 0, 0, 0),
        m.Refused(0x21, Reason.WRONG_MODE, 0, 0, 0),
    ],
)
def test_it_is_sent_again_with_the_same_transaction(no: m.Refused) -> None:
    double = Double()
    double.programmer.start(ask(m.Suspend(4)), 0)
    for _ in range(MOST_REPEATS):
        assert double.heard() == [m.Suspend(4)]
        double.say(no)
        assert double.programmer.busy
    assert double.heard() == [m.Suspend(4)]
    double.say(m.Suspended(9))
    assert double.ended() == m.Suspended(9)


@pytest.mark.parametrize("reason", [Reason.BAD_TAG, Reason.OLD_COUNTER])
@pytest.mark.parametrize("request_", [m.GetClock(), m.Suspend(4)])
def test_replaced_again_and_again_it_may_be_in_other_hands(
    request_: Message, reason: Reason
) -> None:
    """Whoever puts payloads in its place may bring it in later: nobody knows, and it is over."""
    double = Double()
    double.programmer.start(ask(request_), 0)
    for _ in range(MOST_REPEATS + 1):
        double.say(foreign(request_, reason))
    error = double.ended()
    assert isinstance(error, OutcomeUnknown if isinstance(request_, m.Suspend) else UnexpectedReply)
    assert not double.programmer.connection.is_open
    assert double.heard() == [request_] * (1 + MOST_REPEATS)


def test_what_stays_malformed_is_refused_after_all() -> None:
    """A pump of another make, which does not take this."""
    double = Double()
    double.programmer.start(ask(m.Suspend(4)), 0)
    for _ in range(MOST_REPEATS + 1):
        double.say(foreign(m.Suspend(4)))
    error = double.ended()
    assert isinstance(error, RequestRefused)
    assert error.refused.reason is Reason.MALFORMED
    assert double.programmer.connection.is_open


@pytest.mark.parametrize("reason", [Reason.BAD_TAG, Reason.MALFORMED])
@pytest.mark.parametrize("request_", [m.GetClock(), m.Suspend(4)])
def test_a_connection_that_is_being_closed_takes_no_request_again(
    request_: Message, reason: Reason
) -> None:
    double = Double()
    double.programmer.start(ask(request_), 0)
    double.heard()
    double.pump.send(foreign(request_, reason), 0)
    double.programmer.disconnect(0)
    double.programmer.receive_data(double.pump.data_to_send(0), 0)
    error = double.ended()
    expected = OutcomeUnknown if isinstance(request_, m.Suspend) else UnexpectedReply
    assert isinstance(error, RequestRefused if reason is Reason.MALFORMED else expected)


def test_of_several_the_replaced_one_comes_last() -> None:
    def read() -> Procedure[Any]:
        return (yield [m.GetClock(), m.GetLimits(), m.GetClock()])

    double = Double()
    double.programmer.start(read(), 0)
    assert double.heard() == [m.GetClock(), m.GetLimits(), m.GetClock()]
    double.say(foreign(m.GetClock()), m.Limits(1, 2, 3, 4))
    assert double.heard() == [m.GetClock()]
    double.say(m.Clock(3, 3), m.Clock(1, 1))
    assert double.ended() == [m.Clock(1, 1), m.Limits(1, 2, 3, 4), m.Clock(3, 3)]


def test_where_there_is_no_room_to_ask_again_the_connection_ends() -> None:
    """A pump that takes nothing off the line, and answers all the same."""
    it = Double()
    it.programmer = Programmer(LinkSettings(window=1, backlog=2))
    it.pump = Connection(Role.ACCEPTOR, LinkSettings(window=1))
    it.programmer.connect(3, 0)
    it.carry()
    it.events.clear()

    def several() -> Procedure[Any]:
        return (yield [m.GetClock(), m.GetStatus()])

    it.programmer.start(several(), 0)
    no = m.encode(m.Refused(0, Reason.BAD_TAG, 0, 0, 0))
    frames = [encode_frame(Frame(Kind.DATA, 3, seq, 0, 0, no)) for seq in (0, 1)]
    it.programmer.receive_data(b"".join(frames), 0)
    assert isinstance(it.ended(), UnexpectedReply)


def test_a_whole_backlog_may_be_replaced_one_by_one() -> None:
    def read() -> Procedure[Any]:
        return (yield [m.GetClock()] * 64)

    double = Double()
    double.programmer.start(read(), 0)
    answered = 0
    while double.programmer.busy:
        for _ in double.heard():
            answered += 1
            double.say(foreign(m.GetClock()) if answered <= MOST_REPEATS else m.Clock(1, 1))
    assert double.ended() == [m.Clock(1, 1)] * 64
    assert answered == 64 + MOST_REPEATS


@pytest.mark.parametrize("replaced", [False, True])
def test_the_wait_for_a_reply_starts_over_with_what_comes(replaced: bool) -> None:
    """With a reply for the next one, and with a refusal for what is sent again."""

    def read() -> Procedure[Any]:
        return (yield [m.GetClock(), m.GetClock()])

    double = Double()
    double.programmer.start(read(), 0)
    double.heard()
    heard_at = REPLY_TIMEOUT - 1
    double.pump.send(foreign(m.GetClock()) if replaced else m.Clock(1, 1), heard_at)
    double.programmer.receive_data(double.pump.data_to_send(heard_at), heard_at)
    for now in range(heard_at, heard_at + REPLY_TIMEOUT, 100_000):
        # The pump is there, and acknowledges whatever comes.
        double.pump.receive_data(double.programmer.data_to_send(now), now)
        double.pump.handle_timer(now)
        double.programmer.receive_data(double.pump.data_to_send(now), now)
        double.programmer.handle_timer(now)
        assert double.programmer.busy
    double.programmer.handle_timer(heard_at + REPLY_TIMEOUT)
    assert isinstance(double.ended(), NoReply)


# -- whom it talks to ------------------------------------------------------------------------------


def test_the_newest_count_before_the_request_is_what_it_is_measured_by() -> None:
    double = Double()
    double.programmer = Programmer()
    double.programmer.connect(2, 0, meet_pump(KnownPump(count=True)))
    pump = new_pump().describe()
    assert double.heard() == [m.Identify()]
    double.say(pump)
    assert double.heard() == [m.GetStatus()]
    double.say(STATUS)
    assert double.events == [Connected(240, 8, None, PumpMet(pump, 5))]
    double.events.clear()
    double.programmer.start(ask(m.QueryOutcome(1)), 0)
    double.say(m.OutcomeKnown(1, m.OutcomeStatus.NEVER_SEEN, 0, b"", 9))
    assert double.ended().outcomes == 9
    double.programmer.start(ask(m.Suspend(4)), 0)
    double.pump.abort(0)
    double.carry()
    error = double.ended()
    assert isinstance(error, OutcomeUnknown)
    assert error.before == PumpMet(pump, 9)


def test_changes_of_ones_own_are_counted_but_for_what_the_pump_does_not_record() -> None:
    """So whoever is alone with a pump never runs out of evidence."""
    it = Bench()
    it.port.pump = new_pump()
    it.port.reboot(it.port.pump)
    it.programmer = Programmer()
    it.programmer.connect(2, 0, meet_pump(KnownPump(count=True)))
    it.exchange()
    it.events.clear()
    for number in range(100):
        it.run(ask(m.SetClock(number // 2, number // 2)))  # each twice
    it.run(ask(m.Resume(500)))  # refused, and recorded as that
    it.run(ask(m.SetClock(7, 99)))  # the transaction was another request's
    met = it.programmer._met
    assert met is not None
    assert met.outcomes == it.port.pump.outcomes == 51


def test_of_a_connection_without_an_opening_nothing_is_known() -> None:
    double = Double()
    double.programmer.start(ask(m.Suspend(4)), 0)
    double.pump.abort(0)
    double.carry()
    assert double.ended().before is None


def test_nobody_answers_a_call() -> None:
    programmer = Programmer()
    programmer.connect(1, 0)
    while (due := programmer.next_deadline()) is not None:
        programmer.data_to_send(due)
        programmer.handle_timer(due)
    assert programmer.next_event() == Disconnected(CloseReason.NO_ANSWER)


def test_a_call_may_be_given_up() -> None:
    programmer = Programmer()
    programmer.connect(1, 0)
    programmer.disconnect(0)
    assert programmer.next_event() == Disconnected(CloseReason.CLOSED_HERE)


# -- procedures ------------------------------------------------------------------------------------


def watched(closed: list[str]) -> Procedure[None]:
    try:
        while True:
            yield m.GetClock()
    finally:
        closed.append("closed")


def test_what_is_asked_after_the_end_says_why_it_has_ended() -> None:
    """The last reply may come in one go with the end, before anybody can have looked."""
    it = Double()
    it.programmer.start(ask(m.GetClock()), 0)
    it.heard()
    it.pump.send(m.Clock(1, 1), 0)
    late = it.pump.data_to_send(0)
    it.pump.abort(0)
    it.programmer.receive_data(late + it.pump.data_to_send(0), 0)
    assert it.ended() == m.Clock(1, 1)
    with pytest.raises(ConnectionLost) as lost:
        it.programmer.start(ask(m.GetClock()), 0)
    assert lost.value.reason is CloseReason.RESET


def test_one_procedure_at_a_time_and_only_when_connected() -> None:
    bench = Bench()
    bench.programmer.start(ask(m.GetClock()), 0)
    with pytest.raises(LocalProtocolError, match="another"):
        bench.programmer.start(ask(m.GetClock()), 0)
    with pytest.raises(LocalProtocolError, match="no pump"):
        Programmer().start(ask(m.GetClock()), 0)


@pytest.mark.parametrize("loss", ["reset", "silence", "disconnect"])
def test_a_procedure_is_closed_when_the_connection_ends(loss: str) -> None:
    bench, closed = Bench(), list[str]()
    bench.programmer.start(watched(closed), 0)
    bench.exchange(times=3)
    assert not closed
    if loss == "reset":
        bench.port.connection.abort(0)
    elif loss == "silence":
        bench.programmer.handle_timer(60_000_000)
    else:
        bench.programmer.disconnect(0)
    bench.exchange(times=10)
    assert closed == ["closed"]
    assert not bench.programmer.busy


def test_a_procedure_that_goes_on_after_a_loss_gets_no_further() -> None:
    def deaf() -> Procedure[None]:
        try:
            yield m.GetClock()
        except ConnectionLost:
            yield m.GetStatus()

    double = Double()
    double.programmer.start(deaf(), 0)
    double.heard()
    double.pump.abort(0)
    double.carry()
    assert isinstance(double.ended(), ConnectionLost)


@pytest.mark.parametrize("bad", [m.SetClock(1, 2**31), m.WriteProgram(0, bytes(900)), None])
def test_a_request_that_cannot_be_sent_fails_its_procedure(bad: Any) -> None:
    bench, closed = Bench(), list[str]()

    def clumsy() -> Iterator[Any]:
        try:
            yield bad
        finally:
            closed.append("closed")

    assert isinstance(bench.run(clumsy()), LocalProtocolError)  # type: ignore[arg-type]
    assert closed == ["closed"]
    assert bench.run(ask(m.GetClock())) == m.Clock(0, 0)


def test_a_bug_in_a_procedure_is_seen_and_does_not_block_the_next() -> None:
    def buggy() -> Procedure[None]:
        yield m.GetClock()
        raise ZeroDivisionError

    bench = Bench()
    bench.programmer.start(buggy(), 0)
    with pytest.raises(ZeroDivisionError):
        bench.exchange()
    assert bench.run(ask(m.GetClock())) == m.Clock(0, 0)


# -- bytes -----------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_any_garbage_is_survived(chunks: list[bytes]) -> None:
    bench = Bench()
    for chunk in chunks:
        bench.programmer.receive_data(chunk, 0)
    bench.programmer.receive_data(b"\x00", 0)
    assert bench.run(ask(m.Suspend(1))) == m.Suspended(0)
    assert bench.programmer.belief.mode is Mode.SUSPENDED

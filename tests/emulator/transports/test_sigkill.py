"""A real pump process is killed at random moments under load, and looked at from outside.

The kill comes at any moment of a stream of commands over a real pty.  Afterwards the pump is
started again on the same file, and everything that it had acknowledged must be there.
MOCKPUMP_KILLS says how often (12 unless told otherwise; `make soak` does it 200 times).
"""

import contextlib
import os
import random
import signal
import subprocess
import threading
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path

import pytest
from outside import COMMAND, PATIENCE, wait_readable

from mockpump.emulator.memory.sqlite import SqliteMemory
from mockpump.emulator.programmer.errors import ProgrammerError, RequestRefused
from mockpump.emulator.programmer.procedures import (
    Procedure,
    ask,
    learn_outcome,
    read_log,
    read_program,
    set_program,
)
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.transports.blocking_programmer import SerialProgrammer
from mockpump.emulator.transports.errors import PortError
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.messages import OUTCOMES, LogKind
from mockpump.protocol.messages.base import Message
from mockpump.protocol.program import Program

# The entry that each leaves in the log when it is carried out, and not when it is refused.
LEAVES = {
    "program": LogKind.PROGRAM,
    "clock": LogKind.CLOCK_SET,
    "bolus": LogKind.BOLUS_STARTED,
    "suspend": LogKind.SUSPENDED,
    "resume": LogKind.RESUMED,
}
KILLS = int(os.environ.get("MOCKPUMP_KILLS") or 12)
PROGRAMS = [Program.flat(f"number {k}", 10_000 + k) for k in range(4)]


class Ledger:
    """What was asked and what was acknowledged, kept where no kill reaches it."""

    def __init__(self, source: random.Random) -> None:
        self.random = source
        self.acknowledged: deque[int] = deque(maxlen=OUTCOMES // 2)
        self.program = PROGRAMS[0]
        self.asked: Program | None = None
        self.elapsed = 0
        # What was done since the last look, and what was under way at the kill, by log entry.
        self.done: Counter[LogKind] = Counter()
        self.under_way: LogKind | None = None
        self.seen = 0

    def work(self, pump: SerialProgrammer, payload: int) -> None:
        """One command, chosen at random, and what came of it."""
        transaction = self.random.randrange(2**32)
        act = self.random.choice(["program", "clock", "bolus", "cancel", "suspend", "resume"])
        self.under_way = LEAVES.get(act)
        if act == "program":
            self.asked = self.random.choice(PROGRAMS)
            base = programs.digest(programs.image(self.program))
            pump.run(set_program(self.asked, base, transaction, payload))
            self.program, self.asked = self.asked, None
            reply: Message | None = None
        else:
            request = {
                "clock": m.SetClock(transaction, self.random.randrange(2**30)),
                "bolus": m.StartBolus(transaction, m.BolusKind.BOLUS, 100, 3_600),
                "cancel": m.CancelBolus(transaction),
                "suspend": m.Suspend(transaction),
                "resume": m.Resume(transaction),
            }[act]
            reply = pump.run(_answered(request))
        if act in LEAVES:
            self.done[LEAVES[act]] += not isinstance(reply, m.Refused)
        self.under_way = None
        self.acknowledged.append(transaction)
        self.elapsed = pump.run(ask(m.GetClock())).elapsed


def _answered(request: Message) -> Procedure[Message]:
    """A request; a refusal is an answer too, and remembered like one."""
    try:
        return (yield request)
    except RequestRefused as refused:
        return refused.refused


@contextlib.contextmanager
def running(memory: Path, port: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [*COMMAND, "pump", "run", "--memory", str(memory), "--pty", str(port)]
    child = subprocess.Popen(
        [*command, "--speed", "3600"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        assert wait_readable(child.stdout.fileno(), PATIENCE), "the pump did not start"
        yield child
    finally:
        child.kill()
        child.communicate()
        # The number of its pty is free now, and may be that of another test's line next: a pump
        # would rightly not take over a link to an open line.
        port.unlink(missing_ok=True)


def check(pump: SerialProgrammer, ledger: Ledger) -> None:
    """From outside: nothing that was acknowledged is lost, and nothing is half."""
    for transaction in ledger.acknowledged:
        known = pump.run(learn_outcome(transaction))
        assert known.fate is not m.OutcomeStatus.NEVER_SEEN, transaction
    active = pump.run(read_program()).program
    assert active in (ledger.program, ledger.asked)
    ledger.program, ledger.asked = active, None
    check_log(pump, ledger)
    status: m.Status = pump.run(ask(m.GetStatus()))
    # A checkpoint is at most a minute of pump time old when something is acknowledged.
    assert status.elapsed >= ledger.elapsed - 60


def check_log(pump: SerialProgrammer, ledger: Ledger) -> None:
    """All that was acknowledged is done once; what was under way, once or not at all.

    `read_log` has verified the chain.
    """
    log = pump.run(read_log())
    new = log.entries[max(ledger.seen + 1 - log.first, 0) :]
    left = Counter(e.kind for e in new if e.kind in LEAVES.values())
    left.subtract(ledger.done)
    under_way = [ledger.under_way] if ledger.under_way is not None else []
    assert list(Counter({kind: n for kind, n in left.items() if n}).elements()) in ([], under_way)
    assert min(left.values(), default=0) >= 0, left
    ledger.seen, ledger.under_way = log.first + len(log.entries) - 1, None
    ledger.done.clear()


@pytest.mark.end_to_end
def test_killed_at_any_moment_it_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    file, port = tmp_path / "pump", tmp_path / "port"
    memory = SqliteMemory.create(file)
    initialize(memory, PumpConfig(program=PROGRAMS[0]))
    memory.close()
    ledger = Ledger(random.Random(KILLS))
    done = 0
    for _ in range(KILLS):
        with running(file, port) as child, SerialProgrammer(str(port)) as pump:
            terms = pump.connect(ledger.random.randrange(2**16))
            check(pump, ledger)
            before = len(ledger.acknowledged)
            delay = ledger.random.uniform(0, 0.15)
            killer = threading.Timer(delay, child.send_signal, (signal.SIGKILL,))
            killer.start()
            with contextlib.suppress(ProgrammerError, PortError):
                while True:
                    ledger.work(pump, terms.max_payload)
            killer.join()
            done += len(ledger.acknowledged) - before
    assert done or len(ledger.acknowledged) == OUTCOMES // 2
    with running(file, port), SerialProgrammer(str(port)) as pump:
        pump.connect(1)
        check(pump, ledger)

"""The power is cut before every write of every command that changes the pump.

For each command the writes of its record are counted once; then the command is carried out again
and again, each time on a fresh copy of the same pump, and each time the power goes before another
write.  What wakes up afterwards must be the old pump or the new one, whole, and never less than
what was acknowledged.  A memory that commits half way shows that these checks can fail.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pump_state import REQUESTS, Line

from mockpump.emulator.memory.interface import PowerCut
from mockpump.emulator.memory.sqlite import SqliteMemory
from mockpump.emulator.pump.factory import PumpConfig, initialize
from mockpump.emulator.pump.operations import suspend
from mockpump.emulator.pump.pump import Pump
from mockpump.emulator.pump.state import UNITS_PER_STEP
from mockpump.protocol import messages as m
from mockpump.protocol import program as programs
from mockpump.protocol.errors import DecodeError
from mockpump.protocol.log import chain
from mockpump.protocol.messages.base import Message
from mockpump.protocol.program import UNITS_PER_NL, Program

OTHER = Program.flat("other", 36_000)
DIGEST = programs.digest(programs.image(OTHER))
TRANSACTION = 4711
COMMANDS: dict[str, Message] = {
    "clock": m.SetClock(TRANSACTION, 5_000_000),
    "commit now": m.CommitProgram(TRANSACTION, DIGEST, m.When.NOW),
    "commit at midnight": m.CommitProgram(TRANSACTION, DIGEST, m.When.MIDNIGHT),
    "commit at an edge": m.CommitProgram(TRANSACTION, DIGEST, m.When.EDGE),
    "drop pending": m.DropPending(TRANSACTION),
    "suspend": m.Suspend(TRANSACTION),
    "resume": m.Resume(TRANSACTION),
    "bolus": m.StartBolus(TRANSACTION, m.BolusKind.BOLUS, 5_000, 3_600),
    "cancel bolus": m.CancelBolus(TRANSACTION),
    "temporary": m.SetTemporary(TRANSACTION, 150, 3_600),
    "cancel temporary": m.CancelTemporary(TRANSACTION),
    "refill": m.Refill(TRANSACTION, 9_000_000, 900),
    "ramp": m.MoveRamp(TRANSACTION, m.RampMove.HOLD),
    "limits": m.SetLimits(TRANSACTION, 100_000, 100_000, 1_000_000, 300),
    "acknowledge": m.AcknowledgeAlarm(TRANSACTION, m.Alarm.LOW_BATTERY),
    "refused": m.SetTemporary(TRANSACTION, 250, 2**16),
}
# What must have happened before, for a command to be carried out.
BEFORE: dict[str, list[Message]] = {
    "drop pending": [m.CommitProgram(1, DIGEST, m.When.MIDNIGHT)],
    "resume": [m.Suspend(1)],
    "cancel bolus": [m.StartBolus(1, m.BolusKind.BOLUS, 5_000, 36_000)],
    "cancel temporary": [m.SetTemporary(1, 120, 36_000)],
    "refused": [m.SetLimits(1, 30_000, 100_000, 1_000_000, 300)],
}
Open = Callable[[Path], SqliteMemory]


class HalfWay(SqliteMemory):
    """A broken memory: whatever has been written by then lasts, one statement at a time."""

    def record(self, change: Any) -> None:
        for write in self._writes(change):
            self.before_write(write.name)
            if write.name not in ("begin", "commit"):
                self._connection.execute(write.sql, write.parameters)


@pytest.fixture(scope="module")
def pumps(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """For each command a file with a pump that is ready for it; made once, to be copied."""
    folder, made = tmp_path_factory.mktemp("pumps"), dict[str, Path]()

    def ready(name: str) -> Path:
        if name not in made:
            made[name] = folder / name.replace(" ", "-")
            memory = SqliteMemory.create(made[name])
            initialize(memory, PumpConfig())
            pump = Pump(memory)
            line = Line(pump)
            pump.advance(10_000)
            pump.change(lambda: pump.show(m.Alarm.LOW_BATTERY))
            for request in BEFORE.get(name, []):
                if isinstance(request, m.CommitProgram):
                    line.stage(OTHER)
                assert not isinstance(line.ask(request), m.Refused)
            pump.advance(10_030)
            memory.close()
        return made[name]

    return ready


def cut_everywhere(original: Path, command: Message, open_: Open) -> Iterator[tuple[Any, Path]]:
    """Carry a command out with the power cut before its first write, its second, and so on.

    Yields the reply (None: the power went) and the file that is left, the last time without a cut.
    """
    before = 0
    while True:
        file = original.with_name(f"{original.name}-{before}")
        shutil.copy(original, file)
        memory = open_(file)
        pump = Pump(memory)
        line = Line(pump)
        if isinstance(command, m.CommitProgram):
            line.stage(OTHER)
        countdown = iter(range(before, -1, -1))

        def cut(_: str, countdown: Iterator[int] = countdown) -> None:
            if next(countdown) == 0:
                raise PowerCut

        memory.before_write = cut
        reply = None
        try:
            reply = line.ask(command)
        except PowerCut:
            pass
        except StopIteration:
            raise AssertionError("a write after the last") from None
        memory.close()
        yield reply, file
        if reply is not None:
            return
        before += 1


def account(file: Path) -> dict[str, Any]:
    """What wakes up: everything that must be the old or the new, all together."""
    with closing(SqliteMemory.open(file)) as memory:
        return account_of(memory)


def account_of(memory: SqliteMemory) -> dict[str, Any]:
    pump = Pump(memory)
    seen = {
        "program": pump.image,
        "pending": pump.pending_image,
        "limits": pump.delivery.limits,
        "bolus": pump.delivery.bolus,
        "temporary": pump.delivery.temporary,
        "mode": pump.mode,
        "offset": pump.delivery.clock - pump.elapsed,
        "filling": pump.delivery.filling,
        "fluids": pump.catheter.fluids,
        "held": pump.delivery.schedule and pump.delivery.schedule.held_day,
        "acknowledged": pump.panel.shown[m.Alarm.LOW_BATTERY].acknowledged,
        "outcome": memory.outcome(TRANSACTION),
    }
    page = memory.log(1, 1_000)
    assert chain(page.before, page.entries) == page.newest_chain
    restarts = [each for each in page.entries if each.kind is m.LogKind.RESTARTED]
    # The entry says how much may have been moved: never more than a minute of the highest rate.
    assert all(each.first <= each.second <= 60 * 100_000 // 3600 + 1 for each in restarts)
    seen["log"] = [e for e in page.entries if e.kind not in RESTART_KINDS]
    return seen


RESTART_KINDS = (m.LogKind.RESTARTED, m.LogKind.ALARM_RAISED)


def check_every_cut(original: Path, command: Message, open_: Open) -> int:
    """How many cuts there were; every one must leave the old pump or the new."""
    *cuts, (reply, last) = list(cut_everywhere(original, command, open_))
    new = account(last)
    assert new["outcome"].reply == m.encode(reply)
    old_file = original.with_name(f"{original.name}-untouched")
    shutil.copy(original, old_file)
    old = account(old_file)
    assert old != new
    for _, file in cuts:
        left = account(file)
        assert left in (old, new), file
    return len(cuts)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_write_may_be_the_last(pumps: Callable[[str], Path], name: str) -> None:
    cuts = check_every_cut(pumps(name), COMMANDS[name], SqliteMemory.open)
    assert cuts >= 4  # begin, state, outcome, commit at the least


def test_every_command_that_changes_the_pump_is_among_them() -> None:
    changing = {each for each in REQUESTS if "transaction" in each.__struct_fields__}
    assert {type(command) for command in COMMANDS.values()} == changing


def test_a_memory_that_commits_half_way_is_found_out(pumps: Callable[[str], Path]) -> None:
    with pytest.raises((AssertionError, DecodeError)):
        check_every_cut(pumps("commit now"), COMMANDS["commit now"], HalfWay.open)


def test_a_checkpoint_that_was_cut_is_an_interval_and_no_guess(tmp_path: Path) -> None:
    """Between two checkpoints the power goes: the pump says how much it may have moved."""
    file = tmp_path / "pump"
    memory = SqliteMemory.create(file)
    program: Program = Program.flat("steady", 36_000)
    initialize(memory, PumpConfig(program=program))
    pump = Pump(memory)
    pump.advance(600)
    recorded = pump.delivery.due
    pump.advance(659)
    moved = pump.delivery.due - recorded
    memory.close()
    memory = SqliteMemory.open(file)
    woken = Pump(memory)
    assert woken.delivery.due == recorded
    (entry,) = [e for e in memory.log(1, 99).entries if e.kind is m.LogKind.RESTARTED]
    assert 0 == entry.first <= moved // UNITS_PER_NL <= entry.second == 600
    assert m.Alarm.RESTARTED in woken.panel.shown
    # For the limit, what nobody knows counts as moved.
    assert woken.delivery.last_day == recorded + 600 * UNITS_PER_NL
    assert woken.delivery.due % UNITS_PER_STEP == 0
    memory.close()


def test_put_down_in_good_order_nothing_is_unaccounted_for(tmp_path: Path) -> None:
    memory = SqliteMemory.create(tmp_path / "pump")
    initialize(memory, PumpConfig())
    pump = Pump(memory)
    pump.advance(659)
    suspend(pump)
    pump.shut_down()
    memory.close()
    memory = SqliteMemory.open(tmp_path / "pump")
    woken = Pump(memory)
    assert (woken.elapsed, woken.delivery.due) == (659, pump.delivery.due)
    assert m.Alarm.RESTARTED not in woken.panel.shown
    memory.close()

"""Whatever somebody else on the line tries, the pump does nothing for them."""

import pytest

from mockpump.cli.scenarios import library
from mockpump.emulator.simulation.adversary import TRICKS
from mockpump.emulator.simulation.narration import NarrationLine
from mockpump.emulator.simulation.runner import ScenarioRunner
from mockpump.emulator.simulation.scenario import load_scenario
from mockpump.protocol.messages import LogKind, Mode

TEXT = """
format = "mockpump-scenario/1"
name = "x"
title = "X"
[[step]]
bolus = { volume = 20000, over = "1h" }
[[step]]
temp = { percent = 150, span = "2h" }
"""
_ASKED = {LogKind.MADE, LogKind.BOLUS_STARTED, LogKind.TEMPORARY_STARTED, LogKind.SESSION_STARTED}
_NOTED = {LogKind.TURNED_AWAY, LogKind.PROOF_FAILED, LogKind.ALARM_RAISED}


def attacked(*tricks: str, seed: int = 0) -> tuple[ScenarioRunner, list[NarrationLine]]:
    text = TEXT + "".join(f'[[step]]\nattack = "{trick}"\n' for trick in tricks)
    with library() as books:
        runner = ScenarioRunner(load_scenario(text, "x"), books, seed)
        return runner, list(runner.tell())


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("seed", range(3))
def test_a_trick_changes_nothing(trick: str, seed: int) -> None:
    runner, _ = attacked(trick, seed=seed)
    pump = runner.world.pump
    kinds = [each.kind for each in pump.memory.log(1, 1_000).entries]
    assert pump.mode is Mode.RUNNING
    assert kinds[:4] == [
        LogKind.MADE,
        LogKind.SESSION_STARTED,
        LogKind.BOLUS_STARTED,
        LogKind.TEMPORARY_STARTED,
    ]
    assert set(kinds[4:]) <= _NOTED


def test_all_of_them_one_after_the_other() -> None:
    runner, _ = attacked(*TRICKS, *TRICKS)
    kinds = [each.kind for each in runner.world.pump.memory.log(1, 1_000).entries]
    assert set(kinds) <= _ASKED | _NOTED
    assert kinds.count(LogKind.BOLUS_STARTED) == 1


def test_an_eavesdropper_reads_everything() -> None:
    _, lines = attacked("listen")
    said = " ".join(line.text for line in lines)
    assert "all readable" in said
    assert "1 StartBolus" in said
    assert "what is not a message" not in said


def test_what_is_injected_is_noted_in_the_log() -> None:
    runner, _ = attacked("inject")
    entries = runner.world.pump.memory.log(1, 1_000).entries
    assert [each.kind for each in entries][-1] is LogKind.TURNED_AWAY

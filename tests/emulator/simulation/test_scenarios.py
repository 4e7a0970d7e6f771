"""Drawn scenarios hold what must always be so; one that does not is noted as a scenario."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from drawn_scenarios import assert_holds, scenarios
from hypothesis import Phase, given, settings
from outside import in_process

from mockpump.emulator.simulation.invariants import Watched


@settings(max_examples=10)
@given(scenarios())
def test_whatever_is_told_the_invariants_hold(facts: dict[str, Any]) -> None:
    assert_holds(facts)


# What campaigns have found, cut down; the first line names the seed.
FOUND = sorted((Path(__file__).parents[3] / "tests" / "scenarios").glob("*.toml"))


@pytest.mark.parametrize("file", FOUND, ids=[file.stem for file in FOUND])
def test_what_a_campaign_has_found_is_mended(file: Path) -> None:
    text = file.read_text("utf-8")
    seed = re.search(r"--seed (\d+)", text.splitlines()[0])
    assert seed is not None
    assert_holds(tomllib.loads(text), int(seed[1]))


def broken(checked: Watched) -> Any:
    entries = checked.world.pump.memory.log(1, 1_000).entries
    if "REFILLED" in [each.kind.name for each in entries]:
        yield "no-refills: somebody has refilled it"


def test_what_fails_is_noted_as_a_scenario_that_fails_likewise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(Watched, "broken", broken)

    @settings(
        max_examples=60, database=None, derandomize=True, phases=[Phase.generate], deadline=None
    )
    @given(scenarios())
    def failing(facts: dict[str, Any]) -> None:
        assert_holds(facts)

    with pytest.raises(AssertionError, match="no-refills") as failed:
        failing()
    text = next(note for note in failed.value.__notes__ if "[[step]]" in note)
    with pytest.raises(AssertionError, match="no-refills"):
        assert_holds(tomllib.loads(text))
    file = tmp_path / "noted.toml"
    file.write_text(text, "utf-8")
    ended = in_process(capsys, monkeypatch)("run", str(file), "--seed", "0")
    assert (ended.code, "no-refills" in ended.err) == (1, True)

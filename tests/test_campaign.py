"""Campaigns: a seed is a story, whoever runs it; what fails is cut down and can be run by hand."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outside import Command, in_process

from mockpump.cli.examples import example_program
from mockpump.emulator.world import campaign as campaigns
from mockpump.emulator.world.campaign import campaign, cut_down, run_seeds, total
from mockpump.emulator.world.invariants import Watched
from mockpump.emulator.world.random_story import random_facts, random_story, story_text
from mockpump.emulator.world.story import load_story


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return in_process(capsys, monkeypatch)


@given(st.integers(0, 10**6))
def test_a_seed_is_a_story_that_can_be_written_and_read(seed: int) -> None:
    story = random_story(seed)
    assert story == load_story(story_text(random_facts(seed)), "x")
    assert story.step[-1].at == "24h"


def test_the_stories_of_a_few_seeds_break_nothing() -> None:
    result = run_seeds(range(12), example_program)
    assert result.failed == {}
    assert result.runs == 12
    assert sum(sum(layers.values()) for layers in result.faults.values()) > 50


def test_it_does_not_matter_who_runs_them() -> None:
    alone = run_seeds(range(30, 36), example_program)
    with ThreadPoolExecutor(2) as executor:
        together = total(list(campaign(range(30, 36), executor, example_program)))
    assert total([alone]) == together


def broken(watched: Watched) -> Any:
    kinds = [each.kind.name for each in watched.world.pump.memory.log(1, 1_000).entries]
    if "REFILLED" in kinds:
        yield "no-refills: somebody has refilled it"


def test_what_fails_is_cut_down_to_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Watched, "broken", broken)
    failed = run_seeds(range(40), example_program).failed
    assert failed
    seed = min(failed)
    text = cut_down(seed, example_program)
    story = load_story(text, "x")
    assert [step.deed and step.deed[0] for step in story.step] == ["refill"]
    assert story.channel == {}
    assert text.startswith("# no-refills")


def test_an_error_is_a_finding_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Any:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(campaigns, "run_facts", fail)
    assert run_seeds([1], example_program).failed == {1: "ZeroDivisionError: oh"}


def test_the_command(command: Command) -> None:
    ended = command("campaign", "--runs", "10", "--seed", "3", "--jobs", "2")
    assert ended.code == 0
    assert "10 runs from seed 3 on, 0 failed" in ended.out
    assert "exactly-once" in ended.out
    again = command("campaign", "--runs", "10", "--seed", "3", "--jobs", "1", "--json")
    assert '"runs": 10' in again.out


def test_the_command_with_a_failure(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Watched, "broken", broken)
    monkeypatch.setattr("mockpump.cli.campaign.ProcessPoolExecutor", ThreadPoolExecutor)
    kept = tmp_path / "kept"
    ended = command("campaign", "--runs", "20", "--seed", "0", "--keep", str(kept))
    assert ended.code == 1
    assert "somebody has refilled it" in ended.out
    file = min(kept.iterdir())
    assert command("run", str(file)).code == 0


def test_no_cluster_is_one_line(command: Command) -> None:
    ended = command("campaign", "--runs", "1", "--dask", "tcp://127.0.0.1:1")
    assert ended.code == 2
    assert "Traceback" not in ended.err

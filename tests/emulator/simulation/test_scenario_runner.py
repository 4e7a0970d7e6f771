"""Every scenario is run to its end, and its expectations are checked as it goes."""

from collections.abc import Iterator

import pytest

from mockpump.cli.examples import example_program, example_scenario, scenario_names
from mockpump.emulator.memory.sqlite import SqliteMemory
from mockpump.emulator.simulation.curves import curves_of
from mockpump.emulator.simulation.errors import ScenarioError
from mockpump.emulator.simulation.narration import NarrationLine
from mockpump.emulator.simulation.runner import Library, ScenarioRunner
from mockpump.emulator.simulation.scenario import load_scenario
from mockpump.protocol.log import LogEntry
from mockpump.protocol.messages import LogKind

SCENARIOS = scenario_names()
HEAD = 'format = "mockpump-scenario/1"\nname = "x"\ntitle = "X"\n'


@pytest.fixture
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    numbers = iter(range(100))
    folder = tmp_path_factory.mktemp("memories")
    return Library(example_program, lambda: SqliteMemory.create(folder / f"pump-{next(numbers)}"))


def told(name: str, library: Library) -> tuple[ScenarioRunner, list[NarrationLine]]:
    runner = ScenarioRunner(example_scenario(name), library)
    return runner, list(runner.tell())


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_told_to_its_end_the_same_each_time(name: str, library: Library) -> None:
    runner, lines = told(name, library)
    assert {line.kind for line in lines} <= {"say", "do", "pump"}
    assert lines == told(name, library)[1]
    if runner.scenario.picture is None:
        assert runner.scenario.ladder is not None
        return
    curves = curves_of(runner.scenario.picture, runner.recorder)
    assert len(curves.lines) == len(runner.scenario.picture.curves)
    for line in curves.lines:
        assert len(line.values) == len(curves.elapsed)
        assert min(line.values) >= 0
    for point in runner.recorder.points:
        assert point.arrived <= point.pumped


def entries(runner: ScenarioRunner) -> Iterator[LogEntry]:
    return iter(runner.world.pump.memory.log(1, 1_000).entries)


def test_the_bolus_whose_reply_was_lost_is_given_once(library: Library) -> None:
    runner, lines = told("bolus-lost-reply", library)
    assert any("the pump reports it done" in line.text for line in lines)
    started = [entry for entry in entries(runner) if entry.kind is LogKind.BOLUS_STARTED]
    assert len(started) == 1


def test_a_cut_commit_wakes_up_with_the_old_program(library: Library) -> None:
    _, lines = told("power-cut", library)
    cuts = [line.text for line in lines if line.text.startswith("cut before")]
    assert len(cuts) >= 5
    assert all('wakes up with "week"; the log\'s chain holds' in cut for cut in cuts)


def test_a_log_is_told_in_words_and_of_a_long_one_the_end(library: Library) -> None:
    lines = [line.text for line in told("stall", library)[1]]
    at = lines.index("reads the log: 6 entries, and the chain holds")
    assert lines[at + 2] == "Mon 10:00  alarm raised: stalled"
    suspending = "[[step]]\nsuspend = true\n[[step]]\nresume = true\n" * 5
    scenario = load_scenario(HEAD + suspending + "[[step]]\nshow = 'log'", "x.toml")
    *_, dots, first, _, _, _, _, _, _, last = (
        t.text for t in ScenarioRunner(scenario, library).tell()
    )
    assert dots == "..."
    assert first.endswith("suspended")
    assert last.endswith("resumed")


def test_the_limit_stops_the_pump_and_never_beyond_it(library: Library) -> None:
    runner, lines = told("limits", library)
    assert any("alarm: limit reached" in line.text for line in lines)
    pumped = {point.elapsed: point.pumped for point in runner.recorder.points}
    for elapsed, volume in pumped.items():
        assert volume - pumped.get(elapsed - 86_400, 0) <= 800_000 or elapsed < 86_400


def test_the_long_way_is_far_below(library: Library) -> None:
    runner, _ = told("routes", library)
    assert runner.scenario.picture is not None
    _, here, there = curves_of(runner.scenario.picture, runner.recorder).lines
    assert max(there.values) < max(here.values) / 5


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ("[[step]]\nsuspend = true\nexpect = 'busy'", "was to be refused with busy"),
        ("[[step]]\nresume = true", "refused with wrong_mode"),
    ],
)
def test_an_expectation_that_is_not_met_is_an_error(
    library: Library, steps: str, fault: str
) -> None:
    with pytest.raises(ScenarioError, match=fault):
        list(ScenarioRunner(load_scenario(HEAD + steps, "x.toml"), library).tell())


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "empty"),
        ("name = 'x'", "missing required field"),
        ("no toml", "x.toml: "),
        (HEAD + "[[step]]\nfly = true", "unknown field `fly`"),
        (HEAD + "[[step]]\nsay = 5", "Expected `str`"),
        (HEAD + "[[step]]\nsuspend = true\nresume = true", "suspend and resume: one action a step"),
        (HEAD + "[[step]]\nexpect = 'busy'", "step 1 neither says nor does anything"),
        (
            HEAD + "sample = '5'\n[[step]]\nsay = 'x'",
            "invalid duration '5': use 90s, 30m, 2h, 1d or 1h30m",
        ),
        (HEAD + "[[step]]\nsay = 'x'\n[pump]\nclock = 'Xyz 10:00'", "invalid time 'Xyz 10:00'"),
    ],
)
def test_a_scenario_that_cannot_be_told_says_where(text: str, fault: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(text, "x.toml")
    assert str(caught.value).startswith("x.toml: ")
    assert fault.lower() in str(caught.value).lower()
    assert "\n" not in str(caught.value)

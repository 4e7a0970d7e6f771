"""The format of scenarios: all of it follows from the list of actions; the schema is fresh."""

import json
from inspect import cleandoc
from pathlib import Path

import pytest

from mockpump.cli.examples import example_scenario, scenario_names
from mockpump.emulator.channel.impairments import FIELDS
from mockpump.emulator.simulation.actions import ACTIONS
from mockpump.emulator.simulation.actions.action import Action
from mockpump.emulator.simulation.actions.line import ChangeLine
from mockpump.emulator.simulation.actions.passing import Live
from mockpump.emulator.simulation.actions.requests import Bolus, Limits, Suspend
from mockpump.emulator.simulation.errors import ScenarioError
from mockpump.emulator.simulation.scenario import Step, load_scenario, program_names
from mockpump.reference.scenario import schema

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "SCENARIOS.md").read_text("utf-8")
HEAD = 'format = "mockpump-scenario/1"\nname = "x"\ntitle = "X"\n'


def test_the_schema_in_the_documents_is_fresh() -> None:
    """When this fails: mockpump run --schema > docs/scenario.schema.json"""
    text = (ROOT / "docs" / "scenario.schema.json").read_text("utf-8")
    assert text == json.dumps(schema(), indent=2) + "\n"


def test_the_schema_knows_every_action_and_every_impairment() -> None:
    parts = schema()["$defs"]
    for action in ACTIONS:
        written = parts["Step"]["properties"][action.key]
        assert written["description"] == cleandoc(action.__doc__ or "")
    for part in ("Scenario", "Step"):
        assert set(parts[part]["properties"]["channel"]["properties"]) == set(FIELDS)
    assert parts["Step"]["additionalProperties"] is False


@pytest.mark.parametrize("name", scenario_names())
def test_the_programs_of_a_scenario_are_named(name: str) -> None:
    scenario = example_scenario(name)
    assert scenario.pump.program in program_names(scenario)
    assert program_names(scenario) == sorted(set(program_names(scenario)))


def step(text: str) -> Step:
    return load_scenario(f"{HEAD}[[step]]\n{text}\n", "x").step[0]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.key)
def test_what_the_guide_shows_of_an_action_is_that_action(action: type[Action]) -> None:
    text = f"{action.key} = {action.example}"
    assert f"| `{action.key}` | `{text}` |" in GUIDE
    found = step(text)
    assert type(found.action) is action
    assert found == step(f'{text}\nexpect = ""')


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("bolus = { volume = 5 }", Bolus(volume=5, over="30m")),
        ("limits = {}", Limits()),
        ('live = "6h"', Live("6h")),
        ("channel = {}", ChangeLine({})),
        ("suspend = true", Suspend()),
    ],
)
def test_several_fields_are_a_table_and_one_is_a_plain_value(text: str, action: Action) -> None:
    assert step(text).action == action


@pytest.mark.parametrize("text", ["live = { duration = '6h' }", "suspend = {}", "bolus = 5"])
def test_an_action_is_not_written_in_another_way(text: str) -> None:
    with pytest.raises(ScenarioError, match=r"Expected .* at `\$\.step\[0\]\."):
        step(text)


def test_a_step_has_one_action_or_none() -> None:
    assert step('say = "x"').action is None
    with pytest.raises(ScenarioError, match="step 1 does live and wait"):
        step('live = "1h"\nwait = "1s"')


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.key)
def test_only_what_the_pump_is_asked_for_may_be_refused(action: type[Action]) -> None:
    text = f"{action.key} = {action.example}\nexpect = 'busy'"
    asked = GUIDE.split("The pump is asked for these, and may refuse them: ")[1].split("\n")[0]
    assert (f"`{action.key}`" in asked) == action.refusable
    if action.refusable:
        assert step(text).refusal == "busy"
    else:
        with pytest.raises(ScenarioError, match="nobody is asked"):
            step(text)


def test_the_programs_of_an_action_are_called_for() -> None:
    text = "[[step]]\nprogram = { name = 'week' }\n[[step]]\npower_cut = { name = 'ramp' }\n"
    assert program_names(load_scenario(HEAD + text, "x")) == ["day", "ramp", "week"]

"""The format of scenarios: strict, errors name the nearest right key, the schema is fresh."""

import json
from pathlib import Path

import pytest

from mockpump.cli.examples import example_scenario, scenario_names
from mockpump.emulator.channel.impairments import FIELDS
from mockpump.emulator.simulation.actions import ACTIONS
from mockpump.emulator.simulation.scenario import program_names
from mockpump.reference.scenario import schema

ROOT = Path(__file__).resolve().parents[3]
HEAD = 'format = "mockpump-scenario/1"\nname = "x"\ntitle = "X"\n'


def test_the_schema_in_the_documents_is_fresh() -> None:
    """When this fails: mockpump run --schema > docs/scenario.schema.json"""
    text = (ROOT / "docs" / "scenario.schema.json").read_text("utf-8")
    assert text == json.dumps(schema(), indent=2) + "\n"


def test_the_schema_knows_every_deed_and_every_impairment() -> None:
    parts = schema()["$defs"]
    assert set(ACTIONS) <= set(parts["Step"]["properties"])
    for part in ("Scenario", "Step"):
        assert set(parts[part]["properties"]["channel"]["properties"]) == set(FIELDS)
    assert parts["Step"]["additionalProperties"] is False


@pytest.mark.parametrize("name", scenario_names())
def test_the_programs_of_a_scenario_are_named(name: str) -> None:
    scenario = example_scenario(name)
    assert scenario.pump.program in program_names(scenario)
    assert program_names(scenario) == sorted(set(program_names(scenario)))


def test_every_deed_is_in_the_guide() -> None:
    guide = (ROOT / "docs" / "SCENARIOS.md").read_text("utf-8")
    assert all(f"`{action}`" in guide for action in ACTIONS)

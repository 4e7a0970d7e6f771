"""The format of scenarios: strict, errors name the nearest right key, the schema is fresh."""

import json
from pathlib import Path

import pytest

from mockpump.cli.examples import example_story, story_names
from mockpump.emulator.channel.impairments import FIELDS
from mockpump.emulator.world.story import DEEDS, program_names
from mockpump.emulator.world.story_schema import schema

ROOT = Path(__file__).resolve().parents[1]
HEAD = 'format = "mockpump-scenario/1"\nname = "x"\ntitle = "X"\n'


def test_the_schema_in_the_documents_is_fresh() -> None:
    """When this fails: mockpump run --schema > docs/scenario.schema.json"""
    text = (ROOT / "docs" / "scenario.schema.json").read_text("utf-8")
    assert text == json.dumps(schema(), indent=2) + "\n"


def test_the_schema_knows_every_deed_and_every_impairment() -> None:
    parts = schema()["$defs"]
    assert set(DEEDS) <= set(parts["Step"]["properties"])
    for part in ("Story", "Step"):
        assert set(parts[part]["properties"]["channel"]["properties"]) == set(FIELDS)
    assert parts["Step"]["additionalProperties"] is False


@pytest.mark.parametrize("name", story_names())
def test_the_programs_of_a_story_are_named(name: str) -> None:
    story = example_story(name)
    assert story.pump.program in program_names(story)
    assert program_names(story) == sorted(set(program_names(story)))


def test_every_deed_is_in_the_guide() -> None:
    guide = (ROOT / "docs" / "SCENARIOS.md").read_text("utf-8")
    assert all(f"`{deed}`" in guide for deed in DEEDS)

"""The format of scenarios: strict, errors name the nearest right key, the schema is fresh."""

import json
from pathlib import Path

import pytest

from mockpump.cli.examples import example_story, story_names
from mockpump.emulator.channel.impairments import FIELDS
from mockpump.emulator.world.story import DEEDS, StoryError, load_story, program_names
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


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("[pump]\nprogramm = 'day'\n[[step]]\nsay = 'x'\n", "program"),
        ("[[step]]\nboluss = { volume = 1 }\n", "bolus"),
        ("[[step]]\nbolus = { volumes = 1 }\n", "volume"),
        ("[[step]]\nexpect = { modes = 'running' }\n", "mode"),
        ("[programer]\n[[step]]\nsay = 'x'\n", "programmer"),
    ],
)
def test_an_unknown_key_names_the_nearest(text: str, near: str) -> None:
    with pytest.raises(StoryError, match=f"did you mean `{near}`"):
        load_story(HEAD + text, "x")


def test_one_that_is_near_to_nothing_is_named_all_the_same() -> None:
    with pytest.raises(StoryError, match="xyzzyx"):
        load_story(HEAD + "[[step]]\nxyzzyx = 1\n", "x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("suspend = false", "there is no `false`"),
        ('fault = "nope"', "there is no fault 'nope'; there are stall"),
        ('acknowledge = "nope"', "there is no alarm 'nope'; there are empty"),
        ('live = "soon"', "step 1: 'soon' is not like"),
        ('wait = "soon"', "step 1: 'soon' is not like"),
        ('clock = "Moonday"', "step 1: 'Moonday' is no time"),
        ('live = "1h"\nexpect = "busy"', "nobody is asked"),
        ('say = "x"\nexpect = "busy"', "nobody is asked"),
        ("[[[", ""),
        (f"say = {'[' * 5_000}", ""),
    ],
)
def test_what_cannot_be_is_found_before_the_story_begins(text: str, said: str) -> None:
    with pytest.raises(StoryError) as caught:
        load_story(f"{HEAD}[[step]]\n{text}\n", "x")
    assert said in str(caught.value)

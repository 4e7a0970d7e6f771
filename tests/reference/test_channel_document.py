"""docs/CHANNEL.md: its generated parts are fresh, and nothing is left out."""

import re
from pathlib import Path

import pytest

from mockpump.cli.wire.explain import EVERY_BLOCK
from mockpump.emulator.channel.channel import MOST_UNDER_WAY, FaultKind, Layer
from mockpump.emulator.channel.impairments import FIELDS
from mockpump.reference.markdown import render
from mockpump.reference.scenario import CHANNEL_BLOCKS

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "CHANNEL.md").read_text("utf-8")
PROSE = re.sub("<!-- generated.*?<!-- end generated -->", "", TEXT, flags=re.DOTALL)


def test_the_generated_parts_are_fresh() -> None:
    """When this fails: mockpump wire spec docs/CHANNEL.md"""
    assert render(TEXT, EVERY_BLOCK) == TEXT


@pytest.mark.parametrize("name", CHANNEL_BLOCKS)
def test_every_generated_part_is_in_it(name: str) -> None:
    assert TEXT.count(f"<!-- generated: {name} -->") == 1


@pytest.mark.parametrize(
    "word", [*FIELDS, *(each.value for each in FaultKind), *(each.value for each in Layer)]
)
def test_every_word_is_in_it(word: str) -> None:
    assert f"`{word}`" in TEXT


def test_people_have_written_what_each_layer_means() -> None:
    assert all(f"`{each.value}`" in PROSE for each in Layer)
    assert f"{MOST_UNDER_WAY:,} bytes" in PROSE
    assert "fictional" in TEXT.splitlines()[2]

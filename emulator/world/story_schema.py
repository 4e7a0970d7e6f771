"""The format of scenarios as a JSON Schema, for editors; generated from its declaration."""

from inspect import cleandoc
from typing import Any

import msgspec

from mockpump.emulator.channel.impairments import FIELDS
from mockpump.emulator.world.story import FORMAT, Story


def schema() -> dict[str, Any]:
    """The format as a JSON Schema, with what can be wrong with a line in it."""
    made = msgspec.json.schema(Story)
    line = {
        "type": "object",
        "properties": {
            name: {"description": field.doc, "examples": [field.example]}
            for name, field in FIELDS.items()
        },
        "additionalProperties": False,
    }
    for part in ("Story", "Step"):
        made["$defs"][part]["properties"]["channel"] = line
    return {"title": FORMAT, **_dedented(made)}


def _dedented(part: Any) -> Any:
    """The same with its descriptions as Python 3.13 has them, whatever this one is."""
    if isinstance(part, dict):
        return {
            key: cleandoc(each) if key == "description" else _dedented(each)
            for key, each in part.items()
        }
    return [_dedented(each) for each in part] if isinstance(part, list) else part

"""Scenarios, what can be wrong with their line, and what must be so in every one, for the
documents.

The format of scenarios is a JSON Schema too, for editors.  All of it is read from declarations.
"""

import json
from collections.abc import Callable, Iterator
from inspect import cleandoc
from typing import Any

import msgspec
from msgspec.structs import FieldInfo

from mockpump.emulator.channel.channel import FaultKind, Layer
from mockpump.emulator.channel.impairments import FIELDS
from mockpump.emulator.simulation.invariants import SENTENCES
from mockpump.emulator.simulation.scenario import FORMAT, PARTS, Scenario
from mockpump.reference.markdown import code, table


def schema() -> dict[str, Any]:
    """The format as a JSON Schema, with what can be wrong with a line in it."""
    made = msgspec.json.schema(Scenario)
    line = {
        "type": "object",
        "properties": {
            name: {"description": field.doc, "examples": [field.example]}
            for name, field in FIELDS.items()
        },
        "additionalProperties": False,
    }
    for part in ("Scenario", "Step"):
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


def table_of_parts() -> str:
    """What each table of a scenario needs and may have, for the documents."""
    return table(["table", "needs", "may have", "what it is"], _rows())


def _rows() -> Iterator[tuple[str, ...]]:
    for name, part in PARTS.items():
        fields = msgspec.structs.fields(part)
        needs = ", ".join(code(each.name) for each in fields if each.required)
        may_have = ", ".join(code(_with_default(each)) for each in fields if not each.required)
        if part not in (Scenario, PARTS["step"]):
            yield code(name), needs, may_have, cleandoc(part.__doc__ or "").split("\n")[0]


def _with_default(field: FieldInfo) -> str:
    plain = isinstance(field.default, str | int)
    return f"{field.name} = {json.dumps(field.default)}" if plain else field.name


def impairments() -> str:
    """Every impairment, how it is written and what it is."""
    rows = ((code(name), code(field.example), field.doc) for name, field in FIELDS.items())
    return table(["name", "such as", "what it is"], rows)


def faults() -> str:
    """The kinds of fault, and the layers that may catch one."""
    kinds = ", ".join(code(kind.value) for kind in FaultKind)
    layers = ", ".join(code(layer.value) for layer in Layer)
    return f"Kinds: {kinds}.\n\nCaught by: {layers}."


def invariants() -> str:
    """What is held in every run."""
    rows = [(code(name), sentence) for name, sentence in SENTENCES.items()]
    return table(["invariant", "what must be so"], rows)


# What stands in docs/CHANNEL.md, and what in docs/SCENARIOS.md.
CHANNEL_BLOCKS: dict[str, Callable[[], str]] = {"impairments": impairments, "faults": faults}
SCENARIO_BLOCKS: dict[str, Callable[[], str]] = {
    "scenario-tables": table_of_parts,
    "invariants": invariants,
}
BLOCKS = {**CHANNEL_BLOCKS, **SCENARIO_BLOCKS}

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
from mockpump.emulator.simulation.actions import ACTIONS
from mockpump.emulator.simulation.invariants import SENTENCES
from mockpump.emulator.simulation.scenario import FORMAT, PARTS, WRITTEN_SCENARIO
from mockpump.reference.markdown import code, table


def schema() -> dict[str, Any]:
    """The format as a JSON Schema, with what can be wrong with a line in it."""
    made = msgspec.json.schema(WRITTEN_SCENARIO)
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
    for action in ACTIONS:
        made["$defs"]["Step"]["properties"][action.key]["description"] = action.__doc__
    return {"title": FORMAT, **_dedented(made)}


def _dedented(part: Any) -> Any:
    """The same with its descriptions as Python 3.13 has them, whatever this one is."""
    if isinstance(part, dict):
        return {
            key: cleandoc(each) if key == "description" else _dedented(each)
            for key, each in part.items()
        }
    return [_dedented(each) for each in part] if isinstance(part, list) else part


def actions() -> str:
    """What a step may do, and how it is written, for the documents."""
    return table(["action", "such as", "needs", "may have", "what it does"], _action_rows())


def _action_rows() -> Iterator[tuple[str, ...]]:
    for action in ACTIONS:
        keys = _keys(action) if action in PARTS.values() else ("", "")
        example = code(f"{action.key} = {action.example}")
        yield code(action.key), example, *keys, _sentences(action)


def refusable() -> str:
    """What the pump may refuse, for the documents."""
    keys = ", ".join(code(action.key) for action in ACTIONS if action.refusable)
    return f"The pump is asked for these, and may refuse them: {keys}."


def table_of_parts() -> str:
    """What each other table of a scenario needs and may have, for the documents."""
    return table(["table", "needs", "may have", "what it is"], _part_rows())


def _part_rows() -> Iterator[tuple[str, ...]]:
    for name, part in PARTS.items():
        if part not in (PARTS[""], PARTS["step"], *ACTIONS):
            yield code(name), *_keys(part), _sentences(part)


def _keys(part: type[msgspec.Struct]) -> tuple[str, str]:
    """The keys that a table needs, and those that it may have."""
    fields = msgspec.structs.fields(part)
    needs = ", ".join(code(each.name) for each in fields if each.required)
    may_have = ", ".join(code(_with_default(each)) for each in fields if not each.required)
    return needs, may_have


def _sentences(part: type[msgspec.Struct]) -> str:
    return " ".join((part.__doc__ or "").split())


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
    "scenario-actions": actions,
    "scenario-refusable": refusable,
    "scenario-tables": table_of_parts,
    "invariants": invariants,
}
BLOCKS = {**CHANNEL_BLOCKS, **SCENARIO_BLOCKS}

"""The channel's part of the documents, generated from the declaration of its impairments."""

from collections.abc import Callable

from mockpump.emulator.channel.faults import FaultKind, Layer
from mockpump.emulator.channel.impairments import FIELDS
from mockpump.protocol.markdown import code, table


def impairments() -> str:
    """Every impairment, how it is written and what it is."""
    rows = ((code(name), code(field.example), field.doc) for name, field in FIELDS.items())
    return table(["name", "such as", "what it is"], rows)


def faults() -> str:
    """The kinds of fault, and the layers that may catch one."""
    kinds = ", ".join(code(kind.value) for kind in FaultKind)
    layers = ", ".join(code(layer.value) for layer in Layer)
    return f"Kinds: {kinds}.\n\nCaught by: {layers}."


BLOCKS: dict[str, Callable[[], str]] = {"impairments": impairments, "faults": faults}

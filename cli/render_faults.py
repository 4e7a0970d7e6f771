"""The table of a bad line: what was done to it, and what caught it."""

from collections.abc import Mapping

from mockpump.cli.render import show
from mockpump.emulator.channel.faults import Layer

_NAME, _NUMBER = 10, 8


def show_faults(table: Mapping[str, Mapping[str, int]]) -> None:
    """A row for each kind of fault, a column for each layer that may have caught it."""
    if not table:
        show("nothing went wrong on the line")
        return
    heads = "".join(f"{layer.value:>{_NUMBER}}" for layer in Layer)
    show((f"{'fault':<{_NAME}}{heads}", "bold"))
    for kind, layers in table.items():
        counts = "".join(f"{layers[layer.value] or '':>{_NUMBER}}" for layer in Layer)
        show(f"{kind:<{_NAME}}{counts}")

"""A record cut into the pieces that the fast codec packs: runs of fixed values, and tails.

A `Run` is what one `struct.Struct` handles at a time.  A `Tail` is a variable part: text, octets or
a list.  The length of a tail is the last value of the run before it.  Everything here is text that
`mockpump.protocol.codec` pastes into the functions it generates; nothing here touches bytes.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from mockpump.protocol.fields import (
    Choice,
    Declaration,
    Fixed,
    Integer,
    Integers,
    Octets,
    Record,
    Records,
    Text,
    fields_of,
    u8,
)


class Run(msgspec.Struct):
    """Fixed-size values: their struct letters, the locals that hold them, where these come from.

    `checks` are expressions that are true of a value out of range, in either direction; `guards`
    are those that only a value on its way out can break.
    """

    code: str = ""
    targets: list[str] = msgspec.field(default_factory=list)
    sources: list[str] = msgspec.field(default_factory=list)
    checks: list[str] = msgspec.field(default_factory=list)
    guards: list[str] = msgspec.field(default_factory=list)

    def add(self, code: str, target: str, source: str) -> None:
        """Append one value."""
        self.code += code
        self.targets.append(target)
        self.sources.append(source)


class Tail(msgspec.Struct):
    """A variable part: its declaration, the local that holds it, its length's and its source."""

    declaration: Text | Octets | Records
    target: str
    length: str
    source: str


class Layout:
    """The parts of one record in wire order.

    `arguments` are the expressions that rebuild the record from the locals, `names` the objects
    that those expressions need.
    """

    def __init__(self, record: type[Record]) -> None:
        self.parts: list[Run | Tail] = []
        self.arguments: list[str] = []
        self.names: dict[str, Any] = {}
        for place, (name, declaration) in enumerate(fields_of(record)):
            _PLACE[type(declaration)](self, f"v{place}", f"r.{name}", declaration)

    @property
    def flat(self) -> bool:
        """Whether one run is the whole record."""
        return len(self.parts) == 1 and isinstance(self.parts[0], Run)

    @property
    def run(self) -> Run:
        """The run that the next fixed value joins."""
        if not self.parts or isinstance(self.parts[-1], Tail):
            self.parts.append(Run())
        last = self.parts[-1]
        assert isinstance(last, Run)
        return last


def range_checks(target: str, declaration: Integer) -> Iterator[str]:
    """What must not hold of a value, where its range is narrower than its bytes."""
    low, high = declaration.widest
    if declaration.minimum > low:
        yield f"{target} < {declaration.minimum}"
    if declaration.maximum < high:
        yield f"{target} > {declaration.maximum}"


def _place_integer(layout: Layout, target: str, source: str, declaration: Integer) -> None:
    layout.run.add(declaration.code, target, source)
    layout.run.checks += range_checks(target, declaration)
    layout.arguments.append(target)


def _place_choice(layout: Layout, target: str, source: str, declaration: Choice) -> None:
    members = declaration.values
    low, high = int(members[0]), int(members[-1])
    layout.names[f"members_{target}"] = (None,) * low + members
    layout.run.add("B", target, source)
    layout.run.checks += range_checks(target, u8("", "", minimum=low, maximum=high))
    layout.arguments.append(f"members_{target}[{target}]")


def _place_fixed(layout: Layout, target: str, source: str, declaration: Fixed) -> None:
    layout.run.add(f"{declaration.size}s", target, source)
    # struct would pad a short value and cut a long one; both must be refused.
    layout.run.guards.append(f"len({target}) != {declaration.size}")
    layout.arguments.append(target)


def _place_integers(layout: Layout, target: str, source: str, declaration: Integers) -> None:
    targets = [f"{target}_{place}" for place in range(declaration.count)]
    for place, each in enumerate(targets):
        layout.run.add(declaration.element.code, each, f"{source}[{place}]")
        layout.run.checks += range_checks(each, declaration.element)
    layout.run.guards.append(_no_sequence(layout, source))
    layout.run.guards.append(f"len({source}) != {declaration.count}")
    layout.arguments.append(f"({', '.join(targets)},)")


def _no_sequence(layout: Layout, target: str) -> str:
    # A dictionary or a set would pass for a list, in an order of its own.
    layout.names["sequence"] = (tuple, list)
    return f"not isinstance({target}, sequence)"


def _place_tail(
    layout: Layout, target: str, source: str, declaration: Text | Octets | Records
) -> None:
    length = f"n{target}"
    layout.run.add("H" if isinstance(declaration, Octets) else "B", length, f"len({target})")
    layout.run.checks.append(f"{length} > {declaration.maximum}")
    if isinstance(declaration, Records) and declaration.minimum:
        layout.run.checks.append(f"{length} < {declaration.minimum}")
    if isinstance(declaration, Text):
        layout.run.guards.append(f"not {source}.isprintable()")
    if isinstance(declaration, Records):
        layout.run.guards.append(_no_sequence(layout, target))
    layout.parts.append(Tail(declaration, target, length, source))
    layout.arguments.append(target)


_PLACE: dict[type[Declaration], Callable[..., None]] = {
    Integer: _place_integer,
    Choice: _place_choice,
    Fixed: _place_fixed,
    Integers: _place_integers,
    Text: _place_tail,
    Octets: _place_tail,
    Records: _place_tail,
}

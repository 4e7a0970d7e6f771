"""What the declarations of a program's records say of its values, checked and named by place.

A fault is named as a program file names its place (`pattern[0].segments[3].start`), so that the
same words serve a file, an image from the line and a value made in Python.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from mockpump.protocol.fields import (
    Declaration,
    Integer,
    Integers,
    Record,
    Records,
    Text,
    fields_of,
)

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Fault(NamedTuple):
    """Where a rule is broken, by the key that a program file gives the place, and which rule."""

    key: str
    rule: str


# Where a program file calls a field by another name than the record does.
_SPELLING = {"patterns": "pattern", "after": "after_days"}


def record_faults(record: type[Record], value: Any, key: str = "") -> Iterator[Fault]:
    """Every field of a record that is outside its declaration, by the key of its place."""
    if not isinstance(value, record):
        yield Fault(key, f"is no {record.__name__}")
    else:
        before = f"{key}." if key else ""
        for name, declaration in fields_of(record):
            inner = before + _SPELLING.get(name, name)
            yield from _FAULTS[type(declaration)](declaration, getattr(value, name), inner)


def _integer_faults(declaration: Integer, value: Any, key: str) -> Iterator[Fault]:
    # A bool would pass for an integer, and an integer of thousands of digits cannot be printed.
    if type(value) is not int:
        yield Fault(key, f"must be an integer, not {type(value).__name__}")
    elif not declaration.minimum <= value <= declaration.maximum:
        shown = str(value) if abs(value) < 10**20 else "so large a number"
        yield Fault(key, f"{shown} is not in {declaration.rule} {declaration.unit}".rstrip())


def _week_faults(declaration: Integers, value: Any, key: str) -> Iterator[Fault]:
    if not isinstance(value, tuple) or len(value) != declaration.count:
        yield Fault(key, f"must be {declaration.rule}")
    else:
        for day, each in zip(WEEKDAYS, value, strict=True):
            yield from _integer_faults(declaration.element, each, f"{key}.{day}")


def _text_faults(declaration: Text, value: Any, key: str) -> Iterator[Fault]:
    good = isinstance(value, str) and value.isprintable()
    if not good or len(value.encode()) > declaration.maximum:
        yield Fault(key, f"must be {declaration.rule}")


def _list_faults(declaration: Records, value: Any, key: str) -> Iterator[Fault]:
    if not isinstance(value, tuple):
        yield Fault(key, f"must be {declaration.rule}")
    else:
        yield from count_faults(len(value), key, declaration.minimum, declaration.maximum)
        for place, each in enumerate(value):
            yield from record_faults(declaration.record, each, f"{key}[{place}]")


def count_faults(count: int, key: str, minimum: int, maximum: int) -> Iterator[Fault]:
    """The first item too many, by its own key, or a list that is too short."""
    if count < minimum:
        yield Fault(key, f"must have at least {minimum}")
    if count > maximum:
        yield Fault(f"{key}[{maximum}]", f"one too many: at most {maximum}, not {count}")


_FAULTS: dict[type[Declaration], Callable[..., Iterator[Fault]]] = {
    Integer: _integer_faults,
    Integers: _week_faults,
    Text: _text_faults,
    Records: _list_faults,
}

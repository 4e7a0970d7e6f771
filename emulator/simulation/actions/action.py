"""What an action of a scenario is: a struct that is read from a file and runs itself."""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import msgspec

from mockpump.emulator.simulation.errors import ScenarioError
from mockpump.emulator.simulation.narration import NarrationLine
from mockpump.protocol.fields import Integer, Record, fields_of
from mockpump.protocol.units import choice_name, read_duration

if TYPE_CHECKING:
    from mockpump.emulator.simulation.runner import ScenarioRunner
    from mockpump.emulator.simulation.scenario import Step

E = TypeVar("E", bound=Enum)


# One action is one struct, and everything about it is declared there.  Its fields are what a file
# writes under its key: several as a table (`bolus = { volume = 5 }`), one as a plain value
# (`live = "6h"`), none as `true` (`suspend = true`).  Its docstring is what the guide prints.
class Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of all actions."""

    key: ClassVar[str]
    # Its value as a file might have it, for the guide.
    example: ClassVar[str]
    # Whether the pump is asked for it, and so may refuse it.
    refusable: ClassVar[bool] = False

    @classmethod
    def written_as(cls) -> Any:
        """The type of its value in a file."""
        fields = msgspec.structs.fields(cls)
        if len(fields) > 1:
            return cls
        return fields[0].type if fields else bool

    @classmethod
    def read(cls, value: Any) -> Self:
        """The action that a file has written as this value, which is of that type."""
        if isinstance(value, cls):
            return value
        if value is False:
            raise ScenarioError("an action is done or left out; there is no `false`")
        return cls(value) if cls.__struct_fields__ else cls()

    def check(self) -> None:
        """Find what is wrong with it, before a scenario begins: `ScenarioError`, `BadQuantity`."""

    @property
    def programs(self) -> tuple[str, ...]:
        """The names of the programs that it needs."""
        return ()

    @property
    def pump_time(self) -> int:
        """The seconds of pump time that it takes."""
        return 0

    def run(self, runner: "ScenarioRunner", step: "Step") -> Iterator[NarrationLine]:
        """Carry it out; what there is to say of it, line by line."""
        raise NotImplementedError


def check_amounts(
    table: str, part: msgspec.Struct, carrier: type[Record], renamed: Mapping[str, str]
) -> None:
    """`ScenarioError` for an amount in a table that the record which carries it cannot have.

    `renamed`: the fields of the table that have another name in the record.
    """
    declared = {field.name: field.declaration for field in fields_of(carrier)}
    for key, written in msgspec.structs.asdict(part).items():
        bounds = declared.get(renamed.get(key, key))
        if written is None or not isinstance(bounds, Integer):
            continue
        value = read_duration(written) if isinstance(written, str) else written
        if not bounds.minimum <= value <= bounds.maximum:
            unit = f" {bounds.unit}" if bounds.unit else ""
            raise ScenarioError(f"{table}.{key} is {written}, and not within {bounds.rule}{unit}")


def choice_named(kind: type[E], name: str) -> E:
    """The member of an enumeration that a scenario names, such as `low-battery`."""
    member = kind.__members__.get(name.upper().replace("-", "_"))
    if member is None:
        names = ", ".join(choice_name(each) for each in kind)
        raise ScenarioError(f"there is no {kind.__name__.lower()} {name!r}; there are {names}")
    return member

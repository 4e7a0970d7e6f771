"""An enumeration for tables that are looked into often."""

from enum import Enum


class QuickEnum(Enum):
    """An enumeration whose members are hashed by what they are, not by their names."""

    # A member equals nothing but itself, so that Python's own quick hash will do.
    __hash__ = object.__hash__

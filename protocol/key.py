"""An enumeration for keys: looked up on the way of every frame and at every corner of delivery."""

from enum import Enum


class Key(Enum):
    """An enumeration whose members are hashed by what they are, not by their names."""

    # A member equals nothing but itself, so that Python's own quick hash will do.
    __hash__ = object.__hash__

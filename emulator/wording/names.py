"""How the members of enumerations are written: as they are typed, and as they are read."""

from enum import Enum


def choice_name(choice: Enum) -> str:
    """How one of a few things is typed and shown."""
    return choice.name.lower().replace("_", "-")


def words_of(member: Enum) -> str:
    """The name of a member of an enumeration, as people write it."""
    return member.name.lower().replace("_", " ")

"""What an exercise is made of, read from its folder.

The one idea: an exercise is data.  `exercise.toml` says what is asked and lists the right variants
and the defects, each as small changes to the project's source; beside it stand the texts a learner
gets and the files that prove the exercise sound.

    exercise.toml   the declaration below
    README.md       what the learner reads
    start.py        the test file to fill in, with one worked property
    reference.py    a solution that catches every defect
    by_example.py   ordinary tests by example, which catch none of them
    witnesses.py    a function for each defect that returns something else when it is there
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from mockpump.exercises.errors import LadderError, one_line

LADDER = Path(__file__).resolve().parent / "ladder"


class Patch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change to one module's source: `old` must be in it exactly once."""

    module: str
    old: str
    new: str


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A right implementation: the project's own, or another that is as right."""

    id: str
    about: str
    patch: tuple[Patch, ...] = ()

    @property
    def patches(self) -> tuple[Patch, ...]:
        """What to change to get it."""
        return self.patch


class Defect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wrong implementation.

    `family` is the kind of property that catches it, `level` how hard that is (1 to 3).  A `hidden`
    one is not described before it is caught.  Only of a defect of `liveness` is a test that never
    ends a test that caught it.  `witness` names a function of `witnesses.py`.
    """

    id: str
    module: str
    old: str
    new: str
    family: str
    level: int
    hint: str
    witness: str
    hidden: bool = False
    liveness: bool = False

    @property
    def patches(self) -> tuple[Patch, ...]:
        """What to change to get it."""
        return (Patch(self.module, self.old, self.new),)


Subject = Variant | Defect


class Api(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the public interface that the learner may use."""

    module: str
    names: tuple[str, ...]


class Exercise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rung of the ladder; `folder` is where it was read from."""

    number: int
    name: str
    title: str
    families: tuple[str, ...]
    goal: str
    api: tuple[Api, ...]
    variant: tuple[Variant, ...]
    defect: tuple[Defect, ...]

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """All that a test file is run against, the right ones first."""
        return (*self.variant, *self.defect)

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return LADDER / f"{self.number:02}-{self.name}"

    @property
    def test_name(self) -> str:
        """What the learner's test file is called."""
        return f"test_{self.name.replace('-', '_')}.py"

    def text(self, file: str) -> str:
        """One of its files; `LadderError` when it is missing."""
        try:
            return (self.folder / file).read_text("utf-8")
        except OSError as error:
            raise LadderError(f"exercise {self.number}: {one_line(str(error))}") from None


@cache
def ladder() -> tuple[Exercise, ...]:
    """Every exercise, in order.  `LadderError` when one cannot be read."""
    found = sorted(LADDER.glob("*/exercise.toml"))
    return tuple(_read(file) for file in found)


def _read(file: Path) -> Exercise:
    try:
        raw: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
        exercise = msgspec.convert(raw, Exercise)
    except (OSError, ValueError) as error:
        raise LadderError(f"{file}: {one_line(error)}") from None
    if exercise.folder != file.parent:
        raise LadderError(f"{file}: number and name are those of {exercise.folder.name}")
    return exercise

"""A planted defect: one of an exercise's, put into this whole process.

It must stand before the module that it changes is imported; so nothing is imported here that a
defect could be in.
"""

import sys

from mockpump.exercises.errors import ExerciseError
from mockpump.exercises.exercise import Defect, Exercise, ladder
from mockpump.exercises.mutation import DefectReached, PatchingFinder


class PlantedDefect(PatchingFinder):
    """The finder that changes the modules of one defect, by its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.reached = DefectReached()
        super().__init__(defect_named(name).patches, self.reached)


def planted() -> PlantedDefect | None:
    """What has been put into this process."""
    return next((each for each in sys.meta_path if isinstance(each, PlantedDefect)), None)


def defect_names() -> list[str]:
    """The names of all defects, in the order of the exercises: `5/rests-too-early`."""
    return [_name(exercise, defect) for exercise in ladder() for defect in exercise.defect]


def defect_named(name: str) -> Defect:
    """The defect of that name; `ExerciseError` when there is none."""
    for exercise in ladder():
        for defect in exercise.defect:
            if _name(exercise, defect) == name:
                return defect
    raise ExerciseError(f"unknown defect {name!r}")


def _name(exercise: Exercise, defect: Defect) -> str:
    return f"{exercise.number}/{defect.id}"

"""How far a learner has come: one small file, and nothing in it that could not be lost.

It is kept where the system keeps such things, or where MOCKPUMP_PROGRESS says.
"""

import os
import tempfile
from pathlib import Path

import msgspec

from mockpump.exercises.errors import ExerciseError, one_line
from mockpump.exercises.exercise import Defect, Exercise
from mockpump.exercises.verdicts import Report, Verdict


class Standing(msgspec.Struct, frozen=True):
    """How one exercise stands: whether the goal was ever met, what the last check caught, and how
    many hints were given since."""

    passed: bool = False
    caught: tuple[str, ...] = ()
    hints: int = 0


class Progress:
    """The standings, by number.  A file that cannot be read counts as none."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = _usual() if file is None else file
        try:
            self._standings = msgspec.json.decode(self.file.read_bytes(), type=dict[int, Standing])
        except (OSError, msgspec.DecodeError):
            self._standings = {}

    def of(self, exercise: Exercise) -> Standing:
        """How an exercise stands."""
        return self._standings.get(exercise.number, Standing())

    def checked(self, exercise: Exercise, report: Report) -> None:
        """A test file was checked."""
        caught = tuple(
            name for name, each in report.defects.items() if each.verdict is Verdict.KILLED
        )
        before = self.of(exercise)
        self._keep(exercise, Standing(before.passed or report.goal_met, caught, hints=before.hints))

    def hint(self, exercise: Exercise) -> Defect | None:
        """The next defect to give a hint for, the easiest first; None when all are caught."""
        standing = self.of(exercise)
        left = [each for each in exercise.defect if each.id not in standing.caught]
        if not left:
            return None
        left.sort(key=lambda each: (each.level, each.hidden))
        self._keep(exercise, msgspec.structs.replace(standing, hints=standing.hints + 1))
        return left[standing.hints % len(left)]

    def _keep(self, exercise: Exercise, standing: Standing) -> None:
        self._standings[exercise.number] = standing
        data = msgspec.json.encode({str(key): each for key, each in self._standings.items()})
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.file.parent, delete=False) as file:
                file.write(data)
            Path(file.name).replace(self.file)
        except OSError as error:
            raise ExerciseError(
                f"cannot keep the progress in {self.file}: {one_line(error)}"
            ) from None


def _usual() -> Path:
    if named := os.environ.get("MOCKPUMP_PROGRESS"):
        return Path(named)
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "mockpump" / "exercises.json"

"""How far a learner has come: one small file, and nothing in it that could not be lost.

It is kept where the system keeps such things, or where MOCKPUMP_PROGRESS says.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from mockpump.exercises.errors import one_line
from mockpump.exercises.exercise import Defect, Exercise
from mockpump.exercises.judge import Report, caught_by_property


class Standing(msgspec.Struct, frozen=True):
    """How one exercise stands: whether the goal was ever met, what properties caught in the last
    check, and how many hints were asked for."""

    passed: bool = False
    caught: tuple[str, ...] = ()
    hints: int = 0


class Progress:
    """The standings, by number.  A file that cannot be read counts as none.

    What is something else than progress, or cannot be read, is left alone.  `error` says why they
    could not be kept; empty when they could.  `read` is how a file is read.
    """

    def __init__(
        self, file: Path | None = None, read: Callable[[Path], bytes] = Path.read_bytes
    ) -> None:
        self.file = _usual() if file is None else file
        self.error = ""
        # Why what is there is not ours to replace.
        self._not_ours = ""
        self._standings: dict[int, Standing] = {}
        try:
            data = read(self.file)
            self._standings = msgspec.json.decode(data or b"{}", type=dict[int, Standing])
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            self._not_ours = f"{self.file} cannot be read, and is left alone: {one_line(error)}"
        except (ValueError, RecursionError):
            self._not_ours = f"{self.file} holds no progress in exercises: it is left alone"

    def of(self, exercise: Exercise) -> Standing:
        """How an exercise stands; what is not a defect of it any more was not caught."""
        standing = self._standings.get(exercise.number, Standing())
        known = {each.id for each in exercise.defect}
        caught = tuple(each for each in standing.caught if each in known)
        return msgspec.structs.replace(standing, caught=caught)

    def checked(self, exercise: Exercise, report: Report) -> None:
        """A test file was checked."""
        caught = tuple(name for name, each in report.defects.items() if caught_by_property(each))
        before = self.of(exercise)
        self._keep(exercise, Standing(before.passed or report.goal_met, caught, hints=before.hints))

    def next_hint(self, exercise: Exercise) -> Defect | None:
        """The defect that the next hint is for, the easiest first; None when all are caught."""
        standing = self.of(exercise)
        left = [each for each in exercise.defect if each.id not in standing.caught]
        left.sort(key=lambda each: (each.level, each.hidden))
        return left[standing.hints % len(left)] if left else None

    def hint(self, exercise: Exercise) -> Defect | None:
        """The same, and another one the next time."""
        defect, standing = self.next_hint(exercise), self.of(exercise)
        if defect is not None:
            self._keep(exercise, msgspec.structs.replace(standing, hints=standing.hints + 1))
        return defect

    def _keep(self, exercise: Exercise, standing: Standing) -> None:
        if self._not_ours:
            self.error = self._not_ours
            return
        self._standings[exercise.number] = standing
        data = msgspec.json.encode({str(key): each for key, each in self._standings.items()})
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self._replace(data)
        except OSError as error:
            self.error = f"cannot keep the progress in {self.file}: {one_line(error)}"

    def _replace(self, data: bytes) -> None:
        # What a link leads to is replaced, and not the link.
        real = Path(os.path.realpath(self.file))
        with tempfile.NamedTemporaryFile(dir=real.parent, delete=False) as file:
            file.write(data)
        try:
            Path(file.name).replace(real)
        except OSError:
            with contextlib.suppress(OSError):
                Path(file.name).unlink()
            raise


def _usual() -> Path:
    if named := os.environ.get("MOCKPUMP_PROGRESS"):
        return Path(named)
    if state := os.environ.get("XDG_STATE_HOME"):
        return Path(state) / "mockpump" / "exercises.json"
    try:
        return Path.home() / ".local" / "state" / "mockpump" / "exercises.json"
    except RuntimeError:
        # Whoever has no home has no place for it either.
        return Path(os.devnull) / "exercises.json"

"""One run: a test file against one subject with one seed, in a process of its own.

Nothing of the project that a patch could be for may be imported before the patches stand; so this
module, which a fork server has loaded already, imports none of it.
"""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import hypothesis
import msgspec
import pytest

from mockpump.exercises.exercise import Patch
from mockpump.exercises.patching import Exercised, PatchingFinder
from mockpump.exercises.recorder import Recorder, Tell
from mockpump.exercises.verdicts import Result

# What the fork server loads once, so that a run need not: what takes long, and nothing of ours that
# could be patched.
PRELOADED = ("hypothesis.stateful", "mockpump.exercises.worker", "construct", "cobs.cobs")
_PROFILE = "mockpump-exercises"
# Without what is for a database, and without remarks on the parts of an example.
_PHASES = [hypothesis.Phase.explicit, hypothesis.Phase.generate, hypothesis.Phase.target]


class Job(msgspec.Struct, frozen=True):
    """What to run, in which empty folder, and how; `skip` names functions not to be run."""

    file: str
    folder: str
    patches: tuple[Patch, ...]
    seed: int
    examples: int
    shrinking: bool
    skip: frozenset[str] = frozenset()


def work(job: Job, line: Connection) -> None:
    """Run a job, and tell on `line` what came of it.

    Sent are (name, result, whether it is over) of each test function: without a result when it
    begins, with one as soon as an example fails, and when it has ended; and at last ("", the
    trouble, True) with an empty text when there was none.
    """
    with _alone(Path(job.file), Path(job.folder)) as file:
        recorder = Recorder(Exercised(), _teller(line), job.skip)
        trouble = _run(job, file, recorder)
    line.send(("", trouble, True))
    line.close()


def _teller(line: Connection) -> Tell:
    def tell(name: str, result: Result | None, *, over: bool) -> None:
        line.send((name, result, over))

    return tell


@contextlib.contextmanager
def _alone(file: Path, folder: Path) -> Iterator[Path]:
    """A copy of the file, in a folder where nothing else is; nothing is printed meanwhile."""
    copy = folder / file.name
    copy.write_bytes(file.read_bytes())
    os.chdir(folder)
    # Options of whoever started us are not for these tests.
    os.environ.pop("PYTEST_ADDOPTS", None)
    # What stands beside the learner's file can be imported, as in its own folder.
    sys.path.insert(0, str(file.parent))
    nowhere = io.StringIO()
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        yield copy


def _run(job: Job, file: Path, recorder: Recorder) -> str:
    """Why nothing could be run; empty when all is well."""
    _set_profile(job.examples, job.shrinking)
    if job.patches:
        PatchingFinder(job.patches, recorder.exercised).install()
    arguments = [
        str(file),
        "-q",
        "-p", "no:cacheprovider",
        "-p", "no:xdist",
        "-p", "no:cov",
        "-c", os.devnull,
        f"--rootdir={file.parent}",
        "--import-mode=importlib",
        f"--hypothesis-seed={job.seed}",
    ]  # fmt: skip
    code = pytest.main(arguments, plugins=[recorder])
    if recorder.collection_trouble:
        return recorder.collection_trouble
    if code not in (
        pytest.ExitCode.OK,
        pytest.ExitCode.TESTS_FAILED,
        pytest.ExitCode.NO_TESTS_COLLECTED,
    ):
        return f"pytest ended with {pytest.ExitCode(code).name}"
    return ""


def _set_profile(examples: int, shrinking: bool) -> None:
    """Every setting spelled out: a `CI` variable would change what is left out."""
    hypothesis.settings.register_profile(
        _PROFILE,
        max_examples=examples,
        stateful_step_count=50,
        derandomize=False,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=(),
        phases=[*_PHASES, hypothesis.Phase.shrink] if shrinking else _PHASES,
        verbosity=hypothesis.Verbosity.normal,
    )
    hypothesis.settings.load_profile(_PROFILE)

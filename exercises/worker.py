"""One run: a test file against one subject with one seed, in a process of its own.

Nothing of the project that a patch could be for may be imported before the patches stand; so this
module, which a fork server has loaded already, imports none of it.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path

import hypothesis
import msgspec
import pytest

from mockpump.exercises.exercise import Patch
from mockpump.exercises.judge import Result
from mockpump.exercises.mutation import DefectReached, PatchingFinder
from mockpump.exercises.recorder import Recorder, shown

# What the fork server loads once, so that a run need not: what takes long, and nothing of ours that
# could be patched.
PRELOADED = ("hypothesis.stateful", "mockpump.exercises.worker", "construct", "cobs.cobs")
_PROFILE = "mockpump-exercises"
# Without what is for a database, and without remarks on the parts of an example.
_PHASES = [hypothesis.Phase.explicit, hypothesis.Phase.generate, hypothesis.Phase.target]
# What whoever started us wants of their own tests.
_NOT_OURS = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")
# What a process that has used up its time ends by.
OUT_OF_TIME = signal.SIGPROF


class Job(msgspec.Struct, frozen=True):
    """What to run, in which empty folder, and how; `skip` names functions not to be run.

    `text` is what stands in the file, `patience` how many seconds of the processor one function may
    take.
    """

    file: str
    text: bytes
    folder: str
    patches: tuple[Patch, ...]
    seed: int
    examples: int
    patience: float
    shrinking: bool
    skip: frozenset[str] = frozenset()


def work(job: Job, line: Connection) -> None:
    """Run a job, and tell on `line` what came of it.

    Sent are (name, result) of each test function: None when it begins, its result when it has
    ended; and at last ("", the trouble) with an empty text when there was none.  When a function
    has used up its time, the process ends by `OUT_OF_TIME`.
    """
    # Whoever ends us ends all that the tests have started.
    os.setsid()
    _listen()
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def tell(name: str, result: Result | None) -> None:
        # Time on the processor, so that a busy machine calls nobody slow.
        signal.setitimer(signal.ITIMER_PROF, job.patience if result is None else 0)
        line.send((name, result))

    try:
        with _alone(job) as file:
            trouble = _run(
                job, file, Recorder(DefectReached(), tell, job.skip, small=job.shrinking)
            )
    except Exception as error:  # whatever the tests have done to us, somebody waits for an answer
        trouble = shown(error)
    line.send(("", trouble))
    line.close()


def _listen() -> None:
    """Hear Ctrl-C again, as a test may want to; not one that was meant for whoever started us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.killpg(0, signal.SIGKILL)


@contextlib.contextmanager
def _alone(job: Job) -> Iterator[Path]:
    """A copy of the file, in a folder where nothing else is; nothing is printed, nothing read."""
    folder, file = Path(job.folder), Path(job.file)
    copy = folder / file.name
    copy.write_bytes(job.text)
    os.chdir(folder)
    for name in _NOT_OURS:
        os.environ.pop(name, None)
    temporary = folder / ".tmp"
    temporary.mkdir()
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    # What stands beside the learner's file can be imported, as in its own folder.
    sys.path.insert(0, str(file.parent))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)
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
    if code == pytest.ExitCode.INTERNAL_ERROR:
        return "pytest could not go on; does the file end the program while it is imported?"
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
        # That one goes by the clock, and a busy machine is not a fault of a test's.
        suppress_health_check=(hypothesis.HealthCheck.too_slow,),
        phases=[*_PHASES, hypothesis.Phase.shrink] if shrinking else _PHASES,
        verbosity=hypothesis.Verbosity.normal,
    )
    hypothesis.settings.load_profile(_PROFILE)

"""A test file is run in processes of its own: what comes back, whatever is in it.

These are the tests that start processes; what the results mean is tested without any.
"""

import multiprocessing
import os
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.exercises.exercise import Patch
from mockpump.exercises.judge import Ending, Result, Run
from mockpump.exercises.pool import Bounds, Task, _Child, _ready, run_all, tasks_of
from mockpump.exercises.submission import numbered
from mockpump.exercises.worker import Job

EVERYTHING = """
import os, sys
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

def test_plain(): assert 1 + 1 == 3
def test_good(): assert os.environ["PYTHONHASHSEED"] == "0"
@given(st.integers(0, 1000))
def test_property(x): assert x < 7
@example(9)
@given(st.integers(0, 5))
def test_example(x): assert x < 7
@given(st.integers(0, 9))
def test_counted(x): assume(x % 2)
@given(st.integers().filter(lambda x: False))
def test_draws_nothing(x): pass
@settings(deadline=1)
@given(st.just(1))
def test_too_slow(x):
    import time
    time.sleep(0.02)
@pytest.mark.parametrize("x", [1, 2, 3])
def test_some(x): assert x != 2
@given(st.data())
def test_data(data):
    if data.draw(st.integers(0, 100)) > 90: pytest.fail("too much")
@given(st.lists(st.integers(0, 10**6), min_size=20))
def test_takes_long_to_make_smaller(xs):
    import time
    time.sleep(0.2)
    assert sum(xs) < 1000
def test_hangs():
    while True: pass
def test_leaves(): raise SystemExit(0)
def test_skipped(): pytest.skip("not today")
class Machine(RuleBasedStateMachine):
    count = 0
    @rule()
    def step(self):
        self.count += 1
        assert self.count < 4
TestMachine = Machine.TestCase
"""


def run(tmp_path: Path, text: str, patches: tuple[Patch, ...] = (), patience: float = 30.0) -> Run:
    file = tmp_path / "test_it.py"
    file.write_text(text, "utf-8")
    (found,) = run_all([Task(file, "it", patches, 7)], Bounds(1, patience, 60))
    return found


RUNG = numbered(1)
FILE = RUNG.folder / "start.py"


def test_what_is_made_smaller() -> None:
    """Of a defect, with the first seed; on what is right, always."""
    right = {each.id for each in RUNG.variant}
    tasks = tasks_of(RUNG, Path("f"), [4, 5])
    assert [(each.subject, each.seed) for each in tasks] == [
        (each.id, seed) for seed in (4, 5) for each in RUNG.subjects
    ]
    for each in tasks:
        assert each.shrinking == (each.seed == 4 or each.subject in right)
    assert not any(each.shrinking for each in tasks_of(RUNG, Path("f"), [4], shrinking=False))
    only = RUNG.defect[1].id
    assert [each.subject for each in tasks_of(RUNG, Path("f"), [4, 5], [only])] == [only, only]


class Children:
    """In place of processes: each is over as soon as somebody listens, the last one first."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.alive: dict[str, Any] = {}
        self.most = 0
        monkeypatch.setattr("mockpump.exercises.pool._Child", self.start)
        monkeypatch.setattr("mockpump.exercises.pool._ready", lambda all_: list(all_)[-1:])

    def start(self, _: object, task: Task, *__: object) -> Any:
        self.alive[task.subject] = task
        self.most = max(self.most, len(self.alive))
        return SimpleNamespace(
            line=object(),
            go_on=lambda: False,
            run=lambda: Run(self.alive.pop(task.subject).subject, task.seed),
            end=lambda: self.alive.pop(task.subject),
        )


def tasks(count: int) -> list[Task]:
    return [Task(Path("f"), f"it-{at}", (), at) for at in range(count)]


@given(st.integers(0, 9), st.integers(1, 4))
def test_so_many_at_once_and_in_the_order_of_the_tasks(count: int, jobs: int) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        children = Children(monkeypatch)
        heard: list[Run] = []
        runs = run_all(tasks(count), Bounds(jobs), heard.append)
        assert children.most == min(count, jobs)
    assert [(each.subject, each.seed) for each in runs] == [(f"it-{n}", n) for n in range(count)]
    assert sorted(heard, key=lambda each: each.seed) == runs


def test_whatever_happens_no_process_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    children = Children(monkeypatch)

    def ended(_: Run) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_all(tasks(5), Bounds(3), ended)
    assert children.most == 3
    assert not children.alive


# No process has that number.
NOBODY = 2**30


class Told:
    """A child whose process is this test."""

    def __init__(self, task: Task, home: Path) -> None:
        self.jobs: list[Job] = []
        self._context = SimpleNamespace(
            Pipe=multiprocessing.Pipe, Process=lambda **given_: self._process(*given_["args"])
        )
        self.child = _Child(cast(BaseContext, self._context), task, home, Bounds(1, 30.0, 9))

    def _process(self, job: Job, line: Connection) -> Any:
        self.jobs.append(job)
        self._line = Connection(os.dup(line.fileno()))
        return SimpleNamespace(start=list, kill=list, join=list, exitcode=3, pid=NOBODY)

    def say(self, name: str, said: Any) -> float:
        """How long it may go on then."""
        self._line.send((name, said))
        self.child.go_on()
        return self.child.deadline - time.monotonic()


def test_how_long_a_process_may_say_nothing(tmp_path: Path) -> None:
    told = Told(Task(FILE, "it", (), 7, frozenset({"left"}), False), tmp_path)
    assert told.child.deadline - time.monotonic() > 50
    assert 80 < told.say("test_it", None) <= 90
    assert 50 < told.say("test_it", Result(Ending.FAILED)) <= 60
    told.say("test_two", None)
    line = told.child.line
    assert told.child.go_on()
    assert line.closed
    assert told.child.run().results["test_two"].ending is Ending.TIMEOUT
    one, two = told.jobs
    assert (one.seed, one.examples, one.patience) == (7, 9, 30.0)
    assert (one.text, one.shrinking, one.skip) == (FILE.read_bytes(), False, {"left"})
    assert two.skip == {"left", "test_it", "test_two"}
    assert one.folder != two.folder
    told.say("", "")
    assert told.child.run().error == ""
    assert told.child.line.closed


@pytest.mark.parametrize("before", [None, Ending.PASSED, Ending.FAILED])
def test_what_is_late_is_run_again_without_making_it_smaller(
    tmp_path: Path, before: Ending | None
) -> None:
    """A parameter that has passed says nothing of the next; one that has failed is enough."""
    told = Told(Task(FILE, "it", (), 7, text=b"then"), tmp_path)
    if before is not None:
        told.say("test_it", Result(before))
    told.say("test_it", None)
    assert told.child.go_on()
    first, again = told.jobs
    assert (first.shrinking, again.shrinking) == (True, False)
    assert first.text == again.text == b"then"
    assert again.skip == ({"test_it"} if before is Ending.FAILED else set())
    told.say("test_it", None)
    told.child.go_on()
    late = Ending.FAILED if before is Ending.FAILED else Ending.TIMEOUT
    assert told.child.run().results["test_it"].ending is late
    assert told.jobs[2].skip == {"test_it"}
    told.child.end()


def test_silence_between_functions_is_nobodys_timeout(tmp_path: Path) -> None:
    told = Told(Task(FILE, "it", (), 7), tmp_path)
    told.say("test_it", None)
    told.say("test_it", Result(Ending.PASSED))
    assert not told.child.go_on()
    found = Run("it", 7, {"test_it": Result(Ending.PASSED)}, "nothing came of it within 60 s")
    assert told.child.run() == found


def test_who_is_late_is_noticed_in_time() -> None:
    (early, _one), (late, _two) = (multiprocessing.Pipe(duplex=False) for _ in range(2))
    now = time.monotonic()
    children = {early: SimpleNamespace(deadline=now), late: SimpleNamespace(deadline=now + 2)}
    assert _ready(cast(Any, {line: (0, each) for line, each in children.items()})) == [early]
    assert time.monotonic() < now + 1


@pytest.mark.parametrize("before", [None, "3"])
def test_the_environment_is_as_it_was(monkeypatch: pytest.MonkeyPatch, before: str | None) -> None:
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    if before is not None:
        monkeypatch.setenv("PYTHONHASHSEED", before)
    assert run_all([], Bounds(1)) == []
    assert os.environ.get("PYTHONHASHSEED") == before


@pytest.mark.end_to_end
def test_a_file_that_never_comes_to_its_tests(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("mockpump.exercises.pool._SILENCE", 2.0)
    found = run(tmp_path, "while True: pass\n")
    assert (found.results, found.error) == ({}, "nothing came of it within 2 s")


SETTINGS = """
import os, sys
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
drawn = []
@given(st.integers())
def test_counted(x): drawn.append(x)
def test_settings():
    mine = settings()
    assert (mine.max_examples, mine.stateful_step_count, len(drawn)) == (60, 50, 60)
    assert (mine.deadline, mine.database) == (None, None)
    assert mine.suppress_health_check == (HealthCheck.too_slow,)
    assert not (mine.derandomize or mine.print_blob or mine.report_multiple_bugs)
def test_smaller(): assert Phase.shrink in settings().phases
def test_explained(): assert Phase.explain not in settings().phases
def test_alone():
    here = os.path.dirname(__file__)
    assert os.path.realpath(os.getcwd()) == os.path.realpath(here)
    assert {each for each in os.listdir(here) if each[0] not in "._"} == {"test_it.py"}
def test_beside():
    import beside
    assert os.path.dirname(beside.__file__) != os.path.dirname(__file__)
def test_options(pytestconfig, tmp_path):
    import tempfile
    assert not {"PYTEST_ADDOPTS", "PYTEST_PLUGINS"} & set(os.environ)
    here = os.path.realpath(os.path.dirname(__file__))
    for made in (tmp_path, tempfile.mkdtemp(), os.environ["TMPDIR"]):
        assert os.path.realpath(made).startswith(here)
    assert not pytestconfig.getini("xfail_strict")
    assert pytestconfig.getoption("importmode") == "importlib"
    assert str(pytestconfig.rootpath) == os.path.dirname(__file__)
"""


@pytest.mark.end_to_end
@pytest.mark.parametrize("shrinking", [True, False])
def test_what_a_test_file_finds_around_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shrinking: bool
) -> None:
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        monkeypatch.setenv(name, "-k nothing")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name, text in (
        ("test_it.py", SETTINGS),
        ("beside.py", ""),
        ("pytest.ini", "[pytest]\nxfail_strict = true\n"),
    ):
        (tmp_path / name).write_text(text, "utf-8")
    task = Task(tmp_path / "test_it.py", "it", (), 7, frozenset({"test_none"}), shrinking)
    (found,) = run_all([task], Bounds(1, 30.0, 60))
    failed = {n: r.example for n, r in found.results.items() if r.ending is not Ending.PASSED}
    assert failed.keys() == (set() if shrinking else {"test_smaller"}), failed
    assert (found.error, found.seed, len(found.results)) == ("", 7, 7)


@pytest.mark.end_to_end
def test_everything_that_a_test_file_can_do(tmp_path: Path) -> None:
    before = os.environ.get("PYTHONHASHSEED")
    found = run(tmp_path, EVERYTHING, patience=2.0)
    results = found.results
    assert found.error == ""
    assert {name: each.ending for name, each in results.items()} == {
        "test_plain": Ending.FAILED,
        "test_good": Ending.PASSED,
        "test_property": Ending.FAILED,
        "test_example": Ending.FAILED,
        "test_counted": Ending.PASSED,
        "test_draws_nothing": Ending.TROUBLE,
        "test_too_slow": Ending.TROUBLE,
        "test_some": Ending.FAILED,
        "test_data": Ending.FAILED,
        "test_takes_long_to_make_smaller": Ending.FAILED,
        "test_hangs": Ending.TIMEOUT,
        "test_leaves": Ending.TROUBLE,
        "test_skipped": Ending.PASSED,
        "TestMachine": Ending.FAILED,
    }
    by_property = {name for name, each in results.items() if each.by_property}
    long = "test_takes_long_to_make_smaller"
    assert by_property == {"test_property", "test_data", long, "TestMachine"}
    assert not results[long].small
    assert results["test_property"].small
    assert "x=7" in results["test_property"].example
    assert "explicit example" in results["test_example"].example
    assert results["test_example"].tried == 1
    assert results["test_property"].tried is not None
    assert "step()" in results["TestMachine"].example
    assert os.environ.get("PYTHONHASHSEED") == before


@pytest.mark.end_to_end
def test_a_patch_is_in_what_the_file_imports(tmp_path: Path) -> None:
    text = """
from mockpump.protocol.framing import checksum
from hypothesis import given, strategies as st
from mockpump.protocol.framing import Frame, encode_frame
import mockpump.protocol.messages
@given(st.from_type(Frame))
def test_types(frame): encode_frame(frame)
def test_it(): assert checksum(b"123456789") == 0xD64E
def test_elsewhere(): assert mockpump.protocol.messages.Reason
"""
    patch = Patch(
        "mockpump.protocol.framing", "return crc_hqx(data, 0xFFFF)", "return crc_hqx(data, 0)"
    )
    assert run(tmp_path, text).results["test_it"].ending is Ending.PASSED
    found = run(tmp_path, text, (patch,)).results
    assert found["test_types"].ending is Ending.PASSED
    assert (found["test_it"].ending, found["test_it"].exercised) == (Ending.FAILED, True)
    assert found["test_elsewhere"] == Result(Ending.PASSED, exercised=False)


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("import nothing_of_that_name", "nothing_of_that_name"),
        ("def test_it(:", "SyntaxError"),
        ("import os; os._exit(3)", "ended in the middle of it, with 3"),
        ("import sys; sys.exit()", "does the file end the program"),
        ("import os, shutil; shutil.rmtree(os.getcwd())", "FileNotFoundError"),
    ],
)
def test_a_file_that_cannot_be_run(tmp_path: Path, text: str, error: str) -> None:
    found = run(tmp_path, text)
    assert found.results == {}
    assert error in found.error


@pytest.mark.end_to_end
def test_what_one_function_breaks_is_its_own_affair(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found = run(
        tmp_path,
        """
import os
from hypothesis import given, strategies as st
def test_leaves(): os._exit(0)
def test_crashes(): os.abort()
def test_interrupts(): raise KeyboardInterrupt
def test_asks(nobody): pass
class Untold(Exception):
    def __str__(self): raise ValueError
def test_untold(): raise Untold
seen = []
@given(st.integers())
def test_flaky(x):
    seen.append(x)
    assert len(seen) != 7
class TestOne:
    def test_it(self): assert False
class TestTwo:
    def test_it(self): pass
""",
    )
    assert found.error == ""
    told = {name: (each.ending, each.example) for name, each in found.results.items()}
    flaky, why = told.pop("test_flaky")
    assert (flaky, "Flaky" in why) == (Ending.TROUBLE, True)
    assert told == {
        "test_leaves": (Ending.TROUBLE, "its process ended in the middle of it, with 0"),
        "test_crashes": (Ending.TROUBLE, "its process ended in the middle of it, with -6"),
        "test_interrupts": (Ending.TROUBLE, "pytest ended with INTERRUPTED"),
        "test_asks": (Ending.TROUBLE, "there is no fixture 'nobody'"),
        "test_untold": (Ending.FAILED, "Untold: (it cannot be told in words)"),
        "TestOne.test_it": (Ending.FAILED, "AssertionError: assert False"),
        "TestTwo.test_it": (Ending.PASSED, ""),
    }
    assert capfd.readouterr() == ("", "")


STARTS = """
import subprocess, sys
started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open({found!r}, "a").write(f"{{started.pid}}\\n")
"""


@pytest.mark.end_to_end
@pytest.mark.parametrize("then", ["", "while True: pass"])
def test_what_a_test_has_started_ends_with_it(tmp_path: Path, then: str) -> None:
    found = tmp_path / "found"
    text = STARTS.format(found=str(found)).replace("\n", "\n    ")
    run(tmp_path, f"def test_it():{text}\n    {then or 'pass'}\n", patience=1.0)
    for pid in map(int, found.read_text("utf-8").split()):
        assert ended(pid)


@pytest.mark.end_to_end
def test_the_fork_server_is_deaf_to_ctrl_c_from_the_beginning() -> None:
    asking = (
        "import os, signal\n"
        "from multiprocessing.forkserver import _forkserver as server\n"
        "from mockpump.exercises.pool import _processes\n"
        "with _processes() as context:\n"
        "    first = server._forkserver_pid\n"
        "    os.kill(first, signal.SIGINT)\n"
        "    process = context.Process(target=int)\n"
        "    process.start(); process.join()\n"
        "    print(process.exitcode, server._forkserver_pid == first)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", asking], capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == ("0 True\n", "")


@pytest.mark.end_to_end
def test_with_whoever_asked_all_of_it_ends(tmp_path: Path) -> None:
    """Killed, too: then nobody is left to end it."""
    found = tmp_path / "found"
    (tmp_path / "test_it.py").write_text(
        f"def test_it():\n    import os\n    open({str(found)!r}, 'w').write(str(os.getpid()))\n"
        "    while True: pass\n",
        "utf-8",
    )
    asking = (
        "import pathlib\n"
        "from mockpump.exercises.pool import Bounds, Task, run_all\n"
        f"task = Task(pathlib.Path({str(tmp_path / 'test_it.py')!r}), 'it', (), 7)\n"
        "run_all([task], Bounds(1))\n"
    )
    with subprocess.Popen([sys.executable, "-c", asking]) as asker:
        until = time.monotonic() + 30
        while not (found.exists() and found.read_text("utf-8")) and time.monotonic() < until:
            time.sleep(0.01)
        asker.kill()
    assert ended(int(found.read_text("utf-8")))


def ended(pid: int) -> bool:
    """Whether a process ends, in some seconds at the most."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.01)
    return False


@pytest.mark.end_to_end
def test_the_same_seed_finds_the_same(tmp_path: Path) -> None:
    text = """
from hypothesis import given, strategies as st
@given(st.lists(st.integers()))
def test_it(xs): assert len(xs) < 5 or xs[2] != max(xs)
"""
    first, second = (run(tmp_path, text).results["test_it"] for _ in range(2))
    assert first == second
    assert first.ending is Ending.FAILED


@pytest.mark.end_to_end
def test_another_seed_draws_something_else(tmp_path: Path) -> None:
    text = """
from hypothesis import given, strategies as st
drawn = []
@given(st.integers())
def test_draws(x): drawn.append(x)
def test_it(): assert not drawn, drawn
"""
    file = tmp_path / "test_it.py"
    file.write_text(text, "utf-8")
    runs = run_all([Task(file, "it", (), seed) for seed in (7, 7, 8)], Bounds(2))
    same, again, other = (each.results["test_it"].example for each in runs)
    assert same == again != other


@pytest.mark.end_to_end
def test_where_no_fork_server_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    assert run(tmp_path, "def test_it(): pass").results["test_it"].ending is Ending.PASSED


@pytest.mark.end_to_end
def test_parameters_that_pass_do_not_hide_one_that_hangs(tmp_path: Path) -> None:
    text = """
import pytest
@pytest.mark.parametrize("x", [1, 2])
def test_it(x):
    while x == 2: pass
def test_other(): pass
def test_left_out(): raise SystemError
"""
    file = tmp_path / "test_it.py"
    file.write_text(text, "utf-8")
    task = Task(file, "it", (), 7, frozenset({"test_left_out"}))
    (found,) = run_all([task], Bounds(1, 1.0))
    endings = {name: each.ending for name, each in found.results.items()}
    assert endings == {"test_it": Ending.TIMEOUT, "test_other": Ending.PASSED}

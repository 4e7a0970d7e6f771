"""A pytest plugin that takes down how each test function ended, and by what example.

Hypothesis tells how it failed in notes on the exception; how many examples it took is counted here,
by standing in for the function that it calls for each.
"""

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
from hypothesis.errors import Flaky, HypothesisException

from mockpump.exercises.judge import Ending, Result
from mockpump.exercises.mutation import DefectReached

_MOST_TEXT = 4_000
# What Hypothesis remarks on the parts of an example: lines of their own, and behind a value.
_REMARKS = re.compile(r"^ *# .*\n|  # or any other generated value", re.MULTILINE)
# How Hypothesis begins to tell of an example, in its older versions and since 6.170.
_SAID = ("Falsifying ", "Failing ")
# `pytest.fail` raises what is no `Exception`.
_OUTCOMES = pytest.fail.Exception


class Tell(Protocol):
    """Who hears of the functions: of each as it begins, without a result, and as it ends."""

    def __call__(self, name: str, result: Result | None, /) -> None: ...


def _nobody(name: str, result: Result | None, /) -> None:
    pass


class Recorder:
    """Keeps the results by the name of the function; of its parameters, the first that failed.

    `tell` hears of each function.  Those of `skip` are not run.  `small`: what fails is made as
    small as can be.
    """

    def __init__(
        self,
        exercised: DefectReached,
        tell: Tell = _nobody,
        skip: frozenset[str] = frozenset(),
        *,
        small: bool = True,
    ) -> None:
        self.results: dict[str, Result] = {}
        self.collection_trouble = ""
        self.exercised = exercised
        self._skip = skip
        self._tell = tell
        self._small = small
        self._tried: Counter | None = None

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected has no results."""
        if report.failed:
            self.collection_trouble = _gist(str(report.longrepr))[-_MOST_TEXT:]

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what is not to be run."""
        items[:] = [item for item in items if _name(item) not in self._skip]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Count what is tried, and begin a new record."""
        self.exercised.begin()
        self._tell(_name(item), None)
        function = getattr(item, "obj", None)
        handle = getattr(function, "hypothesis", None)
        if handle is None:
            self._tried = None
            return (yield)
        body: Callable[..., Any] = handle.inner_test
        self._tried = Counter(body, len(getattr(function, "hypothesis_explicit_examples", ())))
        handle.inner_test = self._tried.counting()
        try:
            return (yield)
        finally:
            handle.inner_test = body

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Iterator[None]:
        """Take down how it went, when everybody else has said their part."""
        made = yield
        if call.when == "call" or call.excinfo is not None:
            self._keep(_name(item), self._result(item, call))
        return made

    def _result(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Result:
        tried = self._tried.count if self._tried else None
        exercised = bool(self.exercised)
        if call.excinfo is None:
            return Result(Ending.PASSED, "", tried, False, exercised)
        error = call.excinfo.value
        if isinstance(error, pytest.skip.Exception):
            return Result(Ending.PASSED, "", None, False, exercised=False)
        if call.when != "call" or _is_error(error):
            return Result(Ending.TROUBLE, shown(error), tried, False, exercised)
        said = _what_was_said(error)
        # A state machine has nothing but examples that were drawn, and no body to count.
        drawn = self._tried.drawn if self._tried else bool(said) and item.name == "runTest"
        small = self._small and bool(said)
        return Result(Ending.FAILED, said or shown(error), tried, drawn, exercised, small)

    def _keep(self, name: str, result: Result) -> None:
        before = self.results.get(name)
        if before is None or before.ending is Ending.PASSED:
            self.results[name] = result
            self._tell(name, result)


class Counter:
    """Counts how often a test's body is called, up to its first failure.

    The first `explicit` of them are examples that stand in the file.
    """

    def __init__(self, body: Callable[..., Any], explicit: int) -> None:
        self._body = body
        self._explicit = explicit
        self._failed = False
        self.count = 0

    @property
    def drawn(self) -> bool:
        """Whether the latest example was drawn."""
        return self.count > self._explicit

    def counting(self) -> Callable[..., Any]:
        """What to call in place of the body; in name and signature it is the same."""

        @functools.wraps(self._body)
        def body(*args: Any, **kwargs: Any) -> Any:
            self.count += not self._failed
            try:
                return self._body(*args, **kwargs)
            except HypothesisException:
                # An assumption that does not hold is not a failure.
                raise
            except (Exception, _OUTCOMES):
                self._failed = True
                raise

        return body


def _gist(told: str) -> str:
    """Of what pytest writes about a failure, the error itself."""
    marked = [line[1:].strip() for line in told.splitlines() if line.startswith("E ")]
    return "\n".join(marked) or told


def _name(item: pytest.Item) -> str:
    name: str = getattr(item, "originalname", None) or item.name
    if not isinstance(item.parent, pytest.Class):
        return name
    # A state machine's test case is called runTest, whoever's it is.
    return item.parent.name if name == "runTest" else f"{item.parent.name}.{name}"


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


def _is_error(error: BaseException) -> bool:
    """Hypothesis's own complaints, and whatever ends a program, are no counter-example."""
    return isinstance(error, Flaky) or all(
        isinstance(each, HypothesisException) or not isinstance(each, Exception | _OUTCOMES)
        for each in _leaves(error)
    )


def _what_was_said(error: BaseException) -> str:
    """The smallest example: its heading, and the steps or draws that are noted after it."""
    told = [
        _REMARKS.sub("", "\n".join(getattr(e, "__notes__", []))) for e in (error, *_leaves(error))
    ]
    said = [each[each.index(begin) :] for each in told for begin in _SAID if begin in each]
    return min(said, key=len)[:_MOST_TEXT] if said else ""


def shown(error: BaseException) -> str:
    """An error in words, whatever its author has made of it."""
    if isinstance(error, pytest.FixtureLookupError):
        return f"there is no fixture {error.argname!r}"
    try:
        text = str(error)
    except Exception:  # a learner's own `__str__`
        text = "(it cannot be told in words)"
    return f"{type(error).__name__}: {text}".strip()[:_MOST_TEXT]

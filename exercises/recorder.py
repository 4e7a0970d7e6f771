"""A pytest plugin that takes down how each test function ended, and by what example.

Hypothesis tells how it failed in notes on the exception; how many examples it took is counted here,
by standing in for the function that it calls for each.
"""

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
from hypothesis.errors import HypothesisException

from mockpump.exercises.patching import Exercised
from mockpump.exercises.verdicts import Ending, Result

_MOST_TEXT = 4_000
# What Hypothesis remarks on the parts of an example: lines of their own, and behind a value.
_REMARKS = re.compile(r"^ *# .*\n|  # or any other generated value", re.MULTILINE)
# How Hypothesis begins to tell of an example, in its older versions and since 6.170.
_SAID = ("Falsifying ", "Failing ")
_IN_THE_FILE = ("Falsifying explicit example", "Failing explicit example")
# `pytest.fail` raises what is no `Exception`.
_OUTCOMES = pytest.fail.Exception


class Tell(Protocol):
    """Who hears of the results, by the names of the functions."""

    def __call__(self, name: str, result: Result | None, *, over: bool) -> None: ...


class Recorder:
    """Keeps the results by the name of the function; of its parameters, the first that failed.

    `tell` hears of each function: as it begins, without a result; when an example fails, which is
    then made smaller; and that it is over.  Those of `skip` are not run.
    """

    def __init__(
        self,
        exercised: Exercised,
        tell: Tell = lambda *_, **__: None,
        skip: frozenset[str] = frozenset(),
    ) -> None:
        self.results: dict[str, Result] = {}
        self.collection_trouble = ""
        self.exercised = exercised
        self._skip = skip
        self._tell = tell
        self._tried: Counter | None = None

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected has no results."""
        if report.failed:
            self.collection_trouble = str(report.longrepr)[-_MOST_TEXT:]

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what is not to be run."""
        items[:] = [item for item in items if _name(item) not in self._skip]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Count what is tried, and begin a new record."""
        self.exercised.begin()
        self._tell(_name(item), None, over=False)
        function = getattr(item, "obj", None)
        handle = getattr(function, "hypothesis", None)
        if handle is None:
            self._tried = None
            return (yield)
        body: Callable[..., Any] = handle.inner_test
        explicit = len(getattr(function, "hypothesis_explicit_examples", ()))

        def failed(error: BaseException, count: int) -> None:
            told = f"{_shown(error)}\n(found, but not made smaller in time)"
            by_property, exercised = count > explicit, bool(self.exercised)
            result = Result(Ending.FAILED, told, count, by_property, exercised)
            self._tell(_name(item), result, over=False)

        self._tried = Counter(body, failed)
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
            self._keep(_name(item), self._result(call))
        return made

    def _result(self, call: pytest.CallInfo[None]) -> Result:
        tried = self._tried.count if self._tried else None
        exercised = bool(self.exercised)
        if call.excinfo is None or call.excinfo.errisinstance(pytest.skip.Exception):
            return Result(Ending.PASSED, "", tried, False, exercised)
        error = call.excinfo.value
        if call.when != "call" or _is_trouble(error):
            return Result(Ending.TROUBLE, _shown(error), tried, False, exercised)
        said = _what_was_said(error)
        by_property = bool(said) and not said.startswith(_IN_THE_FILE)
        return Result(Ending.FAILED, said or _shown(error), tried, by_property, exercised)

    def _keep(self, name: str, result: Result) -> None:
        before = self.results.get(name)
        if before is None or before.ending is Ending.PASSED:
            self.results[name] = result
            self._tell(name, result, over=True)


class Counter:
    """Counts how often a test's body is called, up to its first failure, and tells of that."""

    def __init__(
        self, body: Callable[..., Any], failed: Callable[[BaseException, int], None]
    ) -> None:
        self._body = body
        self._tell = failed
        self._failed = False
        self.count = 0

    def counting(self) -> Callable[..., Any]:
        """What to call in place of the body; in name and signature it is the same."""

        @functools.wraps(self._body)
        def body(*args: Any, **kwargs: Any) -> Any:
            self.count += not self._failed
            try:
                return self._body(*args, **kwargs)
            except HypothesisException:
                # An assumption that does not hold is no failure.
                raise
            except (Exception, _OUTCOMES) as error:
                if not self._failed:
                    self._failed = True
                    self._tell(error, self.count)
                raise

        return body


def _name(item: pytest.Item) -> str:
    name: str = getattr(item, "originalname", None) or item.name
    parent = item.parent
    # A state machine's test case is called runTest, whoever's it is.
    return parent.name if name == "runTest" and parent is not None else name


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


def _is_trouble(error: BaseException) -> bool:
    """Hypothesis's own complaints, and whatever ends a program, are no counter-example."""
    return all(
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


def _shown(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".strip()[:_MOST_TEXT]

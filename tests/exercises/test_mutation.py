"""Source that is changed before it is imported: exactly once, and one knows whether it has run."""

import asyncio
import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.exercises.errors import LadderError
from mockpump.exercises.exercise import Patch
from mockpump.exercises.mutation import DefectReached, PatchingFinder, changed

VICTIM = '''"""A module."""

LIMIT = 3


def small(x):
    """Whether it is."""
    return x < LIMIT


class Box:
    def full(self, count):
        def much():
            return count > 9
        return much


async def later():
    return 5


def other():
    return LIMIT
'''
PIECES = st.lists(st.sampled_from("ab\n"), max_size=8).map("".join)


def patched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *changes: tuple[str, str]):  # type: ignore[no-untyped-def]
    """The module with its changes, and what knows whether these have run."""
    (tmp_path / "victim_module.py").write_text(VICTIM, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    exercised = DefectReached()
    finder = PatchingFinder([Patch("victim_module", *each) for each in changes], exercised)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.delitem(sys.modules, "victim_module", raising=False)
    finder.install()
    module = importlib.import_module("victim_module")
    monkeypatch.delitem(sys.modules, "victim_module")
    exercised.begin()
    return module, exercised


def test_a_change_is_in_what_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, exercised = patched(tmp_path, monkeypatch, ("x < LIMIT", "x <= LIMIT"))
    assert not exercised
    assert module.other() == 3
    assert not exercised
    assert module.small(3)
    assert exercised
    exercised.begin()
    assert not exercised
    assert module.small.__doc__ == "Whether it is."


def test_a_change_in_an_inner_function_counts_when_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, exercised = patched(tmp_path, monkeypatch, ("count > 9", "count > 8"))
    assert not module.small(9)
    assert not exercised
    much = module.Box().full(9)
    assert not exercised
    assert much()
    assert exercised


def test_a_change_outside_any_function_counts_always(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, exercised = patched(tmp_path, monkeypatch, ("LIMIT = 3", "LIMIT = 4"))
    assert module.other() == 4
    assert module.__doc__ == "A module."
    exercised.begin()
    assert exercised


def test_a_change_in_a_signature_counts_always(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made when the module is."""
    _, exercised = patched(tmp_path, monkeypatch, ("def small(x)", "def small(x=9)"))
    assert exercised


def test_a_change_in_a_coroutine_counts_when_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, exercised = patched(tmp_path, monkeypatch, ("return 5", "return 6"))
    assert not exercised
    assert asyncio.run(module.later()) == 6
    assert exercised


@pytest.mark.parametrize("called", ["small", "other"])
def test_each_of_two_changes_counts_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, called: str
) -> None:
    changes = ("return LIMIT\n", "return LIMIT + 1\n"), ("x < LIMIT", "x <= LIMIT")
    module, exercised = patched(tmp_path, monkeypatch, *changes)
    getattr(module, called)(*[1] * (called == "small"))
    assert exercised


def test_changes_of_two_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("victim_one", "victim_two"):
        (tmp_path / f"{name}.py").write_text("who = 'nobody'\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    patches = [Patch("victim_one", "nobody", "one"), Patch("victim_two", "nobody", "two")]
    PatchingFinder(patches, DefectReached()).install()
    for name in ("one", "two"):
        module = importlib.import_module(f"victim_{name}")
        assert module.who == name
        monkeypatch.delitem(sys.modules, f"victim_{name}")


def test_a_module_that_there_is_not_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    PatchingFinder([Patch("nothing_of_that_name", "a", "b")], DefectReached()).install()
    with pytest.raises(LadderError, match="there is no module nothing_of_that_name"):
        importlib.import_module("nothing_of_that_name")


@pytest.mark.parametrize("old", ["LIMIT", "nowhere"])
def test_it_must_be_there_exactly_once(old: str) -> None:
    with pytest.raises(LadderError, match="times, not once"):
        changed(VICTIM, [Patch("victim_module", old, "x")])


def test_too_late_is_an_error() -> None:
    with pytest.raises(LadderError, match="before it could be changed"):
        PatchingFinder([Patch("sys", "a", "b")], DefectReached()).install()


@given(PIECES, PIECES, PIECES, PIECES, PIECES)
def test_the_lines_are_those_of_what_is_new(
    before: str, first: str, between: str, second: str, after: str
) -> None:
    """Two changes, the second made before or behind the first: each knows where it is."""
    source = f"{before}<1>{between}<2>{after}"
    new = {"<2>": f"[2{second}]", "<1>": f"[1{first}]"}
    text, lines = changed(source, [Patch("m", old, each) for old, each in new.items()])
    assert text == f"{before}[1{first}]{between}[2{second}]{after}"
    for each, place in zip(new.values(), lines, strict=True):
        assert place.start == text[: text.index(each[:2])].count("\n") + 1
        assert len(place) == each.rstrip("\n").count("\n") + 1
